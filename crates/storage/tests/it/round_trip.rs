use model::{
    Change, FrameHead, HeadId, NodeRecord, Observation, ObservationId, ObserverId, ObserverMetrics,
    ObserverRecord, PacketHash, SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::support::{Place, dropped, expected, intruder, load, node, observers, packet, submit};

fn text() -> impl Strategy<Value = Box<str>> {
    "\\PC{0,20}".prop_map(Box::from)
}

fn head(id: u32) -> impl Strategy<Value = Change> {
    vec(any::<u8>(), 2..=70)
        .prop_map(move |bytes| Change::Head(FrameHead { id: HeadId(id), bytes: bytes.into() }))
}

fn transmission(id: u64) -> impl Strategy<Value = Change> {
    (any::<[u8; 8]>(), vec(any::<u8>(), 3..=255)).prop_map(move |(hash, raw)| {
        Change::Transmission(Transmission { id: TransmissionId(id), hash: PacketHash(hash), raw: raw.into() })
    })
}

fn observer(id: u16) -> impl Strategy<Value = Change> {
    let texts = (text(), option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let more = (option::of(text()), option::of(text()), option::of(any::<u32>()), option::of(any::<u64>()));
    let states =
        (option::of(-200.0f32..0.0), option::of(any::<bool>()), any::<i64>(), option::of(any::<i64>()));
    let clocks = (option::of(any::<bool>()), option::of(any::<i64>()), option::of(any::<i64>()));
    (texts, more, states, clocks).prop_map(move |(texts, more, states, clocks)| {
        let (key, name, iata, model, firmware) = texts;
        let (client_version, radio, battery_mv, uptime_secs) = more;
        let (noise_floor, can_relay, first_seen, last_status) = states;
        let (online, clock_skew_secs, clock_last_naive) = clocks;
        Change::Observer(ObserverRecord {
            id: ObserverId(id),
            key,
            name,
            iata,
            model,
            firmware,
            client_version,
            radio,
            battery_mv,
            uptime_secs,
            noise_floor,
            can_relay,
            first_seen: UnixMillis(first_seen),
            last_status: last_status.map(UnixMillis),
            online,
            clock_skew_secs,
            clock_last_naive: clock_last_naive.map(UnixMillis),
        })
    })
}

fn observation(id: u64, transmissions: u64, observers: u16, heads: u32) -> impl Strategy<Value = Change> {
    let names = (1..=transmissions, 0..observers, 0..heads, any::<i64>());
    let signal = (option::of(any::<i8>()), option::of(any::<i16>()), option::of(any::<u16>()));
    (names, signal).prop_map(move |((transmission, observer, head, time), (snr, rssi, score))| {
        Change::Observation(Observation {
            id: ObservationId(id),
            transmission: TransmissionId(transmission),
            observer: ObserverId(observer),
            time: UnixMillis(time),
            head: HeadId(head),
            snr: snr.map(SnrQuarterDb),
            rssi,
            score,
        })
    })
}

/// A valid sequence: everything named comes first. One more observer row replaces the first one's.
fn sequence() -> impl Strategy<Value = Vec<Change>> {
    (1u32..6, 1u64..12, 1u16..5, 0u64..40).prop_flat_map(|(heads, transmissions, observers, observations)| {
        let mut changes: Vec<BoxedStrategy<Change>> = Vec::new();
        changes.extend((0..heads).map(|id| head(id).boxed()));
        changes.extend((0..observers).map(|id| observer(id).boxed()));
        changes.extend((1..=transmissions).map(|id| transmission(id).boxed()));
        changes.extend((1..=observations).map(|id| observation(id, transmissions, observers, heads).boxed()));
        changes.push(observer(0).boxed());
        changes
    })
}

/// The state that a sequence leaves, by kind: heads, observers, heard transmissions, observations.
fn state_of(changes: &[Change]) -> (Vec<Change>, Vec<Change>, Vec<Change>, Vec<Change>) {
    let (mut heads, mut observers, mut transmissions, mut observations) = (vec![], vec![], vec![], vec![]);
    let heard = |wanted: &Transmission| {
        changes.iter().any(|change| matches!(change, Change::Observation(o) if o.transmission == wanted.id))
    };
    for change in changes {
        match change {
            Change::Head(_) => heads.push(change.clone()),
            Change::Transmission(transmission) if heard(transmission) => transmissions.push(change.clone()),
            Change::Transmission(_) | Change::Metrics(_) | Change::Node(_) | Change::Dropped(_) => {}
            Change::Client(_) | Change::Reception(_) | Change::Pruned(_) => {}
            Change::Observation(_) => observations.push(change.clone()),
            Change::Observer(new) => {
                observers.retain(|old| !matches!(old, Change::Observer(old) if old.id == new.id));
                observers.push(change.clone());
            }
        }
    }
    observers.sort_by_key(|change| if let Change::Observer(observer) = change { observer.id.0 } else { 0 });
    transmissions.sort_by_key(|change| if let Change::Transmission(t) = change { t.id.0 } else { 0 });
    (heads, observers, transmissions, observations)
}

/// Each observation comes after all that it names.
fn assert_in_order(changes: &[Change]) {
    let mut known = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Head(head) => known.0.push(head.id),
            Change::Transmission(transmission) => known.1.push(transmission.id),
            Change::Observer(observer) => known.2.push(observer.id),
            Change::Observation(o) => {
                assert!(known.0.contains(&o.head) && known.1.contains(&o.transmission));
                assert!(known.2.contains(&o.observer));
            }
            Change::Node(_) => assert!(known.1.is_empty(), "nodes come before packets"),
            Change::Client(_) | Change::Reception(_) | Change::Pruned(_) => {
                assert!(known.1.is_empty(), "coverage comes before packets");
            }
            Change::Metrics(_) | Change::Dropped(_) => panic!("these are not part of a load"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_written_is_loaded(changes in sequence(), batch_rows in 1usize..10) {
        let place = Place::new();
        let storage = place.open();
        for batch in changes.chunks(batch_rows) {
            submit(&storage, batch.to_vec());
        }
        storage.close().unwrap();
        let (loaded, report) = place.contents();
        assert_in_order(&loaded);
        prop_assert_eq!(report.skipped_rows, 0);
        prop_assert_eq!(state_of(&loaded), state_of(&changes));
        let transmissions = changes.iter().filter(|change| matches!(change, Change::Transmission(_))).count();
        prop_assert_eq!(report.transmissions + report.unheard_transmissions, transmissions as u64);
    }
}

#[test]
fn packets_come_back_in_the_order_in_which_they_came() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..50).for_each(|number| submit(&storage, packet(number)));
    storage.close().unwrap();
    let (loaded, report) = place.contents();
    assert_eq!(loaded, expected(50));
    assert_eq!((report.heads, report.observers, report.transmissions, report.observations), (50, 8, 50, 200));
    let last = report.last_ids;
    assert_eq!((last.head, last.observer), (Some(HeadId(49)), Some(ObserverId(7))));
    assert_eq!((last.transmission, last.observation), (Some(TransmissionId(50)), Some(ObservationId(200))));
}

#[test]
fn an_empty_database_loads_as_nothing() {
    let (loaded, report) = Place::new().contents();
    assert!(loaded.is_empty());
    assert_eq!(report.last_ids, storage::LastIds::default());
}

#[test]
fn loading_can_be_repeated_while_the_writer_works() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    for round in 1..=3 {
        submit(&storage, packet(round - 1));
        storage.writer().flush().unwrap();
        assert_eq!(load(&storage).0, expected(round));
    }
}

#[test]
fn metrics_are_found_by_observer_and_time_and_replaced_by_the_same_time() {
    let place = Place::new();
    let storage = place.open();
    let sample = |observer, time, packets_recv| ObserverMetrics {
        observer: ObserverId(observer),
        time: UnixMillis(time),
        noise_floor: Some(-118.25),
        tx_air_secs: Some(u64::MAX),
        rx_air_secs: None,
        recv_errors: Some(0),
        battery_mv: Some(u32::MAX),
        packets_sent: None,
        packets_recv: Some(packets_recv),
    };
    for (observer, time, count) in [(1, 300, 5), (1, 600, 6), (2, 300, 7), (1, 900, 8)] {
        submit(&storage, vec![Change::Metrics(sample(observer, time, count))]);
    }
    storage.writer().flush().unwrap();
    submit(&storage, vec![Change::Metrics(sample(1, 600, 60))]);
    storage.writer().flush().unwrap();
    let reader = storage.reader().unwrap();
    let found = reader.metrics(ObserverId(1), UnixMillis(300), UnixMillis(900)).unwrap();
    assert_eq!(found, [sample(1, 300, 5), sample(1, 600, 60)]);
    assert_eq!(reader.metrics(ObserverId(3), UnixMillis(0), UnixMillis(i64::MAX)).unwrap(), []);
    let voltages = reader.battery(ObserverId(1), UnixMillis(600), 10).unwrap();
    assert_eq!(voltages, [(UnixMillis(600), u32::MAX), (UnixMillis(900), u32::MAX)]);
    let newest = reader.battery(ObserverId(1), UnixMillis(0), 1).unwrap();
    assert_eq!(newest, [(UnixMillis(900), u32::MAX)], "of too many the newest are given");
}

#[test]
fn a_node_is_its_newest_record_and_dropped_packets_are_kept_beside() {
    let place = Place::new();
    let record = |key, adverts| NodeRecord { adverts, ..node(key) };
    let bare = NodeRecord { name: None, location: None, default_scope: None, ..node(2) };
    let storage = place.open();
    submit(&storage, vec![Change::Node(record(1, 3)), Change::Node(bare.clone())]);
    submit(&storage, vec![Change::Node(record(1, 4)), Change::Dropped(dropped())]);
    storage.close().unwrap();
    let (found, report) = place.contents();
    assert_eq!(found, [Change::Node(record(1, 4)), Change::Node(bare)]);
    assert_eq!((report.nodes, report.skipped_rows), (2, 0));
    let rows: i64 = intruder(&place.database())
        .query_row("SELECT count(*) FROM dropped_packets WHERE reason = 'invalid_signature'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(rows, 1);
}
