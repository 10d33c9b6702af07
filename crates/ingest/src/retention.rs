//! Keeping the history short: old packets leave the index and then the database, in steps that never hold up ingest.
//!
//! The index forgets first. From then on a late copy of an old packet is a new packet with rows of its own, so that the
//! rows of the old one can be deleted at leisure. What nodes told in adverts that go is kept in their records.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::window::Window;
use index::{Compaction, Removed, SharedIndex};
use meshcore::NodeKey;
use model::{NodeRecord, UnixMillis};
use storage::{Reader, Removal, StepFigures, Stepped, StorageError, WriterHandle};

/// Rows deleted in one transaction: some milliseconds of the writer's time.
const ROWS_PER_STEP: usize = 1_000;

/// Rows taken over into the new index under one read lock: about a millisecond, during which ingest waits.
const ROWS_PER_LOCK: u32 = 2_048;

/// Pages given back in one transaction; each costs some 20 microseconds.
const PAGES_PER_STEP: u32 = 128;

/// Between two steps, so that a pass over a million rows takes no more than a fraction of the disk.
const PAUSE: Duration = Duration::from_millis(10);

/// How far the wall clock may run from the steady one before nothing is believed of it. A clock that was wrong and is set
/// right moves once; nothing is lost by waiting for the next start.
const MAX_DRIFT: Duration = Duration::from_secs(3_600);

/// After the newest packet the mesh may have been silent, or the clock may be wrong: the age of packets is reckoned from no
/// later than this after it, so that a wrong clock at the start cannot take the whole history.
const MAX_SILENCE_MS: i64 = 24 * 3_600_000;

/// How long each kind is kept; `None` is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionRules {
    /// Packets with their observations, by the time when they were first heard.
    pub packets: Option<Duration>,
    /// Samples of observers' counters, and refused packets.
    pub metrics: Option<Duration>,
    /// Receptions of mobile clients.
    pub receptions: Option<Duration>,
}

/// What a pass has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionReport {
    /// Packets deleted.
    pub transmissions: u64,
    /// Observations deleted.
    pub observations: u64,
    /// Samples and refused packets deleted.
    pub samples: u64,
    /// Receptions of mobile clients deleted.
    pub receptions: u64,
}

/// Whoever watches over a pass.
pub trait Overseer {
    /// Asked before each step: whether to go on. It may take its time to answer.
    fn go_on(&self) -> bool;

    /// Told after each step.
    fn stepped(&self, done: &StepDone);
}

/// Whoever only wants to say whether to go on.
impl<F: Fn() -> bool> Overseer for F {
    fn go_on(&self) -> bool {
        self()
    }

    fn stepped(&self, _done: &StepDone) {}
}

/// A step that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepDone {
    /// Rows deleted, or pages given back.
    pub rows: u64,
    /// How many steps are done, and of how many, where that is known.
    pub progress: Option<(u64, u64)>,
    /// What it cost.
    pub figures: StepFigures,
}

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The database refused a step; the next pass goes on with it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The index refused what it has itself.
    #[error("the index cannot be compacted: {0}")]
    Index(#[from] index::ApplyError),
    /// The wall clock has jumped since the start.
    #[error(
        "the clock has moved by {moved_secs} s against the steady one since the start; nothing old is removed until the next start, \
         so that a wrong clock takes no history"
    )]
    Clock {
        /// Forward or backward, in seconds.
        moved_secs: i64,
    },
}

/// The job; one for a process.
#[derive(Debug)]
pub struct Retention {
    rules: RetentionRules,
    index: SharedIndex,
    writer: WriterHandle,
    /// Forgotten by the index and still to be deleted from the database.
    pending: VecDeque<Removal>,
    started: (Instant, UnixMillis),
    /// Packets that only storage has, and who else replaces the index.
    beyond: Option<(Arc<Window>, Arc<Reader>)>,
}

impl Retention {
    /// Does nothing until it is told to.
    pub fn new(rules: RetentionRules, index: SharedIndex, writer: WriterHandle) -> Self {
        let started = (Instant::now(), UnixMillis::now());
        Self { rules, index, writer, pending: VecDeque::new(), started, beyond: None }
    }

    /// Of an index whose oldest packets only storage has.
    #[must_use]
    pub fn within(mut self, window: Arc<Window>, reader: Arc<Reader>) -> Self {
        self.beyond = Some((window, reader));
        self
    }

    /// Deletes what is too old by now. The overseer is asked between steps; when it says no the pass ends there and the next
    /// one goes on.
    ///
    /// # Errors
    /// [`RetentionError`]; whatever was deleted until then stays so.
    pub fn pass(
        &mut self,
        now: UnixMillis,
        overseer: &dyn Overseer,
    ) -> Result<RetentionReport, RetentionError> {
        self.check_clock(now)?;
        let mut report = RetentionReport::default();
        if let Some(kept) = self.rules.packets {
            self.forget(self.reckoned_from(now).plus_ms(-millis(kept)))?;
        }
        let steps = self.pending.len() as u64;
        while let Some(removal) = self.pending.front().filter(|_| overseer.go_on()) {
            let Stepped { value: removed, figures } = self.writer.remove_packets(removal.clone())?;
            self.pending.pop_front();
            report.transmissions += removed.transmissions;
            report.observations += removed.observations;
            overseer.stepped(&StepDone {
                rows: removed.transmissions + removed.observations,
                progress: Some((steps - self.pending.len() as u64, steps)),
                figures,
            });
            std::thread::sleep(PAUSE);
        }
        if let Some(kept) = self.rules.metrics {
            let (before, limit) = (now.plus_ms(-millis(kept)), ROWS_PER_STEP as u32);
            let full = u64::from(limit);
            report.samples += repeat(overseer, full, || self.writer.remove_metrics_before(before, limit))?;
            report.samples += repeat(overseer, full, || self.writer.remove_dropped_before(before, limit))?;
        }
        if let Some(kept) = self.rules.receptions {
            let (before, limit) = (self.reckoned_from(now).plus_ms(-millis(kept)), ROWS_PER_STEP as u32);
            self.index.write().forget_receptions_before(before);
            let step = || self.writer.remove_receptions_before(before, limit);
            report.receptions += repeat(overseer, u64::from(limit), step)?;
        }
        Ok(report)
    }

    /// Builds the index anew without what is older, and keeps in mind what is to be deleted.
    fn forget(&mut self, before: UnixMillis) -> Result<(), RetentionError> {
        let beyond = self.beyond.clone();
        let _turn = beyond.as_ref().map(|(window, _)| window.turn());
        if let Some((_, reader)) = &beyond {
            self.forget_cold(before, reader)?;
        }
        let Some(mut compaction) = Compaction::begin(&self.index.read(), before) else { return Ok(()) };
        while !compaction.step(&self.index.read(), ROWS_PER_LOCK)? {
            std::thread::yield_now();
        }
        let (removed, old) = compaction.finish(&mut self.index.write())?;
        // Freeing it takes a while, and nobody waits for that.
        drop(old);
        self.pending.extend(steps(removed));
        Ok(())
    }

    /// The same for packets that only storage has, some hundreds at a time; what was heard of since stays with those beside
    /// it.
    fn forget_cold(&mut self, before: UnixMillis, reader: &Reader) -> Result<(), RetentionError> {
        let oldest = |index: &SharedIndex| index.read().cold_before(before).cloned();
        while let Some(segment) = oldest(&self.index) {
            let rows = reader.segment((segment.first, segment.last), &segment.observation_ids)?;
            let forgotten = self.index.write().forget_cold(&segment, &rows.transmissions, &rows.observations);
            self.pending.extend(steps(forgotten.unwrap_or_default()));
        }
        Ok(())
    }

    fn reckoned_from(&self, now: UnixMillis) -> UnixMillis {
        match self.index.read().newest_time() {
            Some(newest) => now.min(newest.plus_ms(MAX_SILENCE_MS)),
            None => now,
        }
    }

    fn check_clock(&self, now: UnixMillis) -> Result<(), RetentionError> {
        let (instant, wall) = self.started;
        let moved_ms = now.0.saturating_sub(wall.0).saturating_sub(millis(instant.elapsed()));
        if moved_ms.unsigned_abs() > MAX_DRIFT.as_millis() as u64 {
            return Err(RetentionError::Clock { moved_secs: moved_ms / 1000 });
        }
        Ok(())
    }
}

/// Gives free pages back to the file system, at most so many; says how many.
///
/// # Errors
/// When the database refuses.
pub fn give_back(writer: &WriterHandle, most: u32, overseer: &dyn Overseer) -> Result<u64, StorageError> {
    let mut left = most;
    repeat(overseer, 1, || {
        let given = writer.vacuum(left.min(PAGES_PER_STEP))?;
        left = left.saturating_sub(u32::try_from(given.value).unwrap_or(u32::MAX));
        Ok(given)
    })
}

/// Steps until one does less than `full`; says how much all of them did.
fn repeat(
    overseer: &dyn Overseer,
    full: u64,
    mut step: impl FnMut() -> Result<Stepped<u64>, StorageError>,
) -> Result<u64, StorageError> {
    let mut total = 0;
    while overseer.go_on() {
        let Stepped { value: rows, figures } = step()?;
        total += rows;
        overseer.stepped(&StepDone { rows, progress: None, figures });
        if rows < full {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Ok(total)
}

/// Cuts a removal into transactions. After each of them the records of the nodes say what is true then: the adverts of a
/// later step are still stored, and not yet counted in the record.
fn steps(removed: Removed) -> Vec<Removal> {
    let records: HashMap<NodeKey, NodeRecord> =
        removed.nodes.into_iter().map(|record| (record.key, record)).collect();
    let mut later: HashMap<NodeKey, u32> = HashMap::new();
    let mut steps = Vec::new();
    let mut step = Removal::default();
    let mut nodes: HashMap<NodeKey, u32> = HashMap::new();
    let finish =
        |step: &mut Removal, nodes: &mut HashMap<NodeKey, u32>, later: &mut HashMap<NodeKey, u32>| {
            for (node, adverts) in nodes.drain() {
                let later = later.entry(node).or_default();
                step.nodes.extend(records.get(&node).map(|record| NodeRecord {
                    adverts: record.adverts.saturating_sub(*later),
                    ..record.clone()
                }));
                *later += adverts;
            }
            std::mem::take(step)
        };
    // From the last to the first, because a step must know what comes after it.
    for packet in removed.packets.into_iter().rev() {
        if let Some(node) = packet.advert_of {
            *nodes.entry(node).or_default() += 1;
        }
        step.transmissions.push(packet.transmission);
        step.observations.extend(packet.observations);
        if step.transmissions.len() + step.observations.len() >= ROWS_PER_STEP {
            steps.push(finish(&mut step, &mut nodes, &mut later));
        }
    }
    if !step.transmissions.is_empty() {
        steps.push(finish(&mut step, &mut nodes, &mut later));
    }
    steps.reverse();
    steps
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
