//! Status messages, fresh, stale and kept by a broker.

use ingest::Outcome;
use model::UnixMillis;

use crate::support::{Fixture, KEY, NOW, OTHER_KEY, ack, status_topic};

const ONLINE: &str = r#""status":"online","timestamp":"2026-01-01T12:00:04Z","origin":"Ana""#;

#[test]
fn a_late_will_does_not_beat_a_fresh_online() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.status(ONLINE), Outcome::Status);
    let will = r#""status":"offline","timestamp":"2026-01-01T11:00:00Z","origin":"Ana""#;
    assert_eq!(fixture.status(will), Outcome::StatusStale);
    assert_eq!(fixture.observer(KEY).unwrap().online, Some(true));
    let fresh = r#""status":"offline","timestamp":"2026-01-01T12:00:05Z""#;
    assert_eq!(fixture.status(fresh), Outcome::Status);
    assert_eq!(fixture.observer(KEY).unwrap().online, Some(false));
}

#[test]
fn an_offline_without_a_time_is_taken() {
    let mut fixture = Fixture::new();
    fixture.status(ONLINE);
    assert_eq!(fixture.status(r#""status":"Offline""#), Outcome::Status);
    assert_eq!(fixture.observer(KEY).unwrap().online, Some(false));
}

#[test]
fn a_retained_status_fills_what_is_unknown_and_says_nothing_of_now() {
    let mut fixture = Fixture::new();
    fixture.packet(&ack(1, &[]), r#""origin":"Ana""#);
    let old = r#"{"status":"online","timestamp":"2025-06-01T00:00:00Z","origin":"Old Ana","model":"Heltec V3","stats":{"battery_mv":3000}}"#;
    assert_eq!(fixture.send_retained(&status_topic("SFO", KEY), old), Outcome::StatusRetained);
    let observer = fixture.observer(KEY).unwrap();
    assert_eq!((observer.name.as_deref(), observer.iata.as_deref()), (Some("Ana"), Some("AMS")));
    assert_eq!(observer.model.as_deref(), Some("Heltec V3"));
    assert_eq!((observer.last_status, observer.online, observer.battery_mv), (None, None, None));
    assert_eq!(fixture.metrics(), []);
    fixture.take_changes();
    assert_eq!(fixture.send_retained(&status_topic("SFO", KEY), old), Outcome::StatusRetained);
    assert_eq!(fixture.take_changes(), []);
}

#[test]
fn an_observer_known_by_a_retained_status_only_was_not_seen_now() {
    let mut fixture = Fixture::new();
    let old = r#"{"status":"online","timestamp":"2025-06-01T00:00:00Z","origin":"Eva"}"#;
    assert_eq!(fixture.send_retained(&status_topic("SFO", OTHER_KEY), old), Outcome::StatusRetained);
    let observer = fixture.observer(OTHER_KEY).unwrap();
    assert_eq!(observer.first_seen, UnixMillis(1_748_736_000_000));
    assert_eq!((observer.last_status, observer.online), (None, None));
}

#[test]
fn metric_samples_stand_at_the_nearest_five_minutes() {
    let mut fixture = Fixture::new();
    for (at, rounded) in [(0, 0), (149_999, 0), (150_000, 300_000), (300_000, 300_000)] {
        fixture.now = UnixMillis(1_767_268_800_000 + at);
        fixture.status(r#""stats":{"noise_floor":-110}"#);
        assert_eq!(fixture.metrics().last().unwrap().time, UnixMillis(1_767_268_800_000 + rounded));
    }
    fixture.status(r#""status":"online""#);
    assert_eq!(fixture.metrics().len(), 4, "a status without counters is no sample");
}

#[test]
fn nonsense_in_a_status_leaves_what_was_known() {
    let mut fixture = Fixture::new();
    fixture.status(
        r#""status":"online","model":"Heltec V3","battery_mv":4000,"repeat":1,"radio":"869.6,62.5,8,8""#,
    );
    let nonsense = r#""status":7,"model":[],"battery_mv":-1,"uptime_secs":1e300,"noise_floor":"low","repeat":"often","radio":"\u0000","stats":3"#;
    assert_eq!(fixture.status(nonsense), Outcome::Status);
    let observer = fixture.observer(KEY).unwrap();
    assert_eq!((observer.model.as_deref(), observer.battery_mv), (Some("Heltec V3"), Some(4000)));
    assert_eq!((observer.uptime_secs, observer.noise_floor), (None, None));
    assert_eq!((observer.can_relay, observer.online), (Some(true), Some(true)));
    assert_eq!(observer.radio.as_deref(), Some("869.6,62.5,8,8"));
    assert_eq!(observer.last_status, Some(NOW));
}
