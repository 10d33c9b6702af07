//! Reading a database beside the program that writes it, or while none does: one moment of it, without disturbing anybody.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::files::beside;
use crate::{StorageError, schema, snapshot};

/// Longest list of faults that a check gives; one is enough to know that the file cannot be trusted.
const MAX_FAULTS: u32 = 20;

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCount {
    /// Name of the table.
    pub table: String,
    /// Rows in it.
    pub rows: u64,
}

/// How thoroughly a database is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Every page, but not whether indexes agree with their tables.
    Quick,
    /// Everything.
    Full,
}

/// Who else may have the file open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// The program may be running, or may start meanwhile.
    Program,
    /// Nobody: a file that was put away.
    Nobody,
}

/// A connection within a reading transaction: it sees one moment of the database, whatever is written meanwhile.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) conn: Connection,
    pub(crate) path: PathBuf,
    /// The format that its tables have.
    pub(crate) format: i32,
    pub(crate) page_size: u64,
    pub(crate) pages: u64,
}

impl Moment {
    /// Takes the moment of now.
    ///
    /// Without a log file nobody has the database open, and then the connection may write: that is how SQLite takes
    /// its own `-wal` and `-shm` away when it closes, which a connection for reading only would leave lying about.
    pub(crate) fn open(path: &Path, company: Company) -> Result<Self, StorageError> {
        if !path.exists() {
            return Err(StorageError::NotThere { path: path.to_owned() });
        }
        schema::refuse_other_files(path)?;
        // SQLite takes less than a page for an empty database, and throws the log of such a one away.
        if path.metadata().is_ok_and(|file| file.len() < schema::PAGE_BYTES) {
            return Err(StorageError::NotThere { path: path.to_owned() });
        }
        let has_log = beside(path, "-wal").metadata().is_ok_and(|log| log.len() > 0);
        if !has_log && company == Company::Nobody {
            return Self::of(open_immutable(path)?, path);
        }
        let mode = if beside(path, "-wal").exists() {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let usual = open(path, mode).and_then(|conn| Self::of(conn, path));
        match usual {
            // The folder may not be ours to write. Where there is no log, the file alone is the whole database.
            Err(StorageError::NotWritable { .. }) if !has_log => Self::of(open_immutable(path)?, path),
            other => other,
        }
    }

    fn of(conn: Connection, path: &Path) -> Result<Self, StorageError> {
        let failed = |error| StorageError::sqlite(path, "beginning to read", error);
        conn.execute_batch("PRAGMA query_only = 1; BEGIN").map_err(failed)?;
        // The first read is what fixes the moment.
        let format = schema::format_of(&conn, path)?;
        let number =
            |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(failed);
        let (page_size, pages) = (number("page_size")?.unsigned_abs(), number("page_count")?.unsigned_abs());
        Ok(Self { conn, path: path.to_owned(), format, page_size, pages })
    }

    /// Size of the database as a single file.
    pub(crate) fn bytes(&self) -> u64 {
        self.pages * self.page_size
    }

    /// Rows of every table, counted.
    pub(crate) fn counts(&self) -> Result<Vec<TableCount>, StorageError> {
        self.count().map_err(|error| StorageError::sqlite(&self.path, "counting the rows", error))
    }

    fn count(&self) -> rusqlite::Result<Vec<TableCount>> {
        let mut statement =
            self.conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
        let tables = statement.query_map([], |row| row.get::<_, String>(0))?;
        tables
            .map(|table| {
                let table = table?;
                let sql = format!("SELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
                let rows: i64 = self.conn.query_row(&sql, [], |row| row.get(0))?;
                Ok(TableCount { table, rows: rows.unsigned_abs() })
            })
            .collect()
    }

    /// What is wrong with the file, one sentence each; empty when nothing is.
    pub(crate) fn faults(&self, check: Check) -> Result<Vec<String>, StorageError> {
        let pragma = match check {
            Check::Quick => "quick_check",
            Check::Full => "integrity_check",
        };
        match self.run_check(pragma) {
            Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
            // Damage so deep that even the check cannot go on is a finding, not a failure to look.
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
                Ok(vec![error.to_string()])
            }
            Err(error) => Err(StorageError::sqlite(&self.path, "checking the database", error)),
        }
    }

    fn run_check(&self, pragma: &str) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.conn.prepare(&format!("PRAGMA {pragma}({MAX_FAULTS})"))?;
        let lines = statement.query_map([], |row| row.get(0))?;
        lines.collect()
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StorageError> {
    let failed = |error| StorageError::sqlite(path, "opening the database", error);
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    conn.busy_timeout(schema::BUSY_TIMEOUT).map_err(failed)?;
    Ok(conn)
}

fn open_immutable(path: &Path) -> Result<Connection, StorageError> {
    snapshot::open_immutable(path).map_err(|error| StorageError::sqlite(path, "opening the database", error))
}
