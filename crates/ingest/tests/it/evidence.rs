//! Refused adverts are kept as evidence, and nodes are taken off the list.

use ingest::Outcome;
use meshcore::{Identity, NodeKey, PayloadBuf, PayloadType};
use model::{Change, DroppedPacket};

use crate::support::{Fixture, KEY, NOW, OTHER_KEY, advert, flood, packets_topic};

fn forged(number: u32) -> String {
    let mut bytes = advert(3, "Dam").bytes().to_vec();
    bytes[36..40].copy_from_slice(&number.to_le_bytes());
    flood(&PayloadBuf::new(PayloadType::Advert, bytes).unwrap(), &[7])
}

fn kept(fixture: &Fixture) -> Vec<DroppedPacket> {
    let packet = |change| if let Change::Dropped(packet) = change { Some(packet) } else { None };
    fixture.take_changes().into_iter().filter_map(packet).collect()
}

#[test]
fn a_forged_advert_is_kept_once_for_each_observer() {
    let mut fixture = Fixture::new();
    let raw = forged(1);
    assert_eq!(fixture.packet(&raw, r#""origin":"Obs""#), Outcome::InvalidSignature);
    assert_eq!(fixture.packet(&raw, r#""origin":"Obs""#), Outcome::InvalidSignature);
    let found = kept(&fixture);
    let wanted = DroppedPacket {
        time: NOW,
        reason: "invalid signature".into(),
        hash: found[0].hash,
        raw: meshcore::decode_hex(&raw).unwrap().into(),
        observer: Some(KEY.into()),
        observer_name: Some("Obs".into()),
        node: Some(Identity::from_seed(&[3; 32]).key()),
        node_name: Some("Dam".into()),
    };
    assert!(found[0].hash.is_some());
    assert_eq!(found, [wanted]);
    let message = format!("{{\"raw\":\"{raw}\"}}");
    assert_eq!(fixture.send(&packets_topic("AMS", OTHER_KEY), message), Outcome::InvalidSignature);
    assert_eq!(kept(&fixture).len(), 1);
    assert_eq!(fixture.observer(KEY), None, "its sender is not made an observer by it");
}

#[test]
fn a_flood_of_forged_adverts_does_not_fill_the_disk() {
    let mut fixture = Fixture::new();
    for number in 0..700 {
        fixture.packet(&forged(number), "");
    }
    assert_eq!(kept(&fixture).len(), 500);
    fixture.now = fixture.now.plus_ms(25_000);
    for number in 700..710 {
        fixture.packet(&forged(number), "");
    }
    assert_eq!(kept(&fixture).len(), 2);
    assert_eq!(fixture.report().count(Outcome::InvalidSignature), 710);
}

#[test]
fn nodes_are_taken_off_the_list_and_the_answer_comes_when_that_is_durable() {
    let mut fixture = Fixture::new();
    fixture.packet(&flood(&advert(3, "Dam"), &[]), "");
    let (index, changes) = (fixture.index.clone(), fixture.changes.clone());
    let handle = fixture.ingest.prune_handle();
    let (sender, receiver) = mqtt::queue(100);
    let ingest = std::thread::spawn(move || fixture.ingest.run(receiver));
    let key = Identity::from_seed(&[3; 32]).key();
    assert_eq!(handle.prune(vec![key, NodeKey([9; 32]), key]).unwrap(), 1);
    assert!(index.read().node(&key).unwrap().is_pruned());
    assert!(matches!(changes.lock().last(), Some(Change::Pruned(node)) if node.key == key));
    assert_eq!(handle.prune(vec![key]).unwrap(), 0, "it is gone already");
    drop(sender);
    ingest.join().unwrap();
    handle.prune(vec![key]).unwrap_err();
}
