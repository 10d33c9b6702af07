//! All ways to read a path at once: the probability of each candidate of each hop, by forward and backward sums over the
//! chain from the sender over the hops to the observer.

use hashbrown::HashMap;
use model::UnixMillis;
use smallvec::SmallVec;

use super::model::{Model, STRANGER};
use super::token::Token;

/// A path with what is known at its ends, as nodes of the model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain<'a> {
    pub(super) hops: &'a [Token],
    pub(super) sender: Option<u32>,
    pub(super) observer: Option<u32>,
    pub(super) time: Option<UnixMillis>,
}

/// Room for one path at a time, used again for the next.
#[derive(Debug, Default)]
pub(super) struct Lattice {
    /// Of all hops, one after the other: the nodes that each can be, [`STRANGER`] last.
    states: SmallVec<[u32; 32]>,
    /// By state: its weight alone.
    weights: SmallVec<[f32; 32]>,
    /// By state: the sum over all beginnings, without its own weight.
    before: SmallVec<[f32; 32]>,
    /// By state: the sum over all endings.
    after: SmallVec<[f32; 32]>,
    /// By hop: where its states begin; one more for the end.
    starts: SmallVec<[usize; 16]>,
    /// Of each hop but the first, for all states before it and all of its own: how much they raise each other.
    lifts: SmallVec<[f32; 64]>,
    lift_starts: SmallVec<[usize; 16]>,
    memory: Option<LiftMemory>,
}

/// Two hashes beside each other are found in many paths of a mesh, and how much their nodes raise each other does not depend
/// on the rest of the path.
#[derive(Debug, Default)]
struct LiftMemory {
    /// Where the lifts of each pair begin and how many there are.
    blocks: HashMap<(Token, Token), (u32, u32)>,
    lifts: Vec<f32>,
}

/// Pairs that are remembered at most: some hundred kilobytes.
const MOST_PAIRS: usize = 8_192;

impl Lattice {
    /// For many paths of one and the same model, which must not change in between.
    pub(super) fn for_many() -> Self {
        Self { memory: Some(LiftMemory::default()), ..Self::default() }
    }

    /// Reads a path; [`Self::posterior`] then says what came out.
    pub(super) fn read(&mut self, model: &Model, chain: &Chain<'_>) {
        self.lay_out(model, chain);
        self.go_forward(model, chain);
        self.go_backward(model, chain);
    }

    /// The states of a hop with their probabilities, which add up to 1.
    pub(super) fn posterior(&self, hop: usize) -> impl Iterator<Item = (u32, f32)> {
        let range = self.starts[hop]..self.starts[hop + 1];
        let joint = move |state: usize| self.weights[state] * self.before[state] * self.after[state];
        let sum: f32 = range.clone().map(joint).sum();
        let scale = if sum > 0.0 { 1.0 / sum } else { 0.0 };
        range.map(move |state| (self.states[state], joint(state) * scale))
    }

    /// The probabilities that two nodes are a hop and the one before it.
    pub(super) fn joint_with_former(&self, hop: usize, mut each: impl FnMut(u32, u32, f32)) {
        let (former, own) = (self.starts[hop - 1]..self.starts[hop], self.starts[hop]..self.starts[hop + 1]);
        let value = |a: usize, b: usize| {
            let lift = self.lifts[self.lift_starts[hop] + (a - former.start) * own.len() + (b - own.start)];
            self.weights[a] * self.before[a] * lift * self.weights[b] * self.after[b]
        };
        let pairs = || former.clone().flat_map(|a| own.clone().map(move |b| (a, b)));
        let sum: f32 = pairs().map(|(a, b)| value(a, b)).sum();
        if sum > 0.0 {
            pairs().for_each(|(a, b)| each(self.states[a], self.states[b], value(a, b) / sum));
        }
    }

    fn lay_out(&mut self, model: &Model, chain: &Chain<'_>) {
        self.states.clear();
        self.weights.clear();
        self.starts.clear();
        self.starts.push(0);
        for hop in chain.hops {
            let bytes = &hop.bytes()[..hop.size()];
            let weighed = model.weighed(bytes);
            for place in &weighed.places {
                self.states.push(*place);
                self.weights.push(model.weight(*place, chain.time));
            }
            // Behind one byte all strangers are a node of their own, so that often nothing is left for this one.
            let strange = weighed.rest + model.stranger_weight(bytes);
            if strange > 0.0 || weighed.places.is_empty() {
                self.states.push(STRANGER);
                self.weights.push(strange);
            }
            self.starts.push(self.states.len());
        }
    }

    fn go_forward(&mut self, model: &Model, chain: &Chain<'_>) {
        self.before.clear();
        self.lifts.clear();
        self.lift_starts.clear();
        let hops = chain.hops.len();
        for hop in 0..hops {
            self.lift_starts.push(self.lifts.len());
            let own = self.starts[hop]..self.starts[hop + 1];
            if hop == 0 {
                let lift =
                    |state: usize| chain.sender.map_or(1.0, |sender| model.lift(sender, self.states[state]));
                let first: SmallVec<[f32; 16]> = own.clone().map(lift).collect();
                self.before.extend(first);
            } else {
                let former = self.starts[hop - 1]..self.starts[hop];
                self.lift(model, chain, hop);
                let lifts = &self.lifts[self.lift_starts[hop]..];
                for column in 0..own.len() {
                    let sum = former
                        .clone()
                        .enumerate()
                        .map(|(row, a)| self.weights[a] * self.before[a] * lifts[row * own.len() + column]);
                    let sum = sum.sum();
                    self.before.push(sum);
                }
            }
            scale(&mut self.before[own]);
        }
    }

    /// Adds the lifts between the states of a hop and those of the one before it.
    fn lift(&mut self, model: &Model, chain: &Chain<'_>, hop: usize) {
        let pair = (chain.hops[hop - 1], chain.hops[hop]);
        if let Some(memory) = &self.memory
            && let Some((start, len)) = memory.blocks.get(&pair)
        {
            self.lifts.extend_from_slice(&memory.lifts[*start as usize..(*start + *len) as usize]);
            return;
        }
        let begin = self.lifts.len();
        for a in self.starts[hop - 1]..self.starts[hop] {
            for b in self.starts[hop]..self.starts[hop + 1] {
                self.lifts.push(model.lift(self.states[a], self.states[b]));
            }
        }
        if let Some(memory) = self.memory.as_mut().filter(|memory| memory.blocks.len() < MOST_PAIRS) {
            let block = &self.lifts[begin..];
            memory.blocks.insert(pair, (memory.lifts.len() as u32, block.len() as u32));
            memory.lifts.extend_from_slice(block);
        }
    }

    fn go_backward(&mut self, model: &Model, chain: &Chain<'_>) {
        let hops = chain.hops.len();
        self.after.clear();
        self.after.resize(self.states.len(), 1.0);
        for hop in (0..hops).rev() {
            let own = self.starts[hop]..self.starts[hop + 1];
            if hop + 1 == hops {
                for state in own.clone() {
                    self.after[state] =
                        chain.observer.map_or(1.0, |observer| model.lift(self.states[state], observer));
                }
            } else {
                let next = self.starts[hop + 1]..self.starts[hop + 2];
                let lifts = &self.lifts[self.lift_starts[hop + 1]..];
                for (row, a) in own.clone().enumerate() {
                    let sum = next.clone().enumerate().map(|(column, b)| {
                        self.weights[b] * self.after[b] * lifts[row * next.len() + column]
                    });
                    let sum = sum.sum();
                    self.after[a] = sum;
                }
            }
            scale(&mut self.after[own]);
        }
    }
}

/// So that products over sixty hops stay within what a number can hold.
fn scale(values: &mut [f32]) {
    let greatest = values.iter().fold(0.0_f32, |greatest, value| greatest.max(*value));
    if greatest > 0.0 {
        values.iter_mut().for_each(|value| *value /= greatest);
    }
}
