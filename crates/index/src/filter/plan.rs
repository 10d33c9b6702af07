//! A filter made ready for one index: sets where the index keeps them, tests of rows where it does not.

use std::cell::RefCell;
use std::cmp::Ordering;

use filter::{Condition, Test};
use roaring::RoaringBitmap;

use super::digits::Digits;
use crate::hops::PathReader;

/// What must hold of a transmission. Parts that sets answer are one set; the others are in the order of what they cost.
#[derive(Debug)]
pub(super) enum Plan {
    /// The rows themselves.
    Set(RoaringBitmap),
    Not(Box<Plan>),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    /// Asked of the packet as a whole.
    Whole(WholeTest),
    /// Asked of its best observation.
    Best(Heard),
    /// Holds for some of its observations.
    Any(AnyHeard),
}

/// A comparison of a field of the packet, of which nothing is known beforehand but where it can hold at all.
#[derive(Debug)]
pub(super) struct WholeTest {
    pub(super) test: Test,
    /// Rows outside of it never pass; `None` when any may.
    pub(super) bound: Option<RoaringBitmap>,
    /// What the frame must have.
    pub(super) digits: Digits,
    pub(super) cost: u32,
}

/// Something that must hold for one and the same observation of a packet.
#[derive(Debug)]
pub(super) struct AnyHeard {
    pub(super) heard: Heard,
    /// The rows for which it holds, once the columns were looked through.
    pub(super) found: Option<RowBits>,
}

/// What must hold of an observation.
#[derive(Debug)]
pub(super) enum Heard {
    Not(Box<Heard>),
    And(Vec<Heard>),
    Or(Vec<Heard>),
    /// By the observer's id. One that came since has none, and passes no test.
    Observer {
        passes: Vec<bool>,
        heard: RoaringBitmap,
    },
    Snr(Condition),
    Rssi(Condition),
    Hops(Test),
    HashSize(Test),
    Path {
        test: Test,
        bound: Option<RoaringBitmap>,
    },
    /// A hop is as good as sure to be one of these nodes.
    Through {
        /// By the place of a node in the reader.
        nodes: Vec<bool>,
        bound: RoaringBitmap,
        reader: Box<RefCell<PathReader>>,
    },
    /// Time and age.
    Time(Test),
    /// Whatever else there is, asked of the observation as a filter sees it.
    Other {
        test: Test,
        bound: Option<RoaringBitmap>,
        cost: u32,
    },
    /// Asked of its packet.
    Packet(Box<Plan>),
}

/// One bit for each row.
#[derive(Debug, Default)]
pub(super) struct RowBits(Vec<u64>);

/// What a look at a column costs, which is what costs are counted in: some nanoseconds.
pub(super) const COLUMN: u32 = 1;
/// Parsing a frame and its payload.
pub(super) const DECODE: u32 = 16;
/// Opening a text.
pub(super) const DECRYPT: u32 = 64;
/// Resolving a path.
pub(super) const RESOLVE: u32 = 512;
/// How many observations a packet has, for reckoning.
const USUAL_OBSERVATIONS: u32 = 10;

impl Plan {
    /// `all` are the rows that there are.
    pub(super) fn not(self, all: &RoaringBitmap) -> Self {
        match self {
            Self::Set(set) => Self::Set(all - set),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(super) fn and(parts: Vec<Self>) -> Self {
        let (sets, mut rest) = flatten(parts, |part| match part {
            Self::And(parts) => parts,
            other => vec![other],
        });
        let mut sets = sets;
        // Rarest first, so that the work shrinks with what is left.
        sets.sort_by_cached_key(RoaringBitmap::len);
        if let Some(set) = sets.into_iter().reduce(|all, set| all & set) {
            if set.is_empty() || rest.is_empty() {
                return Self::Set(set);
            }
            rest.push(Self::Set(set));
        }
        one_or(rest, Self::And)
    }

    pub(super) fn or(parts: Vec<Self>) -> Self {
        let (sets, mut rest) = flatten(parts, |part| match part {
            Self::Or(parts) => parts,
            other => vec![other],
        });
        if let Some(set) = sets.into_iter().reduce(|all, set| all | set)
            && (!set.is_empty() || rest.is_empty())
        {
            rest.push(Self::Set(set));
        }
        one_or(rest, Self::Or)
    }

    /// Holds for some observation. What does not differ from observation to observation is asked of the packet.
    pub(super) fn any(heard: Heard) -> Self {
        match heard {
            Heard::Packet(plan) => *plan,
            Heard::Observer { heard, .. } => Self::Set(heard),
            Heard::And(parts) => {
                let (packet, parts): (Vec<_>, Vec<_>) =
                    parts.into_iter().partition(|part| matches!(part, Heard::Packet(_)));
                let packet = packet.into_iter().map(Self::any);
                let rest = match parts.len() {
                    0 => None,
                    1 => parts.into_iter().next().map(Self::any),
                    _ => Some(Self::Any(AnyHeard { heard: Heard::And(parts), found: None })),
                };
                Self::and(packet.chain(rest).collect())
            }
            Heard::Or(parts) => Self::or(parts.into_iter().map(Self::any).collect()),
            heard => Self::Any(AnyHeard { heard, found: None }),
        }
    }

    /// A set that has every row for which it holds; `None` when that may be any row.
    pub(super) fn bound(&self) -> Option<RoaringBitmap> {
        match self {
            Self::Set(set) => Some(set.clone()),
            Self::Not(_) => None,
            Self::And(parts) => narrowest(parts.iter().filter_map(Self::bound)),
            Self::Or(parts) => parts.iter().map(Self::bound).reduce(both).flatten(),
            Self::Whole(whole) => whole.bound.clone(),
            Self::Best(heard) => heard.bound(),
            Self::Any(any) => any.heard.bound(),
        }
    }

    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::Set(_) => COLUMN,
            Self::Not(inner) => inner.cost(),
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).sum(),
            Self::Whole(whole) => whole.cost,
            Self::Best(heard) => heard.cost(),
            Self::Any(any) if any.found.is_some() => COLUMN,
            Self::Any(any) => any.heard.cost().saturating_mul(USUAL_OBSERVATIONS),
        }
    }

    /// All that must hold for some observation.
    pub(super) fn any_parts(&mut self, visit: &mut dyn FnMut(&mut AnyHeard)) {
        match self {
            Self::Not(inner) => inner.any_parts(visit),
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.any_parts(visit)),
            Self::Any(any) => visit(any),
            Self::Set(_) | Self::Whole(_) | Self::Best(_) => {}
        }
    }

    /// Puts what costs least first, where the order does not matter for the answer.
    pub(super) fn sort_by_cost(&mut self) {
        match self {
            Self::Not(inner) => inner.sort_by_cost(),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter_mut().for_each(Self::sort_by_cost);
                parts.sort_by_key(Self::cost);
            }
            Self::Any(any) => any.heard.sort_by_cost(),
            Self::Best(heard) => heard.sort_by_cost(),
            Self::Set(_) | Self::Whole(_) => {}
        }
    }
}

impl Heard {
    pub(super) fn and(parts: Vec<Self>) -> Self {
        let (packet, mut rest): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| matches!(part, Self::Packet(_)));
        if !packet.is_empty() {
            rest.push(Self::Packet(Box::new(Plan::and(packet.into_iter().map(Plan::any).collect()))));
        }
        one_or(rest, Self::And)
    }

    pub(super) fn or(parts: Vec<Self>) -> Self {
        let (packet, mut rest): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| matches!(part, Self::Packet(_)));
        if !packet.is_empty() {
            rest.push(Self::Packet(Box::new(Plan::or(packet.into_iter().map(Plan::any).collect()))));
        }
        one_or(rest, Self::Or)
    }

    /// A set that has every transmission with an observation for which it holds.
    fn bound(&self) -> Option<RoaringBitmap> {
        match self {
            Self::Observer { heard, .. } => Some(heard.clone()),
            Self::Path { bound, .. } | Self::Other { bound, .. } => bound.clone(),
            Self::Through { bound, .. } => Some(bound.clone()),
            Self::And(parts) => narrowest(parts.iter().filter_map(Self::bound)),
            Self::Or(parts) => parts.iter().map(Self::bound).reduce(both).flatten(),
            Self::Packet(plan) => plan.bound(),
            _ => None,
        }
    }

    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::Not(inner) => inner.cost(),
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).sum(),
            Self::Path { .. } => DECODE,
            Self::Through { .. } => RESOLVE,
            Self::Other { cost, .. } => *cost,
            Self::Packet(plan) => plan.cost(),
            _ => COLUMN,
        }
    }

    fn sort_by_cost(&mut self) {
        match self {
            Self::Not(inner) => inner.sort_by_cost(),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter_mut().for_each(Self::sort_by_cost);
                parts.sort_by_key(Self::cost);
            }
            Self::Packet(plan) => plan.sort_by_cost(),
            _ => {}
        }
    }
}

impl RowBits {
    pub(super) fn with_rows(rows: u32) -> Self {
        Self(vec![0; (rows as usize).div_ceil(64)])
    }

    pub(super) fn contains(&self, row: u32) -> bool {
        self.0.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Rows beyond those that it was made for are left out.
    pub(super) fn insert(&mut self, row: u32) {
        if let Some(word) = self.0.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }
}

/// The parts of parts of the same kind beside the others, and the sets among them apart.
fn flatten(parts: Vec<Plan>, parts_of: impl Fn(Plan) -> Vec<Plan>) -> (Vec<RoaringBitmap>, Vec<Plan>) {
    let (mut sets, mut rest) = (Vec::new(), Vec::new());
    for part in parts {
        for part in parts_of(part) {
            match part {
                Plan::Set(set) => sets.push(set),
                other => rest.push(other),
            }
        }
    }
    (sets, rest)
}

fn both(a: Option<RoaringBitmap>, b: Option<RoaringBitmap>) -> Option<RoaringBitmap> {
    Some(a? | b?)
}

fn narrowest(bounds: impl Iterator<Item = RoaringBitmap>) -> Option<RoaringBitmap> {
    let mut bounds: Vec<_> = bounds.collect();
    bounds.sort_by(|a, b| if a.len() < b.len() { Ordering::Less } else { Ordering::Greater });
    bounds.into_iter().reduce(|all, bound| all & bound)
}

fn one_or<T>(mut parts: Vec<T>, many: impl FnOnce(Vec<T>) -> T) -> T {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}
