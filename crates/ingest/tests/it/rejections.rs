//! Bad input: each kind is counted by its name, nothing is stored, and the rest goes on.

use ingest::{IngestConfig, Outcome};

use crate::support::{Fixture, KEY, ack, packets_topic, status_topic};

#[test]
fn bad_payloads_are_rejected_by_name() {
    let mut fixture = Fixture::new();
    let topic = packets_topic("AMS", KEY);
    let bomb = format!("{{\"raw\":{}", "[".repeat(50_000));
    let cases: &[(&[u8], Outcome)] = &[
        (b"", Outcome::NotJson),
        (b"hello", Outcome::NotJson),
        (b"{\"raw\":", Outcome::NotJson),
        (b"[]", Outcome::NotAnObject),
        (b"5", Outcome::NotAnObject),
        (b"{\"raw\":\"\xff\xfe\"}", Outcome::NotUtf8),
        (bomb.as_bytes(), Outcome::JsonTooDeep),
        (&vec![b'x'; 10 << 20], Outcome::TooLarge),
        (b"{}", Outcome::MissingRaw),
        (b"{\"raw\":null}", Outcome::MissingRaw),
        (b"{\"raw\":\"  \"}", Outcome::MissingRaw),
        (b"{\"raw\":{}}", Outcome::MissingRaw),
        (b"{\"raw\":17}", Outcome::RawNotHex),
        (b"{\"raw\":\"0D0\"}", Outcome::RawNotHex),
        (b"{\"raw\":\"0D 0\"}", Outcome::RawNotHex),
        (b"{\"raw\":\"zz\"}", Outcome::RawNotHex),
        ("{\"raw\":\"0Dü0\"}".as_bytes(), Outcome::RawNotHex),
    ];
    for (payload, outcome) in cases {
        assert_eq!(fixture.send(&topic, payload), *outcome, "{:?}", payload.get(..40));
    }
    let long = format!("{{\"raw\":\"{}\"}}", "00".repeat(256));
    assert_eq!(fixture.send(&topic, long), Outcome::RawTooLong);
    assert_eq!(fixture.send(&status_topic("AMS", KEY), "online"), Outcome::NotJson);
    assert_eq!(fixture.take_changes(), []);
    assert_eq!(fixture.packet(&ack(1, &[]), ""), Outcome::StoredTransmission);
}

#[test]
fn frames_that_no_firmware_takes_are_rejected_by_name() {
    let mut fixture = Fixture::new();
    let padded = |head: &str, bytes: usize| format!("{head}{}", "AB".repeat(bytes));
    let cases = [
        ("0D".to_owned(), Outcome::FrameLength),
        ("4D0001".to_owned(), Outcome::FrameVersion),
        ("0C0102".to_owned(), Outcome::FrameTruncatedTransport),
        ("0C01020304".to_owned(), Outcome::FrameMissingPathByte),
        ("0DC001".to_owned(), Outcome::FramePathMode3),
        (padded("0D7F", 150), Outcome::FramePathTooLong),
        ("0D05010203".to_owned(), Outcome::FramePathBeyondFrame),
        ("0D0101".to_owned(), Outcome::FrameEmptyPayload),
        (padded("0D00", 185), Outcome::FramePayloadTooBig),
    ];
    for (raw, outcome) in cases {
        assert_eq!(fixture.packet(&raw, ""), outcome, "{raw}");
    }
    assert_eq!(fixture.take_changes(), []);
}

#[test]
fn bad_topics_are_rejected_by_name() {
    let mut fixture = Fixture::new();
    let good = format!("{{\"raw\":\"{}\"}}", ack(1, &[]));
    for (key, outcome) in [
        ("#", Outcome::TopicHasWildcard),
        ("a+b", Outcome::TopicHasWildcard),
        ("a/b", Outcome::BadObserverKey),
        ("a b", Outcome::BadObserverKey),
        ("<img src=x>", Outcome::BadObserverKey),
        ("\u{202e}4F3C", Outcome::BadObserverKey),
        ("a\u{1}b", Outcome::TopicNotText),
        ("", Outcome::BadObserverKey),
    ] {
        assert_eq!(fixture.send(&packets_topic("AMS", key), &good), outcome, "{key:?}");
        assert_eq!(fixture.send(&status_topic("AMS", key), "{}"), outcome, "{key:?}");
    }
    assert_eq!(fixture.send(&packets_topic("AMS", &"A".repeat(65_000)), &good), Outcome::BadObserverKey);
    assert_eq!(fixture.take_changes(), []);
}

#[test]
fn strangers_cannot_fill_the_memory() {
    let mut fixture = Fixture::with(IngestConfig { max_observers: 10, ..IngestConfig::default() });
    for n in 0..3000 {
        let key = format!("{n:064X}");
        let outcome = fixture.send(&packets_topic("AMS", &key), format!("{{\"raw\":\"{}\"}}", ack(n, &[])));
        let wanted = if n < 10 { Outcome::StoredTransmission } else { Outcome::TooManyObservers };
        assert_eq!(outcome, wanted, "{n}");
    }
    assert_eq!(fixture.send(&status_topic("AMS", KEY), "{}"), Outcome::TooManyObservers);
    let known = format!("{:064X}", 3);
    assert_eq!(fixture.send(&status_topic("AMS", &known), "{}"), Outcome::Status);
    let report = fixture.report();
    assert!(report.observers.len() <= 10 + 256 + 2, "{}", report.observers.len());
    let others = report.observers.iter().find(|row| &*row.key == "others").unwrap();
    assert!(others.received > 2000);
    assert_eq!(fixture.observer_changes(), 11);
}

#[test]
fn junk_keys_cannot_keep_a_real_observer_out() {
    let mut fixture = Fixture::with(IngestConfig { max_observers: 10, ..IngestConfig::default() });
    for n in 0..1000 {
        fixture.send(&packets_topic("AMS", &format!("{n:064X}")), "junk");
    }
    assert_eq!(fixture.packet(&ack(1, &[]), ""), Outcome::StoredTransmission);
    // Its first message was booked before it was known.
    assert!(fixture.report().observers.iter().all(|row| &*row.key != KEY));
    fixture.packet(&ack(2, &[]), "");
    assert!(fixture.report().observers.iter().any(|row| &*row.key == KEY && row.received == 1));
}

#[test]
fn the_latest_rejections_are_shown_clean_and_short() {
    let mut fixture = Fixture::new();
    for n in 0..150 {
        fixture.send(
            &packets_topic("AMS", KEY),
            format!("{{\"raw\":\"<b>\\u0007{n}{}\"}}", "\u{202e}x".repeat(90)),
        );
    }
    fixture.send(&format!("meshcore/{}/\u{1b}[31m/packets", "Ü".repeat(500)), "{}");
    let recent = fixture.report().recent_rejections;
    assert_eq!(recent.len(), 100);
    assert!(recent.iter().all(|r| r.topic.len() <= 160 && r.detail.len() <= 160));
    assert!(recent.iter().all(|r| !r.topic.chars().chain(r.detail.chars()).any(char::is_control)));
    assert_eq!(recent[0].reason, "rejected_raw_not_hex");
    assert!(recent[0].detail.contains("<b>"));
    assert_eq!(recent[99].reason, "rejected_topic_not_text");
}
