//! When a group of batches is closed: a rule without a clock of its own, so that it can be tried without waiting.
//!
//! A commit costs some pages however few rows it has, so a group should have as many as can be waited for. When nobody
//! waits for an answer that is a matter of what a crash may take; when somebody does, of how long a sender holds its breath.

use std::time::{Duration, Instant};

use crate::StorageOptions;

/// A group of this many rows is large enough that waiting longer saves little. It is seven pages of log: measured at 100
/// observations a second, with their packets and heads some 160 rows, that is a commit each 1.25 seconds and 240 bytes of
/// log an observation. Half the rows would cost 340 bytes; five times as many 100, but a wait of six seconds. And what a
/// crash can take from senders that do not wait for an answer stays some hundred rows, however busy the mesh is.
pub(crate) const GOOD_ROWS: usize = 200;

/// Groups are at least this long apart, however fast they become large enough, unless they are full. Ten `fsync`s a
/// second are what an SD card takes with ease; and at thousands of rows a second they make groups of hundreds to
/// thousands of rows, whose pages are nearly all full.
pub(crate) const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// A group of at least this many rows closes early when its senders fall silent. Fewer are not worth a commit of their
/// own: its handful of pages would cost a kilobyte and more for each.
pub(crate) const QUIET_ROWS: usize = 16;

/// Senders that may have only so many unanswered messages stop when that many wait for us. They are taken to have stopped
/// when nothing has come for this many times the mean distance of the group's batches …
const QUIET_GAPS: u32 = 8;

/// … and at least for this long, so that a sender which the scheduler has put aside does not split a group.
const QUIET_MIN: Duration = Duration::from_millis(5);

/// The bounds that are settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    max_rows: usize,
    max_delay: Duration,
    max_ack_delay: Duration,
}

/// What waits to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forming {
    /// When its oldest batch came.
    pub(crate) oldest: Instant,
    /// When its newest batch came.
    pub(crate) newest: Instant,
    /// When the oldest batch came whose sender waits for an answer.
    pub(crate) oldest_ack: Option<Instant>,
    pub(crate) batches: usize,
    pub(crate) rows: usize,
}

impl Pace {
    pub(crate) fn new(options: &StorageOptions) -> Self {
        Self {
            max_rows: options.max_batch_rows.max(1),
            max_delay: options.max_batch_delay,
            max_ack_delay: options.max_ack_delay,
        }
    }

    /// When to close the group if nothing more comes. Never before its first batch came, and that moment means: at once.
    pub(crate) fn due(&self, forming: &Forming) -> Instant {
        let Forming { oldest, newest, oldest_ack, batches, rows } = *forming;
        // Without rows there is nothing to commit: what such batches ask is known to be durable already.
        if rows == 0 || rows >= self.max_rows {
            return oldest;
        }
        let mut due = oldest + self.max_delay;
        if rows >= GOOD_ROWS {
            due = due.min(oldest + MIN_INTERVAL);
        }
        if let Some(asked) = oldest_ack {
            due = due.min(asked + self.max_ack_delay);
            if rows >= QUIET_ROWS {
                let gaps = u32::try_from(batches.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
                let gap = newest.saturating_duration_since(oldest) / gaps;
                due = due.min(newest + gap.saturating_mul(QUIET_GAPS).max(QUIET_MIN));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests;
