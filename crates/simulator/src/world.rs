//! The nodes, where they are, and who hears whom.

use meshcore::{Identity, Location, NodeKey, Role, ScopeKey};

use crate::config::SimConfig;
use crate::exact::{cos_degrees, log10};
use crate::rng::Rng;
use crate::words;

/// Below this many decibels of SNR a frame is lost (spreading factor 8).
const DECODE_LIMIT_DB: f64 = -10.0;
/// From limit to limit + this, the chance of hearing a frame grows from 0 to 1.
const DECODE_SLOPE_DB: f64 = 4.0;
/// Links worse than this are never heard, whatever the fading.
const LINK_FLOOR_DB: f64 = DECODE_LIMIT_DB - 5.0;
/// The noise that a radio in town sees, in dBm.
const NOISE_DBM: f64 = -118.0;
/// What a place on a ridge gains.
const RIDGE_GAIN_DB: f64 = 15.0;
/// How many nodes one can be linked with; the best are kept. Bounds the cost of a flood in a dense town.
const MAX_LINKS: usize = 24;

/// A node by its place in [`World::nodes`].
pub(crate) type NodeIndex = u32;

pub(crate) struct Node {
    pub(crate) identity: Identity,
    pub(crate) key: NodeKey,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) location: Location,
    /// Which of the areas it is in.
    pub(crate) area: usize,
    pub(crate) hash_size: u8,
    /// The region its floods are kept in, if any.
    pub(crate) scope: Option<ScopeKey>,
    /// Whether its adverts say where it is.
    pub(crate) shares_location: bool,
    x_km: f64,
    y_km: f64,
    ridge: bool,
}

/// One direction of a link, without the fading of the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) to: NodeIndex,
    /// SNR that a receiver without an upper limit would measure.
    pub(crate) margin_db: f32,
}

/// What a receiver measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Signal {
    pub(crate) snr_quarter_db: i8,
    pub(crate) rssi_dbm: i16,
}

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    /// Of each node: the repeaters that can hear it.
    pub(crate) repeaters: Vec<Vec<Link>>,
    /// Of each node: the observers that can hear it; `to` is a place in `observers`.
    pub(crate) listeners: Vec<Vec<Link>>,
    /// The nodes that observe.
    pub(crate) observers: Vec<NodeIndex>,
    /// Who writes to people and channels.
    pub(crate) companions: Vec<NodeIndex>,
}

impl Node {
    pub(crate) fn forwards(&self) -> bool {
        self.role == Role::Repeater
    }
}

impl World {
    pub(crate) fn new(config: &SimConfig, rng: &mut Rng) -> World {
        let count = config.nodes.max(10);
        let nodes: Vec<Node> = (0..count).map(|place| node(config, rng, place)).collect();
        let of = |wanted: fn(&Node) -> bool| -> Vec<NodeIndex> {
            (0..count).filter(|i| wanted(&nodes[*i])).map(|i| i as NodeIndex).collect()
        };
        let (forwarding, companions) = (of(Node::forwards), of(|node| node.role == Role::Companion));
        let mut candidates: Vec<NodeIndex> = (0..count as NodeIndex).collect();
        let observers: Vec<NodeIndex> = (0..config.observers.clamp(1, count))
            .map(|_| candidates.swap_remove(rng.below(candidates.len())))
            .collect();
        let shadow_seed = rng.next();
        let links = |from: usize, receivers: &[NodeIndex], name: fn(usize, NodeIndex) -> NodeIndex| {
            let heard = receivers.iter().enumerate().filter(|(_, to)| **to as usize != from);
            let mut links: Vec<Link> = heard
                .map(|(place, to)| {
                    let margin = margin_db(&nodes, from, *to as usize, shadow_seed);
                    Link { to: name(place, *to), margin_db: margin as f32 }
                })
                .filter(|link| f64::from(link.margin_db) > LINK_FLOOR_DB)
                .collect();
            links.sort_by(|a, b| b.margin_db.total_cmp(&a.margin_db).then(a.to.cmp(&b.to)));
            links.truncate(MAX_LINKS);
            links
        };
        let repeaters = (0..count).map(|from| links(from, &forwarding, |_, to| to)).collect();
        let listeners =
            (0..count).map(|from| links(from, &observers, |place, _| place as NodeIndex)).collect();
        World { nodes, repeaters, listeners, observers, companions }
    }

    pub(crate) fn node(&self, node: NodeIndex) -> &Node {
        &self.nodes[node as usize]
    }
}

impl Link {
    /// Whether a frame gets through now, and how strong; `None` when it is lost.
    pub(crate) fn receive(self, rng: &mut Rng) -> Option<Signal> {
        let margin = f64::from(self.margin_db) + 1.5 * rng.normal();
        let chance = (margin - DECODE_LIMIT_DB) / DECODE_SLOPE_DB;
        if chance < 1.0 && !rng.chance(chance.max(0.0)) {
            return None;
        }
        // A radio's SNR saturates, its RSSI does not.
        let snr = if margin > 8.0 { (8.0 + (margin - 8.0) * 0.3).min(14.5) } else { margin };
        // Below the noise, RSSI sees mostly the noise.
        let rssi = NOISE_DBM + margin.max(-4.0) + if margin < -4.0 { (margin + 4.0) * 0.3 } else { 0.0 };
        Some(Signal {
            snr_quarter_db: (snr * 4.0).round() as i8,
            rssi_dbm: rssi.round().clamp(-130.0, -20.0) as i16,
        })
    }
}

fn node(config: &SimConfig, rng: &mut Rng, place: usize) -> Node {
    let total: f64 = config.areas.iter().map(|area| area.weight).sum();
    let mut left = rng.unit() * total;
    let area = config.areas.iter().position(|area| {
        left -= area.weight;
        left < 0.0
    });
    let area = area.unwrap_or(0);
    // At least a fifth forwards, whatever the dice say, or small meshes fall apart.
    let role = match (place % 5, rng.below(100)) {
        (0, _) => Role::Repeater,
        (_, 0..25) => Role::Repeater,
        (_, 25..32) => Role::Room,
        (_, 32..36) => Role::Sensor,
        _ => Role::Companion,
    };
    let name = match role {
        Role::Repeater => words::repeater_name(rng),
        Role::Room => words::room_name(rng),
        Role::Sensor => words::sensor_name(rng),
        _ => words::person_name(rng),
    };
    let (identity, key) = loop {
        let identity = Identity::from_seed(&rng.bytes());
        let key = identity.key();
        // The firmware refuses keys that begin so.
        if !matches!(key.0[0], 0x00 | 0xFF) {
            break (identity, key);
        }
    };
    let (lat, lon, radius) = config.areas.get(area).map_or((0.0, 0.0, 10.0), |a| (a.lat, a.lon, a.radius_km));
    let (x_km, y_km) = (rng.normal() * radius / 1.8, rng.normal() * radius / 1.8);
    let km_per_degree = 111.2;
    let (node_lat, node_lon) =
        (lat + y_km / km_per_degree, lon + x_km / (km_per_degree * cos_degrees(lat).max(0.1)));
    let e6 = |degrees: f64| (degrees * 1e6).round() as i32;
    Node {
        identity,
        key,
        name,
        role,
        location: Location { lat_e6: e6(node_lat), lon_e6: e6(node_lon) },
        area,
        hash_size: match rng.below(100) {
            0..72 => 1,
            72..94 => 2,
            _ => 3,
        },
        scope: rng.chance(0.15).then(|| ScopeKey::from_name(rng.pick(&["#bay", "#norcal", "#sfo"]))),
        shares_location: role == Role::Repeater || rng.chance(0.5),
        x_km: node_lon * km_per_degree * cos_degrees(lat).max(0.1),
        y_km: node_lat * km_per_degree,
        ridge: role == Role::Repeater && rng.chance(0.15),
    }
}

/// The decibels above the noise at which `to` hears `from`: a log-distance law with shadowing that is fixed for the pair.
fn margin_db(nodes: &[Node], from: usize, to: usize, seed: u64) -> f64 {
    let (a, b) = (&nodes[from], &nodes[to]);
    let (dx, dy) = (a.x_km - b.x_km, a.y_km - b.y_km);
    let distance = (dx * dx + dy * dy).sqrt().max(0.05);
    let (low, high) = (from.min(to) as u64, from.max(to) as u64);
    let shadowing = 4.0 * Rng::new(seed ^ (high << 32 | low)).normal();
    let gain = RIDGE_GAIN_DB * f64::from(u8::from(a.ridge) + u8::from(b.ridge));
    20.0 - 32.0 * log10(distance) + gain + shadowing
}
