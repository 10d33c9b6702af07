//! Groups into transactions: one per write source, retried until it succeeds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::{Change, UnixMillis};
use rusqlite::{Connection, params};

use super::failure::{self, TRIES_BEFORE_ASIDE};
use super::group::Group;
use super::queue::{HighestIds, Queue};
use super::restore::moved;
use super::tally::Tally;
use crate::checkpoint::Signal;
use crate::files::{Files, Lost};
use crate::rows::{self, RowError};
use crate::status::{cache_bytes, take_cache_use};
use crate::{Durability, IoFile, IoWork, StorageError, StorageOptions, WriteSource, WriteStats, aside, vfs};

/// First pause before a commit is tried again; it doubles up to the second. A lock of a backup tool is gone soon, and a
/// full disk is cleared by a human, for whom five seconds are at once.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Rows kept in `set_aside`; then the oldest are replaced. A fault of the program must not fill the disk.
const SET_ASIDE_ROWS: u64 = 1_000;

/// Text kept of a row that was set aside.
const SET_ASIDE_CHARS: usize = 2_000;

/// A frame of the log is a page and its header.
const FRAME_BYTES: u64 = 4096 + 24;

/// Owns the write connection.
pub(crate) struct Committer {
    conn: Connection,
    options: StorageOptions,
    stats: Arc<WriteStats>,
    pub(super) checkpoints: Arc<Signal>,
    pub(super) files: Files,
    /// What was missing when the files were last looked at.
    pub(super) lost: Option<Lost>,
    /// Which database this is, for rows that are put aside.
    identity: i64,
    /// Whether the last batch had to be put aside.
    refusing: bool,
    /// Which state of the database this connection saw last, by SQLite's count of what others did.
    data_version: i64,
    /// What the hook last said of the log's length.
    wal_frames: Arc<AtomicU64>,
    syncs: Option<bool>,
    set_aside: u64,
    /// Highest ids that were ever written.
    written: HighestIds,
    /// The row that was written anew last.
    #[cfg(debug_assertions)]
    pub(super) rewritten_to: i64,
}

impl Committer {
    pub(crate) fn new(
        conn: Connection,
        options: StorageOptions,
        stats: Arc<WriteStats>,
        checkpoints: Arc<Signal>,
    ) -> Result<Self, StorageError> {
        let failed = |error| StorageError::sqlite(&options.path, "setting up the writer", error);
        let highest = |table: &str| {
            let sql = format!("SELECT coalesce(max(id), 0) FROM {table}");
            conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|id| u64::try_from(id).unwrap_or(0))
        };
        let set_aside = highest("set_aside").map_err(failed)?;
        // Where a page is damaged loading will say so; 0 only makes steps wait for a group.
        let written = HighestIds {
            transmission: highest("transmissions").unwrap_or(0),
            observation: highest("observations").unwrap_or(0),
        };
        let mut committer = Self {
            identity: aside::identity(&conn),
            files: Files::of(&options.path),
            lost: None,
            refusing: false,
            data_version: data_version(&conn).map_err(failed)?,
            wal_frames: Arc::default(),
            syncs: None,
            conn,
            options,
            stats,
            checkpoints,
            set_aside,
            written,
            #[cfg(debug_assertions)]
            rewritten_to: i64::MIN,
        };
        committer
            .watch_log()
            .map_err(|error| StorageError::sqlite(&committer.options.path, "setting up the writer", error))?;
        Ok(committer)
    }

    /// Goes on with another connection of the same database.
    pub(super) fn use_connection(&mut self, conn: Connection) -> rusqlite::Result<()> {
        self.conn = conn;
        self.syncs = None;
        self.note_files();
        self.stats.pages.distrust();
        self.data_version = data_version(&self.conn)?;
        self.watch_log()
    }

    fn watch_log(&mut self) -> rusqlite::Result<()> {
        self.wal_frames.store(0, Ordering::Relaxed);
        let (frames, commits) = (Arc::clone(&self.wal_frames), Arc::clone(&self.stats));
        // A hook of our own also keeps SQLite's automatic checkpoint from ever being switched on again.
        self.conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            frames.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            commits.wal_commits.increment();
            Ok(())
        }))?;
        // Opening and making the tables is not the work of any source.
        take_cache_use(&self.conn);
        Ok(())
    }

    /// Commits the group, however often that must be tried, and acknowledges it. Gives up only when the storage is
    /// closing and has been for long enough.
    pub(crate) fn commit(&mut self, mut group: Group, queue: &Queue) -> Result<(), StorageError> {
        let start = Instant::now();
        let mut pause = RETRY_MIN;
        let mut tries = 0;
        let mut pending: Vec<WriteSource> =
            WriteSource::OF_GROUPS.into_iter().filter(|source| !group.rows(*source).is_empty()).collect();
        pending.reverse();
        // Committed, but not yet forced to the medium.
        let mut unforced: Vec<WriteSource> = Vec::new();
        let any = !pending.is_empty();
        while let Some(&source) = pending.last() {
            // The log is one file: forcing it to the medium after the last commit covers those before.
            let sync = pending.len() == 1 && self.options.durability == Durability::PowerLoss;
            let error = match self.commit_source(source, group.rows(source), sync) {
                Ok(()) => {
                    pending.pop();
                    unforced.push(source);
                    tries = 0;
                    self.works_again();
                    continue;
                }
                Err(error) => error,
            };
            let reason = self.failed(source, &error);
            tries += 1;
            let hopeless = !failure::can_pass(&error) && (self.refusing || tries >= TRIES_BEFORE_ASIDE);
            if hopeless && self.put_aside(&group, source, &unforced, &reason) {
                pending.pop();
                unforced.clear();
                continue;
            }
            group.fail_flushes(&reason);
            queue.fail_askers(&reason, &self.options.path);
            if queue.wait_to_retry(pause).is_some_and(|closing| closing >= self.options.close_patience) {
                let rows = group.row_count() + queue.abandoned_rows();
                return Err(StorageError::Unwritten { path: self.options.path.clone(), rows, reason });
            }
            pause = (pause * 2).min(RETRY_MAX);
        }
        if any {
            self.stats.batches.increment();
            self.stats.batch_wait.record(start.saturating_duration_since(group.oldest));
            self.stats.batch_hold.record(start.elapsed());
        }
        group.durable();
        if any {
            self.committed();
        }
        Ok(())
    }

    /// Tells the checkpointer how long the log is.
    pub(super) fn committed(&self) {
        let frames = self.wal_frames.load(Ordering::Relaxed);
        self.stats.wal_frames_now.set(frames);
        self.checkpoints.committed(frames);
        self.checkpoints.tell_pending(&self.stats.frames_pending);
    }

    /// Whether rows up to these ids may still wait to be written.
    pub(super) fn is_behind(&self, ids: HighestIds) -> bool {
        ids.transmission > self.written.transmission || ids.observation > self.written.observation
    }

    /// Whether the log can take another step.
    pub(super) fn has_room(&self) -> bool {
        self.checkpoints.has_room()
    }

    /// Notes for how long a step has kept a group waiting.
    pub(super) fn count_delay(&self, delay: Duration) {
        self.stats.step_delay.record(delay);
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.conn
    }

    pub(super) fn stats(&self) -> &WriteStats {
        &self.stats
    }

    pub(super) fn path(&self) -> &Path {
        &self.options.path
    }

    fn failed(&self, source: WriteSource, error: &rusqlite::Error) -> String {
        let reason = format!("commit of {}: {error}", source.name());
        if self.stats.failing.get() == 0 {
            // Said once; the counter and the last error tell the rest.
            let path = self.options.path.display();
            tracing::error!(%path, source = source.name(), %error, "a commit failed and will be tried again; nothing is lost meanwhile");
        }
        self.stats.failing.set(1);
        self.stats.failed(reason.clone());
        reason
    }

    fn works_again(&mut self) {
        self.refusing = false;
        if self.stats.failing.get() != 0 {
            self.stats.failing.set(0);
            tracing::info!(path = %self.options.path.display(), "commits succeed again");
        }
    }

    /// Puts the rows of a source aside in a file, so that they are safe and ingest can go on; says whether that worked.
    /// Rows that were committed but not forced to the medium go with them: a file that will not take one row may not keep
    /// another, and twice does no harm.
    fn put_aside(
        &mut self,
        group: &Group,
        source: WriteSource,
        unforced: &[WriteSource],
        reason: &str,
    ) -> bool {
        let path = aside::path_of(&self.options.path);
        let rows = unforced.iter().chain([&source]).flat_map(|source| group.rows(*source));
        let counts = self.stats.io.counts(IoWork::Aside, IoFile::Aside);
        if let Err(error) = aside::append(&path, self.identity, reason, rows, counts) {
            self.stats.failed(format!("writing {}: {error}", path.display()));
            return false;
        }
        self.stats.rows_put_aside.add(group.rows(source).len() as u64);
        if !self.refusing {
            tracing::error!(
                database = %self.options.path.display(), aside = %path.display(), reason,
                "the database takes no more rows, and trying again is no help: they are put aside in a file and \
                 acknowledged; stop the program, rescue the database with `sqlite3 DATABASE .recover` into a new file, \
                 put that in its place, and start again: the rows are then taken in"
            );
        }
        self.refusing = true;
        true
    }

    /// Once a second while there is nothing to write.
    pub(super) fn look_after_files(&mut self) {
        let known = self.lost;
        match self.keep_files() {
            Ok(()) if known.is_some() => self.works_again(),
            Err(error) if known.is_none() => {
                self.stats.failing.set(1);
                self.stats.failed(error.to_string());
            }
            _ => {}
        }
    }

    fn commit_source(&mut self, source: WriteSource, rows: &[Change], sync: bool) -> rusqlite::Result<()> {
        let tally = self.transaction(source, sync, |committer| committer.write_rows(rows))?;
        self.count(source, &tally);
        Ok(())
    }

    /// Runs `work` in a transaction that is undone when anything fails.
    pub(super) fn transaction<T>(
        &mut self,
        source: WriteSource,
        sync: bool,
        work: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.keep_files()?;
        vfs::at_work(IoWork::Source(source));
        if !self.conn.is_autocommit() {
            // A failed transaction that could not be undone at its time.
            self.conn.execute_batch("ROLLBACK")?;
        }
        self.set_sync(sync)?;
        self.stats.pages.refresh(&self.conn);
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        self.look_for_others();
        let done = work(self).and_then(|done| {
            let start = Instant::now();
            self.conn.execute_batch("COMMIT")?;
            self.stats.commit_time.record(start.elapsed());
            // What was committed into a file without a name is not durable; the next try puts that right.
            self.files.lost().map_or(Ok(done), |lost| Err(moved(lost.what())))
        });
        if done.is_ok() {
            self.stats.pages.refresh(&self.conn);
        }
        // Pages of a failed attempt were written, too; they belong to the same source.
        self.count_pages(source);
        self.stats.pages.settle(done.is_ok());
        // After some failures SQLite has rolled back by itself.
        if done.is_err()
            && !self.conn.is_autocommit()
            && let Err(rollback) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%rollback, "the failed transaction could not be rolled back");
        }
        done
    }

    /// Whether another process has changed the database, and with it the page map. A checkpoint that empties the log looks
    /// like that, too.
    fn look_for_others(&mut self) {
        // Where it cannot be read the transaction will fail soon enough.
        let Ok(version) = data_version(&self.conn) else { return };
        if version != self.data_version {
            self.stats.pages.distrust();
            self.data_version = version;
        }
    }

    /// `synchronous` cannot change within a transaction, and changing it costs a statement, so only when it differs.
    fn set_sync(&mut self, sync: bool) -> rusqlite::Result<()> {
        if self.syncs != Some(sync) {
            self.conn.pragma_update(None, "synchronous", if sync { "FULL" } else { "NORMAL" })?;
            self.syncs = Some(sync);
        }
        Ok(())
    }

    fn write_rows(&self, rows: &[Change]) -> rusqlite::Result<Tally> {
        let mut tally = Tally::default();
        for change in rows {
            match rows::write(&self.conn, change) {
                Ok(bound_bytes) => {
                    tally.add(change);
                    tally.bound_bytes += bound_bytes;
                }
                // SQLite has undone this one row; the others of the transaction stand.
                Err(RowError::Bad(reason)) => {
                    let number = self.set_aside + tally.set_aside;
                    tally.bound_bytes += self.set_aside(&reason, change, number)?;
                    tally.set_aside += 1;
                }
                Err(RowError::Database(error)) => return Err(error),
            }
        }
        Ok(tally)
    }

    fn set_aside(&self, reason: &str, change: &Change, number: u64) -> rusqlite::Result<u64> {
        tracing::error!(reason, "a row was refused by the database and set aside");
        let mut row = format!("{change:?}");
        if let Some((end, _)) = row.char_indices().nth(SET_ASIDE_CHARS) {
            row.truncate(end);
        }
        let place = (number % SET_ASIDE_ROWS + 1).cast_signed();
        let sql = "INSERT OR REPLACE INTO set_aside VALUES (?1, ?2, ?3, ?4)";
        rows::execute(&self.conn, sql, params![place, UnixMillis::now().0, reason, row])
    }

    fn count_pages(&self, source: WriteSource) {
        let pages = take_cache_use(&self.conn);
        self.stats.cache_hits.add(pages.hits);
        self.stats.cache_misses.add(pages.misses);
        self.stats.cache_spills.add(pages.spills);
        self.stats.cache_bytes.set(cache_bytes(&self.conn));
        self.stats.wal_bytes.add(pages.writes * FRAME_BYTES);
        self.stats.source(source).wal_frames.add(pages.writes);
    }

    fn count(&mut self, source: WriteSource, tally: &Tally) {
        let stats = &self.stats;
        stats.head_inserted.add(tally.heads);
        stats.tx_inserted.add(tally.transmissions);
        stats.obs_inserted.add(tally.observations);
        stats.observer_upserts.add(tally.observers);
        stats.metrics_upserts.add(tally.metrics);
        stats.node_upserts.add(tally.nodes);
        stats.dropped_inserted.add(tally.dropped);
        stats.receptions_inserted.add(tally.receptions);
        stats.client_upserts.add(tally.clients);
        stats.rows_set_aside.add(tally.set_aside);
        stats.bound_bytes.add(tally.bound_bytes);
        let of_source = stats.source(source);
        of_source.commits.increment();
        of_source.rows.add(tally.rows());
        self.set_aside += tally.set_aside;
        let (written, highest) = (&mut self.written, tally.highest);
        written.transmission = written.transmission.max(highest.transmission);
        written.observation = written.observation.max(highest.observation);
    }
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
