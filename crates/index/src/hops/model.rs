//! What is believed of the mesh: who relays how much, and who is beside whom.

use meshcore::NodeKey;
use model::UnixMillis;

use super::candidates::Candidates;
use super::distance::{DistanceLaw, PairDistances, Place};

/// Stands for any node that has never adverted and is not told from others like it: behind a hash of two or three bytes.
pub(super) const STRANGER: u32 = u32::MAX;

/// Nodes that have never adverted and are known by a hash of two bytes, at most. Hashes that nobody has are cheap to make up.
const MAX_GHOSTS: usize = 2_048;

/// Candidates of one hop that are weighed against each other. More than this share one byte only in meshes of thousands of
/// repeaters, or when somebody makes keys up; those that relay least are then counted as strangers.
const MAX_CANDIDATES: usize = 16;

/// What a count of paths must exceed to be believed against chance and distance.
const LINK_CAUTION: f32 = 2.0;

/// After this long without a sign of a node it is less probable that it relays, by half for each [`FADING_MS`].
const PATIENCE_MS: i64 = 3 * 86_400_000;
const FADING_MS: i64 = 4 * 86_400_000;

/// Faded nodes keep this much.
const MIN_FADING: f32 = 0.02;

/// What is left of a node's weight in packets heard more than a day before its first sign: it may have been there unheard.
const BEFORE_FIRST: f32 = 0.3;

/// Who relays how much, and who is beside whom.
///
/// Nodes are numbered: first those of [`Candidates`], then the ghosts, which are nodes that have never adverted. One ghost
/// stands for each hash of two bytes that no known node fits, and one for each byte, for all strangers that share it.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) candidates: Candidates,
    /// The hashes of two bytes of the first ghosts, rising.
    ghosts: Vec<[u8; 2]>,
    places: Vec<Option<Place>>,
    /// By node: its share of all relaying; 0 for nodes that do not relay.
    pub(super) shares: Vec<f32>,
    /// The share of relaying by nodes that have never adverted.
    strangers: f32,
    links: Links,
    law: Option<DistanceLaw>,
    /// By the byte of a hash of one byte.
    by_byte: Vec<Weighed>,
}

/// The candidates of a hash that are weighed, and the share of relaying of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    pub(super) places: Vec<u32>,
    pub(super) rest: f32,
}

/// How often two nodes stood beside each other in paths, in either order, as expected.
#[derive(Debug, Default)]
pub(super) struct Links {
    starts: Vec<u32>,
    others: Vec<u32>,
    counts: Vec<f32>,
    /// By node: over all others.
    sums: Vec<f32>,
    total: f32,
}

impl Links {
    /// From (lesser, greater, count), rising.
    pub(super) fn new(nodes: usize, pairs: &[(u32, u32, f32)]) -> Self {
        let mut rows: Vec<(u32, u32, f32)> = Vec::with_capacity(pairs.len() * 2);
        for &(a, b, count) in pairs {
            rows.extend([(a, b, count), (b, a, count)]);
        }
        rows.sort_by_key(|(a, b, _)| (*a, *b));
        let mut starts = vec![0; nodes + 1];
        let mut sums = vec![0.0; nodes];
        for &(a, _, count) in &rows {
            starts[a as usize + 1] += 1;
            sums[a as usize] += count;
        }
        for place in 0..nodes {
            starts[place + 1] += starts[place];
        }
        let total = sums.iter().sum();
        Self {
            starts,
            others: rows.iter().map(|row| row.1).collect(),
            counts: rows.iter().map(|row| row.2).collect(),
            sums,
            total,
        }
    }

    /// The nodes beside a node, with the counts.
    pub(super) fn of(&self, node: u32) -> impl Iterator<Item = (u32, f32)> {
        let node = node as usize;
        let range = match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        };
        self.others[range.clone()].iter().copied().zip(self.counts[range].iter().copied())
    }

    pub(super) fn count(&self, a: u32, b: u32) -> f32 {
        let (Some(start), Some(end)) = (self.starts.get(a as usize), self.starts.get(a as usize + 1)) else {
            return 0.0;
        };
        let range = *start as usize..*end as usize;
        let found = self.others[range.clone()].binary_search(&b);
        found.map_or(0.0, |at| self.counts[range][at])
    }

    /// How often they would stand beside each other by chance.
    fn by_chance(&self, a: u32, b: u32) -> f32 {
        let sum = |node: u32| self.sums.get(node as usize).copied().unwrap_or(0.0);
        if self.total > 0.0 { sum(a) * sum(b) / self.total } else { 0.0 }
    }

    fn heap_bytes(&self) -> usize {
        (self.starts.capacity() + self.others.capacity() + self.counts.capacity() + self.sums.capacity()) * 4
    }
}

impl Model {
    /// Before anything was learned of who is beside whom.
    pub(super) fn new(candidates: Candidates, mut ghosts: Vec<[u8; 2]>, strangers: f32) -> Self {
        ghosts.truncate(MAX_GHOSTS);
        ghosts.sort_unstable();
        let places: Vec<Option<Place>> =
            candidates.nodes().iter().map(|node| node.location.map(Place::new)).collect();
        let mut model = Self { candidates, ghosts, places, strangers, ..Self::default() };
        model.law = Some(DistanceLaw::supposed(&model.distances_of_all()));
        model
    }

    /// How many nodes are numbered, ghosts included.
    pub(super) fn len(&self) -> usize {
        self.first_ghost_of_byte() + 256
    }

    /// Ghosts that are known by two bytes.
    pub(super) fn ghosts(&self) -> std::ops::Range<usize> {
        self.candidates.nodes().len()..self.first_ghost_of_byte()
    }

    /// The ghosts that stand for all strangers of a byte, in the order of the bytes.
    pub(super) fn ghosts_of_bytes(&self) -> std::ops::Range<usize> {
        self.first_ghost_of_byte()..self.len()
    }

    /// Whether a node has adverted, or is an observer.
    pub(super) fn is_known(&self, node: u32) -> bool {
        (node as usize) < self.candidates.nodes().len()
    }

    /// The place of a node that may be named.
    pub(super) fn find_shown(&self, key: &NodeKey) -> Option<u32> {
        self.candidates.find(key).filter(|place| self.is_shown(*place))
    }

    /// Whether a node may be named.
    pub(super) fn is_shown(&self, node: u32) -> bool {
        self.is_known(node) && !self.candidates.at(node).is_hidden
    }

    /// The share of relaying by nodes that have never adverted.
    pub(super) fn strangers(&self) -> f32 {
        self.strangers
    }

    /// Sets the share of each node, which add up to 1.
    pub(super) fn set_shares(&mut self, shares: Vec<f32>) {
        self.shares = shares;
        self.by_byte = (0..=255_u8).map(|byte| self.weigh(&[byte])).collect();
    }

    fn first_ghost_of_byte(&self) -> usize {
        self.candidates.nodes().len() + self.ghosts.len()
    }

    pub(super) fn set_links(&mut self, links: Links) {
        self.links = links;
        let mut neighbours = PairDistances::default();
        for a in self.candidates.relays() {
            for (b, count) in self.links.of(*a) {
                if let (true, Some(here), Some(there)) = (*a < b, self.place(*a), self.place(b)) {
                    // Once for each pair, and less for a pair that is not sure.
                    neighbours.add(here, there, (count / 3.0).min(1.0));
                }
            }
        }
        self.law = Some(DistanceLaw::fit(&neighbours, &self.distances_of_all()));
    }

    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    pub(super) fn key(&self, place: u32) -> NodeKey {
        self.candidates.at(place).key
    }

    pub(super) fn place(&self, node: u32) -> Option<Place> {
        self.places.get(node as usize).copied().flatten()
    }

    /// The candidates of a hop that are to be weighed.
    pub(super) fn weighed(&self, hop: &[u8]) -> std::borrow::Cow<'_, Weighed> {
        match *hop {
            [byte] if !self.by_byte.is_empty() => {
                std::borrow::Cow::Borrowed(&self.by_byte[usize::from(byte)])
            }
            _ => std::borrow::Cow::Owned(self.weigh(hop)),
        }
    }

    /// How many times more probable it is to find the two beside each other than by chance.
    pub(super) fn lift(&self, a: u32, b: u32) -> f32 {
        if a == STRANGER || b == STRANGER {
            return 1.0;
        }
        if a == b {
            // Nobody repeats what it has just sent.
            return 1e-9;
        }
        let count = self.links.count(a, b);
        (count + LINK_CAUTION * self.distance_lift(a, b)) / (self.links.by_chance(a, b) + LINK_CAUTION)
    }

    /// The part of [`Self::lift`] that the distance alone tells; 1 where it is not known.
    pub(super) fn distance_lift(&self, a: u32, b: u32) -> f32 {
        match (self.place(a), self.place(b), &self.law) {
            (Some(a), Some(b), Some(law)) => law.lift(a, b),
            _ => 1.0,
        }
    }

    /// Before anything was learned nobody has a share.
    fn share(&self, node: u32) -> f32 {
        self.shares.get(node as usize).copied().unwrap_or(0.0)
    }

    /// The weight of a candidate at some time, before it is seen who stands beside it.
    pub(super) fn weight(&self, node: u32, time: Option<UnixMillis>) -> f32 {
        let share = self.share(node);
        let (Some(time), true) = (time, self.is_known(node)) else { return share };
        let known = self.candidates.at(node);
        let silent_ms = time.0.saturating_sub(known.last_heard.0).saturating_sub(PATIENCE_MS);
        let fading = if silent_ms > 0 {
            0.5_f32.powf(silent_ms as f32 / FADING_MS as f32).max(MIN_FADING)
        } else {
            1.0
        };
        let early = known.first_heard.0.saturating_sub(time.0) > 86_400_000;
        share * fading * if early { BEFORE_FIRST } else { 1.0 }
    }

    /// The weight of [`STRANGER`] as this hop.
    pub(super) fn stranger_weight(&self, hop: &[u8]) -> f32 {
        if hop.len() == 1 { 0.0 } else { self.strangers / 256.0_f32.powi(hop.len() as i32) }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let weighed: usize = self.by_byte.iter().map(|weighed| weighed.places.capacity() * 4 + 32).sum();
        let each = size_of::<super::HopNode>() + size_of::<Option<Place>>() + 4 + 4;
        self.candidates.nodes().len() * each + weighed + self.links.heap_bytes()
    }

    fn weigh(&self, hop: &[u8]) -> Weighed {
        let mut places = self.candidates.of(hop).to_vec();
        let first = self.candidates.nodes().len() as u32;
        let prefix = |ghost: &[u8; 2]| ghost[..hop.len().min(2)].cmp(&hop[..hop.len().min(2)]);
        let start = self.ghosts.partition_point(|ghost| prefix(ghost).is_lt());
        let len = self.ghosts[start..].partition_point(|ghost| prefix(ghost).is_eq());
        places.extend((start..start + len).map(|ghost| first + ghost as u32));
        let mut rest = 0.0;
        if places.len() > MAX_CANDIDATES {
            let share = |place: &u32| self.share(*place);
            places.sort_by(|a, b| share(b).total_cmp(&share(a)).then(a.cmp(b)));
            rest = places.drain(MAX_CANDIDATES..).map(|place| self.share(place)).sum();
            places.sort_unstable();
        }
        if let [byte] = *hop {
            places.push(self.first_ghost_of_byte() as u32 + u32::from(byte));
        }
        Weighed { places, rest }
    }

    /// Of all pairs of relaying nodes with a place, or of a part of them that is large enough.
    fn distances_of_all(&self) -> PairDistances {
        const ENOUGH: usize = 250;
        let placed: Vec<Place> =
            self.candidates.relays().iter().filter_map(|node| self.place(*node)).collect();
        let step = placed.len().div_ceil(ENOUGH).max(1);
        let some: Vec<Place> = placed.into_iter().step_by(step).collect();
        let mut distances = PairDistances::default();
        for (at, a) in some.iter().enumerate() {
            some[..at].iter().for_each(|b| distances.add(*a, *b, 1.0));
        }
        distances
    }
}
