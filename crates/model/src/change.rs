//! What ingest decides, storage keeps and the index applies, as one ordered stream of [`Change`]s.

use serde::{Deserialize, Serialize};

use crate::wire;
use crate::{
    ClientObserver, HeadId, NodeKey, ObservationId, ObserverId, PacketHash, PrunedNode, Reception,
    SnrQuarterDb, TransmissionId, UnixMillis,
};

/// One change of the durable state.
///
/// Order matters: a head, an observer and a transmission come before the first observation that names them.
/// Replaying all changes in id order rebuilds the state (`Index::apply`). Serialised, they are how one process tells another
/// of the same release what it decided; the database has its own form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A new entry in the dictionary of frame heads.
    Head(FrameHead),
    /// A packet content not seen before.
    Transmission(Transmission),
    /// One observer heard one copy.
    Observation(Observation),
    /// An observer is new or what is known of it has changed: the whole row, replacing the one before.
    Observer(ObserverRecord),
    /// A sample of an observer's own counters, replacing the one of the same observer and time.
    Metrics(ObserverMetrics),
    /// What is known of a node beside its stored adverts: the whole row, replacing the one before. Comes before the
    /// first of its adverts.
    Node(NodeRecord),
    /// A packet that was refused and kept as evidence.
    Dropped(DroppedPacket),
    /// A mobile client is new, has another name or was heard of again: the whole row, replacing the one before. Comes before
    /// the first of its receptions.
    Client(ClientObserver),
    /// A mobile client heard a node at a place.
    Reception(Reception),
    /// A node was taken off the list, replacing an earlier time at which it was.
    Pruned(PrunedNode),
}

/// Everything of a frame that stands before its payload and differs from copy to copy.
///
/// `bytes` = flags ‖ path byte ‖ path ‖ \[transport codes, 4 bytes\]. Of the flags byte, bits 0–1 are the route type
/// of the header; bit 7 says that the transport codes follow, which they do only when they differ from those of the
/// transmission's `raw`. Together with the payload of `raw` this gives back the very frame that was heard, while
/// copies that took the same way share one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHead {
    /// Its place in the dictionary.
    pub id: HeadId,
    /// As described above: 2 to 70 bytes.
    pub bytes: Box<[u8]>,
}

/// A packet content, once, as the whole frame that was heard first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transmission {
    /// Its row.
    pub id: TransmissionId,
    /// Content hash of `raw`.
    #[serde(with = "wire::packet_hash")]
    pub hash: PacketHash,
    /// The first copy's whole frame, valid by the firmware's rules: 3 to 255 bytes.
    pub raw: Box<[u8]>,
}

/// One observer heard one copy of a transmission. Unique by (transmission, observer, path hops).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Its row.
    pub id: ObservationId,
    /// What was heard.
    pub transmission: TransmissionId,
    /// Who heard it.
    pub observer: ObserverId,
    /// When, by the observer's clock if that can be believed, else the time of arrival here.
    pub time: UnixMillis,
    /// By which way.
    pub head: HeadId,
    /// Signal-to-noise ratio, where the observer gave a real one.
    pub snr: Option<SnrQuarterDb>,
    /// Received signal strength in dBm, where the observer gave a real one.
    pub rssi: Option<i16>,
    /// The firmware's retransmit score, 0 to 1000, where given.
    pub score: Option<u16>,
}

/// What is known of an observer, from its envelopes and status messages. Texts are as received, bounded in length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObserverRecord {
    /// Its row.
    pub id: ObserverId,
    /// The id under which it publishes: the topic's third level, normally 64 upper-case hex digits.
    pub key: Box<str>,
    /// `origin` of its messages.
    pub name: Option<Box<str>>,
    /// Region code: from the payload, the topic or the source, in that order of preference.
    pub iata: Option<Box<str>>,
    /// Hardware model.
    pub model: Option<Box<str>>,
    /// Firmware version.
    pub firmware: Option<Box<str>>,
    /// Version of the program that publishes for it.
    pub client_version: Option<Box<str>>,
    /// `MHz,kHz,SF,CR`.
    pub radio: Option<Box<str>>,
    /// Battery voltage in millivolts.
    pub battery_mv: Option<u32>,
    /// Seconds since the node started.
    pub uptime_secs: Option<u64>,
    /// Noise floor in dBm.
    pub noise_floor: Option<f32>,
    /// Whether it also repeats; `None` while it has never said so.
    pub can_relay: Option<bool>,
    /// First message of any kind.
    pub first_seen: UnixMillis,
    /// Newest status message, live (a retained one is old news); `None` before the first.
    pub last_status: Option<UnixMillis>,
    /// Whether the newest status said "online".
    pub online: Option<bool>,
    /// How far its zone-less clock was off when it last could not be believed, in seconds.
    pub clock_skew_secs: Option<i64>,
    /// When that was.
    pub clock_last_naive: Option<UnixMillis>,
}

/// One sample of an observer's counters. Unique by (observer, time).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObserverMetrics {
    /// Whose.
    pub observer: ObserverId,
    /// Arrival time rounded to the sampling interval (300 s by default).
    pub time: UnixMillis,
    /// Noise floor in dBm.
    pub noise_floor: Option<f32>,
    /// Seconds on air sending since the node started.
    pub tx_air_secs: Option<u64>,
    /// Seconds on air receiving since the node started.
    pub rx_air_secs: Option<u64>,
    /// Frames that failed to receive since the node started.
    pub recv_errors: Option<u64>,
    /// Battery voltage in millivolts.
    pub battery_mv: Option<u32>,
    /// Packets sent since the node started.
    pub packets_sent: Option<u64>,
    /// Packets received since the node started.
    pub packets_recv: Option<u64>,
}

/// What is known of a node from adverts that are not stored: removed by retention, or summed up by the directory of an
/// imported database. Adverts that are stored add to it, and take the place of its fields when they were heard later than
/// `last_seen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its identity.
    #[serde(with = "wire::node_key")]
    pub key: NodeKey,
    /// As sent, mostly UTF-8; at most 32 bytes.
    pub name: Option<Box<[u8]>>,
    /// The role's code: 0 none, 1 companion, 2 repeater, 3 room, 4 sensor, others as sent.
    pub role: u8,
    /// Latitude and longitude in millionths of a degree, as adverts have them.
    pub location: Option<(i32, i32)>,
    /// The first observation of one of these adverts.
    pub first_seen: UnixMillis,
    /// The newest observation of one of these adverts.
    pub last_seen: UnixMillis,
    /// How many of its adverts are not stored.
    pub adverts: u32,
    /// Name of the region scope of the newest advert that was scoped to a known region.
    pub default_scope: Option<Box<str>>,
}

/// A packet that was refused for what is in it, such as an advert with a wrong signature. Texts are bounded by whoever
/// makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedPacket {
    /// When it was refused.
    pub time: UnixMillis,
    /// Name of the reason.
    pub reason: Box<str>,
    /// Content hash, where the frame could be read.
    #[serde(with = "wire::optional_packet_hash")]
    pub hash: Option<PacketHash>,
    /// The frame as received; may be empty.
    pub raw: Box<[u8]>,
    /// Key of the observer that heard it.
    pub observer: Option<Box<str>>,
    /// What the observer called itself.
    pub observer_name: Option<Box<str>>,
    /// The node that the packet claims to be of.
    #[serde(with = "wire::optional_node_key")]
    pub node: Option<NodeKey>,
    /// The name that it claims.
    pub node_name: Option<Box<str>>,
}
