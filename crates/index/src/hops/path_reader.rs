//! Reading many paths of an index, one after the other.

use meshcore::NodeKey;
use smallvec::SmallVec;

use super::lattice::{Chain, Lattice};
use super::token::Token;
use super::{Course, HopResolver, LIKELY_FROM, NAMED_FROM};
use crate::view::{ObservationView, TransmissionView};

/// Reads paths as [`HopResolver::resolve`] does, but without what decided a hop, which costs as much again, and with what
/// was found for hops that stood beside each other in the paths before.
#[derive(Debug)]
pub(crate) struct PathReader {
    resolver: HopResolver,
    lattice: Lattice,
    /// By id of an observer, once it was looked for: its place in the model, or that it has none. `None` for a reader of a
    /// single path.
    observers: Option<Vec<Option<Option<u32>>>>,
}

/// What a hop is taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReadHop {
    /// The most probable node; `None` when no known node fits, or when it is more probably one that never adverted or that
    /// is never named.
    node: Option<NodePlace>,
    /// Its probability.
    posterior: f32,
}

/// A node as its number in what a [`PathReader`] knows, which is in the order of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodePlace(u32);

impl ReadHop {
    /// The node, when it is as good as sure ([`NAMED_FROM`]).
    pub(crate) fn named(self) -> Option<NodePlace> {
        self.node.filter(|_| self.posterior >= NAMED_FROM)
    }

    /// The node, when it is more probable than not.
    pub(crate) fn likely(self) -> Option<NodePlace> {
        self.node.filter(|_| self.posterior >= LIKELY_FROM)
    }
}

impl NodePlace {
    /// For tables by place.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl PathReader {
    pub(crate) fn new(resolver: &HopResolver) -> Self {
        Self { resolver: resolver.clone(), lattice: Lattice::for_many(), observers: Some(Vec::new()) }
    }

    /// For a single path.
    fn for_one(resolver: &HopResolver) -> Self {
        Self { resolver: resolver.clone(), lattice: Lattice::default(), observers: None }
    }

    /// By hop of the path; empty where [`ObservationView::resolve_path`] is, and when nothing was learned yet.
    pub(crate) fn read(&mut self, heard: &ObservationView<'_>) -> SmallVec<[ReadHop; 16]> {
        let (head, packet) = (heard.head(), heard.transmission());
        let is_empty = self.resolver.nodes().is_empty() || head.path.is_empty();
        if is_empty || packet.is_trace() {
            return SmallVec::new();
        }
        let hops: SmallVec<[Token; 16]> = head.path.hops().map(|hop| Token::new(hop.bytes())).collect();
        let course = Course::of(head.route);
        let (sender, observer) = match course {
            Course::Passed => (self.sender_of(&packet), self.observer_of(heard)),
            Course::Ahead => (None, None),
        };
        let chain = Chain { hops: &hops, sender, observer, time: Some(heard.time()) };
        let chosen = self.resolver.choose(&mut self.lattice, &chain, course);
        let model = &self.resolver.knowledge.model;
        let read = |(node, posterior): (u32, f32)| ReadHop {
            node: model.is_shown(node).then_some(NodePlace(node)),
            posterior,
        };
        chosen.into_iter().map(read).collect()
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.resolver.nodes().len()
    }

    /// Where a node is; `None` for one that is not known or never named.
    pub(crate) fn place_of(&self, key: &NodeKey) -> Option<NodePlace> {
        self.resolver.knowledge.model.find_shown(key).map(NodePlace)
    }

    /// The node of a place.
    pub(crate) fn key(&self, place: NodePlace) -> NodeKey {
        self.resolver.knowledge.model.key(place.0)
    }

    fn sender_of(&self, packet: &TransmissionView<'_>) -> Option<u32> {
        packet.node().and_then(|node| self.resolver.knowledge.model.candidates.find(&node.key))
    }

    fn observer_of(&mut self, heard: &ObservationView<'_>) -> Option<u32> {
        let candidates = &self.resolver.knowledge.model.candidates;
        let find = || heard.observer_node().and_then(|key| candidates.find(&key));
        let Some(known) = &mut self.observers else { return find() };
        let id = usize::from(heard.index.observations.observer(heard.row));
        if id >= known.len() {
            known.resize(id + 1, None);
        }
        *known[id].get_or_insert_with(find)
    }
}

impl ObservationView<'_> {
    /// The nodes of its path that are as good as sure, by the newest resolver of its index, one for each hop; empty where
    /// [`Self::resolve_path`] is.
    pub fn named_path(&self) -> SmallVec<[Option<NodeKey>; 8]> {
        let mut reader = PathReader::for_one(&self.index.hops());
        let hops = reader.read(self);
        hops.into_iter().map(|hop| hop.named().map(|place| reader.key(place))).collect()
    }
}
