//! Replaying the stored history into an index.

use super::window::keep_within;
use anyhow::Result;
use api::LoadStatus;
use index::{HopKeeper, Index, SharedIndex};
use ingest::Window;
use model::{Change, ObservationId, ReceptionId, TransmissionId, UnixMillis};
use parking_lot::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use storage::{LoadReport, Reader, StorageError};

/// Rows applied under one write lock: short enough (well under a millisecond) that a request need not wait.
const ROWS_PER_LOCK: usize = 2_048;

/// Batches that may be read ahead of what is applied: a megabyte or two.
const BATCHES_AHEAD: usize = 8;

/// Batches after which it is looked whether the index has outgrown its share: about a megabyte of it.
const BATCHES_PER_LOOK: usize = 8;

/// How far it is, for other threads.
#[derive(Debug, Default)]
pub(crate) struct LoadProgress {
    rows: AtomicU64,
    done: AtomicBool,
}

impl LoadProgress {
    pub(crate) fn status(&self) -> LoadStatus {
        if self.done.load(Ordering::Acquire) {
            LoadStatus::Ready
        } else {
            LoadStatus::Loading { rows: self.rows.load(Ordering::Relaxed) }
        }
    }

    /// All of it is there; it stays so when it is loaded anew beside what is there.
    pub(crate) fn finish(&self) {
        self.done.store(true, Ordering::Release);
    }
}

/// Applies everything that is stored, in order, and learns from it what `keeper` keeps. Rows that the index refuses are skipped
/// and said.
///
/// # Errors
/// When the database cannot be read.
pub(crate) fn replay(
    history: &Reader,
    index: &SharedIndex,
    window: &Window,
    progress: &LoadProgress,
    keeper: Option<&mut HopKeeper>,
) -> Result<LoadReport, StorageError> {
    let report = apply_all(history, index, window, &progress.rows)?;
    if let Some(keeper) = keeper {
        // Before anybody is told that it is ready, so that the first answer is as good as any.
        keeper.step(index, UnixMillis::now());
    }
    // Nor is it the first to reckon what is reckoned now and then.
    index.read().memory();
    progress.finish();
    Ok(report)
}

/// The same into an index that nobody else sees yet.
///
/// # Errors
/// As [`replay`].
pub(crate) fn replay_into(
    history: &Reader,
    index: Index,
    window: &Window,
) -> Result<(Index, LoadReport), StorageError> {
    let index = RwLock::new(index);
    let report = apply_all(history, &index, window, &AtomicU64::new(0))?;
    Ok((index.into_inner(), report))
}

/// Reads on this thread and applies on another, since both take about as long.
fn apply_all(
    history: &Reader,
    index: &RwLock<Index>,
    window: &Window,
    rows: &AtomicU64,
) -> Result<LoadReport, StorageError> {
    let (batches, received) = sync_channel::<Vec<Change>>(BATCHES_AHEAD);
    let (report, refused) = std::thread::scope(|scope| {
        let applying = scope.spawn(move || {
            let batches = received.into_iter().enumerate();
            batches
                .map(|(number, batch)| {
                    let refused = apply(index, &batch, rows);
                    if number % BATCHES_PER_LOOK == 0 {
                        // What was read is in storage by its nature.
                        keep_within(window, index, || Some(TransmissionId(u64::MAX)));
                    }
                    refused
                })
                .sum()
        });
        let mut waiting = Vec::with_capacity(ROWS_PER_LOCK);
        let report = history.load(&mut |_| {}, &mut |change| {
            waiting.push(change);
            if waiting.len() == ROWS_PER_LOCK {
                // An error means that the other thread has panicked, which is found out below.
                let _ = batches.send(std::mem::replace(&mut waiting, Vec::with_capacity(ROWS_PER_LOCK)));
            }
        });
        let _ = batches.send(waiting);
        drop(batches);
        let refused: u64 = applying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (report, refused)
    });
    let report = report?;
    let last = report.last_ids;
    let mut index = index.write();
    index.pass_over_receptions(last.reception.unwrap_or(ReceptionId(0)));
    index.pass_over_ids(
        last.transmission.unwrap_or(TransmissionId(0)),
        last.observation.unwrap_or(ObservationId(0)),
    );
    drop(index);
    if refused > 0 || report.skipped_rows > 0 {
        tracing::warn!(refused, unreadable = report.skipped_rows, "stored rows were left out of the index");
    }
    Ok(report)
}

fn apply(index: &RwLock<Index>, changes: &[Change], rows: &AtomicU64) -> u64 {
    let mut index = index.write();
    let mut refused = 0;
    for change in changes {
        if let Err(error) = index.apply(change) {
            refused += 1;
            tracing::debug!(%error, "the index refused a stored row");
        }
    }
    rows.fetch_add(changes.len() as u64, Ordering::Relaxed);
    refused
}
