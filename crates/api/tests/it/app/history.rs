//! A history of real packets: what observers in the San Francisco Bay Area heard in May 2026.

use index::{Index, IndexOptions, SharedIndex};
use meshcore::{Frame, KeyRing, Payload, ScopeSet};
use model::{
    Change, FrameHead, HeadId, NodeKey, NodeRecord, Observation, ObservationId, ObserverId, ObserverRecord,
    SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use parking_lot::RwLock;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

const ENVELOPES: &str = include_str!("../../../../simulator/data/bay-area.jsonl");

/// Every so many packets are also heard by the observer that was heard of before, two seconds later.
const HEARD_TWICE: usize = 3;

pub(crate) fn keys() -> KeyRing {
    let mut keys = KeyRing::with_public();
    keys.add_hashtag("#test");
    keys.add_hashtag("#bot");
    keys
}

pub(crate) fn no_packets() -> SharedIndex {
    let scopes = ScopeSet::from_names(["#bay"]);
    Arc::new(RwLock::new(Index::new(IndexOptions { keys: Arc::new(keys()), scopes: Arc::new(scopes) })))
}

/// The packets of the capture, each stored as ingest stores it: adverts only with a good signature.
pub(crate) fn real_packets() -> SharedIndex {
    packets_moved_by(0)
}

/// The same as if the newest of them had been heard a minute ago.
pub(crate) fn recent_packets() -> SharedIndex {
    let newest = real_packets().read().newest_time().unwrap();
    packets_moved_by(UnixMillis::now().0 - 60_000 - newest.0)
}

fn packets_moved_by(ms: i64) -> SharedIndex {
    let index = no_packets();
    let mut guard = index.write();
    let mut writer = Writer { index: &mut guard, observers: HashMap::new(), newest: None, moved_by: ms };
    for (number, line) in ENVELOPES.lines().enumerate() {
        let envelope: Value = serde_json::from_str(line).unwrap();
        writer.take(number, &envelope);
    }
    drop(guard);
    index
}

struct Writer<'a> {
    index: &'a mut Index,
    observers: HashMap<String, ObserverId>,
    newest: Option<ObserverId>,
    /// Milliseconds.
    moved_by: i64,
}

impl Writer<'_> {
    fn take(&mut self, number: usize, envelope: &Value) {
        let payload = &envelope["payload"];
        let raw = meshcore::decode_hex(payload["raw"].as_str().unwrap()).unwrap();
        let Ok(frame) = Frame::parse(&raw) else { return };
        if matches!(frame.payload(), Ok(Payload::Advert(advert)) if !advert.verify()) {
            return;
        }
        let time: jiff::Timestamp = payload["timestamp"].as_str().unwrap().parse().unwrap();
        let time = UnixMillis(time.as_millisecond() + self.moved_by);
        let iata = envelope["topic"].as_str().unwrap().split('/').nth(1).unwrap();
        let observer = self.observer(payload, iata, time);
        let transmission = self.transmission(&frame, &raw);
        self.hear(transmission, observer, &frame, time);
        let other = self.newest.replace(observer).filter(|other| *other != observer);
        if let Some(other) = other.filter(|_| number.is_multiple_of(HEARD_TWICE)) {
            self.hear(transmission, other, &frame, time.plus_ms(2_042));
        }
    }

    fn observer(&mut self, payload: &Value, iata: &str, time: UnixMillis) -> ObserverId {
        let key = payload["origin_id"].as_str().unwrap();
        if let Some(id) = self.observers.get(key) {
            return *id;
        }
        let id = self.index.next_ids().observer;
        self.apply(Change::Observer(ObserverRecord {
            id,
            key: key.into(),
            name: payload["origin"].as_str().map(Into::into),
            iata: Some(iata.into()),
            model: Some("Heltec V3".into()),
            firmware: Some("1.14.0".into()),
            client_version: None,
            radio: Some("910.525,62.5,7,5".into()),
            battery_mv: Some(4_100),
            uptime_secs: Some(86_400),
            noise_floor: Some(-105.0),
            can_relay: id.0.is_multiple_of(2).then_some(true),
            first_seen: time,
            last_status: Some(time),
            online: Some(true),
            clock_skew_secs: None,
            clock_last_naive: None,
        }));
        self.observers.insert(key.to_owned(), id);
        id
    }

    fn transmission(&mut self, frame: &Frame<'_>, raw: &[u8]) -> TransmissionId {
        let hash = frame.content_hash();
        self.index.find(hash).unwrap_or_else(|| {
            let id = self.index.next_ids().transmission;
            self.apply(Change::Transmission(Transmission { id, hash, raw: raw.into() }));
            id
        })
    }

    fn hear(
        &mut self,
        transmission: TransmissionId,
        observer: ObserverId,
        frame: &Frame<'_>,
        time: UnixMillis,
    ) {
        let path = frame.path();
        let mut head = vec![frame.route().code(), path.byte()];
        head.extend_from_slice(path.bytes());
        if let Some(codes) = frame.transport_codes() {
            head[0] |= 0x80;
            head.extend_from_slice(&codes.to_bytes());
        }
        if self.index.has_observation(transmission, observer, &head) {
            return;
        }
        let head = self.head(&head);
        let id = self.index.next_ids().observation;
        self.apply(Change::Observation(Observation {
            id,
            transmission,
            observer,
            time,
            head,
            snr: SnrQuarterDb::from_db(-7.25),
            rssi: Some(-101),
            score: id.0.is_multiple_of(2).then_some(500),
        }));
    }

    fn head(&mut self, bytes: &[u8]) -> HeadId {
        self.index.head_id(bytes).unwrap_or_else(|| {
            let id = self.index.next_ids().head;
            self.apply(Change::Head(FrameHead { id, bytes: bytes.into() }));
            id
        })
    }

    fn apply(&mut self, change: Change) {
        self.index.apply(&change).unwrap();
    }
}

/// The next observation of a packet that is there: heard again by its observer, one hop further.
pub(crate) fn hear_again(index: &SharedIndex, number: u64) -> ObservationId {
    let mut index = index.write();
    let id = index.next_ids().observation;
    let transmission = TransmissionId(number);
    let head_id = index.next_ids().head;
    let [.., high, low] = head_id.0.to_be_bytes();
    // More hops than that when somebody has come this way already.
    let short = [1, 1, low];
    let bytes: &[u8] = if index.head_id(&short).is_none() { &short } else { &[1, 4, 0xFE, 0xFE, high, low] };
    index.apply(&Change::Head(FrameHead { id: head_id, bytes: bytes.into() })).unwrap();
    let observation = Observation {
        id,
        transmission,
        observer: ObserverId(0),
        time: UnixMillis(1_779_120_000_000),
        head: head_id,
        snr: SnrQuarterDb::from_db(3.5),
        rssi: Some(-88),
        score: None,
    };
    index.apply(&Change::Observation(observation)).unwrap();
    id
}

/// Takes in a copy of a frame, of a packet that is there or new.
pub(crate) fn hear_frame(index: &SharedIndex, raw: &[u8], observer: ObserverId, time: UnixMillis) {
    let mut index = index.write();
    let mut writer = Writer { index: &mut index, observers: HashMap::new(), newest: None, moved_by: 0 };
    let frame = Frame::parse(raw).unwrap();
    let transmission = writer.transmission(&frame, raw);
    writer.hear(transmission, observer, &frame, time);
}

/// Adds a node whose key differs only in its last byte from another's, and returns the other's key.
pub(crate) fn add_twin(index: &SharedIndex) -> NodeKey {
    let mut index = index.write();
    let key = index.nodes_by_prefix("")[0].key;
    let mut twin = key;
    twin.0[31] ^= 1;
    let time = UnixMillis(1_779_120_000_000);
    let record = NodeRecord {
        key: twin,
        name: None,
        role: 1,
        location: None,
        first_seen: time,
        last_seen: time,
        adverts: 1,
        default_scope: None,
    };
    index.apply(&Change::Node(record)).unwrap();
    key
}
