//! Nodes as rows.

pub(crate) mod activity;
pub(crate) mod clock;
pub(crate) mod health;
pub(crate) mod neighbor;
pub(crate) mod relay;

use self::relay::RelayRow;
use super::packet::ObserverTexts;
use super::time::rfc3339;
use crate::config::{ApiConfig, HealthThresholds};
use index::{HopResolver, Index, Node, RoleCounts};
use meshcore::{NodeKey, Role};
use model::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

/// A node, as its adverts say.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct NodeRow {
    /// 64 hex digits.
    pub(crate) public_key: String,
    /// Without what could mislead a reader; null while no advert gave one.
    pub(crate) name: Option<String>,
    /// `companion`, `repeater`, `room`, `sensor`, `none` or `type-N`.
    pub(crate) role: String,
    /// Degrees north.
    pub(crate) lat: Option<f64>,
    /// Degrees east.
    pub(crate) lon: Option<f64>,
    /// When its newest advert was heard, RFC 3339.
    pub(crate) last_seen: String,
    /// When its first advert was heard, RFC 3339.
    pub(crate) first_seen: String,
    /// Its adverts, each counted once however often it was heard.
    pub(crate) advert_count: u64,
    /// The same as `last_seen`.
    pub(crate) last_heard: String,
    /// Bytes of its path hashes by its newest advert that says: 1 to 3.
    pub(crate) hash_size: Option<u8>,
    /// Whether its adverts disagree about that.
    pub(crate) hash_size_inconsistent: bool,
    /// All sizes seen; only when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) hash_sizes_seen: Vec<u8>,
    /// Whether it is outside the configured area.
    pub(crate) foreign: bool,
    /// Always null: adverts of today's firmware do not carry it.
    pub(crate) battery_mv: Option<u32>,
    /// Always null: adverts of today's firmware do not carry it.
    pub(crate) temperature_c: Option<f64>,
    /// The scope of its newest scoped advert.
    pub(crate) default_scope: Option<String>,
    /// Whether it uses path hashes of more than one byte.
    pub(crate) multi_byte_status: MultiByteStatus,
    /// By what that is known: `advert`, `path`, or empty.
    pub(crate) multi_byte_evidence: &'static str,
    /// The largest size seen; 0 when none was.
    pub(crate) multi_byte_max_hash_size: u8,
    /// Only for repeaters and rooms, and not in searches.
    #[serde(flatten)]
    pub(crate) relay: RelayRow,
}

/// Whether a node uses path hashes of more than one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MultiByteStatus {
    /// An advert did.
    Confirmed,
    /// Paths name a node with its key by more than one byte, so it relayed such packets.
    Suspected,
    /// Not seen.
    Unknown,
}

/// How many nodes of each role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RoleCountsRow {
    pub(crate) repeaters: u64,
    pub(crate) rooms: u64,
    pub(crate) companions: u64,
    pub(crate) sensors: u64,
}

impl NodeRow {
    /// `config` says which nodes are foreign.
    pub(crate) fn of(node: &Node, index: &Index, config: &ApiConfig) -> Self {
        let last_seen = rfc3339(node.last_seen);
        let place = believable_place(node);
        let multi_byte = MultiByte::of(node, index);
        Self {
            public_key: node.key.to_string(),
            name: shown_name(node),
            role: node.role.name().to_owned(),
            lat: place.map(|[lat, _]| lat),
            lon: place.map(|[_, lon]| lon),
            first_seen: rfc3339(node.first_seen),
            advert_count: u64::from(node.advert_count),
            last_heard: last_seen.clone(),
            last_seen,
            hash_size: node.hash_size,
            hash_size_inconsistent: node.hash_size_inconsistent,
            hash_sizes_seen: if node.hash_sizes_seen.len() > 1 {
                node.hash_sizes_seen.to_vec()
            } else {
                Vec::new()
            },
            foreign: is_foreign(node, config),
            battery_mv: None,
            temperature_c: None,
            default_scope: node.default_scope.as_deref().map(str::to_owned),
            multi_byte_status: multi_byte.status,
            multi_byte_evidence: multi_byte.evidence,
            multi_byte_max_hash_size: multi_byte.max_hash_size,
            relay: RelayRow::default(),
        }
    }

    /// With what it relays, as of `now`.
    pub(crate) fn with_relay(
        node: &Node,
        index: &Index,
        config: &ApiConfig,
        resolver: &HopResolver,
        now: UnixMillis,
    ) -> Self {
        let relay = RelayRow::of(node, resolver, &config.health_thresholds, now);
        Self { relay, ..Self::of(node, index, config) }
    }
}

/// What is known of a node's use of path hashes.
struct MultiByte {
    status: MultiByteStatus,
    evidence: &'static str,
    max_hash_size: u8,
}

impl MultiByte {
    fn of(node: &Node, index: &Index) -> Self {
        let told = node.hash_sizes_seen.iter().copied().chain(node.hash_size).max().unwrap_or_default();
        if told >= 2 {
            return Self { status: MultiByteStatus::Confirmed, evidence: "advert", max_hash_size: told };
        }
        // A companion does not relay, so it is not the one that such a hash means.
        match relay::relays(node).then(|| index.longest_hop_hash(&node.key)) {
            None | Some(0) => Self { status: MultiByteStatus::Unknown, evidence: "", max_hash_size: told },
            Some(size) => Self { status: MultiByteStatus::Suspected, evidence: "path", max_hash_size: size },
        }
    }
}

impl From<RoleCounts> for RoleCountsRow {
    fn from(counts: RoleCounts) -> Self {
        let RoleCounts { repeaters, rooms, companions, sensors } = counts;
        Self { repeaters, rooms, companions, sensors }
    }
}

/// How much alive a node is, by the age of its newest advert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Active,
    Degraded,
    Silent,
}

impl Presence {
    /// Repeaters and rooms stand where they are and advert seldom; the others come and go.
    pub(crate) fn of(node: &Node, thresholds: &HealthThresholds, now: UnixMillis) -> Self {
        const HOUR_MS: f64 = 3_600_000.0;
        let (degraded, silent) = match node.role {
            Role::Repeater | Role::Room => (thresholds.infra_degraded_hours, thresholds.infra_silent_hours),
            _ => (thresholds.node_degraded_hours, thresholds.node_silent_hours),
        };
        let age_hours = now.0.saturating_sub(node.last_seen.0) as f64 / HOUR_MS;
        if age_hours < degraded {
            Self::Active
        } else if age_hours < silent {
            Self::Degraded
        } else {
            Self::Silent
        }
    }
}

/// Its name without what could mislead a reader; `None` while no advert gave one.
pub(crate) fn shown_name(node: &Node) -> Option<String> {
    node.name.as_ref().map(|name| name.display.to_string()).filter(|name| !name.is_empty())
}

/// The name of whoever has a key: a node's, or what an observer that never adverted calls itself.
pub(crate) fn peer_name(index: &Index, key: &NodeKey) -> Option<String> {
    index.node(key).and_then(shown_name).or_else(|| {
        let observer = index.observer_by_key(&key.to_string())?;
        ObserverTexts::of(index.observer_record(observer)?).name
    })
}

/// A place on Earth; senders without a position send 0 and 0, which is in the sea.
pub(crate) fn believable_place(node: &Node) -> Option<[f64; 2]> {
    let location = node.location.filter(|location| location.is_in_range() && !location.is_zero())?;
    Some([location.lat(), location.lon()])
}

/// Whether a node says that it is outside the area of interest; one without a place does not say.
pub(crate) fn is_foreign(node: &Node, config: &ApiConfig) -> bool {
    match (&config.geo_filter, believable_place(node)) {
        (Some(filter), Some(place)) => !filter.contains(place),
        _ => false,
    }
}
