//! Questions that the index does not answer: the history of observers' counters, and the size of the file.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use model::{
    Change, DroppedPacket, NodeKey, Observation, ObservationId, ObserverId, ObserverMetrics, Transmission,
    TransmissionId, UnixMillis,
};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};

use crate::files::Files;
use crate::load::{self, LastIds, LoadProgress, LoadReport, well_formed};
use crate::{StorageError, rows, schema};

/// Samples returned at most: 30 days at one in five minutes are 8,640.
const MAX_METRICS: u32 = 100_000;

/// Refused packets that are looked at for those of one observer or node: some milliseconds. They come rarely, so that this is
/// weeks of them.
const DROPPED_LOOKED_AT: u32 = 20_000;

/// Connections kept open while nobody asks. Each has a page cache of its own, up to 2 MB by SQLite's default; more
/// threads than this at a time are rare, and pay for opening one.
const KEPT_OPEN: usize = 4;

/// Connections that can only read. May be shared by threads, each of which gets its own.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    idle: Mutex<Vec<Open>>,
}

/// Rows of some neighbouring transmissions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredSegment {
    /// In the order of their ids.
    pub transmissions: Vec<Transmission>,
    /// All of theirs, in the order of their ids.
    pub observations: Vec<Observation>,
}

/// A connection on loan, given back when dropped.
struct Loan<'a> {
    reader: &'a Reader,
    /// Only `None` while it is dropped.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    conn: Connection,
    files: Files,
}

/// Sizes of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbFigures {
    /// Bytes of a page.
    pub page_size: u64,
    /// Pages of the database, as of the newest commit.
    pub page_count: u64,
    /// Pages without content, ready for use.
    pub freelist_count: u64,
    /// Bytes of the database file on disk; what is only in the log is not in it.
    pub db_bytes: u64,
    /// Bytes of the log file; it keeps its size when it begins anew.
    pub wal_bytes: u64,
    /// Page cache that the writer's connection may use, in KiB.
    pub cache_size_kib: u64,
    /// Rows of the large tables.
    pub rows: TableRows,
}

/// Rows by table, as the distance between the lowest and the highest id: exact unless rows between were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableRows {
    /// Frame heads.
    pub heads: u64,
    /// Observers.
    pub observers: u64,
    /// Transmissions.
    pub transmissions: u64,
    /// Observations.
    pub observations: u64,
}

impl Reader {
    /// Opens a database that another process may be writing, and makes sure that this release understands it. Nothing in
    /// the file changes.
    ///
    /// # Errors
    /// [`StorageError::NotThere`] when there is no database yet, or one that is just being made;
    /// [`StorageError::OlderVersion`], which the process that writes brings up to date; the others as their names say.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Ok(Self { path: path.to_owned(), idle: Mutex::new(vec![Open::at(path)?]) })
    }

    /// As [`crate::Storage::load`], from this database.
    ///
    /// # Errors
    /// As [`crate::Storage::load`].
    pub fn load(
        &self,
        progress: &mut dyn FnMut(LoadProgress),
        sink: &mut dyn FnMut(Change),
    ) -> Result<LoadReport, StorageError> {
        load::load(&self.path, progress, sink)
    }

    /// A connection; opened anew when the files are others than before: the writer puts back what is deleted under it.
    fn connection(&self) -> Result<Loan<'_>, StorageError> {
        let idle = self.idle.lock().pop();
        let open = match idle {
            Some(open) if open.files.lost().is_none() => open,
            Some(lost) => Open::at(&self.path).unwrap_or(lost),
            None => Open::at(&self.path)?,
        };
        Ok(Loan { reader: self, open: Some(open) })
    }

    /// Samples of an observer from `from` until before `to`, oldest first, at most 100,000. Rows that are not
    /// well-formed are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn metrics(
        &self,
        observer: ObserverId,
        from: UnixMillis,
        to: UnixMillis,
    ) -> Result<Vec<ObserverMetrics>, StorageError> {
        let conn = self.connection()?;
        rows::select_metrics(&conn, observer, from, to, MAX_METRICS)
            .map_err(|error| StorageError::sqlite(&self.path, "reading observers' metrics", error))
    }

    /// The newest `limit` battery voltages (millivolts) of an observer from `from` on, oldest first. Rows that are not
    /// well-formed are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn battery(
        &self,
        observer: ObserverId,
        from: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(UnixMillis, u32)>, StorageError> {
        let conn = self.connection()?;
        let mut found = rows::select_battery(&conn, observer, from, limit)
            .map_err(|error| StorageError::sqlite(&self.path, "reading observers' voltages", error))?;
        found.reverse();
        Ok(found)
    }

    /// The newest refused packets with their ids, newest first: those of one observer (in either case) or node where these are
    /// given, and only those `wanted`, as far as they are among the newest 20,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn dropped(
        &self,
        observer: Option<&str>,
        node: Option<NodeKey>,
        limit: u32,
        wanted: &dyn Fn(&DroppedPacket) -> bool,
    ) -> Result<Vec<(i64, DroppedPacket)>, StorageError> {
        let conn = self.connection()?;
        rows::select_dropped(&conn, observer, node, (DROPPED_LOOKED_AT, limit), wanted)
            .map_err(|error| StorageError::sqlite(&self.path, "reading the refused packets", error))
    }

    /// The transmissions from `first` to `last`, both included, and their observations, which have ids in these ranges; both
    /// in the order of their ids. Rows that are not well-formed are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn segment(
        &self,
        (first, last): (TransmissionId, TransmissionId),
        observation_ids: &[(ObservationId, ObservationId)],
    ) -> Result<StoredSegment, StorageError> {
        let conn = self.connection()?;
        let read = || -> rusqlite::Result<StoredSegment> {
            // One transaction, so that both tables are of one moment.
            let snapshot = conn.unchecked_transaction()?;
            let mut segment = StoredSegment::default();
            let mut statement = conn.prepare_cached(rows::SELECT_TRANSMISSION_RANGE)?;
            let mut found = statement.query([first.0.cast_signed(), last.0.cast_signed()])?;
            while let Some(row) = found.next()? {
                segment.transmissions.extend(well_formed(row, rows::decode_transmission)?);
            }
            let mut statement = conn.prepare_cached(rows::SELECT_OBSERVATION_RANGE)?;
            for (from, to) in observation_ids {
                let bounds = [from.0, to.0, first.0, last.0].map(u64::cast_signed);
                let mut found = statement.query(bounds)?;
                while let Some(row) = found.next()? {
                    segment.observations.extend(well_formed(row, rows::decode_observation)?);
                }
            }
            drop(snapshot);
            Ok(segment)
        };
        read().map_err(|error| StorageError::sqlite(&self.path, "reading packets of old", error))
    }

    /// The highest ids in use.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_ids(&self) -> Result<LastIds, StorageError> {
        let conn = self.connection()?;
        load::last_ids(&conn)
            .map_err(|error| StorageError::sqlite(&self.path, "reading the tables' ends", error))
    }

    /// Sizes, from sources that cost microseconds however large the database is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn db_figures(&self) -> Result<DbFigures, StorageError> {
        let conn = self.connection()?;
        self.query_figures(&conn)
            .map_err(|error| StorageError::sqlite(&self.path, "reading the database's sizes", error))
    }

    fn query_figures(&self, conn: &Connection) -> rusqlite::Result<DbFigures> {
        let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let unsigned = |value: i64| u64::try_from(value).unwrap_or(0);
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        Ok(DbFigures {
            page_size: unsigned(number("page_size")?),
            page_count: unsigned(number("page_count")?),
            freelist_count: unsigned(number("freelist_count")?),
            db_bytes: file_bytes(self.path.as_ref()),
            wal_bytes: file_bytes(wal.as_ref()),
            cache_size_kib: schema::CACHE_KIB,
            rows: TableRows {
                heads: id_span(conn, "heads")?,
                observers: id_span(conn, "observers")?,
                transmissions: id_span(conn, "transmissions")?,
                observations: id_span(conn, "observations")?,
            },
        })
    }
}

impl Deref for Loan<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.open.as_ref().expect("it is there until it is dropped").conn
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut idle = self.reader.idle.lock();
        if idle.len() < KEPT_OPEN {
            idle.extend(self.open.take());
        }
    }
}

impl Open {
    fn at(path: &Path) -> Result<Self, StorageError> {
        let conn = schema::open_existing(path)?;
        Ok(Self { conn, files: Files::of(path) })
    }
}

fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Two seeks in the table's tree. SQLite would scan for `min` and `max` in one statement, so they are two.
fn id_span(conn: &Connection, table: &'static str) -> rusqlite::Result<u64> {
    let end = |function: &str| {
        let sql = format!("SELECT {function}(id) FROM {table}");
        conn.prepare_cached(&sql)?
            .query_row([], |row| row.get::<_, Option<i64>>(0))
            .optional()
            .map(Option::flatten)
    };
    let span = end("min")?.zip(end("max")?).map(|(first, last)| last.abs_diff(first).saturating_add(1));
    Ok(span.unwrap_or(0))
}
