//! The checkpointer: moves committed pages from the log into the database file, on a thread and connection of its own.
//!
//! PASSIVE never makes anybody wait, and does its work by frames or by time. While the writer commits without a pause a
//! PASSIVE checkpoint never reaches the end of the log, so the log cannot begin anew and grows; at a bound the writer
//! waits for a TRUNCATE. RESTART is not used: it waits for readers without giving back the space.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::UnixMillis;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};
use telemetry::Gauge;

use crate::{CheckpointReason, CheckpointResult, IoWork, StorageError, WriteStats, schema, vfs};

/// A frame is a page of 4 KiB and a header; 1,000 of them are 4 MB, which an SD card takes in a fraction of a second.
/// Fewer would write the last, half-full page of each table more often, more would lengthen recovery after a crash.
const PASSIVE_FRAMES: u64 = 1_000;

/// A mesh with five observations a second makes 1,000 frames in some minutes; a silent one should not leave its last
/// packets in the log for hours.
const PASSIVE_INTERVAL: Duration = Duration::from_secs(300);

/// 64 MB of log, some 1.5 million observations written without a pause.
const TRUNCATE_FRAMES: u64 = 16_384;

/// 16 MB that are in the log and not yet in the database: with so many, steps of retention wait for the checkpointer. A
/// million rows removed without a pause would else take the log to its bound, where ingest, too, would have to wait.
const STEP_FRAMES: u64 = 4_096;

/// With a log of half its bound, steps wait until all of it is in the database, so that it begins anew by itself.
const STEP_LOG_FRAMES: u64 = TRUNCATE_FRAMES / 2;

/// How long TRUNCATE waits for readers to finish, and so about how long the writer may wait for it.
const TRUNCATE_WAIT: Duration = Duration::from_secs(2);

/// The thread that runs the checkpoints.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

/// Between the writer and the checkpointer.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// Whoever has it runs a checkpoint, or sees to it that none runs. `None` only where it could not be opened again.
    conn: Mutex<Option<Connection>>,
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Frames in the log after the newest commit.
    frames: u64,
    /// Frames that were in the log when the last checkpoint began.
    seen: u64,
    /// Frames of the present log that are known to be in the database, too.
    copied: u64,
    passive_wanted: bool,
    /// How often the log began anew.
    restarts: u64,
    /// At how many frames TRUNCATE is tried next; it moves on when readers were in the way.
    truncate_at: Option<u64>,
    truncate_wanted: bool,
    stop: bool,
}

enum Task {
    Passive(CheckpointReason),
    Truncate,
    Stop,
}

impl Checkpointer {
    pub(crate) fn spawn(path: &Path, stats: Arc<WriteStats>) -> Result<Self, StorageError> {
        let conn = schema::open_second(path)?;
        let signal = Arc::new(Signal { conn: Mutex::new(Some(conn)), ..Signal::default() });
        let worker = Worker {
            path: path.to_owned(),
            stats,
            signal: Arc::clone(&signal),
            copied: 0,
            restarts: 0,
            failing: false,
        };
        let name = "storage-ckpt";
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || worker.run())
            .map_err(|source| StorageError::Thread { name, source })?;
        Ok(Self { signal, thread: Some(thread) })
    }

    pub(crate) fn signal(&self) -> Arc<Signal> {
        Arc::clone(&self.signal)
    }

    /// Empties the log a last time and ends the thread.
    pub(crate) fn finish(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.signal.state.lock().stop = true;
        self.signal.wake.notify_all();
        if thread.join().is_err() {
            tracing::error!("the checkpointer ended by a panic");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Signal {
    /// The writer says how long the log is, outside any transaction. Beyond the bound it waits here until the log has
    /// been emptied, or readers have prevented that for some seconds.
    pub(crate) fn committed(&self, frames: u64) {
        let mut state = self.state.lock();
        if frames < state.frames {
            // The log began anew.
            (state.seen, state.copied) = (0, 0);
            state.restarts += 1;
        }
        state.frames = frames;
        if frames >= state.truncate_at.unwrap_or(TRUNCATE_FRAMES) {
            state.truncate_wanted = true;
            self.wake.notify_all();
            let deadline = Instant::now() + 2 * TRUNCATE_WAIT;
            while state.truncate_wanted && !self.done.wait_until(&mut state, deadline).timed_out() {}
        } else if frames >= state.seen + PASSIVE_FRAMES {
            self.wake.notify_all();
        }
    }

    /// The checkpointer's connection; while it is held no checkpoint runs.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.conn.lock()
    }

    /// There is another log than before, without frames.
    pub(crate) fn log_is_new(&self) {
        let mut state = self.state.lock();
        (state.frames, state.seen, state.copied, state.truncate_at) = (0, 0, 0, None);
        state.restarts += 1;
    }

    /// Whether the log can take the pages of another step; if not, a checkpoint will make room.
    pub(crate) fn has_room(&self) -> bool {
        let mut state = self.state.lock();
        let waiting = state.frames.saturating_sub(state.copied);
        let room = waiting == 0 || (waiting < STEP_FRAMES && state.frames < STEP_LOG_FRAMES);
        if !room {
            state.passive_wanted = true;
            self.wake.notify_all();
        }
        room
    }

    /// A checkpoint has copied so much of the log that had begun anew so often.
    fn copied(&self, copied: u64, restarts: u64) {
        let mut state = self.state.lock();
        if state.restarts == restarts {
            state.copied = copied;
        }
    }

    /// Says how many frames are in the log and not in the database file. Under the lock, so that the newest word is the
    /// last.
    pub(crate) fn tell_pending(&self, gauge: &Gauge) {
        let state = self.state.lock();
        gauge.set(state.frames.saturating_sub(state.copied));
    }

    /// Frames of the log, and how often it has begun anew.
    fn log_state(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.frames, state.restarts)
    }

    fn next_task(&self) -> Task {
        let mut state = self.state.lock();
        let deadline = Instant::now() + PASSIVE_INTERVAL;
        loop {
            if state.stop {
                return Task::Stop;
            }
            if state.truncate_wanted {
                return Task::Truncate;
            }
            let waiting = state.frames.saturating_sub(state.seen);
            let reason = match () {
                () if waiting >= PASSIVE_FRAMES => Some(CheckpointReason::Frames),
                () if state.passive_wanted => Some(CheckpointReason::Step),
                () if waiting > 0 && Instant::now() >= deadline => Some(CheckpointReason::Time),
                () => None,
            };
            if let Some(reason) = reason {
                state.seen = state.frames;
                state.passive_wanted = false;
                return Task::Passive(reason);
            }
            if Instant::now() >= deadline {
                // Nothing new all the time: wait for news, not for the clock.
                self.wake.wait_for(&mut state, PASSIVE_INTERVAL);
            } else {
                self.wake.wait_until(&mut state, deadline);
            }
        }
    }

    fn truncated(&self, emptied: bool) {
        let mut state = self.state.lock();
        state.truncate_wanted = false;
        if emptied {
            (state.frames, state.seen, state.copied, state.truncate_at) = (0, 0, 0, None);
            state.restarts += 1;
        } else {
            state.seen = state.frames;
            state.truncate_at = Some(state.frames + TRUNCATE_FRAMES);
        }
        self.done.notify_all();
    }
}

struct Worker {
    path: PathBuf,
    stats: Arc<WriteStats>,
    signal: Arc<Signal>,
    /// Frames of the present log that earlier checkpoints have copied.
    copied: u64,
    /// How often the log had begun anew at the last checkpoint.
    restarts: u64,
    /// The last one failed, which was said.
    failing: bool,
}

impl Worker {
    fn run(mut self) {
        vfs::count_into(&self.stats);
        vfs::at_work(IoWork::Checkpoint);
        loop {
            match self.signal.next_task() {
                Task::Passive(reason) => {
                    self.checkpoint(CheckpointMode::PASSIVE, reason);
                }
                Task::Truncate => {
                    let emptied = self.checkpoint(CheckpointMode::TRUNCATE, CheckpointReason::Bound);
                    self.stats.truncating_checkpoints.increment();
                    self.signal.truncated(emptied);
                    self.signal.tell_pending(&self.stats.frames_pending);
                }
                Task::Stop => {
                    self.checkpoint(CheckpointMode::TRUNCATE, CheckpointReason::Closing);
                    return;
                }
            }
        }
    }

    /// Runs one checkpoint; says whether the whole log is now in the database file.
    fn checkpoint(&mut self, mode: CheckpointMode, reason: CheckpointReason) -> bool {
        let truncating = matches!(mode, CheckpointMode::TRUNCATE);
        let start = Instant::now();
        // Before, because the writer may begin the log anew as soon as the checkpoint is done.
        let (frames, restarts) = self.signal.log_state();
        let patience = if truncating { TRUNCATE_WAIT } else { Duration::ZERO };
        let held = self.signal.connection();
        let Some(conn) = held.as_ref() else { return false };
        let result = conn.busy_timeout(patience).and_then(|()| conn.wal_checkpoint_v2(Some(MAIN_DB), mode));
        drop(held);
        let took = start.elapsed();
        let (busy, whole) = match result {
            Ok((log, copied)) => {
                let log = u64::try_from(log).unwrap_or(0);
                let copied = u64::try_from(copied).unwrap_or(0);
                self.stats.checkpoints.increment();
                self.stats.checkpoint_time.record(took);
                if std::mem::take(&mut self.failing) {
                    tracing::info!(path = %self.path.display(), "checkpoints succeed again");
                }
                self.count(copied, truncating, frames, restarts);
                self.signal.copied(self.copied, restarts);
                self.signal.tell_pending(&self.stats.frames_pending);
                (false, copied == log)
            }
            // A reader or a transaction is in the way; that is what PASSIVE lives with, and TRUNCATE comes again.
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                self.stats.checkpoints_busy.increment();
                (true, false)
            }
            Err(error) => {
                self.stats.failed(format!("checkpoint of {}: {error}", self.path.display()));
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(path = %self.path.display(), %error, "the checkpoint failed and will be tried again");
                }
                return false;
            }
        };
        let copied_frames = if restarts == self.restarts { self.copied } else { 0 };
        self.stats.checkpointed(CheckpointResult {
            at: UnixMillis::now(),
            reason,
            truncating,
            busy,
            log_frames: frames.max(copied_frames),
            copied_frames,
            took,
        });
        whole
    }

    /// Adds what one checkpoint has copied, given how things stood before it began.
    fn count(&mut self, copied: u64, truncating: bool, frames: u64, restarts: u64) {
        if restarts != self.restarts {
            (self.copied, self.restarts) = (0, restarts);
        }
        // A TRUNCATE that succeeds reports an empty log, so what it copied is what the writer had last said there was.
        let total = if truncating && copied == 0 { frames } else { copied };
        self.stats.checkpointed_frames.add(total.saturating_sub(self.copied));
        self.copied = total;
    }
}
