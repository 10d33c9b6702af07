//! The database that is read: how it is opened, what it has, and its cells.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ingest::Scalar;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::ImportError;

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Page cache for reading, in KiB: the inner pages of a table of ten million rows fit.
const CACHE_KIB: i64 = 32 * 1024;

/// What an import cannot do without.
const NEEDED: &[(&str, &[&str])] =
    &[("transmissions", &["raw_hex"]), ("observations", &["transmission_id", "timestamp"])];

/// The tables that an import reads, and those that hold nothing but CoreScope's notes on itself.
const READ: &[&str] = &[
    "observers",
    "transmissions",
    "observations",
    "nodes",
    "inactive_nodes",
    "observer_metrics",
    "dropped_packets",
    "client_observers",
    "client_receptions",
    "_migrations",
    "_async_migrations",
];

/// A database of CoreScope, open for reading only.
///
/// All is read as of one moment, also while CoreScope writes. Which release made it does not matter: what is looked at is
/// which tables and columns there are.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    conn: Connection,
    /// The file's state at the begin.
    state: Option<FileState>,
}

/// Length, time of the last change, and whether there is a log beside it: how a file that nobody locks shows that it was
/// written.
type FileState = (u64, Option<SystemTime>, bool);

/// The columns of a table.
pub(crate) struct Table {
    name: &'static str,
    columns: HashSet<String>,
}

impl Source {
    /// Opens a database of CoreScope.
    ///
    /// # Errors
    /// One sentence for each thing that the file may be instead.
    pub fn open(path: &Path) -> Result<Source, ImportError> {
        look_at_file(path)?;
        let state = file_state(path);
        let failed = |error| ImportError::sqlite(path, "its tables", error);
        let conn = storage::open_without_trace(path).map_err(failed)?;
        conn.pragma_update(None, "cache_size", -CACHE_KIB).map_err(failed)?;
        // The moment is that of the first read within the transaction.
        conn.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;").map_err(failed)?;
        let source = Source { path: path.to_owned(), conn, state };
        source.identify()?;
        Ok(source)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// The table, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn table(&self, name: &'static str) -> Result<Option<Table>, ImportError> {
        let columns = || {
            let mut statement = self.conn.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
            statement.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<String>>>()
        };
        let columns = columns().map_err(self.failed("its tables"))?;
        Ok((!columns.is_empty()).then_some(Table { name, columns }))
    }

    /// About how many rows a table has: the distance between its first and last, which costs two looks.
    pub(crate) fn about_rows(&self, table: &str) -> u64 {
        let end = |function: &str| {
            let sql = format!("SELECT {function}(rowid) FROM {table}");
            self.conn.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten()
        };
        let (first, last) = (end("min"), end("max"));
        first.zip(last).map_or(0, |(first, last)| last.abs_diff(first).saturating_add(1))
    }

    /// All other tables that hold something, with their rows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn other_tables(&self) -> Result<BTreeMap<String, u64>, ImportError> {
        let read = || {
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
            let mut statement = self.conn.prepare(sql)?;
            let names =
                statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            let others = names.into_iter().filter(|name| !READ.contains(&name.to_lowercase().as_str()));
            let mut counts = BTreeMap::new();
            for name in others {
                let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
                let rows: i64 = self.conn.query_row(&sql, [], |row| row.get(0))?;
                if rows > 0 {
                    counts.insert(name, rows.cast_unsigned());
                }
            }
            Ok(counts)
        };
        read().map_err(self.failed("its other tables"))
    }

    pub(crate) fn failed(&self, what: &'static str) -> impl Fn(rusqlite::Error) -> ImportError + '_ {
        move |error| ImportError::sqlite(&self.path, what, error)
    }

    /// Refuses to have read a file that somebody has written meanwhile.
    ///
    /// # Errors
    /// [`ImportError::Changed`].
    pub(crate) fn check_unchanged(&self) -> Result<(), ImportError> {
        // With a log beside it the file is read under SQLite's locks, and may change as it likes.
        let was_alone = self.state.is_some_and(|(_, _, in_use)| !in_use);
        if was_alone && file_state(&self.path) != self.state {
            return Err(ImportError::Changed { path: self.path.clone() });
        }
        Ok(())
    }

    fn identify(&self) -> Result<(), ImportError> {
        let path = || self.path.clone();
        let id = self.conn.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
        if id.map_err(self.failed("its header"))? == storage::APPLICATION_ID {
            return Err(ImportError::OurOwn { path: path() });
        }
        for (name, columns) in NEEDED {
            let missing = match self.table(name)? {
                None if self.table("packets")?.is_some() => return Err(ImportError::TooOld { path: path() }),
                None => format!("table `{name}`"),
                Some(table) => match columns.iter().find(|column| !table.has(column)) {
                    Some(column) => format!("column `{column}` of table `{name}`"),
                    None => continue,
                },
            };
            return Err(ImportError::NotCoreScope { path: path(), missing });
        }
        Ok(())
    }
}

impl Table {
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains(column)
    }

    /// A query for these columns in this order; those that there are not are NULL. `behind` is what follows the table's
    /// name.
    pub(crate) fn select(&self, columns: &[&str], behind: &str) -> String {
        // `rowid` is there without being among the columns.
        let is_there = |column: &str| column == "rowid" || self.has(column);
        let columns: Vec<&str> =
            columns.iter().map(|column| if is_there(column) { *column } else { "NULL" }).collect();
        format!("SELECT {} FROM {} {behind}", columns.join(", "), self.name)
    }

    /// The column by which rows are named: `id`, or SQLite's own number in tables that have no such column.
    pub(crate) fn id(&self) -> &'static str {
        if self.has("id") { "id" } else { "rowid" }
    }
}

/// A cell of whatever type. SQLite lets any column hold anything, and so did CoreScope's makers.
pub(crate) fn cell<'r>(row: &'r Row<'_>, column: usize) -> Scalar<'r> {
    match row.get_ref(column) {
        Ok(ValueRef::Integer(number)) => Scalar::Number(number as f64),
        Ok(ValueRef::Real(number)) => Scalar::Number(number),
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Scalar::Text(String::from_utf8_lossy(bytes)),
        Ok(ValueRef::Null) | Err(_) => Scalar::Absent,
    }
}

/// A cell that names a row.
pub(crate) fn row_number(row: &Row<'_>, column: usize) -> Option<i64> {
    match row.get_ref(column).ok()? {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
        ValueRef::Real(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(number as i64),
        _ => None,
    }
}

fn look_at_file(path: &Path) -> Result<(), ImportError> {
    let mut start = Vec::new();
    let path = path.to_owned();
    match File::open(&path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)) {
        Ok(_) if start == MAGIC => Ok(()),
        Ok(_) => Err(ImportError::NotSqlite { path }),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(ImportError::Missing { path }),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(ImportError::NotSqlite { path }),
        Err(error) => Err(ImportError::Unreadable { path, error }),
    }
}

fn file_state(path: &Path) -> Option<FileState> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok(), storage::has_log(path)))
}
