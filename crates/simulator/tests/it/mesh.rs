use std::collections::{HashMap, HashSet};

use meshcore::{Frame, KeyRing, Payload, PayloadType, Route};
use serde_json::Value;
use simulator::{Mesh, SimConfig, SimMessage};

fn config() -> SimConfig {
    SimConfig { seed: 7, nodes: 120, observers: 20, packets_per_hour: 3600.0, ..SimConfig::default() }
}

fn packets(messages: &[SimMessage]) -> Vec<(&SimMessage, Value, Vec<u8>)> {
    let packets = messages.iter().filter(|message| message.topic.ends_with("/packets"));
    packets
        .map(|message| {
            let envelope: Value = serde_json::from_str(&message.payload).unwrap();
            let raw = meshcore::decode_hex(envelope["raw"].as_str().unwrap()).unwrap();
            (message, envelope, raw)
        })
        .collect()
}

/// FNV-1a: the digest need not be strong, only the same everywhere.
fn digest(messages: &[SimMessage]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for message in messages {
        for byte in format!("{}\n{}\n{}\n", message.time.0, message.topic, message.payload).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[test]
fn the_same_seed_gives_the_same_messages_on_every_machine_for_ever() {
    let messages: Vec<_> = Mesh::new(config()).take(2000).collect();
    assert_eq!(format!("{:016x}", digest(&messages)), "a60060f7c07c7d05");
    let other: Vec<_> = Mesh::new(SimConfig { seed: 8, ..config() }).take(2000).collect();
    assert_ne!(digest(&other), digest(&messages));
}

#[test]
fn every_frame_is_one_the_firmware_takes_and_every_envelope_tells_the_truth() {
    let messages: Vec<_> = Mesh::new(config()).take(5000).collect();
    assert!(messages.is_sorted_by_key(|message| message.time));
    for (message, envelope, raw) in packets(&messages) {
        let frame = Frame::parse(&raw).unwrap();
        frame.payload().unwrap();
        assert_eq!(envelope["len"], raw.len().to_string());
        assert_eq!(envelope["packet_type"], frame.payload_type().code().to_string());
        assert_eq!(envelope["hash"], frame.content_hash().to_string().to_uppercase());
        assert_eq!(envelope["route"] == "F", frame.route().is_flood());
        let snr: f64 = envelope["SNR"].as_str().unwrap().parse().unwrap();
        let rssi: i32 = envelope["RSSI"].as_str().unwrap().parse().unwrap();
        assert!((-13.0..15.0).contains(&snr) && (-130..-20).contains(&rssi), "{snr} {rssi}");
        assert!(message.topic.contains(envelope["origin_id"].as_str().unwrap()));
    }
}

#[test]
fn all_kinds_of_packets_and_routes_and_hash_sizes_occur() {
    let messages: Vec<_> = Mesh::new(config()).take(60_000).collect();
    let (mut types, mut routes, mut sizes) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (_, _, raw) in packets(&messages) {
        let frame = Frame::parse(&raw).unwrap();
        types.insert(frame.payload_type());
        routes.insert(frame.route());
        sizes.insert(frame.path().hash_size());
    }
    let unassigned = [PayloadType::Unassigned12, PayloadType::Unassigned13, PayloadType::Unassigned14];
    let missing: Vec<_> =
        PayloadType::ALL.iter().filter(|t| !unassigned.contains(t) && !types.contains(t)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(routes.is_superset(&HashSet::from([Route::Flood, Route::Direct, Route::TransportFlood])));
    assert_eq!(sizes.len(), 3);
}

#[test]
fn a_packet_reaches_as_many_observers_as_wanted_and_none_twice_by_the_same_path() {
    let messages: Vec<_> =
        Mesh::new(SimConfig { observations_per_packet: 6.0, ..config() }).take(20_000).collect();
    let mut copies: HashMap<_, Vec<_>> = HashMap::new();
    for (message, _, raw) in packets(&messages) {
        let frame = Frame::parse(&raw).unwrap();
        let path = (frame.path().byte(), frame.path().bytes().to_vec());
        copies.entry(frame.content_hash()).or_default().push((message.topic.clone(), path));
    }
    let total: usize = copies.values().map(Vec::len).sum();
    let mean = total as f64 / copies.len() as f64;
    assert!((5.0..7.0).contains(&mean), "{mean}");
    for (hash, copies) in copies {
        let distinct: HashSet<_> = copies.iter().collect();
        // Two repeaters may share a one-byte hash, so a few pairs are alike.
        assert!(distinct.len() * 10 >= copies.len() * 9, "{hash} {} {}", distinct.len(), copies.len());
    }
}

#[test]
fn adverts_are_signed_and_channel_texts_can_be_read() {
    let messages: Vec<_> = Mesh::new(config()).take(3000).collect();
    let mut keys = KeyRing::with_public();
    keys.add_hashtag("#test");
    let (mut adverts, mut texts) = (0, 0);
    for (_, _, raw) in packets(&messages) {
        match Frame::parse(&raw).unwrap().payload().unwrap() {
            Payload::Advert(advert) => {
                assert!(advert.verify());
                adverts += 1;
            }
            Payload::GroupText(text) => {
                let message = keys.decrypt_text(&text);
                texts += usize::from(message.is_some_and(|m| m.sender().is_some() && !m.body().is_empty()));
            }
            _ => {}
        }
    }
    assert!(adverts > 100 && texts > 100, "{adverts} {texts}");
}

#[test]
fn every_observer_says_how_it_is_every_five_minutes() {
    let hour = config().start.plus_ms(3_600_000);
    let messages: Vec<_> = Mesh::new(config()).take_while(|message| message.time < hour).collect();
    let mut statuses: HashMap<&str, usize> = HashMap::new();
    for message in messages.iter().filter(|message| message.topic.ends_with("/status")) {
        let status: Value = serde_json::from_str(&message.payload).unwrap();
        assert_eq!(status["status"], "online");
        assert!(status["stats"]["battery_mv"].as_u64().unwrap() > 3000);
        *statuses.entry(&message.topic).or_default() += 1;
    }
    assert_eq!(statuses.len(), 20);
    assert!(statuses.values().all(|count| (11..=13).contains(count)), "{statuses:?}");
}

#[test]
fn the_truth_explains_every_path() {
    let mut mesh = Mesh::new(SimConfig { keep_truth: 10_000, ..config() });
    let messages: Vec<_> = mesh.by_ref().take(5000).collect();
    let nodes: HashMap<_, _> = mesh.nodes().map(|node| (node.key, node)).collect();
    let mut explained = 0;
    for (message, _, raw) in packets(&messages) {
        let frame = Frame::parse(&raw).unwrap();
        let truth = mesh.truth(frame.content_hash()).unwrap();
        assert!(nodes.contains_key(&truth.origin));
        let key = message.topic.split('/').nth(2).unwrap().parse().unwrap();
        let mut of_observer = truth.copies.iter().filter(|copy| copy.observer == key);
        if frame.route().is_flood() {
            let hops: Vec<_> = frame.path().hops().map(|hop| hop.0).collect();
            let same = |passed: &[meshcore::NodeKey]| {
                passed.len() == hops.len()
                    && passed.iter().zip(&hops).all(|(key, hop)| key.0.starts_with(hop))
            };
            assert!(of_observer.any(|copy| same(&copy.passed)), "{hops:?}");
            explained += 1;
        } else {
            assert!(of_observer.next().is_some());
        }
    }
    assert!(explained > 1000);
    assert_eq!(Mesh::new(config()).known_truths().count(), 0);
}

#[test]
fn the_truth_is_kept_for_a_bounded_number_of_packets() {
    let mut mesh = Mesh::new(SimConfig { keep_truth: 50, ..config() });
    mesh.by_ref().take(5000).for_each(drop);
    assert_eq!(mesh.known_truths().count(), 50);
}

#[test]
fn odd_settings_still_make_a_mesh() {
    for odd in [
        SimConfig { nodes: 0, observers: 0, ..config() },
        SimConfig { nodes: 15, observers: 999, areas: Vec::new(), ..config() },
        SimConfig {
            packets_per_hour: 0.0,
            status_interval_secs: 0,
            observations_per_packet: -1.0,
            ..config()
        },
    ] {
        assert_eq!(Mesh::new(odd).take(50).count(), 50);
    }
}
