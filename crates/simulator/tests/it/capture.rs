use model::UnixMillis;
use serde_json::Value;
use simulator::{SimMessage, capture, capture_line, shift_to};

const NEWEST: UnixMillis = UnixMillis(1_767_268_801_104);

fn message(time: i64, payload: &str) -> SimMessage {
    SimMessage { time: UnixMillis(time), topic: "t".into(), payload: payload.into() }
}

#[test]
fn the_capture_is_whole_and_in_order() {
    let messages = capture();
    assert_eq!(messages.len(), 288);
    assert!(messages.is_sorted_by_key(|message| message.time));
    assert_eq!(messages[0].time, UnixMillis(1_779_033_699_000));
    let mut not_frames = Vec::new();
    for message in &messages {
        let payload: Value = serde_json::from_str(&message.payload).unwrap();
        let raw = meshcore::decode_hex(payload["raw"].as_str().unwrap()).unwrap();
        not_frames.extend(meshcore::Frame::parse(&raw).err().map(|error| error.kind.name()));
        let key = message.topic.split('/').nth(2).unwrap();
        assert_eq!(payload["origin_id"], key);
    }
    // One line is what is left of two frames that ran into each other.
    assert_eq!(not_frames, ["version"]);
}

#[test]
fn shifting_moves_the_newest_to_the_wanted_time_and_keeps_the_gaps() {
    let before = capture();
    let mut after = before.clone();
    shift_to(&mut after, NEWEST);
    let by = NEWEST.0 - before.last().unwrap().time.0;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(after.time.0 - before.time.0, by);
        let line = format!("{{\"topic\":\"t\",\"payload\":{}}}", after.payload);
        assert_eq!(capture_line(&line).unwrap().time, after.time);
        assert_eq!(after.payload.replace(' ', "").len(), before.payload.replace(' ', "").len());
    }
    assert!(after.last().unwrap().payload.contains("\"2026-01-01T12:00:01.104000+00:00\""));
}

#[test]
fn local_time_moves_together_with_its_utc_pair() {
    let payload =
        r#"{"timestamp":"2025-12-31T23:30:00.000000","time":"07:30:00","date":"01/01/2026","raw":"0A"}"#;
    let mut messages = [message(1_767_252_600_000, payload)];
    shift_to(&mut messages, UnixMillis(1_767_252_600_000 + 86_400_000 + 3_600_000));
    let wanted =
        r#"{"timestamp":"2026-01-02T00:30:00.000000","time":"08:30:00","date":"02/01/2026","raw":"0A"}"#;
    assert_eq!(messages[0].payload, wanted);
}

#[test]
fn the_clock_of_a_node_stays_beside_a_time_with_zone() {
    let payload = r#"{"time":"12:00:00","date":"1/1/2026","timestamp":"2026-01-01T12:00:01Z"}"#;
    let mut messages = [message(1_767_268_801_000, payload)];
    shift_to(&mut messages, UnixMillis(1_767_268_802_000));
    let wanted = r#"{"time":"12:00:00","date":"1/1/2026","timestamp":"2026-01-01T12:00:02.000000+00:00"}"#;
    assert_eq!(messages[0].payload, wanted);
}

#[test]
fn payloads_without_a_time_stay_as_they_are() {
    for payload in
        ["", "{}", "not json", r#"{"timestamp":5}"#, r#"{"timestamp":"soon"}"#, r#"{"timestamp":"a\"b"}"#]
    {
        let mut messages = [message(5, payload)];
        shift_to(&mut messages, UnixMillis(10));
        assert_eq!(messages[0], message(10, payload));
    }
    shift_to(&mut [], NEWEST);
}

#[test]
fn lines_that_are_no_messages_are_refused() {
    for line in ["", "[]", "{\"topic\":1,\"payload\":{}}", "{\"topic\":\"t\"}", "x"] {
        assert_eq!(capture_line(line), None, "{line}");
    }
    assert_eq!(capture_line(r#"{"topic":"t","payload":"{\"a\":1}"}"#).unwrap().payload, r#"{"a":1}"#);
}
