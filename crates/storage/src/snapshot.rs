//! A look at a database file as of one moment, whether or not a program has it open.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use model::{DroppedPacket, Observation, ObserverId, Reception, Transmission, TransmissionId, UnixMillis};
use rusqlite::{Connection, OpenFlags, Row};

use crate::files::beside;
use crate::load::{self, LoadProgress, LoadReport, well_formed};
use crate::{StorageError, rows, schema};

/// Transmissions kept at hand while observations are read: copies of a packet come within minutes.
const CACHED_TRANSMISSIONS: usize = 4_096;

/// What is being done when a file turns out to be no database that can be read.
const OPENING: &str = "opening it to read";

/// Takes an observation with what was heard, and says whether to go on.
type Copies<'a> = dyn FnMut(&Observation, &Transmission) -> ControlFlow<()> + 'a;

/// A connection that can only read and sees the rows of the moment when it was opened.
///
/// While it is open, a program that writes the database cannot shorten its log.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    conn: Connection,
}

impl Snapshot {
    /// Opens a database of this program. Use [`Snapshot::open_without_trace`] where nothing may appear beside the file.
    ///
    /// # Errors
    /// [`StorageError::NotADatabase`], [`StorageError::NotOurs`], [`StorageError::NewerVersion`], or that the file cannot
    /// be read.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        match Self::begin(path, schema::open_read_only) {
            // Where no file can be made, an ordinary reader cannot make itself known either.
            Err(StorageError::NotWritable { .. }) => Self::open_without_trace(path),
            opened => opened,
        }
    }

    /// As [`Snapshot::open`], by way of [`open_without_trace`].
    ///
    /// # Errors
    /// As [`Snapshot::open`].
    pub fn open_without_trace(path: &Path) -> Result<Self, StorageError> {
        Self::begin(path, |path| {
            open_without_trace(path).map_err(|error| StorageError::sqlite(path, OPENING, error))
        })
    }

    fn begin(
        path: &Path,
        open: impl Fn(&Path) -> Result<Connection, StorageError>,
    ) -> Result<Self, StorageError> {
        schema::refuse_other_files(path)?;
        let conn = open(path)?;
        // The moment is that of the first read within the transaction.
        conn.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
            .map_err(|error| StorageError::sqlite(path, OPENING, error))?;
        schema::check_identity(&conn, path)?;
        Ok(Self { path: path.to_owned(), conn })
    }

    /// As [`crate::Storage::load`].
    ///
    /// # Errors
    /// As [`crate::Storage::load`].
    pub fn load(
        &self,
        progress: &mut dyn FnMut(LoadProgress),
        sink: &mut dyn FnMut(model::Change),
    ) -> Result<LoadReport, StorageError> {
        load::load_from(&self.conn, &self.path, progress, sink)
    }

    /// Heads, observers, nodes and mobile clients alone, as [`Snapshot::load`] gives them.
    ///
    /// # Errors
    /// As [`Snapshot::load`].
    pub fn directories(&self, sink: &mut dyn FnMut(model::Change)) -> Result<(), StorageError> {
        load::directories_from(&self.conn, &self.path, sink)
    }

    /// The observations from `from` until before `until` in the order of their ids, each with what was heard, until the
    /// reader has had enough. Rows that are not well-formed, or name a transmission that is not there, are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn observations(
        &self,
        from: UnixMillis,
        until: UnixMillis,
        sink: &mut Copies<'_>,
    ) -> Result<(), StorageError> {
        self.read_observations(from, until, sink).map_err(self.failed("reading the observations"))
    }

    /// The transmissions in the order of their ids, until the reader has had enough.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn transmissions(
        &self,
        sink: &mut dyn FnMut(&Transmission) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let read = || {
            let mut statement = self.conn.prepare(rows::SELECT_TRANSMISSIONS)?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                if let Some(transmission) = well_formed(row, rows::decode_transmission)?
                    && sink(&transmission).is_break()
                {
                    break;
                }
            }
            Ok(())
        };
        let mut read = read;
        read().map_err(self.failed("reading the transmissions"))
    }

    /// The refused packets that were kept as evidence, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn dropped(&self, sink: &mut dyn FnMut(DroppedPacket)) -> Result<(), StorageError> {
        let failed = self.failed("reading the refused packets");
        self.all_of("dropped_packets", rows::SELECT_DROPPED, rows::decode_dropped, sink, failed)
    }

    /// The receptions of mobile clients, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn receptions(&self, sink: &mut dyn FnMut(Reception)) -> Result<(), StorageError> {
        let failed = self.failed("reading the receptions");
        self.all_of("client_receptions", rows::SELECT_RECEPTIONS, rows::decode_reception, sink, failed)
    }

    /// The times of which there is a sample of this observer's counters, rising.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn metric_times(&self, observer: ObserverId) -> Result<Vec<UnixMillis>, StorageError> {
        let read = || {
            let mut statement = self.conn.prepare_cached(rows::SELECT_METRIC_TIMES)?;
            let times = statement.query_map([observer.0], |row| row.get(0).map(UnixMillis))?;
            times.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.failed("reading observers' metrics"))
    }

    fn read_observations(
        &self,
        from: UnixMillis,
        until: UnixMillis,
        sink: &mut Copies<'_>,
    ) -> rusqlite::Result<()> {
        let mut transmissions: HashMap<TransmissionId, Option<Rc<Transmission>>> = HashMap::new();
        let mut find = self.conn.prepare(rows::SELECT_TRANSMISSION)?;
        let mut statement = self.conn.prepare(rows::SELECT_OBSERVATIONS_BETWEEN)?;
        let mut found = statement.query([from.0, until.0])?;
        while let Some(row) = found.next()? {
            let Some(observation) = well_formed(row, rows::decode_observation)? else { continue };
            if transmissions.len() >= CACHED_TRANSMISSIONS {
                transmissions.clear();
            }
            let transmission = match transmissions.get(&observation.transmission) {
                Some(known) => known.clone(),
                None => {
                    let mut rows = find.query([observation.transmission.0.cast_signed()])?;
                    let read =
                        rows.next()?.map(|row| well_formed(row, rows::decode_transmission)).transpose()?;
                    let read = read.flatten().map(Rc::new);
                    transmissions.insert(observation.transmission, read.clone());
                    read
                }
            };
            if let Some(transmission) = transmission
                && sink(&observation, &transmission).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// The well-formed rows of a table that an older database may not have.
    fn all_of<T>(
        &self,
        table: &str,
        select: &str,
        decode: fn(&Row<'_>) -> rusqlite::Result<T>,
        sink: &mut dyn FnMut(T),
        failed: impl Fn(rusqlite::Error) -> StorageError,
    ) -> Result<(), StorageError> {
        if !self.has_table(table)? {
            return Ok(());
        }
        let mut read = || {
            let mut statement = self.conn.prepare(select)?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                if let Some(value) = well_formed(row, decode)? {
                    sink(value);
                }
            }
            Ok(())
        };
        read().map_err(failed)
    }

    fn has_table(&self, name: &str) -> Result<bool, StorageError> {
        self.conn.table_exists(None, name).map_err(self.failed("looking for tables"))
    }

    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> StorageError + '_ {
        move |error| StorageError::sqlite(&self.path, doing, error)
    }
}

/// Opens any SQLite database only to read it. When no program has it open, not even the files appear beside it with which
/// readers of a log make themselves known, so it works on a read-only medium, too.
///
/// A program that begins to write the file meanwhile is not noticed then; whoever reads for long looks afterwards whether
/// the file has changed.
///
/// # Errors
/// When SQLite cannot open it.
pub fn open_without_trace(path: &Path) -> rusqlite::Result<Connection> {
    let alone = schema::begins_in_wal_mode(path) && !has_log(path);
    if alone { open_immutable(path) } else { open_uri(path, "mode=ro") }
}

/// Without locks, log and shared memory: for a file that nobody changes.
///
/// # Errors
/// When SQLite cannot open it.
pub(crate) fn open_immutable(path: &Path) -> rusqlite::Result<Connection> {
    open_uri(path, "immutable=1")
}

fn open_uri(path: &Path, mode: &str) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(format!("file:{}?{mode}", uri_path(path)), flags)?;
    conn.busy_timeout(schema::BUSY_TIMEOUT)?;
    Ok(conn)
}

/// Whether a log lies beside a database that holds something, or that some program has open.
pub fn has_log(database: &Path) -> bool {
    let log = std::fs::metadata(beside(database, "-wal"));
    log.is_ok_and(|log| log.len() > 0) || beside(database, "-shm").exists()
}

/// The path with everything escaped that could mean something in a URI.
fn uri_path(path: &Path) -> String {
    let mut escaped = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(*byte));
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}
