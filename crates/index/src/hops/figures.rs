//! What is told of nodes that relay.

use meshcore::NodeKey;
use model::{ObserverId, UnixMillis};

/// What a node relays, by the word of the resolver: a packet that it relayed with a probability of 0.4 counts 0.4.
/// Adverts are left out. All figures are as of the newest packet of the index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelayFigures {
    /// Packets first seen within the last hour.
    pub last_hour: f32,
    /// Packets first seen within the last 24 hours.
    pub last_day: f32,
    /// Those of `last_day` that were sent by plain flood, without a scope.
    pub unscoped_last_day: f32,
    /// Share of all packets of the last 24 hours: 0 to 1.
    pub traffic_share: f32,
    /// When the newest packet that it more probably relayed than not was first seen, adverts included.
    pub last_relayed: Option<UnixMillis>,
    /// Names of the known region scopes that it relayed in the last 24 hours, in alphabetical order.
    pub scopes: Vec<Box<str>>,
}

/// How much a repeater or room matters to the mesh, each 0 to 1 (contract §7.8).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Share of the best connections between others that lead over it, relative to the greatest.
    pub bridge: f32,
    /// How near it is to all others, relative to the greatest.
    pub coverage: f32,
    /// How many pairs of others would be cut off from each other without it, relative to the greatest.
    pub redundancy: f32,
    /// Its share of the traffic.
    pub traffic: f32,
    /// All of these together: .30 bridge, .25 coverage, .25 redundancy, .20 traffic relative to the greatest.
    pub usefulness: f32,
    /// A to D and F by `usefulness`: from .65, .45, .30 and .15 on.
    pub grade: char,
}

/// How well a node is connected among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Nodes that were heard beside it and that are as good as sure.
    pub degree: usize,
    /// 1 for a node with the most of them; 0 for one without any.
    pub rank: usize,
    /// Nodes that have any.
    pub of: usize,
}

/// A node, or a hop that stays a hash, heard beside a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Which node, when that is as good as sure.
    pub key: Option<NodeKey>,
    /// The hash by which it was heard; the whole key when it is sure which node it is.
    pub prefix: Box<[u8]>,
    /// The nodes that it can be, when it is not sure which.
    pub candidates: Vec<NodeKey>,
    /// How often, counted per observation.
    pub count: u32,
    /// `count` by bytes of the hash; the first is for neighbours heard without a hop between.
    pub counts_by_size: [u32; 4],
    /// When first.
    pub first_seen: UnixMillis,
    /// When last.
    pub last_seen: UnixMillis,
    /// Mean signal-to-noise ratio in decibels, where one of the two is the observer that measured it.
    pub snr_mean: Option<f32>,
    /// Who observed it, rising.
    pub observers: Vec<ObserverId>,
    /// How far apart the two are in kilometres, where both say where they are.
    pub distance_km: Option<f32>,
}

impl Neighbour {
    /// How much the two are beside each other at this time; see [`edge_score`].
    pub fn score(&self, at: UnixMillis) -> f64 {
        edge_score(self.count, self.last_seen, at)
    }

    /// The hash by which it was heard; of a node that is sure, the first byte of its key.
    pub fn hash(&self) -> &[u8] {
        if self.key.is_some() { &self.prefix[..1] } else { &self.prefix }
    }
}

/// How much two nodes that were heard beside each other so often, and last then, are beside each other at a time: 0 to 1.
/// A hundred times are enough, and each week since the last halves it (contract §7.1).
pub(super) fn edge_score(count: u32, last: UnixMillis, at: UnixMillis) -> f64 {
    const FULL_COUNT: f64 = 100.0;
    const WEEK_MS: f64 = 7.0 * 86_400_000.0;
    let age_ms = at.0.saturating_sub(last.0).max(0) as f64;
    (f64::from(count) / FULL_COUNT).min(1.0) * (-age_ms / WEEK_MS).exp2()
}
