use model::{
    Change, ClientId, ClientObserver, DroppedPacket, FrameHead, HeadId, NodeKey, NodeRecord, Observation,
    ObservationId, ObserverId, ObserverMetrics, ObserverRecord, PacketHash, PrunedNode, Reception,
    ReceptionId, SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use proptest::option::of;
use proptest::prelude::*;

use super::Line;

fn text() -> impl Strategy<Value = Option<Box<str>>> {
    of(any::<String>().prop_map(String::into_boxed_str))
}

fn bytes() -> impl Strategy<Value = Box<[u8]>> {
    proptest::collection::vec(any::<u8>(), 0..300).prop_map(Vec::into_boxed_slice)
}

fn observer() -> impl Strategy<Value = Change> {
    let texts = (any::<String>(), text(), text(), text(), text(), text(), text());
    let numbers = (any::<u16>(), of(any::<u32>()), of(any::<u64>()), of(-1e9f32..1e9), of(any::<bool>()));
    let times = (any::<i64>(), of(any::<i64>()), of(any::<bool>()), of(any::<i64>()), of(any::<i64>()));
    (texts, numbers, times).prop_map(|(texts, numbers, times)| {
        let (key, name, iata, model, firmware, client_version, radio) = texts;
        let (id, battery_mv, uptime_secs, noise_floor, can_relay) = numbers;
        let (first_seen, last_status, online, clock_skew_secs, clock_last_naive) = times;
        Change::Observer(ObserverRecord {
            id: ObserverId(id),
            key: key.into(),
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

fn observation() -> impl Strategy<Value = Change> {
    let ids = (any::<u64>(), any::<u64>(), any::<u16>(), any::<u32>());
    let signal = (of(any::<i8>()), of(any::<i16>()), of(any::<u16>()));
    (ids, any::<i64>(), signal).prop_map(|((id, transmission, observer, head), time, (snr, rssi, score))| {
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

fn metrics() -> impl Strategy<Value = Change> {
    let counters = (of(any::<u64>()), of(any::<u64>()), of(any::<u64>()), of(any::<u64>()), of(any::<u64>()));
    (any::<u16>(), any::<i64>(), of(-1e9f32..1e9), of(any::<u32>()), counters).prop_map(
        |(observer, time, noise_floor, battery_mv, counters)| {
            Change::Metrics(ObserverMetrics {
                observer: ObserverId(observer),
                time: UnixMillis(time),
                noise_floor,
                tx_air_secs: counters.0,
                rx_air_secs: counters.1,
                recv_errors: counters.2,
                battery_mv,
                packets_sent: counters.3,
                packets_recv: counters.4,
            })
        },
    )
}

fn node() -> impl Strategy<Value = Change> {
    let times = (any::<i64>(), any::<i64>());
    (any::<[u8; 32]>(), of(bytes()), any::<u8>(), of(any::<(i32, i32)>()), times, any::<u32>(), text())
        .prop_map(|(key, name, role, location, (first_seen, last_seen), adverts, default_scope)| {
            let (first_seen, last_seen) = (UnixMillis(first_seen), UnixMillis(last_seen));
            let key = NodeKey(key);
            Change::Node(NodeRecord {
                key,
                name,
                role,
                location,
                first_seen,
                last_seen,
                adverts,
                default_scope,
            })
        })
}

fn dropped() -> impl Strategy<Value = Change> {
    let (keys, texts) = ((of(any::<[u8; 8]>()), of(any::<[u8; 32]>())), (text(), text(), text()));
    (any::<i64>(), any::<String>(), bytes(), keys, texts).prop_map(|(time, reason, raw, keys, texts)| {
        let (observer, observer_name, node_name) = texts;
        Change::Dropped(DroppedPacket {
            time: UnixMillis(time),
            reason: reason.into(),
            hash: keys.0.map(PacketHash),
            raw,
            observer,
            observer_name,
            node: keys.1.map(NodeKey),
            node_name,
        })
    })
}

fn coverage() -> impl Strategy<Value = Change> {
    let client =
        (any::<u16>(), any::<String>(), text(), any::<i64>()).prop_map(|(id, key, name, last_seen)| {
            let last_seen = UnixMillis(last_seen);
            Change::Client(ClientObserver { id: ClientId(id), key: key.into(), name, last_seen })
        });
    let ids = (any::<u64>(), any::<u16>(), any::<i64>());
    let signal = (of(any::<u16>()), of(any::<i16>()), of(any::<i8>()));
    let reception = (ids, bytes(), any::<(i32, i32)>(), signal).prop_map(
        |(ids, heard, location, (accuracy_m, rssi, snr))| {
            Change::Reception(Reception {
                id: ReceptionId(ids.0),
                client: ClientId(ids.1),
                time: UnixMillis(ids.2),
                heard,
                location,
                accuracy_m,
                rssi,
                snr: snr.map(SnrQuarterDb),
            })
        },
    );
    let pruned = (any::<[u8; 32]>(), any::<i64>())
        .prop_map(|(key, time)| Change::Pruned(PrunedNode { key: NodeKey(key), time: UnixMillis(time) }));
    prop_oneof![client, reception, pruned]
}

fn change() -> impl Strategy<Value = Change> {
    let head =
        (any::<u32>(), bytes()).prop_map(|(id, bytes)| Change::Head(FrameHead { id: HeadId(id), bytes }));
    let transmission = (any::<u64>(), any::<[u8; 8]>(), bytes()).prop_map(|(id, hash, raw)| {
        Change::Transmission(Transmission { id: TransmissionId(id), hash: PacketHash(hash), raw })
    });
    prop_oneof![head, transmission, observation(), observer(), metrics(), node(), dropped(), coverage()]
}

proptest! {
    #[test]
    fn a_line_gives_its_row_back(change in change()) {
        let text = serde_json::to_string(&Line::of(&change)).unwrap();
        prop_assert!(!text.contains('\n'));
        let line: Line = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(line.into_change(), Some(change));
    }

    #[test]
    fn no_line_makes_reading_panic(text in any::<String>()) {
        if let Ok(line) = serde_json::from_str::<Line>(&text) {
            let _ = line.into_change();
        }
    }
}
