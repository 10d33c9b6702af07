//! Who relayed a packet: from the short hashes in paths to nodes, with how sure that is.
//!
//! A hash of one byte fits several nodes of a large mesh. What the index keeps of paths are the hashes as they were
//! ([`book::HopBook`]); which nodes they mean is worked out when somebody asks, by a [`HopResolver`], so that nothing is
//! rewritten when more becomes known. A resolver is a pure function of the index: the same packets give the same one, in
//! whatever order they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::model::UnixMillis;
use meshcore::{Location, NodeKey, PayloadType, Role, Route};
use smallvec::SmallVec;

use crate::index::Index;
use crate::nodes::Node;
use crate::view::{ObservationView, TransmissionView};

pub(crate) mod book;
mod candidates;
mod distance;
mod edges;
mod figures;
mod inspect;
mod keeper;
mod lattice;
mod learn;
mod model;
mod packets_of;
mod path_reader;
mod relays;
mod resolve;
mod scores;
pub(crate) mod token;

use candidates::Candidates;
pub use edges::FoundEdge;
use edges::{Edges, FoundBeside};
pub use figures::{Neighbour, RelayFigures, Scores, Standing};
pub use inspect::{InspectedHop, InspectedPath, Inspection, PathQuestion};
pub use keeper::HopKeeper;
use learn::Sample;
use model::Model;
pub use packets_of::PacketsOf;
pub(crate) use packets_of::WAYS_READ;
pub(crate) use path_reader::{NodePlace, PathReader, ReadHop};
use relays::Relays;
pub use resolve::{Beside, ExplainedHop};
use scores::Scored;

/// From which posterior on a hop is shown as a node: of those named so, at least 95 of 100 are right; see the test
/// `calibration`. Below it a hop stays a hash with candidates.
pub const NAMED_FROM: f32 = 0.9;

/// From which posterior on a node is more probable than not.
const LIKELY_FROM: f32 = 0.5;

/// What is known of who relays at one moment. Cheap to share, never changes; [`Index::hops`] gives the newest.
#[derive(Clone, Debug, Default)]
pub struct HopResolver {
    knowledge: Arc<Knowledge>,
    relays: Arc<Relays>,
    scores: Arc<Scored>,
}

/// What was learned: the part of a resolver that decides what hops mean.
#[derive(Debug, Default)]
struct Knowledge {
    model: Model,
    edges: Edges,
    /// The newest observation when it was learned; `None` before any.
    at: Option<UnixMillis>,
    /// Of what was learned in this process, the how manieth; 0 before anything was.
    number: u64,
}

static LEARNED: AtomicU64 = AtomicU64::new(0);

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
    /// Whether it is never named, though it has its part in what others are taken for.
    pub is_hidden: bool,
}

/// Says of a node, by its key and what its adverts told, whether it is never to be named.
pub type Hides = dyn Fn(&NodeKey, Option<&Node>) -> bool + Send;

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

impl Course {
    fn of(route: Route) -> Self {
        if route.is_direct() { Self::Ahead } else { Self::Passed }
    }
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
        self.node.filter(|_| self.posterior >= LIKELY_FROM)
    }
}

impl HopResolver {
    /// All nodes that were heard of, relaying or not, in the order of keys.
    pub fn nodes(&self) -> &[HopNode] {
        self.knowledge.model.candidates.nodes()
    }

    /// The node with this key.
    pub fn node(&self, key: &NodeKey) -> Option<&HopNode> {
        self.knowledge.model.candidates.find(key).map(|place| self.knowledge.model.candidates.at(place))
    }

    /// The nodes that a hop with these bytes can mean, in the order of keys; without hidden ones.
    pub fn candidates(&self, hop: &[u8]) -> impl Iterator<Item = &HopNode> {
        self.knowledge
            .model
            .candidates
            .of(hop)
            .iter()
            .map(|place| self.knowledge.model.candidates.at(*place))
            .filter(|node| !node.is_hidden)
    }

    /// What a node relays; `None` when it is not known to relay anything.
    pub fn relay(&self, key: &NodeKey) -> Option<&RelayFigures> {
        self.relays.by_node.get(key)
    }

    /// How much a repeater or room matters; `None` for any other node and while that is not worked out.
    pub fn scores(&self, key: &NodeKey) -> Option<&Scores> {
        self.scores.by_node.get(key)
    }

    /// Who was heard beside a node at the ends of paths, the most often heard first; see [`Neighbour`].
    pub fn neighbours(&self, key: &NodeKey) -> Vec<Neighbour> {
        let Knowledge { model, edges, .. } = &*self.knowledge;
        model.candidates.find(key).map_or_else(Vec::new, |node| edges.of(model, node))
    }

    /// All that [`Self::neighbours`] is made of, each pair once.
    pub fn edges(&self) -> impl Iterator<Item = FoundEdge<'_>> {
        self.knowledge.edges.all(&self.knowledge.model)
    }

    /// How far apart two nodes are in kilometres, where both say where they are.
    pub fn distance_km(&self, one: &NodeKey, other: &NodeKey) -> Option<f32> {
        let model = &self.knowledge.model;
        let place = |key| model.candidates.find(key).and_then(|node| model.place(node));
        place(one).zip(place(other)).map(|(here, there)| here.km_to(there))
    }

    /// How many nodes a node was heard beside, and how many have more of them.
    pub fn standing(&self, key: &NodeKey) -> Standing {
        let Knowledge { model, edges, .. } = &*self.knowledge;
        let degrees: Vec<(u32, u32)> = edges.degrees(model).collect();
        let node = model.candidates.find(key);
        let own = degrees.iter().find(|(other, _)| Some(*other) == node).map(|(_, degree)| *degree);
        let rank = |own: u32| 1 + degrees.iter().filter(|(_, degree)| *degree > own).count();
        Standing {
            degree: own.unwrap_or_default() as usize,
            rank: own.map(rank).unwrap_or_default(),
            of: degrees.len(),
        }
    }

    /// The nodes that stand beside a node anywhere in paths, with how often they are expected to in the sample that was
    /// learned from; in the order of keys.
    pub fn links(&self, key: &NodeKey) -> Vec<(NodeKey, f32)> {
        let model = &self.knowledge.model;
        let Some(node) = model.candidates.find(key) else { return Vec::new() };
        let known = model.links().of(node).filter(|(other, _)| model.is_shown(*other));
        known.map(|(other, count)| (model.key(other), count)).collect()
    }

    /// When it was learned who is beside whom, by the newest observation of then.
    pub fn learned_at(&self) -> Option<UnixMillis> {
        self.knowledge.at
    }

    /// Another number for other knowledge: what hops mean is the same as long as it is.
    pub(crate) fn knowledge_number(&self) -> u64 {
        self.knowledge.number
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        let figures = self.relays.by_node.allocation_size() + self.scores.by_node.allocation_size();
        self.knowledge.model.heap_bytes() + self.knowledge.edges.heap_bytes() + figures
    }
}

impl Index {
    /// The newest resolver; [`HopKeeper`] makes them.
    pub fn hops(&self) -> Arc<HopResolver> {
        Arc::clone(&self.resolver.read())
    }

    /// Puts a resolver in place. Readers that hold the one before go on with it.
    pub fn set_hops(&self, resolver: Arc<HopResolver>) {
        *self.resolver.write() = resolver;
    }
}

/// What is learned from, taken from the index under a guard.
#[derive(Debug)]
struct HopEvidence {
    candidates: Candidates,
    roles: Vec<Role>,
    sample: Sample,
    beside: Vec<FoundBeside>,
    at: Option<UnixMillis>,
}

impl HopEvidence {
    /// Takes some milliseconds for a million observations.
    fn gather(index: &Index, hides: &Hides) -> HopEvidence {
        let candidates = Candidates::gather(index, hides);
        let roles = learn::roles(index, candidates.nodes());
        let sample = Sample::take(index, &candidates);
        let beside = FoundBeside::gather(index, &candidates);
        let at = index.newest_time();
        HopEvidence { candidates, roles, sample, beside, at }
    }
}

impl Knowledge {
    /// What follows from the evidence: takes a tenth of a second or more for a large mesh, and needs no guard.
    fn learn(evidence: HopEvidence) -> Knowledge {
        let model = learn::learn(evidence.candidates, &evidence.roles, &evidence.sample);
        let edges = Edges::new(&model, &evidence.beside);
        let number = LEARNED.fetch_add(1, Ordering::Relaxed) + 1;
        Knowledge { model, edges, at: evidence.at, number }
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
        let (head, packet) = (self.head(), self.transmission());
        if head.path.is_empty() || packet.payload_type() == PayloadType::Trace {
            return ResolvedPath::new();
        }
        let context = PathContext {
            sender: packet.sender(),
            observer: self.observer_node(),
            time: Some(self.time()),
            course: Course::of(head.route),
        };
        resolver.resolve(head.path, &context)
    }
}
