//! Who is heard at all.

use ingest::{IngestConfig, Outcome, SourcePolicy};
use model::SourceId;

use crate::support::{Fixture, KEY, OTHER_KEY, ack, packets_topic, status_topic};

fn raw(n: u32) -> String {
    format!("{{\"raw\":\"{}\"}}", ack(n, &[]))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn blacklisted_observers_are_not_heard_whatever_the_case() {
    let blacklist = vec![KEY.to_lowercase()];
    let mut fixture =
        Fixture::with(IngestConfig { observer_blacklist: blacklist, ..IngestConfig::default() });
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), raw(1)), Outcome::FilteredByBlacklist);
    assert_eq!(fixture.send(&status_topic("AMS", KEY), "{}"), Outcome::FilteredByBlacklist);
    let flat = format!("{{\"origin_id\":\"{KEY}\",\"raw\":\"{}\"}}", ack(1, &[]));
    assert_eq!(fixture.send("meshcore/packets", flat), Outcome::FilteredByBlacklist);
    assert_eq!(fixture.send(&packets_topic("AMS", OTHER_KEY), raw(1)), Outcome::StoredTransmission);
}

#[test]
fn the_whitelist_of_regions_holds_for_packets_and_status() {
    let whitelist = strings(&["sfo", " OAK "]);
    let mut fixture =
        Fixture::with(IngestConfig { observer_iata_whitelist: whitelist, ..IngestConfig::default() });
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), raw(1)), Outcome::FilteredByWhitelist);
    assert_eq!(fixture.send(&status_topic("AMS", KEY), "{}"), Outcome::FilteredByWhitelist);
    assert_eq!(fixture.send(&packets_topic("sfo", KEY), raw(1)), Outcome::StoredTransmission);
    assert_eq!(fixture.send(&status_topic("OAK", KEY), "{}"), Outcome::Status);
    let disguised = format!("{{\"raw\":\"{}\",\"region\":\"SFO\"}}", ack(2, &[]));
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), disguised), Outcome::FilteredByWhitelist);
}

#[test]
fn the_filter_of_a_source_holds_for_its_packets_only() {
    let policy = |source, filter: &[&str]| SourcePolicy {
        source: SourceId(source),
        name: format!("broker {source}"),
        region: Some("SJC".into()),
        iata_filter: strings(filter),
    };
    let sources = vec![policy(0, &["SFO", "sjc"]), policy(1, &[])];
    let mut fixture = Fixture::with(IngestConfig { sources, ..IngestConfig::default() });
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), raw(1)), Outcome::FilteredByIata);
    assert_eq!(fixture.send(&status_topic("AMS", KEY), "{}"), Outcome::Status);
    assert_eq!(fixture.send(&packets_topic("SFO", KEY), raw(1)), Outcome::StoredTransmission);
    let flat = format!("{{\"origin_id\":\"{OTHER_KEY}\",\"raw\":\"{}\"}}", ack(1, &[]));
    assert_eq!(fixture.send("meshcore/packets", flat), Outcome::StoredObservation);
    let from_other = crate::support::message(1, &packets_topic("AMS", KEY), raw(2).as_bytes(), fixture.now);
    assert_eq!(fixture.send_message(from_other), Outcome::StoredTransmission);
    let report = fixture.report();
    assert_eq!(
        report.sources.iter().map(|s| (&*s.name, s.received)).collect::<Vec<_>>(),
        [("broker 0", 4), ("broker 1", 1)]
    );
}

#[test]
fn messages_of_a_source_nobody_configured_are_counted_under_its_number() {
    let mut fixture = Fixture::new();
    for source in [3, 3, 9] {
        fixture.send_message(crate::support::message(
            source,
            &packets_topic("AMS", KEY),
            raw(1).as_bytes(),
            fixture.now,
        ));
    }
    let report = fixture.report();
    let sources: Vec<_> = report.sources.iter().map(|s| (&*s.name, s.received)).collect();
    assert_eq!(sources, [("source 3", 2), ("source 9", 1)]);
}
