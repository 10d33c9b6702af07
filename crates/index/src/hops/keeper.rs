//! Keeping the resolver up to date, in the background.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{ObservationId, UnixMillis};

use super::relays::RelayBook;
use super::scores::Scored;
use super::{Hides, HopEvidence, HopResolver, Knowledge};
use crate::index::{Index, SharedIndex};

/// What is believed of the mesh changes slowly: it is learned anew no more often than this.
const LEARN_PAUSE: Duration = Duration::from_secs(20);

/// And it may take one part in so many of one core's time.
const LEARN_SHARE: u32 = 50;

/// How often it is worked out how much each repeater matters (contract §7.8).
const SCORE_PAUSE: Duration = Duration::from_secs(300);

/// Does what [`Index::hops`] is made of, in the background; one for an index.
#[derive(Default)]
pub struct HopKeeper {
    hides: Option<Box<Hides>>,
    relays: RelayBook,
    /// When it was learned last, and how long that took.
    learned: Option<(Instant, Duration)>,
    scored: Option<Instant>,
    /// The state of the index at the last step, and the time in minutes.
    stepped: Option<(IndexState, i64)>,
    learned_of: Option<IndexState>,
}

/// Changes whenever there is something to learn: the next observation, how many nodes and observers there are, and which
/// were taken off the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct IndexState {
    next: ObservationId,
    nodes: usize,
    observers: usize,
    prunings: u64,
}

impl HopKeeper {
    /// One that never names some nodes.
    pub fn hiding(hides: Box<Hides>) -> Self {
        Self { hides: Some(hides), ..Self::default() }
    }

    /// Learns anew if there is something new and the last time is long enough ago, and takes in what was relayed; then puts
    /// the new resolver in place. Readers and the writer of the index wait for none of it but some milliseconds.
    ///
    /// To be called every few seconds; false when there was nothing to do.
    pub fn step(&mut self, index: &SharedIndex, now: UnixMillis) -> bool {
        let state = state_of(&index.read());
        let stepped = Some((state, now.0.div_euclid(60_000)));
        if self.stepped == stepped {
            return false;
        }
        let resolver = self.work(|| index.read(), state, now);
        index.read().set_hops(Arc::new(resolver));
        self.stepped = stepped;
        true
    }

    /// Bytes of heap of what is kept between steps.
    pub fn heap_bytes(&self) -> usize {
        self.relays.heap_bytes()
    }

    fn work<G: Deref<Target = Index>>(
        &mut self,
        read: impl Fn() -> G,
        state: IndexState,
        now: UnixMillis,
    ) -> HopResolver {
        let hides: &Hides = self.hides.as_deref().unwrap_or(&|_, _| false);
        let before = read().hops();
        let mut resolver = HopResolver::clone(&before);
        // A node that an operator takes off the list is not to be named from then on; that is seldom.
        let must_learn = self.learned_of.is_none_or(|of| of.prunings != state.prunings);
        let may_learn = must_learn
            || self.learned.is_none_or(|(at, took)| at.elapsed() >= LEARN_PAUSE.max(took * LEARN_SHARE));
        if may_learn && self.learned_of != Some(state) {
            let started = Instant::now();
            let evidence = HopEvidence::gather(&read(), hides);
            resolver.knowledge = Arc::new(Knowledge::learn(evidence));
            self.learned = Some((Instant::now(), started.elapsed()));
            self.learned_of = Some(state);
        }
        self.relays.update(&read, &resolver, now);
        resolver.relays = Arc::new(self.relays.figures(now));
        if self.scored.is_none_or(|at| at.elapsed() >= SCORE_PAUSE) {
            resolver.scores = Arc::new(Scored::of(&resolver.knowledge.model, &resolver.relays));
            self.scored = Some(Instant::now());
        }
        resolver
    }
}

impl Index {
    /// Makes a resolver of what is known now and puts it in place, all under the caller's guard; figures are as of the
    /// newest observation. For an index that others use meanwhile there is [`HopKeeper`].
    pub fn refresh_hops(&self) {
        let now = self.newest_time().unwrap_or(UnixMillis(0));
        let resolver = HopKeeper::default().work(|| self, state_of(self), now);
        self.set_hops(Arc::new(resolver));
    }
}

fn state_of(index: &Index) -> IndexState {
    IndexState {
        next: index.next_ids().observation,
        nodes: index.nodes.len(),
        observers: index.observers.len(),
        prunings: index.nodes.prunings(),
    }
}

impl fmt::Debug for HopKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HopKeeper(learned of {:?})", self.learned_of)
    }
}
