//! A copy of the database as of one moment, made while the program goes on writing.
//!
//! SQLite's online backup copies pages from a connection that stands in a reading transaction: with a write-ahead log
//! the pages of that moment stay readable whatever is committed, so the copy never has to begin anew, and the writer
//! waits for nothing. What it costs is that the log cannot begin anew until the copy is done.

pub(crate) mod part;

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::files::beside;
use crate::moment::{Check, Company, Moment, TableCount};
use crate::{IoFile, IoStats, IoWork, StorageError, schema, store, vfs};
use part::PartFile;

/// Bytes a second when nothing else is said. An SD card of class 10 promises to write 10 MB a second in one stream; half of
/// that is left to the program's own commits, and to reading, which is from the same card.
pub const DEFAULT_BACKUP_RATE: u64 = 5_000_000;

/// 256 KiB at a time at most: the pauses between are many and short, so a commit of the program waits behind little.
const MAX_PAGES_PER_STEP: u64 = 64;

/// At low rates a step is what is due in a twentieth of a second, for the same reason.
const STEPS_PER_SEC: u64 = 20;

/// The copy is forced to the medium after so many bytes. Without that the system would collect them and write all at once,
/// and the next `fsync` of the program would wait behind the heap.
const BYTES_PER_SYNC: u64 = 4 << 20;

/// Ending of the file that becomes a [`temporary_backup`]; the name is fixed, so that there is one at a time.
const API_PART: &str = ".api-backup.part";

/// How long to wait when a lock of another process is in the way of a step.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// How a backup is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupOptions {
    /// Bytes a second at most; `None` is as fast as it goes.
    pub bytes_per_sec: Option<u64>,
    /// Whether a file that is there already is replaced, once the new one is complete and verified.
    pub overwrite: bool,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self { bytes_per_sec: Some(DEFAULT_BACKUP_RATE), overwrite: false }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupProgress {
    /// Bytes copied, of all.
    Copying {
        /// So far.
        done: u64,
        /// In the end.
        total: u64,
    },
    /// All is copied and is being checked.
    Verifying,
}

/// Asked again and again while a backup is made; `Break` ends it with [`StorageError::Cancelled`].
pub type BackupWatcher<'a> = &'a mut dyn FnMut(BackupProgress) -> ControlFlow<()>;

/// A backup that is complete and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Its size.
    pub bytes: u64,
    /// The format of its tables.
    pub format: i32,
    /// Rows by table, the same in the copy and in the database at the moment of the copy.
    pub tables: Vec<TableCount>,
    /// Time for the copy, pauses included.
    pub copied_in: Duration,
    /// Time for the verification.
    pub verified_in: Duration,
}

impl BackupReport {
    /// Rows of a table; 0 if there is none of that name.
    pub fn rows_of(&self, table: &str) -> u64 {
        self.tables.iter().find(|found| found.table == table).map_or(0, |found| found.rows)
    }
}

/// Copies the database at `database` into the file `to`, by way of `to` with `.part` behind its name.
///
/// # Errors
/// [`StorageError::NotThere`], [`StorageError::Exists`], [`StorageError::BackupUnderWay`], [`StorageError::DiskFull`],
/// [`StorageError::Unsound`] when the database or its copy does not pass the check, and the like. None of them leaves a
/// file, and none touches the one that was there before.
pub fn backup(
    database: &Path,
    to: &Path,
    options: &BackupOptions,
    watcher: BackupWatcher<'_>,
) -> Result<BackupReport, StorageError> {
    refuse_own_files(database, to)?;
    refuse_existing(to, options)?;
    let source = Moment::open(database, Company::Program)?;
    let part = PartFile::create(beside(to, ".part"))?;
    let report = copy(source, &part, options.bytes_per_sec, None, watcher)?;
    refuse_existing(to, options)?;
    part.finish(to)?;
    Ok(report)
}

/// Copies the database into a file that has no name any more when this returns: it is gone when the value is dropped,
/// and when the process ends in whatever way. It lies beside the database, where there should be room. What it writes is
/// counted in `counted`, as caused by [`IoWork::Backup`].
///
/// # Errors
/// As [`backup`]; [`StorageError::BackupUnderWay`] while another one is made, by any process.
pub fn temporary_backup(
    database: &Path,
    options: &BackupOptions,
    counted: Option<&Arc<IoStats>>,
    watcher: BackupWatcher<'_>,
) -> Result<(File, BackupReport), StorageError> {
    let source = Moment::open(database, Company::Program)?;
    let part = PartFile::create(beside(database, API_PART))?;
    let report = copy(source, &part, options.bytes_per_sec, counted, watcher)?;
    Ok((part.into_nameless()?, report))
}

/// Removes what a process that was killed while it made a [`temporary_backup`] has left.
pub fn remove_unfinished_backup(database: &Path) {
    let path = beside(database, API_PART);
    if path.exists() {
        // Taken over if nobody works on it, and then dropped.
        drop(PartFile::create(path));
    }
}

/// Copies, forces to the medium and verifies. The source is let go before the check, so that the log can begin anew.
pub(crate) fn copy(
    source: Moment,
    part: &PartFile,
    bytes_per_sec: Option<u64>,
    counted: Option<&Arc<IoStats>>,
    watcher: BackupWatcher<'_>,
) -> Result<BackupReport, StorageError> {
    let start = Instant::now();
    copy_pages(&source, part, bytes_per_sec, counted, watcher)?;
    // After the copy, when the pages are in the system's memory and counting costs no second reading of the disk.
    let tables = source.counts()?;
    let (bytes, format) = (source.bytes(), source.format);
    drop(source);
    force(part, counted)?;
    let copied_in = start.elapsed();

    go_on(watcher(BackupProgress::Verifying))?;
    let start = Instant::now();
    verify(part.path(), &tables)?;
    Ok(BackupReport { bytes, format, tables, copied_in, verified_in: start.elapsed() })
}

fn copy_pages(
    source: &Moment,
    part: &PartFile,
    bytes_per_sec: Option<u64>,
    counted: Option<&Arc<IoStats>>,
    watcher: BackupWatcher<'_>,
) -> Result<(), StorageError> {
    let total = source.bytes();
    // Until the copy is closed.
    let _counting = vfs::count_backup_apart(counted);
    let failed = |error| write_failed(part.path(), total, error);
    let mut target = open_target(part.path()).map_err(failed)?;
    let copying = Backup::new(&source.conn, &mut target).map_err(failed)?;
    let start = Instant::now();
    let mut synced = 0;
    let pages = bytes_per_sec.map_or(MAX_PAGES_PER_STEP, |rate| rate / STEPS_PER_SEC / source.page_size);
    let pages = pages.clamp(1, MAX_PAGES_PER_STEP) as i32;
    loop {
        let step = copying.step(pages).map_err(failed)?;
        let left = u64::try_from(copying.progress().remaining).unwrap_or(0) * source.page_size;
        let done = if step == StepResult::Done { total } else { total.saturating_sub(left) };
        go_on(watcher(BackupProgress::Copying { done, total }))?;
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => std::thread::sleep(BUSY_PAUSE),
        }
        if done >= synced + BYTES_PER_SYNC {
            force(part, counted)?;
            synced = done;
        }
        if let Some(rate) = bytes_per_sec {
            let due = Duration::from_secs_f64(done as f64 / rate.max(1) as f64);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
    }
    drop(copying);
    target.close().map_err(|(_, error)| failed(error))
}

fn force(part: &PartFile, counted: Option<&Arc<IoStats>>) -> Result<(), StorageError> {
    if let Some(io) = counted {
        io.counts(IoWork::Backup, IoFile::Backup).syncs.increment();
    }
    part.sync()
}

/// The file is nobody's database before it has its final name, so it needs neither a journal nor an early `fsync`.
fn open_target(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let target = schema::open_counted(path, flags)?;
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "OFF")?;
    Ok(target)
}

fn verify(path: &Path, expected: &[TableCount]) -> Result<(), StorageError> {
    let unsound = |problem: String| StorageError::Unsound { path: path.to_owned(), problem };
    let copy = Moment::open(path, Company::Nobody).map_err(|error| unsound(error.to_string()))?;
    if let Some(fault) = copy.faults(Check::Full)?.into_iter().next() {
        return Err(unsound(fault));
    }
    let found = copy.counts()?;
    for (wanted, found) in expected.iter().zip(&found) {
        if wanted != found {
            let (table, rows) = (&wanted.table, wanted.rows);
            return Err(unsound(format!("it has {} rows of {table}, and the database {rows}", found.rows)));
        }
    }
    if found.len() != expected.len() {
        return Err(unsound(format!("it has {} tables, and the database {}", found.len(), expected.len())));
    }
    Ok(())
}

fn go_on(wish: ControlFlow<()>) -> Result<(), StorageError> {
    if wish.is_break() { Err(StorageError::Cancelled) } else { Ok(()) }
}

fn refuse_existing(to: &Path, options: &BackupOptions) -> Result<(), StorageError> {
    match fs::symlink_metadata(to) {
        Ok(found) if found.is_dir() => Err(StorageError::NotWritable {
            path: to.to_owned(),
            reason: "it is a folder; name a file in it".to_owned(),
        }),
        Ok(_) if !options.overwrite => Err(StorageError::Exists { path: to.to_owned() }),
        _ => Ok(()),
    }
}

/// A backup over the database, or over one of the files that belong to it, would be the end of both.
fn refuse_own_files(database: &Path, to: &Path) -> Result<(), StorageError> {
    let real = |path: &Path| -> io::Result<PathBuf> {
        let folder = store::folder_of(path).canonicalize()?;
        Ok(path.file_name().map(|name| folder.join(name)).unwrap_or(folder))
    };
    let (Ok(ours), Ok(theirs)) = (real(database), real(to)) else { return Ok(()) };
    let own = ["", "-wal", "-shm", "-journal", "-lock"];
    let same_file =
        database.canonicalize().ok().is_some_and(|path| to.canonicalize().is_ok_and(|to| to == path));
    if same_file || own.iter().any(|ending| beside(&ours, ending) == theirs) {
        return Err(StorageError::OwnFile { path: to.to_owned() });
    }
    Ok(())
}

fn write_failed(part: &Path, needed: u64, error: rusqlite::Error) -> StorageError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return StorageError::DiskFull { path: part.to_owned(), needed };
    }
    StorageError::sqlite(part, "copying the database", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Storage, StorageOptions};

    #[test]
    fn a_copy_with_other_rows_than_the_database_does_not_pass() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("test.db");
        Storage::open(StorageOptions::new(&database)).unwrap().close().unwrap();
        let counts = Moment::open(&database, Company::Nobody).unwrap().counts().unwrap();
        verify(&database, &counts).unwrap();
        let mut one_more = counts.clone();
        one_more[0].rows += 1;
        let one_table_less = &counts[1..];
        for expected in [&one_more[..], one_table_less] {
            let error = verify(&database, expected).unwrap_err();
            assert!(matches!(error, StorageError::Unsound { .. }), "{error:?}");
        }
    }
}
