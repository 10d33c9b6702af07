//! The database's format: tables, identity, version, and how a connection is opened.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::{StorageError, vfs};

/// "MCAn" in the file's header tells this program's databases from all others (`file` shows it, too).
pub const APPLICATION_ID: i32 = 0x4d43_416e;

/// Newest format that this release reads and writes.
pub(crate) const VERSION: i32 = 3;

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Bytes of a page in every database that this program has made.
pub const PAGE_BYTES: u64 = 4096;

/// How long a connection waits for a lock of another before it reports the database as busy. The writer tries again all
/// the same, so this only says how soon the operator hears of it.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Page cache of the writer, in KiB. Appending touches a handful of pages; 4 MB hold them together with the inner pages
/// of every table.
pub(crate) const CACHE_KIB: u64 = 4096;

/// The tables of format 1.
///
/// Only integer keys that count up, so each insert goes to the last page of its table; the one exception is
/// `observer_metrics`, which is small and read by observer. `hash` could be computed from `raw`, but that is the business
/// of a crate that this one must not know, and 9 bytes a packet spare a start on a small machine 100,000 SHA-256s.
const TABLES_V1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE heads (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE transmissions (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, raw BLOB NOT NULL) STRICT;
CREATE TABLE observations (
    id INTEGER PRIMARY KEY, tx INTEGER NOT NULL, observer INTEGER NOT NULL, head INTEGER NOT NULL,
    time INTEGER NOT NULL, snr INTEGER, rssi INTEGER, score INTEGER) STRICT;
CREATE TABLE observers (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT, iata TEXT, model TEXT, firmware TEXT, client_version TEXT,
    radio TEXT, battery_mv INTEGER, uptime_secs INTEGER, noise_floor REAL, can_relay INTEGER,
    first_seen INTEGER NOT NULL, last_status INTEGER, online INTEGER, clock_skew_secs INTEGER,
    clock_last_naive INTEGER) STRICT;
CREATE TABLE observer_metrics (
    observer INTEGER NOT NULL, time INTEGER NOT NULL, noise_floor REAL, tx_air_secs INTEGER, rx_air_secs INTEGER,
    recv_errors INTEGER, battery_mv INTEGER, packets_sent INTEGER, packets_recv INTEGER,
    PRIMARY KEY (observer, time)) STRICT, WITHOUT ROWID;
CREATE TABLE set_aside (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, reason TEXT NOT NULL, row TEXT NOT NULL) STRICT;
";

/// What format 2 adds: nodes beyond their stored adverts, and refused packets kept as evidence.
const TABLES_V2: &str = "
CREATE TABLE nodes (
    key BLOB PRIMARY KEY, name BLOB, role INTEGER NOT NULL, lat INTEGER, lon INTEGER, first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL, adverts INTEGER NOT NULL, default_scope TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE dropped_packets (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, reason TEXT NOT NULL, hash BLOB, raw BLOB NOT NULL, observer TEXT,
    observer_name TEXT, node BLOB, node_name TEXT) STRICT;
";

/// What format 3 adds: receptions of mobile clients, and nodes taken off the list.
///
/// Receptions, like observations, only have a key that counts up: that a reception is new is known from memory, and so is what
/// was heard in which area. `pruned_nodes` has at most one short row for each node that an operator ever took off.
const TABLES_V3: &str = "
CREATE TABLE client_observers (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT, last_seen INTEGER NOT NULL) STRICT;
CREATE TABLE client_receptions (
    id INTEGER PRIMARY KEY, client INTEGER NOT NULL, time INTEGER NOT NULL, heard BLOB NOT NULL,
    lat INTEGER NOT NULL, lon INTEGER NOT NULL, accuracy_m INTEGER, rssi INTEGER, snr INTEGER) STRICT;
CREATE TABLE pruned_nodes (key BLOB PRIMARY KEY, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Opens the database for writing: makes it if there is none, brings an older one to this format.
pub(crate) fn open_writable(path: &Path) -> Result<Connection, StorageError> {
    let failed = |doing| move |error| StorageError::sqlite(path, doing, error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = open_counted(path, flags).map_err(failed("opening the database"))?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed("opening the database"))?;
    if conn.is_readonly(MAIN_DB).map_err(failed("opening the database"))? {
        return Err(StorageError::NotWritable {
            path: path.to_owned(),
            reason: "the file is read-only".to_owned(),
        });
    }
    // Identity first: nothing of another program's database may change, not even its journal mode.
    let state = identify(&conn, path)?;
    configure(&conn).map_err(failed("setting up the connection"))?;
    match state {
        Identity::Empty => create(&mut conn).map_err(failed("making the tables"))?,
        Identity::Older(found) => {
            upgrade(&mut conn, found).map_err(failed("bringing it to this release's format"))?;
        }
        Identity::Ours => {}
    }
    Ok(conn)
}

/// Opens a further connection of a database that [`open_writable`] has opened, for the checkpointer.
pub(crate) fn open_second(path: &Path) -> Result<Connection, StorageError> {
    let failed = |error| StorageError::sqlite(path, "opening a second connection", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open_counted(path, flags).map_err(failed)?;
    conn.pragma_update(None, "wal_autocheckpoint", 0).map_err(failed)?;
    // Until its first read a connection does not know that there is a log, and its checkpoints do nothing.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
    Ok(conn)
}

/// A connection whose reads and writes of files are counted.
pub(crate) fn open_counted(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    match vfs::register() {
        Some(name) => Connection::open_with_flags_and_vfs(path, flags, name),
        None => Connection::open_with_flags(path, flags),
    }
}

/// Opens the database for reading only.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StorageError> {
    let failed = |error| StorageError::sqlite(path, "opening a reading connection", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    Ok(conn)
}

/// Opens a database for reading that this process has not made, if it is one of this format.
pub(crate) fn open_existing(path: &Path) -> Result<Connection, StorageError> {
    if !path.exists() {
        return Err(StorageError::NotThere { path: path.to_owned() });
    }
    refuse_other_files(path)?;
    let conn = open_read_only(path)?;
    match identify(&conn, path)? {
        Identity::Ours => Ok(conn),
        Identity::Empty => Err(StorageError::NotThere { path: path.to_owned() }),
        Identity::Older(found) => {
            Err(StorageError::OlderVersion { path: path.to_owned(), found, known: VERSION })
        }
    }
}

#[derive(PartialEq)]
enum Identity {
    Empty,
    /// Made by an earlier release, in this format.
    Older(i32),
    Ours,
}

/// A plain look at the first bytes, since SQLite takes a file of less than a page for an empty database.
pub(crate) fn refuse_other_files(path: &Path) -> Result<(), StorageError> {
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)) {
        Ok(_) if start.is_empty() || start == MAGIC => Ok(()),
        Ok(_) => Err(StorageError::NotADatabase { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            Err(StorageError::NotADatabase { path: path.to_owned() })
        }
        Err(error) => Err(StorageError::not_writable(path, &error)),
    }
}

/// Whether the file's header says that its changes go to a log first.
pub(crate) fn begins_in_wal_mode(path: &Path) -> bool {
    // Bytes 18 and 19 are the versions of the format for writing and for reading; 2 means a log.
    let mut start = [0; 20];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start[18..] == [2, 2]
}

/// Refuses databases of other programs and of newer releases.
pub(crate) fn check_identity(conn: &Connection, path: &Path) -> Result<(), StorageError> {
    match identify(conn, path)? {
        Identity::Empty => Err(StorageError::NotOurs { path: path.to_owned(), application_id: 0 }),
        Identity::Older(_) | Identity::Ours => Ok(()),
    }
}

fn identify(conn: &Connection, path: &Path) -> Result<Identity, StorageError> {
    let failed = |error| StorageError::sqlite(path, "reading the database's header", error);
    let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).map_err(failed);
    let (application_id, found) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    match (application_id, found, tables) {
        // Also what a first start leaves that was killed before it had made the tables.
        (0, 0, 0) => Ok(Identity::Empty),
        (APPLICATION_ID, VERSION, _) => Ok(Identity::Ours),
        (APPLICATION_ID, 1..VERSION, _) => Ok(Identity::Older(found)),
        (APPLICATION_ID, found, _) if found > VERSION => {
            Err(StorageError::NewerVersion { path: path.to_owned(), found, known: VERSION })
        }
        _ => Err(StorageError::NotOurs { path: path.to_owned(), application_id }),
    }
}

/// The format of a database of ours, be it of this release or an earlier one.
pub(crate) fn format_of(conn: &Connection, path: &Path) -> Result<i32, StorageError> {
    match identify(conn, path)? {
        Identity::Ours => Ok(VERSION),
        Identity::Older(found) => Ok(found),
        Identity::Empty => Err(StorageError::NotThere { path: path.to_owned() }),
    }
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    // These two matter only for a new file and must come before its first page is written.
    conn.pragma_update(None, "page_size", PAGE_BYTES.cast_signed())?;
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "the file system does not allow a write-ahead log; commits will be slow");
    }
    // The checkpointer does it, on its own connection.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A negative figure is a size in KiB, a positive one would be pages.
    conn.pragma_update(None, "cache_size", -CACHE_KIB.cast_signed())?;
    conn.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// One transaction for all steps, so that a start that is cut short leaves the format before.
fn upgrade(conn: &mut Connection, found: i32) -> rusqlite::Result<()> {
    let transaction = conn.transaction()?;
    if found < 2 {
        transaction.execute_batch(TABLES_V2)?;
    }
    if found < 3 {
        transaction.execute_batch(TABLES_V3)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    tracing::info!(from = found, to = VERSION, "the database was brought to this release's format");
    Ok(())
}

fn create(conn: &mut Connection) -> rusqlite::Result<()> {
    let transaction = conn.transaction()?;
    transaction.execute_batch(TABLES_V1)?;
    transaction.execute_batch(TABLES_V2)?;
    transaction.execute_batch(TABLES_V3)?;
    transaction.execute("INSERT INTO meta VALUES ('created_ms', ?1)", [model::UnixMillis::now().0])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    // So that the log counts the writer's pages only, and a copy of the file alone is a database.
    conn.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE)?;
    Ok(())
}
