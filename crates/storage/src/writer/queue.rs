//! Batches on their way to the writer thread, and when a group of them is closed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::WriteBatch;
use super::group::Group;
use crate::{StorageError, StorageOptions, WriteStats};

/// A group of at least this many rows closes early when its senders fall silent. Fewer are not worth a commit of their
/// own: its handful of pages would cost a kilobyte and more for each.
const QUIET_ROWS: usize = 16;

/// Senders that may have only so many unanswered messages stop when that many wait for us. They are taken to have stopped
/// when nothing has come for this many times the mean distance of the group's batches …
const QUIET_GAPS: u32 = 8;

/// … and at least for this long, so that a sender which the scheduler has put aside does not split a group.
const QUIET_MIN: Duration = Duration::from_millis(5);

/// Answer to a flush: the reason if the commit failed.
pub(crate) type FlushAnswer = SyncSender<Result<(), String>>;

pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    taken: Condvar,
    stats: Arc<WriteStats>,
    max_batch_rows: usize,
    max_batch_delay: Duration,
    queue_rows: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Rows of `items`; a batch without rows counts as one.
    rows: usize,
    acks: usize,
    flushes: usize,
    newest: Option<Instant>,
    /// Set by `close`: when to be done.
    closing_since: Option<Instant>,
    dead: bool,
}

struct Item {
    at: Instant,
    what: What,
}

enum What {
    Batch(WriteBatch),
    Flush(FlushAnswer),
}

/// Marks the queue as dead when the writer thread ends.
pub(crate) struct EndGuard<'a>(&'a Queue);

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("rows", &self.state.lock().rows).finish_non_exhaustive()
    }
}

impl Queue {
    pub(crate) fn new(options: &StorageOptions, stats: Arc<WriteStats>) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            taken: Condvar::new(),
            stats,
            max_batch_rows: options.max_batch_rows.max(1),
            max_batch_delay: options.max_batch_delay,
            queue_rows: options.queue_rows.max(1),
        }
    }

    pub(crate) fn submit(&self, batch: WriteBatch) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        while state.rows >= self.queue_rows && state.is_open() {
            self.taken.wait(&mut state);
        }
        if !state.is_open() {
            return Err(StorageError::Closed);
        }
        state.acks += usize::from(batch.on_durable.is_some());
        self.push(&mut state, What::Batch(batch));
        Ok(())
    }

    pub(crate) fn flush(&self) -> Result<Receiver<Result<(), String>>, StorageError> {
        let (sender, receiver) = sync_channel(1);
        let mut state = self.state.lock();
        if !state.is_open() {
            return Err(StorageError::Closed);
        }
        state.flushes += 1;
        self.push(&mut state, What::Flush(sender));
        Ok(receiver)
    }

    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closing_since.get_or_insert_with(Instant::now);
        self.arrived.notify_all();
        self.taken.notify_all();
    }

    /// Waits until a group should be committed; `None` when the queue is closed and empty.
    pub(crate) fn next_group(&self) -> Option<Group> {
        let mut state = self.state.lock();
        loop {
            let Some(oldest) = state.items.front().map(|item| item.at) else {
                if state.closing_since.is_some() {
                    return None;
                }
                self.arrived.wait(&mut state);
                continue;
            };
            let close_at = self.close_at(&state, oldest);
            if state.rows >= self.max_batch_rows
                || state.flushes > 0
                || state.closing_since.is_some()
                || Instant::now() >= close_at
            {
                return Some(self.take_group(&mut state, oldest));
            }
            self.arrived.wait_until(&mut state, close_at);
        }
    }

    /// Waits `pause` before a commit is tried again; says for how long the storage has been closing.
    pub(crate) fn wait_to_retry(&self, pause: Duration) -> Option<Duration> {
        let mut state = self.state.lock();
        let deadline = Instant::now() + pause;
        while state.closing_since.is_none() && !self.arrived.wait_until(&mut state, deadline).timed_out() {}
        let closing_for = state.closing_since.map(|since| since.elapsed());
        if closing_for.is_some() {
            // Closing wakes nobody a second time, so this is a plain sleep that ends with the deadline.
            while !self.arrived.wait_until(&mut state, deadline).timed_out() {}
        }
        closing_for
    }

    /// Tells those who wait for a flush that it will take longer. They are not told again.
    pub(crate) fn fail_flushes(&self, reason: &str) {
        let mut state = self.state.lock();
        let before = state.items.len();
        state.items.retain(|item| match &item.what {
            What::Batch(_) => true,
            What::Flush(answer) => {
                // Whoever asked may have gone away; the channel has room for the one answer.
                let _ = answer.send(Err(reason.to_owned()));
                false
            }
        });
        state.rows -= before - state.items.len();
        state.flushes = 0;
    }

    /// Rows that nobody will write any more.
    pub(crate) fn abandoned_rows(&self) -> usize {
        self.state.lock().rows
    }

    /// Makes the end of the writer thread, by whatever way, known to all who wait.
    pub(crate) fn end_with_thread(&self) -> EndGuard<'_> {
        EndGuard(self)
    }

    fn push(&self, state: &mut State, what: What) {
        let was_empty = state.items.is_empty();
        let at = Instant::now();
        let item = Item { at, what };
        state.rows += item.rows();
        state.newest = Some(at);
        state.items.push_back(item);
        self.stats.queued_rows.set(state.rows as u64);
        // Waking the writer for each message would cost more than the message; it looks again by itself when a group may
        // be due, and must only be told what it does not expect.
        let quiet_begins = state.rows >= QUIET_ROWS && state.items.len() <= QUIET_ROWS;
        if was_empty || quiet_begins || state.flushes > 0 || state.rows >= self.max_batch_rows {
            self.arrived.notify_one();
        }
    }

    /// When the group is due, as far as time decides.
    fn close_at(&self, state: &State, oldest: Instant) -> Instant {
        let latest = oldest + self.max_batch_delay;
        let Some(newest) = state.newest.filter(|_| state.acks > 0 && state.rows >= QUIET_ROWS) else {
            return latest;
        };
        let gaps = u32::try_from(state.items.len().saturating_sub(1)).unwrap_or(u32::MAX).max(1);
        let quiet =
            (newest.saturating_duration_since(oldest) / gaps).saturating_mul(QUIET_GAPS).max(QUIET_MIN);
        latest.min(newest + quiet)
    }

    fn take_group(&self, state: &mut State, oldest: Instant) -> Group {
        let mut group = Group::new(oldest);
        let mut rows = 0;
        while rows < self.max_batch_rows {
            let Some(item) = state.items.pop_front() else { break };
            rows += item.rows();
            match item.what {
                What::Batch(batch) => {
                    state.acks -= usize::from(batch.on_durable.is_some());
                    group.add(batch);
                }
                What::Flush(answer) => {
                    state.flushes -= 1;
                    group.add_flush(answer);
                }
            }
        }
        state.rows -= rows;
        self.stats.queued_rows.set(state.rows as u64);
        self.taken.notify_all();
        group
    }
}

impl State {
    fn is_open(&self) -> bool {
        !self.dead && self.closing_since.is_none()
    }
}

impl Item {
    fn rows(&self) -> usize {
        match &self.what {
            What::Batch(batch) => batch.changes.len().max(1),
            What::Flush(_) => 1,
        }
    }
}

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.dead = true;
        // Dropping the items answers those who wait for a flush.
        let items = std::mem::take(&mut state.items);
        self.0.taken.notify_all();
        drop(state);
        drop(items);
    }
}
