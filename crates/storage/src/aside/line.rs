//! One line of the aside file: a row in words, or the head of a batch.

use model::{
    Change, ClientId, ClientObserver, DroppedPacket, FrameHead, HeadId, NodeKey, NodeRecord, Observation,
    ObservationId, ObserverId, ObserverMetrics, ObserverRecord, PacketHash, PrunedNode, Reception,
    ReceptionId, SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes as lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hex(Vec<u8>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// The rows up to the next of these were put aside together.
    Batch {
        /// `created_ms` of the database that would not take them: in any other these ids mean something else.
        database: i64,
        time: UnixMillis,
        reason: String,
    },
    Head {
        id: HeadId,
        bytes: Hex,
    },
    Transmission {
        id: TransmissionId,
        hash: Hex,
        raw: Hex,
    },
    Observation {
        id: ObservationId,
        transmission: TransmissionId,
        observer: ObserverId,
        time: UnixMillis,
        head: HeadId,
        snr_quarter_db: Option<i8>,
        rssi: Option<i16>,
        score: Option<u16>,
    },
    Observer {
        id: ObserverId,
        key: Box<str>,
        name: Option<Box<str>>,
        iata: Option<Box<str>>,
        model: Option<Box<str>>,
        firmware: Option<Box<str>>,
        client_version: Option<Box<str>>,
        radio: Option<Box<str>>,
        battery_mv: Option<u32>,
        uptime_secs: Option<u64>,
        noise_floor: Option<f32>,
        can_relay: Option<bool>,
        first_seen: UnixMillis,
        last_status: Option<UnixMillis>,
        online: Option<bool>,
        clock_skew_secs: Option<i64>,
        clock_last_naive: Option<UnixMillis>,
    },
    Metrics {
        observer: ObserverId,
        time: UnixMillis,
        noise_floor: Option<f32>,
        tx_air_secs: Option<u64>,
        rx_air_secs: Option<u64>,
        recv_errors: Option<u64>,
        battery_mv: Option<u32>,
        packets_sent: Option<u64>,
        packets_recv: Option<u64>,
    },
    Node {
        key: Hex,
        name: Option<Hex>,
        role: u8,
        location: Option<(i32, i32)>,
        first_seen: UnixMillis,
        last_seen: UnixMillis,
        adverts: u32,
        default_scope: Option<Box<str>>,
    },
    Dropped {
        time: UnixMillis,
        reason: Box<str>,
        hash: Option<Hex>,
        raw: Hex,
        observer: Option<Box<str>>,
        observer_name: Option<Box<str>>,
        node: Option<Hex>,
        node_name: Option<Box<str>>,
    },
    Client {
        id: ClientId,
        key: Box<str>,
        name: Option<Box<str>>,
        last_seen: UnixMillis,
    },
    Reception {
        id: ReceptionId,
        client: ClientId,
        time: UnixMillis,
        heard: Hex,
        location: (i32, i32),
        accuracy_m: Option<u16>,
        rssi: Option<i16>,
        snr_quarter_db: Option<i8>,
    },
    Pruned {
        key: Hex,
        time: UnixMillis,
    },
}

impl Line {
    pub(super) fn of(change: &Change) -> Self {
        match change.clone() {
            Change::Head(FrameHead { id, bytes }) => Self::Head { id, bytes: Hex(bytes.into()) },
            Change::Transmission(Transmission { id, hash, raw }) => {
                Self::Transmission { id, hash: Hex(hash.0.into()), raw: Hex(raw.into()) }
            }
            Change::Observation(row) => Self::of_observation(row),
            Change::Observer(row) => Self::of_observer(row),
            Change::Metrics(row) => Self::of_metrics(row),
            Change::Node(NodeRecord {
                key,
                name,
                role,
                location,
                first_seen,
                last_seen,
                adverts,
                default_scope,
            }) => {
                let (key, name) = (Hex(key.0.into()), name.map(|name| Hex(name.into())));
                Self::Node { key, name, role, location, first_seen, last_seen, adverts, default_scope }
            }
            Change::Dropped(row) => Self::of_dropped(row),
            Change::Client(ClientObserver { id, key, name, last_seen }) => {
                Self::Client { id, key, name, last_seen }
            }
            Change::Reception(row) => Self::of_reception(row),
            Change::Pruned(PrunedNode { key, time }) => Self::Pruned { key: Hex(key.0.into()), time },
        }
    }

    fn of_observation(row: Observation) -> Self {
        let Observation { id, transmission, observer, time, head, snr, rssi, score } = row;
        let snr_quarter_db = snr.map(|snr| snr.0);
        Self::Observation { id, transmission, observer, time, head, snr_quarter_db, rssi, score }
    }

    fn of_observer(row: ObserverRecord) -> Self {
        Self::Observer {
            id: row.id,
            key: row.key,
            name: row.name,
            iata: row.iata,
            model: row.model,
            firmware: row.firmware,
            client_version: row.client_version,
            radio: row.radio,
            battery_mv: row.battery_mv,
            uptime_secs: row.uptime_secs,
            noise_floor: row.noise_floor,
            can_relay: row.can_relay,
            first_seen: row.first_seen,
            last_status: row.last_status,
            online: row.online,
            clock_skew_secs: row.clock_skew_secs,
            clock_last_naive: row.clock_last_naive,
        }
    }

    fn of_metrics(row: ObserverMetrics) -> Self {
        Self::Metrics {
            observer: row.observer,
            time: row.time,
            noise_floor: row.noise_floor,
            tx_air_secs: row.tx_air_secs,
            rx_air_secs: row.rx_air_secs,
            recv_errors: row.recv_errors,
            battery_mv: row.battery_mv,
            packets_sent: row.packets_sent,
            packets_recv: row.packets_recv,
        }
    }

    fn of_dropped(row: DroppedPacket) -> Self {
        let DroppedPacket { time, reason, hash, raw, observer, observer_name, node, node_name } = row;
        let (hash, node) = (hash.map(|hash| Hex(hash.0.into())), node.map(|node| Hex(node.0.into())));
        Self::Dropped { time, reason, hash, raw: Hex(raw.into()), observer, observer_name, node, node_name }
    }

    fn of_reception(row: Reception) -> Self {
        let Reception { id, client, time, heard, location, accuracy_m, rssi, snr } = row;
        let (heard, snr_quarter_db) = (Hex(heard.into()), snr.map(|snr| snr.0));
        Self::Reception { id, client, time, heard, location, accuracy_m, rssi, snr_quarter_db }
    }

    /// The row, unless it is the head of a batch or a field has the wrong length.
    pub(super) fn into_change(self) -> Option<Change> {
        Some(match self {
            Self::Batch { .. } => return None,
            Self::Head { id, bytes } => Change::Head(FrameHead { id, bytes: bytes.0.into() }),
            Self::Transmission { id, hash, raw } => {
                Change::Transmission(Transmission { id, hash: PacketHash(hash.array()?), raw: raw.0.into() })
            }
            Self::Observation { id, transmission, observer, time, head, snr_quarter_db, rssi, score } => {
                let snr = snr_quarter_db.map(SnrQuarterDb);
                Change::Observation(Observation { id, transmission, observer, time, head, snr, rssi, score })
            }
            Self::Client { id, key, name, last_seen } => {
                Change::Client(ClientObserver { id, key, name, last_seen })
            }
            Self::Reception { id, client, time, heard, location, accuracy_m, rssi, snr_quarter_db } => {
                let (heard, snr) = (heard.0.into(), snr_quarter_db.map(SnrQuarterDb));
                Change::Reception(Reception { id, client, time, heard, location, accuracy_m, rssi, snr })
            }
            Self::Pruned { key, time } => Change::Pruned(PrunedNode { key: NodeKey(key.array()?), time }),
            observer @ Self::Observer { .. } => observer.into_observer()?,
            metrics @ Self::Metrics { .. } => metrics.into_metrics()?,
            Self::Node { key, name, role, location, first_seen, last_seen, adverts, default_scope } => {
                let (key, name) = (NodeKey(key.array()?), name.map(|name| name.0.into()));
                let record =
                    NodeRecord { key, name, role, location, first_seen, last_seen, adverts, default_scope };
                Change::Node(record)
            }
            Self::Dropped { time, reason, hash, raw, observer, observer_name, node, node_name } => {
                let hash = hash.map(|hash| hash.array().map(PacketHash).ok_or(())).transpose().ok()?;
                let node = node.map(|node| node.array().map(NodeKey).ok_or(())).transpose().ok()?;
                let raw = raw.0.into();
                Change::Dropped(DroppedPacket {
                    time,
                    reason,
                    hash,
                    raw,
                    observer,
                    observer_name,
                    node,
                    node_name,
                })
            }
        })
    }

    fn into_observer(self) -> Option<Change> {
        let Self::Observer {
            id,
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
            first_seen,
            last_status,
            online,
            clock_skew_secs,
            clock_last_naive,
        } = self
        else {
            return None;
        };
        Some(Change::Observer(ObserverRecord {
            id,
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
            first_seen,
            last_status,
            online,
            clock_skew_secs,
            clock_last_naive,
        }))
    }

    fn into_metrics(self) -> Option<Change> {
        let Self::Metrics {
            observer,
            time,
            noise_floor,
            tx_air_secs,
            rx_air_secs,
            recv_errors,
            battery_mv,
            packets_sent,
            packets_recv,
        } = self
        else {
            return None;
        };
        Some(Change::Metrics(ObserverMetrics {
            observer,
            time,
            noise_floor,
            tx_air_secs,
            rx_air_secs,
            recv_errors,
            battery_mv,
            packets_sent,
            packets_recv,
        }))
    }
}

impl Hex {
    fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.as_slice().try_into().ok()
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write;
        let mut digits = String::with_capacity(self.0.len() * 2);
        for byte in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(pair).collect();
        bytes.map(Self).ok_or_else(|| de::Error::custom("not pairs of hex digits"))
    }
}

#[cfg(test)]
mod tests;
