//! What is in a database and where its bytes are.

mod log;

use std::fs;
use std::path::{Path, PathBuf};

use model::UnixMillis;
use rusqlite::OptionalExtension;

use crate::files::beside;
use crate::moment::{Check, Company, Moment};
use crate::{StorageError, lock, schema};

/// How much is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What costs microseconds, and SQLite's quick check.
    QuickCheck,
    /// Sizes and rows, for which every page is read.
    Sizes,
    /// Both.
    SizesAndCheck,
}

/// A table or an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// Rows.
    Table,
    /// An order of a table's rows.
    Index,
    /// What SQLite keeps for itself: the list of tables.
    Internal,
}

/// The pages of one table or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub name: String,
    /// The table, if it is an index; else the name again.
    pub table: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Rows, of a table.
    pub rows: Option<u64>,
    /// Pages.
    pub pages: u64,
    /// Bytes of those pages.
    pub bytes: u64,
    /// Of these, bytes of the rows themselves.
    pub payload: u64,
    /// Of these, bytes that are free.
    pub unused: u64,
}

/// A database as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// The file.
    pub path: PathBuf,
    /// Its format, and the newest that this release knows.
    pub format: (i32, i32),
    /// When it was made.
    pub created: Option<UnixMillis>,
    /// The process that writes it: `None` when none does, `Some(None)` when it did not say who it is.
    pub writer: Option<Option<u32>>,
    /// Bytes of the file on disk.
    pub file_bytes: u64,
    /// Bytes of a page.
    pub page_size: u64,
    /// Pages as of the newest commit, those in the log included.
    pub pages: u64,
    /// Pages without content, ready for use.
    pub free_pages: u64,
    /// Bytes of the log; it keeps its size when it begins anew.
    pub wal_bytes: u64,
    /// Frames in the log since it last began anew.
    pub wal_frames: u64,
    /// Tables and indexes, the largest first; empty if sizes were not asked for.
    pub objects: Vec<ObjectInfo>,
    /// When the oldest observation was heard, and the newest; if sizes were asked for.
    pub observed: Option<(UnixMillis, UnixMillis)>,
    /// What SQLite's quick check finds wrong; `None` if it was not asked for.
    pub faults: Option<Vec<String>>,
}

impl DatabaseInfo {
    /// Rows of a table, as far as they were counted.
    pub fn rows_of(&self, table: &str) -> Option<u64> {
        self.objects.iter().find(|object| object.name == table)?.rows
    }

    /// All of the database but its free pages, over the observations in it.
    pub fn bytes_per_observation(&self) -> Option<f64> {
        let rows = self.rows_of("observations").filter(|rows| *rows > 0)?;
        Some((self.pages.saturating_sub(self.free_pages) * self.page_size) as f64 / rows as f64)
    }
}

/// Looks at the database at `path`, whether the program is running or not, and changes nothing.
///
/// # Errors
/// [`StorageError::NotThere`], [`StorageError::NotADatabase`], [`StorageError::NotOurs`],
/// [`StorageError::NewerVersion`], and [`StorageError::Damaged`] when pages cannot be understood.
pub fn database_info(path: &Path, depth: Depth) -> Result<DatabaseInfo, StorageError> {
    let snapshot = Moment::open(path, Company::Program)?;
    let wal = beside(path, "-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut info = DatabaseInfo {
        path: path.to_owned(),
        format: (snapshot.format, schema::VERSION),
        created: None,
        writer: lock::holder(path),
        file_bytes: size(path),
        page_size: snapshot.page_size,
        pages: snapshot.pages,
        free_pages: 0,
        wal_bytes: size(&wal),
        wal_frames: log::frames(&wal)
            .map_err(|error| StorageError::Unsound { path: wal.clone(), problem: error.to_string() })?,
        objects: Vec::new(),
        observed: None,
        faults: None,
    };
    let failed = |error| StorageError::sqlite(path, "reading the database's sizes", error);
    read_header(&snapshot, &mut info).map_err(failed)?;
    if depth != Depth::QuickCheck {
        info.objects = objects(&snapshot).map_err(failed)?;
        let counts = snapshot.counts()?;
        for object in &mut info.objects {
            object.rows = counts.iter().find(|count| count.table == object.name).map(|count| count.rows);
        }
        info.observed = observed(&snapshot).map_err(failed)?;
    }
    if depth != Depth::Sizes {
        info.faults = Some(snapshot.faults(Check::Quick)?);
    }
    Ok(info)
}

/// The process that writes the database at `path`: `None` when none does, `Some(None)` when it did not say who it is.
pub fn writer_of(path: &Path) -> Option<Option<u32>> {
    lock::holder(path)
}

fn read_header(snapshot: &Moment, info: &mut DatabaseInfo) -> rusqlite::Result<()> {
    let free: i64 = snapshot.conn.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    info.free_pages = free.unsigned_abs();
    let sql = "SELECT value FROM meta WHERE key = 'created_ms'";
    info.created = snapshot.conn.query_row(sql, [], |row| row.get(0).map(UnixMillis)).optional()?;
    Ok(())
}

/// By SQLite's own account of its pages (<https://www.sqlite.org/dbstat.html>), one row for each tree.
fn objects(snapshot: &Moment) -> rusqlite::Result<Vec<ObjectInfo>> {
    let mut statement = snapshot.conn.prepare(
        "SELECT s.name, coalesce(o.tbl_name, s.name), o.type, s.pageno, s.pgsize, s.payload, s.unused
         FROM dbstat('main', 1) AS s LEFT JOIN sqlite_schema AS o ON o.name = s.name
         ORDER BY s.pgsize DESC, s.name",
    )?;
    let rows = statement.query_map([], |row| {
        let number = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        Ok(ObjectInfo {
            name: row.get(0)?,
            table: row.get(1)?,
            kind: match row.get::<_, Option<String>>(2)?.as_deref() {
                Some("table") => ObjectKind::Table,
                Some("index") => ObjectKind::Index,
                _ => ObjectKind::Internal,
            },
            rows: None,
            pages: number(3)?,
            bytes: number(4)?,
            payload: number(5)?,
            unused: number(6)?,
        })
    })?;
    rows.collect()
}

fn observed(snapshot: &Moment) -> rusqlite::Result<Option<(UnixMillis, UnixMillis)>> {
    let sql = "SELECT min(time), max(time) FROM observations";
    let ends: (Option<i64>, Option<i64>) =
        snapshot.conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ends.0.zip(ends.1).map(|(oldest, newest)| (UnixMillis(oldest), UnixMillis(newest))))
}
