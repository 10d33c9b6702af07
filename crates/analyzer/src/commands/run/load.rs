//! Replaying the stored history into the index while the port is already open.

use anyhow::Result;
use api::LoadStatus;
use index::SharedIndex;
use model::{Change, ObservationId, TransmissionId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use storage::Storage;

/// Rows applied under one write lock: short enough (well under a millisecond) that a request need not wait.
const ROWS_PER_LOCK: usize = 2_048;

/// How far it is, for other threads.
#[derive(Debug, Default)]
pub(super) struct LoadProgress {
    rows: AtomicU64,
    done: AtomicBool,
}

impl LoadProgress {
    pub(super) fn status(&self) -> LoadStatus {
        if self.done.load(Ordering::Acquire) {
            LoadStatus::Ready
        } else {
            LoadStatus::Loading { rows: self.rows.load(Ordering::Relaxed) }
        }
    }
}

/// Applies everything that is stored, in order. Rows that the index refuses are skipped and said.
///
/// # Errors
/// When the database cannot be read.
pub(super) fn replay(storage: &Storage, index: &SharedIndex, progress: &LoadProgress) -> Result<()> {
    let mut waiting = Vec::with_capacity(ROWS_PER_LOCK);
    let mut refused = 0_u64;
    let report = storage.load(&mut |_| {}, &mut |change| {
        waiting.push(change);
        if waiting.len() == ROWS_PER_LOCK {
            refused += apply(index, &mut waiting, progress);
        }
    })?;
    refused += apply(index, &mut waiting, progress);
    let last = report.last_ids;
    index.write().pass_over_ids(
        last.transmission.unwrap_or(TransmissionId(0)),
        last.observation.unwrap_or(ObservationId(0)),
    );
    progress.done.store(true, Ordering::Release);
    if refused > 0 || report.skipped_rows > 0 {
        tracing::warn!(refused, unreadable = report.skipped_rows, "stored rows were left out of the index");
    }
    Ok(())
}

fn apply(index: &SharedIndex, changes: &mut Vec<Change>, progress: &LoadProgress) -> u64 {
    let mut index = index.write();
    let mut refused = 0;
    for change in changes.iter() {
        if let Err(error) = index.apply(change) {
            refused += 1;
            tracing::debug!(%error, "the index refused a stored row");
        }
    }
    progress.rows.fetch_add(changes.len() as u64, Ordering::Relaxed);
    changes.clear();
    refused
}
