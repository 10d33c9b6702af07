//! Batches and steps on their way to the writer thread.
//!
//! Batches gather until their group is due (see [`super::pace`]). Steps, the jobs of retention and the like, run one at a
//! time and only while no group is due, so that they take the time that ingest leaves.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::WriteBatch;
use super::group::Group;
use super::pace::{Forming, Pace};
use super::step::Turn;
use crate::{StorageError, StorageOptions, WriteStats};

/// Answer to a flush: the reason if the commit failed.
pub(crate) type FlushAnswer = SyncSender<Result<(), String>>;

/// What a step does, or is told instead.
pub(crate) type RunStep = Box<dyn FnOnce(Result<Turn<'_>, StorageError>) + Send>;

/// A short job between groups.
pub(crate) struct Step {
    /// The highest ids that it names: rows up to these must be written before.
    pub(crate) after: HighestIds,
    pub(crate) run: RunStep,
}

/// Highest ids of a set of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HighestIds {
    pub(crate) transmission: u64,
    pub(crate) observation: u64,
}

/// What the writer does next.
pub(crate) enum Work {
    Group(Box<Group>),
    Step(Step),
    /// Nothing, for a while: to see that all is well.
    Look,
}

/// How long the writer waits before it looks whether its files are still there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A step that must wait for room in the log asks again so often …
const ROOM_INTERVAL: Duration = Duration::from_millis(10);

/// … and begins after this long in any case: a reader may keep the checkpointer from making room for as long as it likes.
const ROOM_PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    taken: Condvar,
    stats: Arc<WriteStats>,
    pace: Pace,
    max_batch_rows: usize,
    queue_rows: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Rows of `items`; a batch without rows counts as one, so that such batches, too, are bounded.
    rows: usize,
    /// Rows of `items` that are to be written.
    changes: usize,
    /// When the oldest of `items` came whose sender waits for an answer.
    oldest_ack: Option<Instant>,
    flushes: usize,
    newest: Option<Instant>,
    steps: VecDeque<Step>,
    /// Since when the first of `steps` waits for room in the log.
    held_since: Option<Instant>,
    sleep: Sleep,
    /// Set by `close`: when to be done.
    closing_since: Option<Instant>,
    dead: bool,
}

/// What the writer thread waits for.
#[derive(Clone, Copy, Default)]
enum Sleep {
    /// Nothing: it is at work and will look by itself.
    #[default]
    Awake,
    /// For a batch or a step.
    UntilTold,
    /// Also for this moment, when the group is due.
    Until(Instant),
}

struct Item {
    at: Instant,
    what: What,
}

enum What {
    Batch { batch: WriteBatch, waited_for: bool },
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
            pace: Pace::new(options),
            max_batch_rows: options.max_batch_rows.max(1),
            queue_rows: options.queue_rows.max(1),
        }
    }

    /// Somebody waits for the batch if it is to be acknowledged.
    pub(crate) fn submit(&self, batch: WriteBatch) -> Result<(), StorageError> {
        let waited_for = batch.on_durable.is_some();
        self.put(batch, waited_for)
    }

    /// Nobody waits for the batch, even if somebody is told.
    pub(crate) fn submit_unhurried(&self, batch: WriteBatch) -> Result<(), StorageError> {
        self.put(batch, false)
    }

    fn put(&self, batch: WriteBatch, waited_for: bool) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        while state.rows >= self.queue_rows && state.is_open() {
            self.taken.wait(&mut state);
        }
        if !state.is_open() {
            return Err(StorageError::Closed);
        }
        self.push(&mut state, What::Batch { batch, waited_for });
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

    pub(crate) fn add_step(&self, step: Step) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        if !state.is_open() {
            return Err(StorageError::Closed);
        }
        state.steps.push_back(step);
        if !matches!(state.sleep, Sleep::Awake) {
            self.arrived.notify_one();
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closing_since.get_or_insert_with(Instant::now);
        // Whoever waits for a step learns from its end that it was not done.
        let steps = std::mem::take(&mut state.steps);
        self.arrived.notify_all();
        self.taken.notify_all();
        drop(state);
        drop(steps);
    }

    /// Waits until there is something to do; `None` when the queue is closed and empty. Steps begin while there is room
    /// for what they write.
    pub(crate) fn next_work(&self, has_room: impl Fn() -> bool) -> Option<Work> {
        let mut state = self.state.lock();
        let look_at = Instant::now() + LOOK_INTERVAL;
        loop {
            let due = self.due(&state);
            if due.is_some_and(|due| due <= Instant::now()) {
                return Some(Work::Group(Box::new(self.take_group(&mut state))));
            }
            if due.is_none() && state.closing_since.is_some() {
                return None;
            }
            let mut wake_at = due.map_or(look_at, |due| due.min(look_at));
            if !state.steps.is_empty() {
                let held_since = *state.held_since.get_or_insert_with(Instant::now);
                if has_room() || held_since.elapsed() >= ROOM_PATIENCE {
                    state.held_since = None;
                    return state.steps.pop_front().map(Work::Step);
                }
                wake_at = wake_at.min(Instant::now() + ROOM_INTERVAL);
            }
            state.sleep = due.map_or(Sleep::UntilTold, Sleep::Until);
            let timed_out = self.arrived.wait_until(&mut state, wake_at).timed_out();
            state.sleep = Sleep::Awake;
            if timed_out && wake_at == look_at {
                return Some(Work::Look);
            }
        }
    }

    /// A group of what waits now, due or not; for a step that must come after it.
    pub(crate) fn group_now(&self) -> Option<Group> {
        let mut state = self.state.lock();
        (!state.items.is_empty()).then(|| self.take_group(&mut state))
    }

    /// When the group that is forming is due, if there is one.
    pub(crate) fn group_due(&self) -> Option<Instant> {
        self.due(&self.state.lock())
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

    /// Tells those who wait for a flush or a step that commits fail. They are not told again.
    pub(crate) fn fail_askers(&self, reason: &str, path: &Path) {
        let mut state = self.state.lock();
        let steps = std::mem::take(&mut state.steps);
        let before = state.items.len();
        state.items.retain(|item| match &item.what {
            What::Batch { .. } => true,
            What::Flush(answer) => {
                // Whoever asked may have gone away; the channel has room for the one answer.
                let _ = answer.send(Err(reason.to_owned()));
                false
            }
        });
        state.rows -= before - state.items.len();
        state.flushes = 0;
        state.oldest_ack = state.items.iter().find(|item| item.is_waited_for()).map(|item| item.at);
        drop(state);
        for step in steps {
            let (path, reason) = (path.to_owned(), reason.to_owned());
            (step.run)(Err(StorageError::WriteFailing { path, reason }));
        }
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
        let at = Instant::now();
        let item = Item { at, what };
        state.rows += item.rows();
        state.changes += item.changes();
        state.newest = Some(at);
        if item.is_waited_for() {
            state.oldest_ack.get_or_insert(at);
        }
        state.items.push_back(item);
        self.stats.queued_rows.set(state.rows as u64);
        // Waking the writer for each message would cost more than the message, so only when it must look earlier than
        // it means to.
        let wake = match state.sleep {
            Sleep::Awake => false,
            Sleep::UntilTold => true,
            Sleep::Until(then) => self.due(state).is_some_and(|due| due < then),
        };
        if wake {
            // Told once; it says anew what it waits for.
            state.sleep = Sleep::Awake;
            self.arrived.notify_one();
        }
    }

    /// When the group is to be closed.
    fn due(&self, state: &State) -> Option<Instant> {
        let (oldest, newest) = (state.items.front()?.at, state.newest?);
        if state.flushes > 0 || state.closing_since.is_some() || state.rows >= self.max_batch_rows {
            return Some(oldest);
        }
        let (batches, rows, oldest_ack) = (state.items.len(), state.changes, state.oldest_ack);
        Some(self.pace.due(&Forming { oldest, newest, oldest_ack, batches, rows }))
    }

    fn take_group(&self, state: &mut State) -> Group {
        let mut group = Group::new(state.items.front().map_or_else(Instant::now, |item| item.at));
        let mut rows = 0;
        while rows < self.max_batch_rows {
            let Some(item) = state.items.pop_front() else { break };
            rows += item.rows();
            state.changes -= item.changes();
            match item.what {
                What::Batch { batch, .. } => group.add(batch),
                What::Flush(answer) => {
                    state.flushes -= 1;
                    group.add_flush(answer);
                }
            }
        }
        state.rows -= rows;
        state.oldest_ack = state.items.iter().find(|item| item.is_waited_for()).map(|item| item.at);
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
    fn changes(&self) -> usize {
        match &self.what {
            What::Batch { batch, .. } => batch.changes.len(),
            What::Flush(_) => 0,
        }
    }

    fn is_waited_for(&self) -> bool {
        match &self.what {
            What::Batch { waited_for, .. } => *waited_for,
            What::Flush(_) => true,
        }
    }

    fn rows(&self) -> usize {
        match &self.what {
            What::Batch { batch, .. } => batch.changes.len().max(1),
            What::Flush(_) => 1,
        }
    }
}

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.dead = true;
        // Dropping them answers those who wait for a flush or a step.
        let items = std::mem::take(&mut state.items);
        let steps = std::mem::take(&mut state.steps);
        self.0.taken.notify_all();
        drop(state);
        drop((items, steps));
    }
}

#[cfg(test)]
mod tests;
