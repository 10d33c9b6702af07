//! The window of packets in memory: when the index outgrows its budget, its oldest packets are let go. Storage keeps them.

use index::{ApplyError, Compaction, Eviction, Index, MemoryReport};
use model::TransmissionId;
use parking_lot::{Mutex, MutexGuard, RwLock};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

/// What may be held by the index, of the budget, before packets are let go, and what is held afterwards. While it is made
/// smaller both are there, old and new, and an eighth is for segments of storage that are looked at.
const MOST_SHARE: f64 = 0.55;
const KEPT_SHARE: f64 = 0.30;
const CACHE_SHARE: f64 = 0.125;

/// Of the budget, for recognising packets that were let go.
const HASHES_SHARE: f64 = 0.10;

/// A packet that was let go is recognised by this much.
const BYTES_PER_HASH: f64 = 12.0;

/// Of the packets in memory, so many stay in any case: a budget that the nodes alone exceed must not leave none.
const LEAST_KEPT_SHARE: f64 = 0.25;

/// Packets that are never let go, so that the newest pages do not wait for the disk.
const LEAST_KEPT: u32 = 2_048;

/// What a segment of storage has at most, about: reading one is some milliseconds of work, which is what a page into old
/// history waits for.
const SEGMENT_TRANSMISSIONS: u32 = 512;
const SEGMENT_OBSERVATIONS: u64 = 4_096;

/// Rows taken over into the new index under one read lock: about a millisecond, during which ingest waits.
const ROWS_PER_LOCK: u32 = 2_048;

/// Parts of the index that do not become smaller with the window.
const LASTING: [&str; 6] =
    ["frame heads", "nodes", "observers", "observer hours and samples", "minutes", "history beyond"];

/// Keeps an index within a budget. One for each process, and whoever replaces the index takes turns with it.
#[derive(Debug)]
pub struct Window {
    budget: Option<u64>,
    turn: Mutex<()>,
    let_go: AtomicU64,
    too_small: Once,
}

impl Window {
    /// A budget in bytes for everything that holds packets; without one nothing is let go.
    pub fn new(budget: Option<u64>) -> Self {
        Self { budget, turn: Mutex::default(), let_go: AtomicU64::new(0), too_small: Once::new() }
    }

    /// For an index that is made beside another.
    #[must_use]
    pub fn halved(&self) -> Self {
        Self::new(self.budget.map(|bytes| bytes / 2))
    }

    /// The budget in bytes.
    pub fn budget(&self) -> Option<u64> {
        self.budget
    }

    /// What segments of storage may take that are looked at.
    pub fn cache_bytes(&self) -> Option<u64> {
        self.budget.map(|bytes| (bytes as f64 * CACHE_SHARE) as u64)
    }

    /// Packets let go so far.
    pub fn let_go(&self) -> u64 {
        self.let_go.load(Ordering::Relaxed)
    }

    /// The right to put another index in the place of the one in use.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// Lets packets go if the index has outgrown its share; says how many. `stored` tells the greatest transmission that is in
    /// storage, and is asked only then; nothing is let go while that is not known.
    ///
    /// # Errors
    /// When the index refuses what it has itself, which would be a fault of this program; it is then as good as before.
    pub fn keep(
        &self,
        index: &RwLock<Index>,
        stored: impl FnOnce() -> Option<TransmissionId>,
    ) -> Result<u64, ApplyError> {
        let Some(budget) = self.budget.map(|bytes| bytes as f64) else { return Ok(0) };
        let _turn = self.turn();
        let (memory, (transmissions, observations)) = {
            let index = index.read();
            (index.memory(), index.in_memory())
        };
        if (memory.total() as f64) <= budget * MOST_SHARE {
            return Ok(0);
        }
        let Some(stored) = stored() else { return Ok(0) };
        let lasting = lasting_bytes(&memory) as f64;
        let moving = (memory.total() as f64 - lasting).max(1.0);
        let share = ((budget * KEPT_SHARE - lasting) / moving).max(LEAST_KEPT_SHARE);
        let eviction = Eviction {
            keep_observations: (observations as f64 * share) as u64,
            least_kept: LEAST_KEPT,
            stored,
            most_hashes: (budget * HASHES_SHARE / BYTES_PER_HASH) as usize,
            segment_transmissions: SEGMENT_TRANSMISSIONS,
            segment_observations: SEGMENT_OBSERVATIONS,
        };
        let compaction = Compaction::evict(&index.read(), eviction);
        let Some(mut compaction) = compaction else {
            self.too_small.call_once(|| {
                let (needed_mb, budget_mb) = (memory.total() >> 20, budget as u64 >> 20);
                tracing::warn!(
                    needed_mb,
                    budget_mb,
                    "the memory budget is too small for what is always in memory"
                );
            });
            return Ok(0);
        };
        compaction.prepare();
        while !compaction.step(&index.read(), ROWS_PER_LOCK)? {
            std::thread::yield_now();
        }
        let (_, old) = compaction.finish(&mut index.write())?;
        // Freeing it takes a while, and nobody waits for that.
        drop(old);
        let gone = transmissions.saturating_sub(index.read().in_memory().0);
        self.let_go.fetch_add(gone, Ordering::Relaxed);
        tracing::debug!(packets = gone, "packets were let go that storage keeps");
        Ok(gone)
    }
}

fn lasting_bytes(memory: &MemoryReport) -> usize {
    memory.parts.iter().filter(|(name, _)| LASTING.contains(name)).map(|(_, bytes)| bytes).sum()
}
