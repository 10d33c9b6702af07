//! The write path's counters in the words of the API.

use api::{CheckpointResult, FileIo, WriterPerf};
use std::collections::BTreeMap;
use std::time::Duration;
use storage::{IoFile, IoStats, IoWork, WriteStats};
use telemetry::{Counter, Summary};

/// Reads one counter of the write path.
pub(super) type OfStats = fn(&WriteStats) -> &Counter;

/// A count of rows, under the name that the contract and our own lists have for it.
pub(super) struct RowCount {
    pub(super) name: &'static str,
    /// What is counted, in some words.
    pub(super) help: &'static str,
    pub(super) of: OfStats,
}

/// Those that storage counts.
pub(super) const ROWS: [RowCount; 17] = [
    rows("tx_inserted", "transmissions inserted", |s| &s.tx_inserted),
    rows("obs_inserted", "observations inserted", |s| &s.obs_inserted),
    rows("head_inserted", "frame heads inserted", |s| &s.head_inserted),
    rows("observer_upserts", "observer rows written", |s| &s.observer_upserts),
    rows("metrics_upserts", "samples of observers' counters written", |s| &s.metrics_upserts),
    rows("node_upserts", "node rows written", |s| &s.node_upserts),
    rows("dropped_inserted", "refused packets kept as evidence", |s| &s.dropped_inserted),
    rows("receptions_inserted", "receptions of mobile clients inserted", |s| &s.receptions_inserted),
    rows("client_upserts", "rows of mobile clients written", |s| &s.client_upserts),
    rows("write_errors", "failed attempts to commit, and failed checkpoints", |s| &s.write_errors),
    rows("walCommits", "commits that reached the log", |s| &s.wal_commits),
    rows("groupCommitFlushes", "groups of batches made durable", |s| &s.batches),
    rows("checkpoints", "checkpoints that ran", |s| &s.checkpoints),
    rows("rows_removed", "rows removed because of their age", |s| &s.rows_removed),
    rows("pages_freed", "free pages given back to the file system", |s| &s.pages_freed),
    rows("rows_set_aside", "rows refused by the database and kept in a table", |s| &s.rows_set_aside),
    rows("rows_put_aside", "rows kept in a file because the database took none", |s| &s.rows_put_aside),
];

const fn rows(name: &'static str, help: &'static str, of: OfStats) -> RowCount {
    RowCount { name, help, of }
}

/// How long the parts of the write path waited and held the writer; those that have done nothing yet are left out.
pub(super) fn writer_perf(stats: &WriteStats) -> BTreeMap<String, WriterPerf> {
    let none = Summary::default();
    let components = [
        ("storage_writer", stats.batch_wait.summary(), stats.batch_hold.summary()),
        ("commit", none, stats.commit_time.summary()),
        ("checkpoint", none, stats.checkpoint_time.summary()),
        // How long it made groups of ingest wait, and for how long it held the writer.
        ("retention", stats.step_delay.summary(), stats.step_hold.summary()),
    ];
    let at_work = components.into_iter().filter(|(_, _, hold)| hold.count > 0);
    at_work.map(|(name, wait, hold)| (name.to_owned(), component(&wait, &hold))).collect()
}

fn component(wait: &Summary, hold: &Summary) -> WriterPerf {
    WriterPerf {
        count: hold.count,
        contention_total: 0,
        wait_ms_p50: ms(wait.p50),
        wait_ms_p95: ms(wait.p95),
        wait_ms_p99: ms(wait.p99),
        wait_ms_max: ms(wait.max),
        hold_ms_p50: ms(hold.p50),
        hold_ms_p95: ms(hold.p95),
        hold_ms_p99: ms(hold.p99),
        hold_ms_max: ms(hold.max),
    }
}

/// What reached the file system; pairs of cause and file between which nothing happened are left out.
pub(super) fn file_io(stats: &IoStats) -> BTreeMap<String, BTreeMap<String, FileIo>> {
    let mut io: BTreeMap<String, BTreeMap<String, FileIo>> = BTreeMap::new();
    for (work, file) in IoWork::ALL.iter().flat_map(|work| IoFile::ALL.map(|file| (*work, file))) {
        let counts = stats.counts(work, file);
        let row = FileIo {
            written_bytes: counts.written_bytes.get(),
            writes: counts.writes.get(),
            read_bytes: counts.read_bytes.get(),
            reads: counts.reads.get(),
            syncs: counts.syncs.get(),
        };
        if row != FileIo::default() {
            io.entry(work.name().to_owned()).or_default().insert(file.name().to_owned(), row);
        }
    }
    io
}

/// What a checkpoint did.
pub(super) fn checkpoint(last: &storage::CheckpointResult) -> CheckpointResult {
    CheckpointResult {
        at_ms: last.at.0,
        truncating: last.truncating,
        busy: last.busy,
        log_frames: last.log_frames,
        copied_frames: last.copied_frames,
        took_ms: u64::try_from(last.took.as_millis()).unwrap_or(u64::MAX),
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
