//! Random histories: packets of all kinds that observers hear by different ways, late, repeatedly and out of order.

use std::collections::HashMap;
use std::sync::Arc;

use index::{Index, IndexOptions};
use meshcore::{
    ChannelKey, Frame, FrameBuilder, KeyRing, PathBuf, PayloadBuf, PayloadType, Route, ScopeKey, ScopeSet,
    TransportCodes,
};
use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, ObserverRecord, PacketHash,
    SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use proptest::prelude::*;

/// 2026-01-01, in the middle of a minute.
pub(crate) const START: UnixMillis = UnixMillis(1_767_225_634_567);

pub(crate) const OBSERVERS: usize = 6;

/// Regions of the observers, of which one is in none and two spell theirs differently.
pub(crate) const REGIONS: [Option<&str>; OBSERVERS] =
    [Some("SFO"), Some("sfo "), Some("OAK"), None, Some("MRY"), Some("OAK")];

/// One thing that may happen; numbers choose from pools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    packet: u8,
    observer: u8,
    path: u8,
    route: u8,
    /// Seconds since the event before.
    pause: u16,
    /// Seconds by which the observation's time lies before its arrival.
    late: u16,
    /// Skips an id, as pruning does.
    gap: bool,
}

impl Event {
    /// A packet heard at once by the first observer.
    pub(crate) fn of_packet(packet: u8) -> Self {
        Self { packet, observer: 0, path: 0, route: 1, pause: 1, late: 0, gap: false }
    }
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let late = prop_oneof![4 => Just(0u16), 2 => 0..30u16, 1 => 0..9000u16];
    let pause = prop_oneof![8 => 0..3u16, 2 => 0..90u16, 1 => 0..7000u16];
    let numbers = (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>());
    (numbers, pause, late, proptest::bool::weighted(0.05)).prop_map(
        |((packet, observer, path, route), pause, late, gap)| Event {
            packet,
            observer,
            path,
            route,
            pause,
            late,
            gap,
        },
    )
}

pub(crate) fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(event(), 1..most)
}

/// An observation as it happened, with all that a naive reader wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) id: ObservationId,
    /// Place in `History::packets`.
    pub(crate) packet: usize,
    pub(crate) observer: ObserverId,
    pub(crate) time: UnixMillis,
    pub(crate) frame: Vec<u8>,
    pub(crate) snr: Option<SnrQuarterDb>,
    pub(crate) rssi: Option<i16>,
}

/// A packet as it was stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: TransmissionId,
    pub(crate) hash: PacketHash,
    pub(crate) raw: Vec<u8>,
}

/// Decides as ingest does, and keeps everything in plain lists beside the index.
pub(crate) struct History {
    pub(crate) index: Index,
    pub(crate) changes: Vec<Change>,
    pub(crate) packets: Vec<Stored>,
    pub(crate) heard: Vec<Heard>,
    /// The time of the newest arrival.
    pub(crate) now: UnixMillis,
    heads: HashMap<Vec<u8>, HeadId>,
    payloads: Vec<PayloadBuf>,
    last_ids: (u64, u64),
}

impl History {
    pub(crate) fn new() -> History {
        let mut history = History {
            index: Index::new(options()),
            changes: Vec::new(),
            packets: Vec::new(),
            heard: Vec::new(),
            now: START,
            heads: HashMap::new(),
            payloads: payloads(),
            last_ids: (0, 0),
        };
        for id in 0..OBSERVERS {
            history.apply(Change::Observer(observer_record(id)));
        }
        history
    }

    pub(crate) fn of(events: &[Event]) -> History {
        let mut history = History::new();
        events.iter().for_each(|event| history.happen(*event));
        history
    }

    pub(crate) fn happen(&mut self, event: Event) {
        self.now = self.now.plus_ms(i64::from(event.pause) * 1000);
        let time = self.now.plus_ms(-i64::from(event.late) * 1000);
        let payload = self.payloads[usize::from(event.packet) % self.payloads.len()].clone();
        let frame = frame(&payload, event);
        let observer = ObserverId(u16::from(event.observer) % OBSERVERS as u16);
        self.hear(&frame, observer, time, event.gap);
    }

    /// One copy of a frame arrives.
    pub(crate) fn hear(&mut self, bytes: &[u8], observer: ObserverId, time: UnixMillis, gap: bool) {
        let frame = Frame::parse(bytes).unwrap();
        let hash = frame.content_hash();
        let known = self.packets.iter().position(|packet| packet.hash == hash);
        assert_eq!(self.index.find(hash), known.map(|packet| self.packets[packet].id));

        let head = match known {
            Some(packet) => {
                head_bytes(&frame, Frame::parse(&self.packets[packet].raw).unwrap().transport_codes())
            }
            None => head_bytes(&frame, frame.transport_codes()),
        };
        let is_repeat = known.is_some_and(|packet| {
            self.heard.iter().any(|heard| {
                heard.packet == packet
                    && heard.observer == observer
                    && way(&Frame::parse(&heard.frame).unwrap()) == way(&frame)
            })
        });
        if let Some(packet) = known {
            let id = self.packets[packet].id;
            assert_eq!(self.index.has_observation(id, observer, &head), is_repeat);
        }
        if is_repeat {
            return;
        }
        let head = self.head(head);
        let packet = known.unwrap_or_else(|| self.store(hash, bytes, gap));
        self.observe(packet, observer, head, time, bytes, gap);
    }

    fn head(&mut self, bytes: Vec<u8>) -> HeadId {
        let known = self.heads.get(&bytes).copied();
        assert_eq!(self.index.head_id(&bytes), known);
        known.unwrap_or_else(|| {
            let id = self.index.next_ids().head;
            self.apply(Change::Head(FrameHead { id, bytes: bytes.clone().into() }));
            self.heads.insert(bytes, id);
            id
        })
    }

    fn store(&mut self, hash: PacketHash, raw: &[u8], gap: bool) -> usize {
        self.last_ids.0 += if gap { 3 } else { 1 };
        let id = TransmissionId(self.last_ids.0);
        self.apply(Change::Transmission(Transmission { id, hash, raw: raw.into() }));
        self.packets.push(Stored { id, hash, raw: raw.into() });
        self.packets.len() - 1
    }

    fn observe(
        &mut self,
        packet: usize,
        observer: ObserverId,
        head: HeadId,
        time: UnixMillis,
        frame: &[u8],
        gap: bool,
    ) {
        self.last_ids.1 += if gap { 2 } else { 1 };
        let id = ObservationId(self.last_ids.1);
        let number = id.0 as i16;
        let snr = (number % 3 != 0).then_some(SnrQuarterDb((number % 250 - 125) as i8));
        let rssi = (number % 4 != 0).then_some(-number);
        let score = (number % 5 != 0).then_some(number as u16);
        let transmission = self.packets[packet].id;
        self.apply(Change::Observation(Observation {
            id,
            transmission,
            observer,
            time,
            head,
            snr,
            rssi,
            score,
        }));
        self.heard.push(Heard { id, packet, observer, time, frame: frame.into(), snr, rssi });
    }

    pub(crate) fn apply(&mut self, change: Change) {
        self.index.apply(&change).unwrap();
        self.changes.push(change);
    }
}

pub(crate) fn options() -> IndexOptions {
    let mut keys = KeyRing::with_public();
    keys.add_hashtag("#test");
    keys.add("ours", ChannelKey::from_bytes(&[7; 32]).unwrap());
    let scopes = ScopeSet::from_names(["#bay", "#north"]);
    IndexOptions { keys: Arc::new(keys), scopes: Arc::new(scopes) }
}

pub(crate) fn observer_record(id: usize) -> ObserverRecord {
    // The first two observers are also nodes.
    let first_byte = if id < 2 { node_key(id as u8)[0] } else { 0xE0 + id as u8 };
    let key = [&[first_byte], &node_key(id as u8)[1..]].concat();
    ObserverRecord {
        id: ObserverId(id as u16),
        key: key.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into(),
        name: Some(format!("Observer {id}").into()),
        iata: REGIONS[id].map(Into::into),
        model: None,
        firmware: None,
        client_version: None,
        radio: None,
        battery_mv: None,
        uptime_secs: None,
        noise_floor: Some(-110.5),
        can_relay: None,
        first_seen: START,
        last_status: id.is_multiple_of(2).then_some(START.plus_ms(3_600_000)),
        online: None,
        clock_skew_secs: None,
        clock_last_naive: None,
    }
}

pub(crate) fn node_key(node: u8) -> [u8; 32] {
    let mut key = [0x5A; 32];
    (key[0], key[1]) = (0x10 + node, node);
    key
}

/// The head of a copy, as [`model::FrameHead`] describes it.
pub(crate) fn head_bytes(frame: &Frame<'_>, codes_of_first: Option<TransportCodes>) -> Vec<u8> {
    let own = frame.transport_codes().filter(|codes| Some(*codes) != codes_of_first);
    let flags = frame.route().code() | if own.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![flags, frame.path().byte()];
    bytes.extend_from_slice(frame.path().bytes());
    bytes.extend(own.into_iter().flat_map(TransportCodes::to_bytes));
    bytes
}

/// Copies without hops went the same way whatever the hop size.
fn way(frame: &Frame<'_>) -> (u8, Vec<u8>) {
    let path = frame.path();
    (if path.is_empty() { 0 } else { path.hash_size() }, path.bytes().to_vec())
}

fn frame(payload: &PayloadBuf, event: Event) -> Vec<u8> {
    let mut path = PathBuf::new(event.path % 3 + 1).unwrap();
    for hop in 0..[0, 1, 2, 5, 0][usize::from(event.path / 3) % 5] {
        let size = usize::from(event.path % 3 + 1);
        // Four of the six that are passed advert, and two of those forward.
        path.push(&node_key((hop + event.path / 64) % 6)[..size]).unwrap();
    }
    let route = Route::from_bits(event.route);
    let builder = FrameBuilder::new(route, payload).path(path.as_path());
    if !route.has_transport_codes() {
        return builder.encode();
    }
    let scope = |name| ScopeKey::from_name(name).codes_for(payload.payload_type(), payload.bytes());
    let codes = match event.route / 4 % 4 {
        0 => scope("#bay"),
        1 => scope("#north"),
        2 => scope("#elsewhere"),
        _ => TransportCodes::default(),
    };
    builder.transport_codes(codes).encode()
}

/// The contents that histories are made of.
fn payloads() -> Vec<PayloadBuf> {
    let mut payloads = Vec::new();
    for (node, app_data) in [
        (0, &b"\x92\x01\x00\x00\x00\x02\x00\x00\x00Dam"[..]),
        (0, b"\x82Dam Nieuw"),
        (0, b"\x92\x09\x00\x00\x00\x08\x00\x00\x00Dam"),
        (0, b"\x02"),
        (1, b"\x81Ann"),
        (1, b"\x81An\x07n\x00rest"),
        (1, b"\x91\x01"),
        (2, b"\x83Room \xE2\x80\xAEone"),
        (2, b"\x14\x01\x00\x00\x00\x02\x00\x00\x00"),
        (3, b""),
        (3, b"\x84damp sensor"),
    ] {
        payloads.push(advert(node, payloads.len() as u32, app_data));
    }
    let public = ChannelKey::public();
    let stranger = stranger_of(public.hash());
    for (key, texts) in [
        (&public, &["one", "two", "three"][..]),
        (&ChannelKey::hashtag("#test"), &["four", "five"]),
        (&ChannelKey::from_bytes(&[7; 32]).unwrap(), &["six", "seven"]),
        (&stranger, &["eight", "nine"]),
        (&ChannelKey::from_bytes(&[8; 16]).unwrap(), &["ten"]),
    ] {
        payloads.extend(texts.iter().map(|text| key.encrypt_message(5, "Ann", text).unwrap()));
    }
    payloads.push(public.encrypt_data(0x0101, b"data").unwrap());
    payloads.push(stranger.encrypt_data(0x0101, b"other").unwrap());
    for (payload_type, bytes) in [
        (PayloadType::Ack, &[1u8, 2, 3, 4][..]),
        (PayloadType::Ack, &[1, 2, 3, 5]),
        (PayloadType::Text, &[1, 2, 3, 4, 5, 6]),
        (PayloadType::Trace, &[1, 0, 0, 0, 2, 0, 0, 0, 0, 9]),
        (PayloadType::Advert, &[1, 2, 3]),
        (PayloadType::GroupText, &[0x11, 0]),
        (PayloadType::RawCustom, &[0]),
    ] {
        payloads.push(PayloadBuf::new(payload_type, bytes.to_vec()).unwrap());
    }
    payloads
}

/// An advert with a signature that nobody looks at: ingest did.
pub(crate) fn advert(node: u8, timestamp: u32, app_data: &[u8]) -> PayloadBuf {
    let bytes = [&node_key(node)[..], &timestamp.to_le_bytes(), &[0xEE; 64], app_data].concat();
    PayloadBuf::new(PayloadType::Advert, bytes).unwrap()
}

/// A channel that we hold no key of, with the hash byte of one that we do.
pub(crate) fn stranger_of(hash: u8) -> ChannelKey {
    let mut keys = (0..).map(|i: u32| ChannelKey::hashtag(&format!("#x{i}")));
    keys.find(|key| key.hash() == hash).unwrap()
}
