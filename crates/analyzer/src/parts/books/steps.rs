//! How finely series that stray by nature are kept.
//!
//! The history keeps each of them for every second, and their last digits cost it more than all other series together: the
//! meter would be the most talkative writer of a quiet mesh. So their totals go up in whole steps. Nothing is lost for good:
//! what is missing comes with the next step, and no window of the ledger can feel it.

/// Times are given in microseconds.
pub(super) const MILLI: u64 = 1_000;

/// Bytes of messages and of what goes to the kernel.
pub(super) const QUARTER_KIB: u64 = 256;

/// Bytes that were read, which are nobody's worry.
pub(super) const PAGE: u64 = 4_096;

/// Calls of the kernel.
pub(super) const CALLS: u64 = 16;

/// Lookups in SQLite's cache.
pub(super) const LOOKUPS: u64 = 64;

/// The total in whole steps.
pub(super) fn whole(total: u64, step: u64) -> u64 {
    total - total % step
}
