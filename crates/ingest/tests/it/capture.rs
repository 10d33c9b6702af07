//! The real capture, as a publisher would replay it.

use std::collections::HashSet;

use ingest::Outcome;
use meshcore::Frame;
use model::UnixMillis;
use simulator::{Mesh, SimConfig, SimMessage};

use crate::support::{Fixture, message};

/// Packet, topic, hash size and path.
type Heard = (String, String, u8, Vec<u8>);

/// What the messages hold, counted by hand: distinct packets, distinct observations, and frames in all.
fn counted(messages: &[SimMessage]) -> (HashSet<String>, HashSet<Heard>, usize) {
    let (mut packets, mut observations, mut frames) = (HashSet::new(), HashSet::new(), 0);
    for message in messages.iter().filter(|message| message.topic.ends_with("/packets")) {
        let envelope: serde_json::Value = serde_json::from_str(&message.payload).unwrap();
        let raw = meshcore::decode_hex(envelope["raw"].as_str().unwrap()).unwrap();
        let Ok(frame) = Frame::parse(&raw) else { continue };
        let hash = frame.content_hash().to_string();
        let size = if frame.path().is_empty() { 0 } else { frame.path().hash_size() };
        frames += 1;
        observations.insert((hash.clone(), message.topic.clone(), size, frame.path().bytes().to_vec()));
        packets.insert(hash);
    }
    (packets, observations, frames)
}

fn send_all(fixture: &mut Fixture, messages: &[SimMessage]) {
    let received = messages.iter().map(|m| message(0, &m.topic, m.payload.as_bytes(), m.time));
    fixture.ingest.handle_batch(received.collect());
}

#[test]
fn the_capture_gives_exactly_its_distinct_packets_and_observations_and_again_none() {
    let mut messages = simulator::capture();
    simulator::shift_to(&mut messages, crate::support::NOW);
    let (packets, observations, frames) = counted(&messages);
    let mut fixture = Fixture::new();
    send_all(&mut fixture, &messages);
    let report = fixture.report();
    assert!(report.balances());
    assert_eq!(report.count(Outcome::StoredTransmission), packets.len() as u64);
    let stored = report.count(Outcome::StoredTransmission) + report.count(Outcome::StoredObservation);
    assert_eq!(stored, observations.len() as u64);
    assert_eq!(report.count(Outcome::Duplicate), (frames - observations.len()) as u64);
    assert_eq!(report.count(Outcome::FrameVersion), 1);
    assert_eq!((packets.len(), observations.len(), report.received), (286, 286, 288));
    let totals = fixture.index.read().totals(crate::support::NOW);
    assert_eq!(
        (totals.transmissions, totals.observations, totals.observers),
        (286, 286, 21),
        "one observer sent only the damaged line"
    );

    fixture.take_changes();
    send_all(&mut fixture, &messages);
    assert_eq!(fixture.take_changes(), []);
    assert_eq!(fixture.report().count(Outcome::Duplicate), 288);
}

#[test]
fn the_simulated_mesh_is_stored_whole_and_without_a_remark() {
    let config = SimConfig { nodes: 80, observers: 15, packets_per_hour: 3600.0, ..SimConfig::default() };
    let messages: Vec<_> = Mesh::new(config).take(8000).collect();
    let (packets, observations, frames) = counted(&messages);
    let mut fixture = Fixture::new();
    send_all(&mut fixture, &messages);
    let report = fixture.report();
    assert!(report.balances());
    assert_eq!(report.count(Outcome::StoredTransmission), packets.len() as u64);
    let stored = report.count(Outcome::StoredTransmission) + report.count(Outcome::StoredObservation);
    assert_eq!(stored, observations.len() as u64);
    assert_eq!(report.count(Outcome::Duplicate), (frames - observations.len()) as u64);
    assert_eq!(report.count(Outcome::Status), (messages.len() - frames) as u64);
    let remarks: Vec<_> = report
        .remarks
        .iter()
        .filter(|r| !["placeholder_signal", "sent_at_qos_0"].contains(&r.name))
        .collect();
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn replaying_the_changes_gives_the_same_totals() {
    let messages: Vec<_> =
        Mesh::new(SimConfig { nodes: 60, observers: 10, ..SimConfig::default() }).take(3000).collect();
    let mut fixture = Fixture::new();
    send_all(&mut fixture, &messages);
    let replayed = crate::support::empty_index();
    for change in fixture.take_changes() {
        replayed.write().apply(&change).unwrap();
    }
    let now = UnixMillis(messages.last().unwrap().time.0);
    assert_eq!(replayed.read().totals(now), fixture.index.read().totals(now));
    assert_eq!(replayed.read().next_ids(), fixture.index.read().next_ids());
}
