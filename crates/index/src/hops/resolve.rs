//! Resolving one path.

use meshcore::{NodeKey, Path};
use smallvec::SmallVec;

use super::lattice::{Chain, Lattice};
use super::model::{Model, STRANGER};
use super::token::Token;
use super::{Course, HopBasis, HopResolver, PathContext, ResolvedHop, ResolvedPath};

/// However sure it looks, some of what is believed may be wrong: nobody has seen the packet pass.
const MOST_SURE: f32 = 0.995;

impl HopResolver {
    /// What is made of each hop of a path; a microsecond or two.
    pub fn resolve(&self, path: Path<'_>, context: &PathContext) -> ResolvedPath {
        let hops: SmallVec<[Token; 16]> = path.hops().map(|hop| Token::new(hop.bytes())).collect();
        let find = |key: Option<NodeKey>| key.and_then(|key| self.knowledge.model.candidates.find(&key));
        let passed = context.course == Course::Passed;
        let chain = Chain {
            hops: &hops,
            sender: find(context.sender).filter(|_| passed),
            observer: find(context.observer).filter(|_| passed),
            time: context.time,
        };
        let mut lattice = Lattice::default();
        lattice.read(&self.knowledge.model, &chain);
        let mut best: SmallVec<[(u32, f32); 16]> =
            (0..hops.len()).map(|hop| most_probable(&self.knowledge.model, &lattice, hop)).collect();
        if passed {
            tell_twins_apart(&mut best);
        }
        let resolved = (0..hops.len()).map(|hop| ResolvedHop {
            node: (best[hop].0 != STRANGER).then(|| self.knowledge.model.key(best[hop].0)),
            posterior: if best[hop].0 == STRANGER { 0.0 } else { best[hop].1 },
            candidates: self.knowledge.model.candidates.of(&hops[hop].bytes()[..hops[hop].size()]).len()
                as u32,
            basis: basis(&self.knowledge.model, &lattice, &chain, &best, hop),
        });
        resolved.collect()
    }
}

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
    let before = if hop == 0 { chain.sender } else { Some(best[hop - 1].0) };
    let after = if hop + 1 == best.len() { chain.observer } else { Some(best[hop + 1].0) };
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
