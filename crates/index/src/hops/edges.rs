//! Who was heard beside whom at the ends of paths, where one of the two is sure (contract §7.2).
//!
//! An advert that took no hop joins its sender and the observer; one that took hops its sender and the first of them; and any
//! flood joins its last hop and the observer.

use meshcore::NodeKey;
use model::ObserverId;
use smallvec::SmallVec;
use std::collections::BTreeMap;

use super::book::Meetings;
use super::candidates::Candidates;
use super::lattice::{Chain, Lattice};
use super::model::Model;
use super::token::Token;
use super::{NAMED_FROM, Neighbour};
use crate::index::Index;

/// A node and what stood beside it, as the paths have it.
#[derive(Clone, Debug)]
pub(super) struct FoundBeside {
    /// Sender or observer.
    node: u32,
    beside: Beside,
    meetings: Meetings,
    observers: Vec<ObserverId>,
}

/// A node, or a hash that stays one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Beside {
    Node(u32),
    Hop(Token),
}

/// All edges, and which of them each node has.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// In the order of their ends.
    edges: Vec<Edge>,
    /// By node: places in `edges`.
    of_node: BTreeMap<u32, Vec<u32>>,
}

/// A node and what was heard beside it, of which a [`Neighbour`] tells all.
#[derive(Clone, Copy, Debug)]
pub struct FoundEdge<'a> {
    model: &'a Model,
    edge: &'a Edge,
}

#[derive(Debug)]
struct Edge {
    a: u32,
    b: Beside,
    meetings: Meetings,
    by_size: [u32; 4],
    /// Bytes of the longest hash that stood for `b`.
    longest: u8,
    observers: Vec<ObserverId>,
}

impl FoundBeside {
    /// All of an index, in an order that follows from what they are.
    pub(super) fn gather(index: &Index, candidates: &Candidates) -> Vec<FoundBeside> {
        let observers = index.observers.places(|key| candidates.find(&key));
        let observer_of = |id: u16| observers.get(usize::from(id)).copied().flatten();
        let node_of = |place: u32| candidates.find(&index.nodes.at(place).key);
        let mut found = Vec::new();
        for (sender, observer, meetings) in index.hop_book.unrelayed() {
            if let (Some(node), Some(heard_by)) = (node_of(sender), observer_of(observer)) {
                let beside = Beside::Node(heard_by);
                found.push(FoundBeside { node, beside, meetings, observers: vec![ObserverId(observer)] });
            }
        }
        for (token, observer, meetings) in index.hop_book.last_hops() {
            if let Some(node) = observer_of(observer) {
                let beside = Beside::Hop(token);
                found.push(FoundBeside { node, beside, meetings, observers: vec![ObserverId(observer)] });
            }
        }
        for (sender, token, edge) in index.hop_book.first_hops() {
            if let Some(node) = node_of(sender) {
                let observers = edge.observers.iter().map(|id| ObserverId(id as u16)).collect();
                found.push(FoundBeside {
                    node,
                    beside: Beside::Hop(token),
                    meetings: edge.meetings,
                    observers,
                });
            }
        }
        found.sort_by(|a, b| (a.node, a.beside, &a.observers).cmp(&(b.node, b.beside, &b.observers)));
        found
    }
}

impl Edges {
    /// Names the hops that can be named beside what is sure, and puts together what is then the same.
    pub(super) fn new(model: &Model, found: &[FoundBeside]) -> Self {
        let mut merged: BTreeMap<(u32, Beside), Edge> = BTreeMap::new();
        let mut lattice = Lattice::default();
        for one in found {
            let (beside, size) = match one.beside {
                Beside::Node(node) => (Beside::Node(node), 0),
                Beside::Hop(token) => (name_beside(model, &mut lattice, one.node, token), token.size()),
            };
            let (a, b) = match beside {
                Beside::Node(other) if other == one.node => continue,
                Beside::Node(other) => (one.node.min(other), Beside::Node(one.node.max(other))),
                hop => (one.node, hop),
            };
            let edge = merged.entry((a, b)).or_insert_with(|| Edge::new(a, b));
            edge.meetings.join(&one.meetings);
            edge.by_size[size.min(3)] = edge.by_size[size.min(3)].saturating_add(one.meetings.count);
            edge.longest = edge.longest.max(size as u8);
            edge.observers.extend(&one.observers);
        }
        let mut edges = Self::default();
        for mut edge in merged.into_values() {
            edge.observers.sort_unstable();
            edge.observers.dedup();
            edge.observers.shrink_to_fit();
            let place = edges.edges.len() as u32;
            edges.of_node.entry(edge.a).or_default().push(place);
            if let Beside::Node(b) = edge.b {
                edges.of_node.entry(b).or_default().push(place);
            }
            edges.edges.push(edge);
        }
        edges
    }

    /// What is beside a node, the most often heard first.
    pub(super) fn of(&self, model: &Model, node: u32) -> Vec<Neighbour> {
        let places = self.of_node.get(&node).map_or(&[][..], Vec::as_slice);
        let edges =
            places.iter().map(|place| &self.edges[*place as usize]).filter(|edge| edge.is_shown(model));
        let mut neighbours: Vec<Neighbour> = edges.map(|edge| edge.seen_from(model, node)).collect();
        neighbours.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.prefix.cmp(&b.prefix)));
        neighbours
    }

    /// Each edge whose ends may be named, in the order of their ends.
    pub(super) fn all<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = FoundEdge<'a>> + 'a {
        self.edges.iter().filter(|edge| edge.is_shown(model)).map(|edge| FoundEdge { model, edge })
    }

    /// How often and when two nodes were heard beside each other; `None` when they never were.
    pub(super) fn between(&self, one: u32, other: u32) -> Option<&Meetings> {
        let ends = (one.min(other), Beside::Node(one.max(other)));
        let found = self.edges.binary_search_by(|edge| (edge.a, edge.b).cmp(&ends));
        found.ok().map(|place| &self.edges[place].meetings)
    }

    /// How many nodes were heard beside each node, by node; those without any are left out.
    pub(super) fn degrees(&self, model: &Model) -> impl Iterator<Item = (u32, u32)> {
        let degree = |places: &[u32]| {
            let edges = places.iter().map(|place| &self.edges[*place as usize]);
            edges.filter(|edge| matches!(edge.b, Beside::Node(_)) && edge.is_shown(model)).count() as u32
        };
        let degrees = self.of_node.iter().map(move |(node, places)| (*node, degree(places)));
        degrees.filter(|(_, degree)| *degree > 0)
    }

    /// Bytes of heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let observers: usize = self.edges.iter().map(|edge| edge.observers.capacity() * 2).sum();
        let places: usize = self.of_node.values().map(|places| places.capacity() * 4 + 48).sum();
        self.edges.capacity() * size_of::<Edge>() + observers + places
    }
}

impl FoundEdge<'_> {
    /// The node.
    pub fn node(&self) -> NodeKey {
        self.model.key(self.edge.a)
    }

    /// The node beside it, when it is sure which: [`Neighbour::key`].
    pub fn other(&self) -> Option<NodeKey> {
        match self.edge.b {
            Beside::Node(other) => Some(self.model.key(other)),
            Beside::Hop(_) => None,
        }
    }

    /// The hash by which that was heard: [`Neighbour::prefix`].
    pub fn prefix(&self) -> SmallVec<[u8; 32]> {
        match self.edge.b {
            Beside::Node(other) => SmallVec::from(self.model.key(other).0),
            Beside::Hop(token) => SmallVec::from_slice(&token.to_vec()),
        }
    }

    /// How often: [`Neighbour::count`].
    pub fn count(&self) -> u32 {
        self.edge.meetings.count
    }

    /// Whether nobody is known who can be meant by the hash: no [`Neighbour::key`] and no [`Neighbour::candidates`].
    pub fn is_unresolved(&self) -> bool {
        match self.edge.b {
            Beside::Node(_) => false,
            Beside::Hop(token) => candidates(self.model, token, self.edge.a).next().is_none(),
        }
    }

    /// What is beside the node.
    pub fn neighbour(&self) -> Neighbour {
        self.edge.seen_from(self.model, self.edge.a)
    }
}

impl Edge {
    fn new(a: u32, b: Beside) -> Self {
        Self { a, b, meetings: Meetings::default(), by_size: [0; 4], longest: 0, observers: Vec::new() }
    }

    /// Whether both ends may be named.
    fn is_shown(&self, model: &Model) -> bool {
        let other = match self.b {
            Beside::Node(other) => model.is_shown(other),
            Beside::Hop(_) => true,
        };
        other && model.is_shown(self.a)
    }

    fn seen_from(&self, model: &Model, node: u32) -> Neighbour {
        let other = match self.b {
            Beside::Node(b) if b == node => Beside::Node(self.a),
            beside => beside,
        };
        let (key, prefix, candidates) = match other {
            Beside::Node(other) => (Some(model.key(other)), model.key(other).0.to_vec(), Vec::new()),
            Beside::Hop(token) => {
                let keys = candidates(model, token, node).map(|place| model.key(place));
                (None, token.to_vec(), keys.collect())
            }
        };
        let distance_km = match other {
            Beside::Node(other) => model.place(node).zip(model.place(other)).map(|(a, b)| a.km_to(b)),
            Beside::Hop(_) => None,
        };
        let meetings = &self.meetings;
        let mean = meetings.snr_sum as f32 / 4.0 / meetings.snr_count.max(1) as f32;
        Neighbour {
            key,
            prefix: prefix.into(),
            candidates,
            count: meetings.count,
            counts_by_size: self.by_size,
            first_seen: meetings.first,
            last_seen: meetings.last,
            snr_mean: (meetings.snr_count > 0).then_some(mean),
            observers: self.observers.clone(),
            distance_km,
        }
    }
}

/// The nodes that a hash beside a node can mean.
fn candidates(model: &Model, token: Token, node: u32) -> impl Iterator<Item = u32> {
    let all = model.candidates.of(&token.to_vec()).iter().copied();
    all.filter(move |place| *place != node && model.is_shown(*place))
}

/// The node behind a hash beside a node that is sure, when it is as good as sure too.
fn name_beside(model: &Model, lattice: &mut Lattice, node: u32, token: Token) -> Beside {
    lattice.read(model, &Chain { hops: &[token], sender: Some(node), observer: None, time: None });
    let is_named = |(other, probability): &(u32, f32)| {
        model.is_known(*other) && *other != node && *probability >= NAMED_FROM
    };
    let named = lattice.posterior(0).find(is_named);
    named.map_or(Beside::Hop(token), |(other, _)| Beside::Node(other))
}
