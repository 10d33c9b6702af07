//! Resolving one path.

use meshcore::{NodeKey, Path};
use smallvec::SmallVec;

use super::lattice::{Chain, Lattice};
use super::model::{Model, STRANGER};
use super::token::Token;
use super::{Course, HopBasis, HopNode, HopResolver, PathContext, ResolvedHop, ResolvedPath};

/// However sure it looks, some of what is believed may be wrong: nobody has seen the packet pass.
const MOST_SURE: f32 = 0.995;

impl HopResolver {
    /// What is made of each hop of a path; a microsecond or two.
    pub fn resolve(&self, path: Path<'_>, context: &PathContext) -> ResolvedPath {
        if self.knowledge.model.candidates.nodes().is_empty() {
            // Nothing was learned yet, so nothing can be weighed.
            let unknown =
                ResolvedHop { node: None, posterior: 0.0, candidates: 0, basis: HopBasis::NoCandidate };
            return path.hops().map(|_| unknown).collect();
        }
        let hops: SmallVec<[Token; 16]> = path.hops().map(|hop| Token::new(hop.bytes())).collect();
        self.read(&mut Lattice::default(), &self.chain(&hops, context), context.course).1
    }

    fn chain<'h>(&self, hops: &'h [Token], context: &PathContext) -> Chain<'h> {
        let find = |key: Option<NodeKey>| key.and_then(|key| self.knowledge.model.candidates.find(&key));
        let passed = context.course == Course::Passed;
        Chain {
            hops,
            sender: find(context.sender).filter(|_| passed),
            observer: find(context.observer).filter(|_| passed),
            time: context.time,
        }
    }

    fn read(&self, lattice: &mut Lattice, chain: &Chain<'_>, course: Course) -> (Choices, ResolvedPath) {
        let best = self.choose(lattice, chain, course);
        let (model, hops) = (&self.knowledge.model, chain.hops);
        let resolved = (0..hops.len()).map(|hop| {
            let (node, probability) = best[hop];
            let is_shown = model.is_shown(node);
            ResolvedHop {
                node: is_shown.then(|| model.key(node)),
                posterior: if is_shown { probability } else { 0.0 },
                candidates: model.candidates.shown(&hops[hop].bytes()[..hops[hop].size()]) as u32,
                basis: basis(model, lattice, chain, &best, hop),
            }
        });
        let resolved = resolved.collect();
        (best, resolved)
    }

    /// The most probable node of each hop.
    pub(super) fn choose(&self, lattice: &mut Lattice, chain: &Chain<'_>, course: Course) -> Choices {
        let model = &self.knowledge.model;
        lattice.read(model, chain);
        let mut best: Choices = (0..chain.hops.len()).map(|hop| most_probable(model, lattice, hop)).collect();
        if course == Course::Passed {
            tell_twins_apart(&mut best);
        }
        best
    }
}

/// By hop: the most probable node and its probability.
pub(super) type Choices = SmallVec<[(u32, f32); 16]>;

/// The most probable known node; [`STRANGER`] when it is more probably none of them.
fn most_probable(model: &Model, lattice: &Lattice, hop: usize) -> (u32, f32) {
    let (mut best, mut strange) = ((STRANGER, 0.0), 0.0);
    for (node, probability) in lattice.posterior(hop) {
        if !model.is_known(node) {
            strange += probability;
        } else if probability > best.1 {
            best = (node, probability);
        }
    }
    if strange > best.1 { (STRANGER, strange) } else { (best.0, best.1.min(MOST_SURE)) }
}

/// A node repeats a packet once, so of two hops that look like the same node at least one is another.
fn tell_twins_apart(best: &mut [(u32, f32)]) {
    for hop in 1..best.len() {
        for former in 0..hop {
            if best[hop].0 == best[former].0 && best[hop].0 != STRANGER {
                let (a, b) = (best[former].1, best[hop].1);
                best[former].1 = a.min(a / (a + b).max(1e-6));
                best[hop].1 = b.min(b / (a + b).max(1e-6));
            }
        }
    }
}

/// What raised the most probable candidate the most against the next one.
fn basis(model: &Model, lattice: &Lattice, chain: &Chain<'_>, best: &[(u32, f32)], hop: usize) -> HopBasis {
    let winner = best[hop].0;
    let known = || lattice.posterior(hop).filter(|(node, _)| model.is_known(*node));
    let rival = known().filter(|(node, _)| *node != winner).reduce(|a, b| if b.1 > a.1 { b } else { a });
    let Some((rival, _)) = rival else {
        return if known().next().is_some() { HopBasis::OnlyCandidate } else { HopBasis::NoCandidate };
    };
    if winner == STRANGER {
        return HopBasis::Activity;
    }
    let (before, after) = beside(chain, best, hop);
    let (mut by_all, mut by_distance) = (1.0, 1.0);
    for beside in [before, after].into_iter().flatten().filter(|node| *node != STRANGER) {
        by_all *= model.lift(winner, beside) / model.lift(rival, beside).max(1e-9);
        by_distance *= model.distance_lift(winner, beside) / model.distance_lift(rival, beside).max(1e-9);
    }
    let by_activity = model.weight(winner, chain.time) / model.weight(rival, chain.time).max(1e-9);
    if by_activity >= by_all {
        HopBasis::Activity
    } else if by_distance >= by_all {
        HopBasis::Distance
    } else {
        HopBasis::Neighbours
    }
}

impl HopResolver {
    /// The share that a node has of all relaying that is done behind a hash, before any path is looked at: 0 to 1.
    pub(super) fn share_behind(&self, hop: &[u8], key: &NodeKey) -> f32 {
        let model = &self.knowledge.model;
        let Some(node) = model.candidates.find(key) else { return 0.0 };
        let weighed = model.weighed(hop);
        let all: f32 = weighed.places.iter().map(|place| model.weight(*place, None)).sum();
        let all = all + weighed.rest + model.stranger_weight(hop);
        if weighed.places.contains(&node) { model.weight(node, None) / all.max(1e-9) } else { 0.0 }
    }
}

/// A hop with all that speaks for and against each node that it can be.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplainedHop {
    /// What is made of it.
    pub resolved: ResolvedHop,
    /// The candidates that were weighed, with their probabilities, the most probable first; without hidden nodes.
    pub candidates: Vec<(HopNode, f32)>,
    /// The probability that it is a node that has never adverted, or a hidden one.
    pub stranger: f32,
    /// What stands beside it: the hop or sender before it and the hop or observer after it, where these are known.
    pub beside: Vec<Beside>,
}

/// A node beside a hop, as evidence for its most probable candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// Which.
    pub key: NodeKey,
    /// In how many paths of the sample that was learned from the two are expected beside each other.
    pub paths: f32,
    /// How many times more probable it is to find the two beside each other than by chance.
    pub lift: f32,
    /// How far apart they are, where both say where they are.
    pub distance_km: Option<f32>,
}

impl HopResolver {
    /// The same as [`HopResolver::resolve`] for hashes of one to three bytes, which may be of different sizes, with the
    /// evidence.
    pub fn explain(&self, hops: &[&[u8]], context: &PathContext) -> Vec<ExplainedHop> {
        let model = &self.knowledge.model;
        let tokens: SmallVec<[Token; 16]> = hops.iter().map(|hop| Token::new(hop)).collect();
        let chain = self.chain(&tokens, context);
        let mut lattice = Lattice::default();
        let (best, resolved) = self.read(&mut lattice, &chain, context.course);
        let explained = resolved.into_iter().enumerate().map(|(hop, resolved)| {
            let mut candidates = Vec::new();
            let mut stranger = 0.0;
            for (node, probability) in lattice.posterior(hop) {
                if model.is_shown(node) {
                    candidates.push((*model.candidates.at(node), probability));
                } else {
                    stranger += probability;
                }
            }
            candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.key.cmp(&b.0.key)));
            let (before, after) = beside(&chain, &best, hop);
            let winner = best[hop].0;
            let nodes = [before, after].into_iter().flatten().filter(|node| model.is_shown(*node));
            let evidence = nodes.filter(|_| model.is_shown(winner)).map(|node| Beside {
                key: model.key(node),
                paths: model.links().count(winner, node),
                lift: model.lift(winner, node),
                distance_km: model.place(winner).zip(model.place(node)).map(|(a, b)| a.km_to(b)),
            });
            ExplainedHop { resolved, candidates, stranger, beside: evidence.collect() }
        });
        explained.collect()
    }
}

/// The nodes before and after a hop, as far as they are known.
fn beside(chain: &Chain<'_>, best: &[(u32, f32)], hop: usize) -> (Option<u32>, Option<u32>) {
    let before = if hop == 0 { chain.sender } else { Some(best[hop - 1].0) };
    let after = if hop + 1 == best.len() { chain.observer } else { Some(best[hop + 1].0) };
    (before, after)
}
