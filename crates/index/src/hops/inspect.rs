//! Which ways a path of hashes can have gone, the most probable first, as a person asks who looks at one (contract §7.11).
//!
//! This is not how hops are resolved: it scores whole paths by rules that can be followed by hand, and gives several.

use meshcore::NodeKey;
use model::UnixMillis;
use smallvec::SmallVec;

use super::figures::edge_score;
use super::{HopResolver, Knowledge};

/// Paths that are followed at a time.
const BEAM_WIDTH: usize = 20;

/// Candidates of one hash that are tried, those that relay most: more share one byte only in meshes of many thousands, or
/// when somebody makes keys up.
const MOST_CANDIDATES: usize = 64;

/// Other nodes that are told of for each hop.
const MOST_ALTERNATIVES: usize = 5;

/// No hop is worth less, so that one doubtful hop does not end a path.
const LEAST_SCORE: f64 = 0.05;

const HOUR_MS: f64 = 3_600_000.0;

/// What is known of the path that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathQuestion {
    /// Who heard the packet from its last hop.
    pub observer: Option<NodeKey>,
    /// Neighbours that were last heard beside each other before this are taken for none.
    pub since: Option<UnixMillis>,
    /// As of when: what was last heard long before counts less.
    pub at: UnixMillis,
}

/// The ways that a path can have gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// At most [`Inspection::BEAM_WIDTH`], the best first.
    pub paths: Vec<InspectedPath>,
    /// How many times a candidate was tried after a beginning of a path.
    pub expansions: u64,
}

impl Inspection {
    /// Paths that are followed at a time, and given at most.
    pub const BEAM_WIDTH: usize = BEAM_WIDTH;
}

/// One way.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectedPath {
    /// In the order of the path.
    pub hops: Vec<InspectedHop>,
    /// The geometric mean of the scores of its hops, and of the step to the observer where that is known: 0 to 1.
    pub score: f64,
}

/// One hop of a way.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectedHop {
    /// Who.
    pub node: NodeKey,
    /// How many nodes with this hash were tried.
    pub candidates: usize,
    /// How well it follows the one before: 0.05 to 1.
    pub score: f64,
    /// How much the two are heard beside each other, 0 to 1; `None` for the first hop, which follows nobody.
    pub edge: Option<f64>,
    /// Others that could stand here, the best first, with their scores.
    pub alternatives: Vec<(NodeKey, f64)>,
}

/// The beginning of a way, by places in the model.
#[derive(Clone, Debug)]
struct Beginning {
    nodes: SmallVec<[u32; 8]>,
    /// Of the scores.
    product: f64,
}

/// How well a node follows another.
#[derive(Clone, Copy, Debug)]
struct Step {
    edge: f64,
    score: f64,
}

impl HopResolver {
    /// The ways that a path of these hashes can have gone over nodes that relay and that `may_name` allows; none when a hash
    /// has no such node. The work is bounded by the width of the beam, the number of hashes and [`MOST_CANDIDATES`].
    pub fn inspect(
        &self,
        hashes: &[Vec<u8>],
        question: &PathQuestion,
        may_name: impl Fn(&NodeKey) -> bool,
    ) -> Inspection {
        let search = Search { knowledge: &self.knowledge, question };
        let hops: Vec<Vec<u32>> = hashes.iter().map(|hash| search.candidates(hash, &may_name)).collect();
        let mut found = Inspection::default();
        if hops.iter().any(Vec::is_empty) {
            return found;
        }
        let mut beam = vec![Beginning { nodes: SmallVec::new(), product: 1.0 }];
        for candidates in &hops {
            found.expansions += (beam.len() * candidates.len()) as u64;
            beam = search.go_on(&beam, candidates);
        }
        let mut steps = hops.len();
        let observer =
            question.observer.and_then(|key| self.knowledge.model.find_shown(&key)).filter(|_| steps > 0);
        if let Some(observer) = observer {
            beam.iter_mut()
                .for_each(|path| path.product *= search.step(path.nodes.last(), observer, 1).score);
            beam.sort_by(|a, b| b.product.total_cmp(&a.product).then_with(|| a.nodes.cmp(&b.nodes)));
            steps += 1;
        }
        found.paths = beam.iter().map(|path| search.explain(path, &hops, steps)).collect();
        found
    }
}

/// What is looked at.
struct Search<'a> {
    knowledge: &'a Knowledge,
    question: &'a PathQuestion,
}

impl Search<'_> {
    /// In the order of keys.
    fn candidates(&self, hash: &[u8], may_name: &impl Fn(&NodeKey) -> bool) -> Vec<u32> {
        let model = &self.knowledge.model;
        let mut places = model.candidates.of(hash).to_vec();
        places.retain(|place| model.is_shown(*place) && may_name(&model.key(*place)));
        if places.len() > MOST_CANDIDATES {
            let weight = |place: &u32| model.weight(*place, None);
            places.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.cmp(b)));
            places.truncate(MOST_CANDIDATES);
            places.sort_unstable();
        }
        places
    }

    /// The best ways to go on from these beginnings. A node relays a packet once, so it does not come twice in a path.
    fn go_on(&self, beam: &[Beginning], candidates: &[u32]) -> Vec<Beginning> {
        let mut longer: Vec<(usize, u32, f64)> = Vec::with_capacity(beam.len() * candidates.len());
        for (place, beginning) in beam.iter().enumerate() {
            let others = candidates.iter().filter(|next| !beginning.nodes.contains(next));
            longer.extend(others.map(|next| {
                let step = self.step(beginning.nodes.last(), *next, candidates.len());
                (place, *next, beginning.product * step.score)
            }));
        }
        // Of equals the one whose beginning was better.
        longer.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        longer.truncate(BEAM_WIDTH);
        let build = |(beginning, next, product): (usize, u32, f64)| {
            let mut nodes = beam[beginning].nodes.clone();
            nodes.push(next);
            Beginning { nodes, product }
        };
        longer.into_iter().map(build).collect()
    }

    /// How well a node, one of so many with its hash, follows another or stands first.
    fn step(&self, before: Option<&u32>, node: u32, candidates: usize) -> Step {
        let [edge, near, recent] = before.map_or([1.0; 3], |before| self.beside(*before, node));
        let score = 0.35 * edge + 0.20 * near + 0.15 * recent + 0.30 / candidates as f64;
        Step { edge, score: score.max(LEAST_SCORE) }
    }

    /// How much two nodes are heard beside each other, how near they are and how lately they were heard so: each 0 to 1.
    fn beside(&self, a: u32, b: u32) -> [f64; 3] {
        const DAY_HOURS: f64 = 24.0;
        const NEAR_KM: f64 = 50.0;
        let Knowledge { model, edges, .. } = self.knowledge;
        let km = model.place(a).zip(model.place(b)).map(|(a, b)| f64::from(a.km_to(b)));
        let near = km.filter(|km| *km > NEAR_KM).map_or(1.0, |km| (NEAR_KM / km).max(0.1));
        let meetings =
            edges.between(a, b).filter(|met| self.question.since.is_none_or(|since| met.last >= since));
        let Some(meetings) = meetings else { return [0.0, near, 0.0] };
        let age_hours = self.question.at.0.saturating_sub(meetings.last.0).max(0) as f64 / HOUR_MS;
        let edge = edge_score(meetings.count, meetings.last, self.question.at);
        let recent = if age_hours <= DAY_HOURS { 1.0 } else { (DAY_HOURS / age_hours).max(0.1) };
        [edge, near, recent]
    }

    fn explain(&self, path: &Beginning, hops: &[Vec<u32>], steps: usize) -> InspectedPath {
        let model = &self.knowledge.model;
        let hop = |(place, node): (usize, &u32)| {
            let (former, candidates) = (&path.nodes[..place], &hops[place]);
            let step = self.step(former.last(), *node, candidates.len());
            let others = candidates.iter().filter(|other| *other != node && !former.contains(other));
            let mut alternatives: Vec<(NodeKey, f64)> = others
                .map(|other| (model.key(*other), self.step(former.last(), *other, candidates.len()).score))
                .collect();
            alternatives.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            alternatives.truncate(MOST_ALTERNATIVES);
            InspectedHop {
                node: model.key(*node),
                candidates: candidates.len(),
                score: step.score,
                edge: (place > 0).then_some(step.edge),
                alternatives,
            }
        };
        InspectedPath {
            hops: path.nodes.iter().enumerate().map(hop).collect(),
            score: path.product.powf(1.0 / steps.max(1) as f64),
        }
    }
}
