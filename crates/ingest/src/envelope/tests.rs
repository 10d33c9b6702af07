use super::*;

fn parse(text: &str) -> Envelope<'_> {
    Envelope::parse(text.as_bytes(), 65_536).unwrap()
}

fn refused(payload: &[u8]) -> Outcome {
    Envelope::parse(payload, 65_536).unwrap_err().0
}

#[test]
fn fields_may_be_texts_numbers_or_null() {
    let envelope =
        parse(r#"{"SNR":"7","RSSI":-88,"score":null,"len":"24","raw":"0A","origin":5,"duration":[1]}"#);
    assert_eq!(envelope.snr.number(), Some(7.0));
    assert_eq!(envelope.rssi.number(), Some(-88.0));
    assert_eq!(envelope.score, Scalar::Absent);
    assert_eq!(envelope.len.number(), Some(24.0));
    assert_eq!(envelope.raw.text(), Some("0A"));
    assert_eq!(envelope.origin.text(), None);
}

#[test]
fn units_behind_a_number_are_passed_over() {
    for (text, number) in [
        ("7 dB", Some(7.0)),
        ("-88dBm", Some(-88.0)),
        (" -3.25 ", Some(-3.25)),
        ("+12.5 db", Some(12.5)),
        ("4011 mV", Some(4011.0)),
        ("1e2", Some(100.0)),
        ("1.5 km", Some(1.5)),
        ("Unknown", None),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("1e999", None),
        ("7 apples", None),
        ("--7", None),
        ("7 dB 8", None),
    ] {
        assert_eq!(Scalar::Text(text.into()).number(), number, "{text:?}");
    }
    assert_eq!(Scalar::Text("1".repeat(1_000_000).into()).number(), None);
}

#[test]
fn unknown_is_no_value_but_nonsense_is_meant_as_one() {
    for nothing in ["Unknown", "unknown", " ", "null", "N/A"] {
        assert!(!Scalar::Text(nothing.into()).says_something(), "{nothing:?}");
    }
    assert!(Scalar::Text("loud".into()).says_something());
    assert!(Scalar::Number(0.0).says_something());
    assert!(!Scalar::Absent.says_something());
}

#[test]
fn yes_and_no_come_in_many_words() {
    let envelope = parse(r#"{"repeat":"On"}"#);
    assert_eq!(envelope.repeat.yes_or_no(), Some(true));
    assert_eq!(parse(r#"{"repeat":0}"#).repeat.yes_or_no(), Some(false));
    assert_eq!(parse(r#"{"repeat":true}"#).repeat.yes_or_no(), Some(true));
    assert_eq!(parse(r#"{"repeat":"no"}"#).repeat.yes_or_no(), Some(false));
    assert_eq!(parse(r#"{"repeat":"maybe"}"#).repeat.yes_or_no(), None);
    assert_eq!(parse("{}").repeat.yes_or_no(), None);
}

#[test]
fn stats_stand_inside_or_beside() {
    let inside =
        parse(r#"{"stats":{"battery_mv":4011,"packets_sent":"9","recv":3,"x":{"y":[]}},"stats2":1}"#);
    assert_eq!(inside.stats.battery_mv.count(), Some(4011));
    assert_eq!(inside.stats.packets_sent.count(), Some(9));
    assert_eq!(inside.stats.packets_recv.count(), Some(3));
    let beside = parse(r#"{"noise_floor":-112.5,"uptime_secs":-1,"stats":null}"#);
    assert_eq!(beside.stats.noise_floor.number(), Some(-112.5));
    assert_eq!(beside.stats.uptime_secs.count(), None);
    for odd in [r#"{"stats":[1,[2]]}"#, r#"{"stats":"x"}"#, r#"{"stats":3.5}"#, r#"{"stats":true}"#] {
        assert_eq!(parse(odd).stats.battery_mv, Scalar::Absent, "{odd}");
    }
}

#[test]
fn both_spellings_are_read_and_the_last_of_two_wins() {
    let envelope = parse(
        r#"{"SNR":"1","snr":2,"Direction":"tx","clientVersion":"a","firmware":"b","firmware_version":null}"#,
    );
    assert_eq!(envelope.snr.number(), Some(2.0));
    assert_eq!(envelope.direction.text(), Some("tx"));
    assert_eq!(envelope.client_version.text(), Some("a"));
    assert_eq!(envelope.firmware.text(), Some("b"));
}

#[test]
fn escaped_keys_and_texts_are_read() {
    let envelope = parse(r#"{"\u0072aw":"\u0030A","origin":"A\"B"}"#);
    assert_eq!(envelope.raw.text(), Some("0A"));
    assert_eq!(envelope.origin.text(), Some("A\"B"));
}

#[test]
fn what_is_no_json_object_says_why() {
    assert_eq!(refused(b"hello"), Outcome::NotJson);
    assert_eq!(refused(b""), Outcome::NotJson);
    assert_eq!(refused(b"{\"raw\":\"0A\""), Outcome::NotJson);
    assert_eq!(refused(b"{\"raw\":\"0A\"} {}"), Outcome::NotJson);
    assert_eq!(refused(b"[1,2]"), Outcome::NotAnObject);
    assert_eq!(refused(b"\"text\""), Outcome::NotAnObject);
    assert_eq!(refused(b"null"), Outcome::NotAnObject);
    assert_eq!(refused(b"{\"a\":\"\xff\"}"), Outcome::NotUtf8);
    assert_eq!(refused(&vec![b' '; 65_537]), Outcome::TooLarge);
}

#[test]
fn json_bombs_are_stopped() {
    let deep = |open: &str, close: &str| format!("{{\"x\":{}{}}}", open.repeat(20_000), close.repeat(20_000));
    assert_eq!(refused(deep("[", "]").as_bytes()), Outcome::JsonTooDeep);
    let objects = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    assert_eq!(refused(objects.as_bytes()), Outcome::JsonTooDeep);
    let in_a_field = format!("{{\"raw\":{}", "[".repeat(60_000));
    assert_eq!(refused(in_a_field.as_bytes()), Outcome::JsonTooDeep);
    let in_stats = format!("{{\"stats\":{}", "{\"a\":".repeat(10_000));
    assert_eq!(refused(in_stats.as_bytes()), Outcome::JsonTooDeep);
}
