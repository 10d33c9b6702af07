//! What the writer and the checkpointer have done since the start.

use std::sync::Arc;
use std::time::Duration;

use model::UnixMillis;
use parking_lot::Mutex;
use telemetry::{Counter, Gauge, Histogram};

use crate::pages::PageStats;

mod io;

pub(crate) use io::CountingWriter;
pub use io::{IoCounts, IoFile, IoStats, IoWork};

/// Who causes the bytes of a commit. Each has transactions of its own, so that no commit has two causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteSource {
    /// Frame heads, transmissions and observations: one cause, a packet heard, and so one transaction. That way no
    /// crash can leave a part of it.
    Packets,
    /// Rows of the observer directory.
    Observers,
    /// Samples of observers' counters.
    Metrics,
    /// What is known of nodes beside their stored adverts.
    Nodes,
    /// Refused packets kept as evidence.
    Dropped,
    /// Receptions of mobile clients, and the rows of these.
    Coverage,
    /// Removal of what is older than it is to be kept, and the records of nodes that this makes necessary.
    Retention,
    /// Giving free pages back to the file system.
    Vacuum,
    /// Rows written anew to the values that they have: a useless job that the tests start, to see that it is found out. Only
    /// builds for debugging can do it; the variant is in all builds, so that all have the same list.
    Rewrite,
}

impl WriteSource {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Observers,
        Self::Metrics,
        Self::Nodes,
        Self::Dropped,
        Self::Coverage,
        Self::Packets,
        Self::Retention,
        Self::Vacuum,
        Self::Rewrite,
    ];

    /// Those that come in groups of batches, in the order in which a group commits them: what is referred to first, and
    /// the packets last, so that the one `fsync`, of the last commit, covers the group.
    pub(crate) const OF_GROUPS: [Self; 6] =
        [Self::Observers, Self::Metrics, Self::Nodes, Self::Dropped, Self::Coverage, Self::Packets];

    /// Name for display and export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Observers => "observers",
            Self::Metrics => "metrics",
            Self::Nodes => "nodes",
            Self::Dropped => "dropped",
            Self::Coverage => "coverage",
            Self::Retention => "retention",
            Self::Vacuum => "vacuum",
            Self::Rewrite => "rewrite",
        }
    }
}

/// Figures of one [`WriteSource`].
#[derive(Debug, Default)]
pub struct SourceStats {
    /// Rows inserted, replaced or removed.
    pub rows: Counter,
    /// Commits that reached the log.
    pub commits: Counter,
    /// Pages handed to the log.
    pub wal_frames: Counter,
}

/// Why the newest write failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWriteError {
    /// What SQLite said, and to what.
    pub text: String,
    /// When.
    pub at: UnixMillis,
}

/// Counters of the write path, cumulative since [`crate::Storage::open`].
#[derive(Debug, Default)]
pub struct WriteStats {
    /// Transmissions inserted.
    pub tx_inserted: Counter,
    /// Observations inserted.
    pub obs_inserted: Counter,
    /// Frame heads inserted.
    pub head_inserted: Counter,
    /// Observer rows written; several changes of one observer within a group are one.
    pub observer_upserts: Counter,
    /// Metrics rows written.
    pub metrics_upserts: Counter,
    /// Node rows written.
    pub node_upserts: Counter,
    /// Refused packets kept.
    pub dropped_inserted: Counter,
    /// Receptions of mobile clients inserted.
    pub receptions_inserted: Counter,
    /// Rows of mobile clients written.
    pub client_upserts: Counter,
    /// Rows removed because they are older than they are to be kept.
    pub rows_removed: Counter,
    /// Free pages given back to the file system.
    pub pages_freed: Counter,
    /// Failed attempts to commit, and failed checkpoints.
    pub write_errors: Counter,
    /// Commits that reached the log, as SQLite reports them.
    pub wal_commits: Counter,
    /// Groups of batches made durable.
    pub batches: Counter,
    /// Bytes handed to the log: pages, each with its frame header of 24 bytes.
    pub wal_bytes: Counter,
    /// Frames in the log after the newest commit.
    pub wal_frames_now: Gauge,
    /// Of these, frames whose pages are not in the database file yet.
    pub frames_pending: Gauge,
    /// Checkpoints that ran, of either kind.
    pub checkpoints: Counter,
    /// Those of them that emptied the log because it had grown beyond its bound.
    pub truncating_checkpoints: Counter,
    /// Checkpoints that found a reader or a transaction in the way, and were left for later.
    pub checkpoints_busy: Counter,
    /// Frames of the log whose pages are now in the database file.
    pub checkpointed_frames: Counter,
    /// Bytes of the values that rows were written with: eight for a number, its length for a text or blob. What the program
    /// wanted to have stored, before SQLite makes pages of it.
    pub bound_bytes: Counter,
    /// Rows that the database would not take and that lie in the table `set_aside`.
    pub rows_set_aside: Counter,
    /// Rows of batches that the database would not take at all and that were put aside in a file beside it.
    pub rows_put_aside: Counter,
    /// Rows from that file that were taken in again at the start.
    pub rows_taken_in: Counter,
    /// How often a file that was deleted while in use was put back.
    pub files_restored: Counter,
    /// Rows that wait for the writer, the group at work not counted.
    pub queued_rows: Gauge,
    /// 1 while commits fail and are retried, else 0.
    pub failing: Gauge,
    /// Pages that the writer found in its cache.
    pub cache_hits: Counter,
    /// Pages that the writer had to read.
    pub cache_misses: Counter,
    /// Pages written before the commit because the cache was full.
    pub cache_spills: Counter,
    /// Bytes of memory that the writer's cache has taken.
    pub cache_bytes: Gauge,
    /// Time of each COMMIT, `fsync` included where there is one.
    pub commit_time: Histogram,
    /// From the arrival of a group's first row to the begin of its first transaction.
    pub batch_wait: Histogram,
    /// From there until the group was durable: how long the writer was held, retries included.
    pub batch_hold: Histogram,
    /// How long each step of retention and the like has held the writer.
    pub step_hold: Histogram,
    /// How much later a group began because a step was at work when it was due; only groups that this befell.
    pub step_delay: Histogram,
    /// Time of each checkpoint.
    pub checkpoint_time: Histogram,
    /// What reached the file system, by who caused it and by file.
    pub io: Arc<IoStats>,
    /// What of it went to the log and the database file, by table and index.
    pub pages: Arc<PageStats>,
    sources: [SourceStats; WriteSource::ALL.len()],
    last_error: Mutex<Option<LastWriteError>>,
    last_checkpoint: Mutex<Option<CheckpointResult>>,
}

/// Why a checkpoint ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointReason {
    /// Enough frames had gathered.
    Frames,
    /// Frames had waited for long enough.
    Time,
    /// A step waited for room in the log.
    Step,
    /// The log had grown to its bound, and the writer waited.
    Bound,
    /// The storage was closed.
    Closing,
}

/// What came of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointResult {
    /// When it ended.
    pub at: UnixMillis,
    /// Why it ran.
    pub reason: CheckpointReason,
    /// Whether it was to empty the log, and waited for readers to do so.
    pub truncating: bool,
    /// Whether SQLite gave up because a reader or a transaction was in the way. One that does not wait copies what it can
    /// and does not say so.
    pub busy: bool,
    /// Frames that were in the log when it began.
    pub log_frames: u64,
    /// Of these, frames whose pages are in the database file, those of earlier checkpoints included.
    pub copied_frames: u64,
    /// How long it took.
    pub took: Duration,
}

impl CheckpointReason {
    /// Name for display and export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Time => "time",
            Self::Step => "step",
            Self::Bound => "bound",
            Self::Closing => "closing",
        }
    }
}

impl WriteStats {
    /// Figures of one source.
    pub fn source(&self, source: WriteSource) -> &SourceStats {
        &self.sources[source as usize]
    }

    /// The newest failure, kept after writing works again.
    pub fn last_error(&self) -> Option<LastWriteError> {
        self.last_error.lock().clone()
    }

    /// What came of the newest checkpoint that did not fail.
    pub fn last_checkpoint(&self) -> Option<CheckpointResult> {
        *self.last_checkpoint.lock()
    }

    pub(crate) fn checkpointed(&self, result: CheckpointResult) {
        *self.last_checkpoint.lock() = Some(result);
    }

    pub(crate) fn failed(&self, text: String) {
        self.write_errors.increment();
        *self.last_error.lock() = Some(LastWriteError { text, at: UnixMillis::now() });
    }
}
