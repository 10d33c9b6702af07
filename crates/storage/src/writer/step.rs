//! Steps between groups: each a short transaction, done or not done as a whole, and never tried again by itself.

use std::time::{Duration, Instant};

use model::{Change, NodeRecord, ObservationId, TransmissionId, UnixMillis};
use rusqlite::{Connection, params};

use super::commit::Committer;
use super::queue::{HighestIds, Queue};
use crate::rows::{self, RowError};
use crate::schema::BUSY_TIMEOUT;
use crate::{IoFile, StorageError, WriteSource};

const DELETE_OBSERVATION: &str = "DELETE FROM observations WHERE id = ?1";
const DELETE_TRANSMISSION: &str = "DELETE FROM transmissions WHERE id = ?1";
/// So that other processes, which read what is new by its ids, notice that something old is gone.
const COUNT_REMOVAL: &str =
    "INSERT INTO meta VALUES ('removals', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1";
/// A seek for each observer instead of a look at every sample.
const NEXT_SAMPLED: &str = "SELECT min(observer) FROM observer_metrics WHERE observer > ?1";
const DELETE_METRICS: &str = "DELETE FROM observer_metrics WHERE observer = ?1 AND time IN \
    (SELECT time FROM observer_metrics WHERE observer = ?1 AND time < ?2 ORDER BY time LIMIT ?3)";
/// Looks at the oldest rows only, however many there are.
const DELETE_DROPPED: &str = "DELETE FROM dropped_packets WHERE id IN \
    (SELECT id FROM (SELECT id, time FROM dropped_packets ORDER BY id LIMIT ?2) WHERE time < ?1)";
const DELETE_RECEPTIONS: &str = "DELETE FROM client_receptions WHERE id IN \
    (SELECT id FROM (SELECT id, time FROM client_receptions ORDER BY id LIMIT ?2) WHERE time < ?1)";

/// Packets to remove, and what then is to be known of their nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Rows to delete; what is not there counts as deleted before.
    pub transmissions: Vec<TransmissionId>,
    /// Rows to delete, by custom all of those transmissions.
    pub observations: Vec<ObservationId>,
    /// Records that take the place of the nodes' present ones: what the removed adverts said must not be lost.
    pub nodes: Vec<NodeRecord>,
}

/// How many rows a [`Removal`] has found and deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovedRows {
    /// Of the transmissions.
    pub transmissions: u64,
    /// Of the observations.
    pub observations: u64,
}

/// What came of a step, and what it has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped<T> {
    /// What came of it.
    pub value: T,
    /// What it has cost.
    pub figures: StepFigures,
}

/// What a step has cost itself and others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepFigures {
    /// Bytes that it wrote to the log.
    pub written_bytes: u64,
    /// From being asked for to its begin: groups of ingest go first, and there must be room in the log.
    pub waited: Duration,
    /// How long it held the writer.
    pub held: Duration,
    /// How much later a group of ingest begins because of it.
    pub delayed_ingest: Duration,
}

/// A step's turn at the writer.
pub(crate) struct Turn<'a> {
    pub(crate) committer: &'a mut Committer,
    pub(crate) queue: &'a Queue,
}

impl Turn<'_> {
    /// Takes the step, for somebody who asked for it at `asked`.
    pub(super) fn take<T>(
        self,
        asked: Instant,
        step: impl FnOnce(&mut Committer) -> Result<T, StorageError>,
    ) -> Result<Stepped<T>, StorageError> {
        let before = self.committer.logged_bytes();
        let begin = Instant::now();
        let value = step(self.committer);
        let end = Instant::now();
        let mut delayed_ingest = Duration::ZERO;
        if let Some(due) = self.queue.group_due().filter(|due| *due <= end) {
            delayed_ingest = end - due.max(begin);
            self.committer.count_delay(delayed_ingest);
        }
        let figures = StepFigures {
            written_bytes: self.committer.logged_bytes() - before,
            waited: begin.saturating_duration_since(asked),
            held: end - begin,
            delayed_ingest,
        };
        value.map(|value| Stepped { value, figures })
    }
}

impl Removal {
    pub(super) fn highest_ids(&self) -> HighestIds {
        HighestIds {
            transmission: self.transmissions.iter().map(|id| id.0).max().unwrap_or(0),
            observation: self.observations.iter().map(|id| id.0).max().unwrap_or(0),
        }
    }

    fn is_empty(&self) -> bool {
        self.transmissions.is_empty() && self.observations.is_empty() && self.nodes.is_empty()
    }
}

impl Committer {
    pub(super) fn remove_packets(&mut self, removal: &Removal) -> Result<RemovedRows, StorageError> {
        if removal.is_empty() {
            return Ok(RemovedRows::default());
        }
        let (removed, bound_bytes) = self.step(WriteSource::Retention, "removing packets", |conn| {
            let (mut removed, mut bound_bytes) = (RemovedRows::default(), 0);
            let mut delete = conn.prepare_cached(DELETE_OBSERVATION)?;
            for id in &removal.observations {
                removed.observations += delete.execute([id.0.cast_signed()])? as u64;
            }
            let mut delete = conn.prepare_cached(DELETE_TRANSMISSION)?;
            for id in &removal.transmissions {
                removed.transmissions += delete.execute([id.0.cast_signed()])? as u64;
            }
            for node in &removal.nodes {
                bound_bytes +=
                    rows::write(conn, &Change::Node(node.clone())).map_err(|error| match error {
                        RowError::Database(error) => error,
                        RowError::Bad(reason) => rusqlite::Error::ToSqlConversionFailure(reason.into()),
                    })?;
            }
            conn.prepare_cached(COUNT_REMOVAL)?.execute([])?;
            Ok((removed, bound_bytes))
        })?;
        self.stats().bound_bytes.add(bound_bytes);
        let rows = removed.transmissions + removed.observations;
        self.count_removed(rows, removal.nodes.len() as u64);
        Ok(removed)
    }

    pub(super) fn remove_metrics_before(
        &mut self,
        time: UnixMillis,
        limit: u32,
    ) -> Result<u64, StorageError> {
        let removed = self.step(WriteSource::Retention, "removing observers' metrics", |conn| {
            let mut next = conn.prepare_cached(NEXT_SAMPLED)?;
            let mut delete = conn.prepare_cached(DELETE_METRICS)?;
            let (mut removed, mut after) = (0, -1);
            while removed < u64::from(limit) {
                let Some(observer) = next.query_row([after], |row| row.get::<_, Option<i64>>(0))? else {
                    break;
                };
                removed +=
                    delete.execute(params![observer, time.0, (u64::from(limit) - removed).cast_signed()])?
                        as u64;
                after = observer;
            }
            Ok(removed)
        })?;
        self.count_removed(removed, 0);
        Ok(removed)
    }

    pub(super) fn remove_dropped_before(
        &mut self,
        time: UnixMillis,
        limit: u32,
    ) -> Result<u64, StorageError> {
        let removed = self.step(WriteSource::Retention, "removing refused packets", |conn| {
            Ok(conn.prepare_cached(DELETE_DROPPED)?.execute(params![time.0, limit])? as u64)
        })?;
        self.count_removed(removed, 0);
        Ok(removed)
    }

    pub(super) fn remove_receptions_before(
        &mut self,
        time: UnixMillis,
        limit: u32,
    ) -> Result<u64, StorageError> {
        let removed = self.step(WriteSource::Retention, "removing receptions", |conn| {
            let removed = conn.prepare_cached(DELETE_RECEPTIONS)?.execute(params![time.0, limit])? as u64;
            if removed > 0 {
                conn.prepare_cached(COUNT_REMOVAL)?.execute([])?;
            }
            Ok(removed)
        })?;
        self.count_removed(removed, 0);
        Ok(removed)
    }

    pub(super) fn vacuum(&mut self, pages: u32) -> Result<u64, StorageError> {
        if pages == 0 {
            // To SQLite that means all of them.
            return Ok(0);
        }
        let freed = self.step(WriteSource::Vacuum, "giving free pages back", |conn| {
            let free = || conn.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0));
            let before = free()?;
            // One row for each page, and each must be asked for.
            let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            drop(rows);
            Ok(u64::try_from(before - free()?).unwrap_or(0))
        })?;
        self.stats().pages_freed.add(freed);
        Ok(freed)
    }

    /// Bytes that this process has written to the log.
    fn logged_bytes(&self) -> u64 {
        self.stats().io.written_to(IoFile::Wal)
    }

    /// One transaction. It does not wait for another's lock, since ingest would wait with it; and it is not forced to the
    /// medium, since what a loss of power undoes will be asked for again.
    pub(super) fn step<T>(
        &mut self,
        source: WriteSource,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StorageError> {
        let start = Instant::now();
        let failed = |path: &std::path::Path| {
            let path = path.to_owned();
            move |error| StorageError::sqlite(&path, doing, error)
        };
        let failed = failed(self.path());
        self.connection().busy_timeout(Duration::ZERO).map_err(&failed)?;
        let done = self.transaction(source, false, |committer| work(committer.connection()));
        self.connection().busy_timeout(BUSY_TIMEOUT).map_err(&failed)?;
        let done = done.map_err(&failed)?;
        self.stats().step_hold.record(start.elapsed());
        self.stats().source(source).commits.increment();
        self.committed();
        Ok(done)
    }

    fn count_removed(&self, removed: u64, replaced: u64) {
        self.stats().rows_removed.add(removed);
        self.stats().node_upserts.add(replaced);
        self.stats().source(WriteSource::Retention).rows.add(removed + replaced);
    }
}
