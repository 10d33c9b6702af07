//! Observers whose clocks cannot be believed.

use ingest::{Outcome, Remark};
use model::UnixMillis;

use crate::support::{Fixture, KEY, NOW, ack};

#[test]
fn a_clock_without_zone_far_off_is_noted_on_the_observer_and_not_per_packet() {
    let mut fixture = Fixture::new();
    for n in 0..20 {
        fixture.packet(&ack(n, &[]), r#""timestamp":"2026-01-01T04:00:05""#);
    }
    assert_eq!(fixture.last_observation().time, NOW);
    let observer = fixture.observer(KEY).unwrap();
    assert_eq!((observer.clock_skew_secs, observer.clock_last_naive), (Some(-8 * 3600), Some(NOW)));
    assert_eq!(fixture.observer_changes(), 1);
    fixture.now = NOW.plus_ms(2 * 3_600_000);
    fixture.packet(&ack(20, &[]), r#""timestamp":"2026-01-01T06:00:05""#);
    assert_eq!(fixture.observer(KEY).unwrap().clock_last_naive, Some(fixture.now));
    assert_eq!(fixture.remarked(Remark::ClockWithoutZone), 21);
}

#[test]
fn a_clock_that_was_never_set_gives_the_time_of_arrival_and_no_skew() {
    let mut fixture = Fixture::new();
    let unset = r#""timestamp":"2024-01-01T12:00:00.000000","time":"12:00:00","date":"01/01/2024""#;
    assert_eq!(fixture.packet(&ack(1, &[]), unset), Outcome::StoredTransmission);
    assert_eq!(fixture.last_observation().time, NOW);
    assert_eq!(fixture.observer(KEY).unwrap().clock_skew_secs, None);
    assert_eq!(fixture.remarked(Remark::ClockNotSet), 1);
}

#[test]
fn the_future_and_the_distant_past_are_not_believed() {
    let mut fixture = Fixture::new();
    for (n, stamp) in
        ["2026-01-01T12:02:00Z", "2025-11-01T00:00:00+00:00", "1969-01-01T00:00:00Z"].iter().enumerate()
    {
        fixture.packet(&ack(n as u32, &[]), &format!(r#""timestamp":"{stamp}""#));
        assert_eq!(fixture.last_observation().time, NOW, "{stamp}");
    }
    assert_eq!(fixture.remarked(Remark::ClockNotBelieved), 3);
    fixture.packet(&ack(9, &[]), r#""timestamp":"2025-12-25T12:00:05Z""#);
    assert_eq!(fixture.last_observation().time, UnixMillis(NOW.0 - 7 * 86_400_000));
}

#[test]
fn a_message_without_a_time_is_heard_when_it_arrives() {
    let mut fixture = Fixture::new();
    for (n, fields) in
        ["", r#""timestamp":null"#, r#""timestamp":"later""#, r#""timestamp":{}"#].iter().enumerate()
    {
        fixture.packet(&ack(n as u32, &[]), fields);
        assert_eq!(fixture.last_observation().time, NOW, "{fields}");
    }
    assert_eq!(fixture.remarked(Remark::ClockMissing), 4);
}
