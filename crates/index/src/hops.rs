//! Who relayed a packet: from the short hashes in paths to nodes, with how sure that is.
//!
//! A hash of one byte fits several nodes of a large mesh. What the index keeps of paths are the hashes as they were
//! ([`book::HopBook`]); which nodes they mean is worked out when somebody asks, by a [`HopResolver`], so that nothing is
//! rewritten when more becomes known. A resolver is a pure function of the index: the same packets give the same one, in
//! whatever order they came.

use std::sync::Arc;

use ::model::UnixMillis;
use meshcore::{Location, NodeKey, PayloadType, Role};
use smallvec::SmallVec;

use crate::index::Index;
use crate::view::{ObservationView, TransmissionView};

pub(crate) mod book;
mod candidates;
mod distance;
mod figures;
mod lattice;
mod learn;
mod model;
mod packets_of;
mod resolve;
pub(crate) mod token;

use candidates::Candidates;
pub use figures::{Neighbour, RelayFigures, Scores};
use learn::Sample;
use model::Model;
pub use packets_of::PacketsOf;

/// From which posterior on a hop is shown as a node: of those named so, at least 95 of 100 are right; see the test
/// `calibration`. Below it a hop stays a hash with candidates.
pub const NAMED_FROM: f32 = 0.9;

/// What is known of who relays at one moment. Cheap to share, never changes; [`Index::hops`] gives the newest.
#[derive(Debug, Default)]
pub struct HopResolver {
    model: Model,
}

/// A node that may stand behind a hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopNode {
    /// Its identity.
    pub key: NodeKey,
    /// Where it says it is, when that can be: in range and not 0, 0.
    pub location: Option<Location>,
    /// The least time at which it was heard of.
    pub first_heard: UnixMillis,
    /// The greatest time at which it was heard of.
    pub last_heard: UnixMillis,
    /// Different adverts of it.
    pub adverts: u32,
    /// Whether it may forward packets: a repeater or room that has not said that it does not, or an observer that has said
    /// that it does.
    pub relays: bool,
}

/// What is known of a packet beside its path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathContext {
    /// Who sent it, as an advert says.
    pub sender: Option<NodeKey>,
    /// Who heard it.
    pub observer: Option<NodeKey>,
    /// When; without it no node is too old or too new.
    pub time: Option<UnixMillis>,
    /// Whether the hops are those that it has passed, or those still ahead of it.
    pub course: Course,
}

/// Which way the hops of a path lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Course {
    /// Flood: from the sender over all hops, and the observer heard the last of them.
    #[default]
    Passed,
    /// Direct: the hops follow one another, and neither the sender nor the observer need be near any of them.
    Ahead,
}

/// What is made of one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolvedHop {
    /// The most probable node; `None` when no known node fits, or when it is more probably one that never adverted.
    pub node: Option<NodeKey>,
    /// The probability that it is [`Self::node`]: 0 to 1, and 0 without a node.
    pub posterior: f32,
    /// How many known nodes fit.
    pub candidates: u32,
    /// What spoke for it.
    pub basis: HopBasis,
}

/// What decided a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopBasis {
    /// No known node fits.
    NoCandidate,
    /// Only one known node fits.
    OnlyCandidate,
    /// Who is heard beside whom.
    Neighbours,
    /// How far the candidates are from the hops beside them.
    Distance,
    /// Nothing but how much each candidate relays.
    Activity,
}

/// The hops of a path, in its order.
pub type ResolvedPath = SmallVec<[ResolvedHop; 8]>;

impl ResolvedHop {
    /// The node, when it is as good as sure ([`NAMED_FROM`]).
    pub fn named(&self) -> Option<NodeKey> {
        self.node.filter(|_| self.posterior >= NAMED_FROM)
    }

    /// The node, when it is more probable than not: good enough for counting, not for naming.
    pub fn likely(&self) -> Option<NodeKey> {
        self.node.filter(|_| self.posterior >= 0.5)
    }
}

impl HopResolver {
    /// All nodes that were heard of, relaying or not, in the order of keys.
    pub fn nodes(&self) -> &[HopNode] {
        self.model.candidates.nodes()
    }

    /// The node with this key.
    pub fn node(&self, key: &NodeKey) -> Option<&HopNode> {
        self.model.candidates.find(key).map(|place| self.model.candidates.at(place))
    }

    /// The nodes that a hop with these bytes can mean, in the order of keys.
    pub fn candidates(&self, hop: &[u8]) -> impl ExactSizeIterator<Item = &HopNode> {
        self.model.candidates.of(hop).iter().map(|place| self.model.candidates.at(*place))
    }

    /// What a node relays; `None` when it is not known to relay anything.
    pub fn relay(&self, _key: &NodeKey) -> Option<&RelayFigures> {
        None
    }

    /// How much a repeater or room matters; `None` for any other node and while that is not worked out.
    pub fn scores(&self, _key: &NodeKey) -> Option<&Scores> {
        None
    }

    /// Who is beside a node, the most often heard first.
    pub fn neighbours(&self, _key: &NodeKey) -> Vec<Neighbour> {
        Vec::new()
    }
}

impl Index {
    /// The newest resolver; see [`Index::refresh_hops`].
    pub fn hops(&self) -> Arc<HopResolver> {
        Arc::clone(&self.resolver.read())
    }

    /// Puts a resolver in place. Readers that hold the one before go on with it.
    pub fn set_hops(&self, resolver: Arc<HopResolver>) {
        *self.resolver.write() = resolver;
    }

    /// Makes a resolver of what is known now and puts it in place, all under the caller's guard. For an index that others
    /// read meanwhile see [`HopResolver::learn`].
    pub fn refresh_hops(&self) {
        self.set_hops(Arc::new(HopResolver::learn(HopEvidence::gather(self))));
    }
}

/// What a resolver is made of, taken from the index under a guard; see [`HopResolver::learn`].
#[derive(Debug)]
pub struct HopEvidence {
    candidates: Candidates,
    roles: Vec<Role>,
    sample: Sample,
}

impl HopEvidence {
    /// Takes some milliseconds for a million observations.
    pub fn gather(index: &Index) -> HopEvidence {
        let candidates = Candidates::gather(index);
        let roles = learn::roles(index, candidates.nodes());
        let sample = Sample::take(index, &candidates);
        HopEvidence { candidates, roles, sample }
    }
}

impl HopResolver {
    /// What follows from the evidence: takes a tenth of a second or more for a large mesh, and needs no guard.
    pub fn learn(evidence: HopEvidence) -> HopResolver {
        HopResolver { model: learn::learn(evidence.candidates, &evidence.roles, &evidence.sample) }
    }
}

impl TransmissionView<'_> {
    /// Who sent it, when its content says so: the node of an advert.
    pub fn sender(&self) -> Option<NodeKey> {
        self.node().map(|node| node.key)
    }
}

impl ObservationView<'_> {
    /// What is made of the hops of its path; empty when there are none, and for a TRACE, whose path holds measurements.
    pub fn resolve_path(&self, resolver: &HopResolver) -> ResolvedPath {
        let transmission = self.transmission();
        let path = self.path();
        if path.is_empty() || transmission.payload_type() == PayloadType::Trace {
            return ResolvedPath::new();
        }
        let context = PathContext {
            sender: transmission.sender(),
            observer: self.observer().key.parse().ok(),
            time: Some(self.time()),
            course: if self.route().is_direct() { Course::Ahead } else { Course::Passed },
        };
        resolver.resolve(path, &context)
    }
}
