//! The series of a process that receives and writes: where each figure is read.

use super::own::Viewers;
use super::steps::{LOOKUPS, QUARTER_KIB, whole};
use crate::parts::write_figures::{OfStats, ROWS};
use index::SharedIndex;
use ingest::{IngestLedger, Outcome};
use model::UnixMillis;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::{IoFile, IoWork, PAGE_BYTES, WriteSource, WriteStats};
use telemetry::{Counter, Gauge, Histogram};
use xray::{SeriesInfo, SeriesKind, Sources, Unit, Written, info};

/// Where the header of a database says how many pages are free (<https://www.sqlite.org/fileformat2.html#the_database_header>).
const FREE_PAGES_AT: u64 = 36;

/// What storage has written: the double entry, and what lies below the log.
pub(super) fn storage(sources: &mut Sources, stats: &Arc<WriteStats>) {
    for (work, file) in pairs() {
        let name = format!("{}.{}", work.name(), file.name());
        let of = format!("{} to the {}", work.name(), file.name());
        counter(
            sources,
            &format!("written.{name}"),
            Unit::Bytes,
            &format!("bytes written by {of}"),
            stats,
            move |s| &s.io.counts(work, file).written_bytes,
        );
        counter(
            sources,
            &format!("writes.{name}"),
            Unit::Operations,
            &format!("writes by {of}"),
            stats,
            move |s| &s.io.counts(work, file).writes,
        );
    }
    for file in IoFile::ALL {
        let read = Arc::clone(stats);
        let help = format!("times that the {} was forced to the medium", file.name());
        sources.counter(&format!("syncs.{}", file.name()), Unit::Operations, &help, move || {
            IoWork::ALL.iter().map(|work| read.io.counts(*work, file).syncs.get()).sum()
        });
    }
    pages(sources, stats);
    let read = Arc::clone(stats);
    sources.counter("waterfall.bound", Unit::Bytes, "bytes of the values given to SQLite", move || {
        whole(read.bound_bytes.get(), QUARTER_KIB)
    });
    let read = Arc::clone(stats);
    sources.counter("waterfall.pages", Unit::Bytes, "bytes of the pages that SQLite handed on", move || {
        pages_written(&read) * PAGE_BYTES
    });
}

/// Pages that the writer's connection handed to the log.
pub(crate) fn pages_written(stats: &WriteStats) -> u64 {
    WriteSource::ALL.iter().map(|source| stats.source(*source).wal_frames.get()).sum()
}

/// Causes and files that can have to do with each other.
fn pairs() -> impl Iterator<Item = (IoWork, IoFile)> {
    let all = IoWork::ALL.iter().flat_map(|work| IoFile::ALL.map(|file| (*work, file)));
    all.filter(|(work, file)| match (work, file) {
        (IoWork::Aside, IoFile::Aside) | (IoWork::Backup, IoFile::Backup) => true,
        (IoWork::Aside | IoWork::Backup, _) | (_, IoFile::Aside | IoFile::Backup) => false,
        _ => true,
    })
}

/// Rows by write source, SQLite's cache, the log and the queue.
pub(super) fn rows(sources: &mut Sources, stats: &Arc<WriteStats>) {
    for row in ROWS {
        counter(sources, &format!("rows.{}", row.name), Unit::Rows, row.help, stats, row.of);
    }
    let pages: [(&str, &str, OfStats); 3] = [
        ("checkpoint.frames", "pages copied from the log into the database", |s| &s.checkpointed_frames),
        ("cache.misses", "pages that the writer had to read", |s| &s.cache_misses),
        ("cache.spills", "pages written before the commit because the cache was full", |s| &s.cache_spills),
    ];
    for (name, help, of) in pages {
        counter(sources, name, Unit::Pages, help, stats, of);
    }
    let read = Arc::clone(stats);
    sources.counter("cache.hits", Unit::Pages, "lookups that the writer's page cache answered", move || {
        whole(read.cache_hits.get(), LOOKUPS)
    });
    let read = Arc::clone(stats);
    sources.counter("cache.writes", Unit::Pages, "pages that the writer handed to the log", move || {
        pages_written(&read)
    });
    type Level = fn(&WriteStats) -> &Gauge;
    let levels: [(&str, Unit, &str, Level); 4] = [
        ("wal.frames", Unit::Pages, "frames in the log", |s| &s.wal_frames_now),
        ("wal.pending", Unit::Pages, "frames in the log that are not yet in the database", |s| {
            &s.frames_pending
        }),
        ("queue.rows", Unit::Rows, "rows that wait for the writer", |s| &s.queued_rows),
        ("write.failing", Unit::Count, "1 while commits fail and are tried again", |s| &s.failing),
    ];
    for (name, unit, help, of) in levels {
        let read = Arc::clone(stats);
        sources.gauge(name, unit, help, move || of(&read).get());
    }
    type Times = fn(&WriteStats) -> &Histogram;
    let times: [(&str, &str, Times); 3] = [
        ("commit.p99", "time of a commit, 99 of 100 are quicker", |s| &s.commit_time),
        ("writer.wait_p99", "how long a group waited for the writer, 99 of 100 less", |s| &s.batch_wait),
        ("writer.hold_p99", "how long a group held the writer, 99 of 100 less", |s| &s.batch_hold),
    ];
    for (name, help, of) in times {
        let read = Arc::clone(stats);
        sources.gauge(name, Unit::Micros, help, move || micros(of(&read).summary().p99));
    }
}

/// Where messages ended.
pub(super) fn ingest(sources: &mut Sources, ledger: Arc<IngestLedger>) {
    let counter = |name: &str, unit, help: &str| info(name, SeriesKind::Counter, unit, help);
    let mut infos: Vec<SeriesInfo> = vec![
        counter("ingest.received", Unit::Messages, "messages received"),
        counter("waterfall.received", Unit::Bytes, "bytes of the payloads of messages received"),
        counter("rows.tx_dupes", Unit::Rows, "packets that were heard before"),
        counter("rows.sig_drops", Unit::Rows, "adverts dropped for a wrong signature"),
    ];
    infos.extend(Outcome::ALL.iter().map(|outcome| {
        let help = format!("messages that ended as {}", outcome.name());
        counter(&format!("ingest.{}", outcome.name()), Unit::Messages, &help)
    }));
    sources.group(&infos, move |places| {
        let totals = ledger.totals();
        let (own, outcomes) = places.split_at_mut(4);
        own.copy_from_slice(&[
            totals.received,
            whole(totals.received_bytes, QUARTER_KIB),
            totals.heard_before(),
            totals.count(Outcome::InvalidSignature),
        ]);
        outcomes.copy_from_slice(&totals.outcomes);
    });
}

/// Sizes of the database's files.
pub(super) fn files(sources: &mut Sources, database: &Path) {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let (log, file, header) = (PathBuf::from(log), database.to_owned(), database.to_owned());
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    sources.gauge("wal.bytes", Unit::Bytes, "size of the log; it keeps it when it begins anew", move || {
        size(&log)
    });
    sources.gauge("db.bytes", Unit::Bytes, "size of the database file", move || size(&file));
    sources
        .gauge("db.free_pages", Unit::Pages, "free pages of the database file", move || free_pages(&header));
}

fn free_pages(database: &Path) -> u64 {
    let mut count = [0; 4];
    let read = File::open(database).and_then(|file| file.read_exact_at(&mut count, FREE_PAGES_AT));
    read.map_or(0, |()| u64::from(u32::from_be_bytes(count)))
}

/// The log of the program itself.
pub(super) fn log(sources: &mut Sources) {
    use crate::log_book;
    sources.counter("written.log.log", Unit::Bytes, "bytes written to the program's log", || {
        log_book::BYTES.get()
    });
    sources.counter("writes.log.log", Unit::Operations, "writes to the program's log", || {
        log_book::WRITES.get()
    });
    let help = "of these, bytes of threads that serve sockets";
    sources.counter("log.network", Unit::Bytes, help, || log_book::NETWORK_BYTES.get());
}

/// Bytes and writes of files that are kept beside the database and counted by whoever writes them.
pub(super) fn files_of(sources: &mut Sources, cause: &str, what: &str, written: &Arc<Written>) {
    let (bytes, writes) = (Arc::clone(written), Arc::clone(written));
    let name = |of: &str| format!("{of}.{cause}.{cause}");
    sources.counter(&name("written"), Unit::Bytes, &format!("bytes of {what}"), move || bytes.bytes.get());
    sources.counter(&name("writes"), Unit::Operations, &format!("writes of {what}"), move || {
        writes.operations.get()
    });
}

/// Requests and viewers.
pub(super) fn viewers(sources: &mut Sources, viewers: &Viewers) {
    let (requests, hub) = (Arc::clone(&viewers.requests), viewers.hub.clone());
    files_of(sources, "config", "the configuration, when it is changed by the API", &viewers.config_written);
    sources.counter("http.requests", Unit::Operations, "requests answered", move || requests.get());
    let frames = hub.clone();
    sources
        .counter("live.frames", Unit::Messages, "frames put out for viewers", move || frames.sent_frames());
    sources.gauge("live.viewers", Unit::Count, "viewers connected", move || hub.clients());
}

/// Memory of the index. Ingest is never made to wait for the answer: while it writes, the last one stands.
pub(super) fn index(sources: &mut Sources, index: SharedIndex) {
    let mut bytes = 0;
    sources.gauge("memory.index", Unit::Bytes, "memory that the index holds", move || {
        if let Some(index) = index.try_read() {
            bytes = index.memory().total() as u64;
        }
        bytes
    });
}

/// Wall time of a sample.
pub(super) fn now_ms() -> i64 {
    UnixMillis::now().0
}

/// By table; only transactions write to the log, so the other causes have no such series.
fn pages(sources: &mut Sources, stats: &Arc<WriteStats>) {
    let writing =
        || IoWork::ALL.into_iter().filter(|work| matches!(work, IoWork::Source(_) | IoWork::Opening));
    let mut infos = Vec::new();
    for tree in stats.pages.trees() {
        let name = tree.name();
        infos.extend(writing().map(|work| {
            let help = format!("bytes of pages of {name} written to the log by {}", work.name());
            info(&format!("pages.{}.{name}", work.name()), SeriesKind::Counter, Unit::Bytes, &help)
        }));
        let help = format!("bytes of pages of {name} copied into the database by checkpoints");
        infos.push(info(&format!("copied.{name}"), SeriesKind::Counter, Unit::Bytes, &help));
    }
    let read = Arc::clone(stats);
    sources.group(&infos, move |places| {
        let of_trees = places.chunks_exact_mut(writing().count() + 1);
        for (places, tree) in of_trees.zip(read.pages.trees()) {
            if let Some((copied, logged)) = places.split_last_mut() {
                logged.iter_mut().zip(writing()).for_each(|(place, work)| *place = tree.logged_by(work));
                *copied = tree.copied();
            }
        }
    });
}

fn counter(
    sources: &mut Sources,
    name: &str,
    unit: Unit,
    help: &str,
    stats: &Arc<WriteStats>,
    of: impl Fn(&WriteStats) -> &Counter + Send + 'static,
) {
    let read = Arc::clone(stats);
    sources.counter(name, unit, help, move || of(&read).get());
}

/// To six binary digits, 1.6 %: the last digits of a percentile mean nothing, and cost the history.
fn micros(time: std::time::Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let spare = (u64::BITS - micros.leading_zeros()).saturating_sub(6);
    micros >> spare << spare
}
