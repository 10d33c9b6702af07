//! Reading many paths of an index, one after the other.

use meshcore::{NodeKey, PayloadType};
use smallvec::SmallVec;

use super::lattice::Lattice;
use super::resolve::Choices;
use super::token::Token;
use super::{HopResolver, NAMED_FROM};
use crate::view::ObservationView;

/// What a hop is taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HopChoice {
    /// The most probable node; `None` when no known node fits, or when it is more probably one that never adverted.
    pub(super) node: Option<NodeKey>,
    /// Its probability.
    pub(super) posterior: f32,
}

/// Reads paths as [`HopResolver::resolve`] does, but without what decided a hop, which costs as much again, and with what
/// was found for hops that stood beside each other in the paths before.
#[derive(Debug)]
pub(crate) struct PathReader {
    resolver: HopResolver,
    lattice: Lattice,
}

/// A node by its place in the model of a [`PathReader`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaceOfNode(u32);

/// From which posterior on a node is more probable than not.
const LIKELY_FROM: f32 = 0.5;

impl HopChoice {
    /// The node, when it is as good as sure ([`NAMED_FROM`]).
    pub(crate) fn named(self) -> Option<NodeKey> {
        self.node.filter(|_| self.posterior >= NAMED_FROM)
    }

    /// The node, when it is more probable than not.
    pub(crate) fn likely(self) -> Option<NodeKey> {
        self.node.filter(|_| self.posterior >= LIKELY_FROM)
    }
}

impl PathReader {
    pub(crate) fn new(resolver: &HopResolver) -> Self {
        Self { resolver: resolver.clone(), lattice: Lattice::for_many() }
    }

    /// For a single path.
    fn for_one(resolver: &HopResolver) -> Self {
        Self { resolver: resolver.clone(), lattice: Lattice::default() }
    }

    /// By hop of the path; empty where [`ObservationView::resolve_path`] is.
    pub(crate) fn read(&mut self, heard: &ObservationView<'_>) -> SmallVec<[HopChoice; 8]> {
        let chosen = self.choose(heard);
        chosen.into_iter().map(|choice| self.resolver.choice(choice)).collect()
    }

    /// Whether the path goes over a node, more probably than not.
    pub(crate) fn goes_over(&mut self, heard: &ObservationView<'_>, node: PlaceOfNode) -> bool {
        self.choose(heard).iter().any(|(chosen, posterior)| *chosen == node.0 && *posterior >= LIKELY_FROM)
    }

    /// A node as [`Self::goes_over`] wants it; `None` for one that is never named.
    pub(crate) fn place_of(&self, key: &NodeKey) -> Option<PlaceOfNode> {
        let model = &self.resolver.knowledge.model;
        model.candidates.find(key).filter(|place| model.is_shown(*place)).map(PlaceOfNode)
    }

    fn choose(&mut self, heard: &ObservationView<'_>) -> Choices {
        let path = heard.path();
        let is_empty = self.resolver.nodes().is_empty() || path.is_empty();
        if is_empty || heard.transmission().payload_type() == PayloadType::Trace {
            return Choices::new();
        }
        let hops: SmallVec<[Token; 16]> = path.hops().map(|hop| Token::new(hop.bytes())).collect();
        let context = heard.path_context();
        let chain = self.resolver.chain(&hops, &context);
        self.resolver.choose(&mut self.lattice, &chain, context.course)
    }
}

impl ObservationView<'_> {
    /// The nodes of its path that are as good as sure, by the newest resolver of its index, one for each hop; empty where
    /// [`Self::resolve_path`] is.
    pub fn named_path(&self) -> SmallVec<[Option<NodeKey>; 8]> {
        PathReader::for_one(&self.index.hops()).read(self).into_iter().map(HopChoice::named).collect()
    }
}
