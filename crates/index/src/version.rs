//! Which state an index is in.

use std::sync::atomic::{AtomicU64, Ordering};

/// The state of an index: equal versions are the same index after the same changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// A number of its own for each index of the process: loading anew and forgetting make new ones.
    pub index: u64,
    /// Changes that it was asked to apply, and segments of storage that it was asked to forget.
    pub changes: u64,
    /// What it knows of who relays, by a number of its own: resolved paths follow from it.
    pub hops: u64,
}

static INDEXES: AtomicU64 = AtomicU64::new(0);

impl Version {
    pub(crate) fn of_new_index() -> Self {
        Self { index: INDEXES.fetch_add(1, Ordering::Relaxed), changes: 0, hops: 0 }
    }
}
