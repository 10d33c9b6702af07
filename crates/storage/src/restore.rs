//! Putting a backup in the place of the database.
//!
//! The order matters, because the program or the power may end at any point: the new file is complete and verified
//! before anything of the old one is touched; the old one's log is emptied into it, so that it is whole as a single
//! file; it gets a second name; and the new file takes over the first name in one step.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::backup::{self, part};
use crate::files::beside;
use crate::lock::WriterLock;
use crate::moment::{Check, Company, Moment};
use crate::{BackupReport, StorageError, store};

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The new database.
    pub database: BackupReport,
    /// Where the replaced one lies now; `None` when there was none.
    pub kept: Option<PathBuf>,
}

/// Makes a copy of the backup `file` the database at `database`. A database that is there already is replaced only if
/// `keep_as` says under which name beside it it shall be kept.
///
/// # Errors
/// [`StorageError::Locked`] while a program writes the database; [`StorageError::Exists`] without `keep_as`, or when a file
/// has that name; [`StorageError::Unsound`], [`StorageError::NotOurs`], [`StorageError::NotADatabase`] and
/// [`StorageError::NewerVersion`] for a file that is no good. None of them changes the database.
pub fn restore(file: &Path, database: &Path, keep_as: Option<&Path>) -> Result<Restored, StorageError> {
    if file.canonicalize().is_ok_and(|file| database.canonicalize().is_ok_and(|ours| ours == file)) {
        return Err(StorageError::OwnFile { path: file.to_owned() });
    }
    let source = checked(file)?;
    store::make_folder(database)?;
    // Held to the end: nobody may begin to write the old file while the new one takes its place.
    let _lock = WriterLock::acquire(database)?;
    let replaces = exists(database)?;
    if replaces && keep_as.is_none() {
        return Err(StorageError::Exists { path: database.to_owned() });
    }
    if let Some(taken) = keep_as.filter(|path| path.exists()) {
        return Err(StorageError::Exists { path: taken.to_owned() });
    }
    let part = part::PartFile::create(beside(database, ".restore.part"))?;
    let report = backup::copy(source, &part, None, None, &mut |_| ControlFlow::Continue(()))?;
    take_after(&part, database);
    let kept = keep_as.filter(|_| replaces);
    put_away(database, kept)?;
    part.finish(database)?;
    Ok(Restored { database: report, kept: kept.map(Path::to_owned) })
}

/// The new file is to belong to whom the old one did, or else its folder. An ordinary user cannot give files away, and
/// then this user is most likely the program's own.
fn take_after(part: &part::PartFile, database: &Path) {
    let model = fs::metadata(database).or_else(|_| fs::metadata(store::folder_of(database)));
    let Ok(model) = model else { return };
    if let Err(error) = part.take_after(&model) {
        tracing::warn!(%error, "the restored database could not be given the owner of the one before");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, chown};
        // Made by the lock that is held now, unless it was there before.
        if let Err(error) = chown(beside(database, "-lock"), Some(model.uid()), Some(model.gid())) {
            tracing::debug!(%error, "the lock file keeps its owner");
        }
    }
}

/// A backup that is ours, of a format that is known, and sound.
fn checked(file: &Path) -> Result<Moment, StorageError> {
    let unsound = |problem| StorageError::Unsound { path: file.to_owned(), problem };
    let source = Moment::open(file, Company::Nobody).map_err(|error| match error {
        StorageError::Damaged { source, .. } => unsound(source.to_string()),
        other => other,
    })?;
    match source.faults(Check::Full)?.into_iter().next() {
        Some(fault) => Err(unsound(fault)),
        None => Ok(source),
    }
}

/// Gives the old database its other name and sees to it that nothing of its log can reach the new one.
///
/// SQLite finds a log by its name alone. One that stays behind would be played into whatever file has the database's
/// name, so it moves along when it could not be emptied.
fn put_away(database: &Path, kept: Option<&Path>) -> Result<(), StorageError> {
    if kept.is_some() {
        empty_log(database);
    }
    let failed = |path: &Path, error: &io::Error| StorageError::not_writable(path, error);
    let log = beside(database, "-wal");
    let log_is_needed = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    if let Some(kept) = kept {
        // As a second name the old file never leaves its place without a successor. Not every file system can do that.
        if fs::hard_link(database, kept).is_err() {
            fs::rename(database, kept).map_err(|error| failed(kept, &error))?;
        }
        if log_is_needed {
            let kept_log = beside(kept, "-wal");
            fs::rename(&log, &kept_log).map_err(|error| failed(&kept_log, &error))?;
        }
    } else if log_is_needed {
        // A log without its database: whose it is nobody knows, so it is not thrown away.
        let orphan = beside(database, "-wal.orphaned");
        fs::rename(&log, &orphan).map_err(|error| failed(&orphan, &error))?;
        tracing::warn!(path = %orphan.display(), "there was a log without a database; it was put aside");
    }
    for ending in ["-wal", "-shm", "-journal"] {
        remove(&beside(database, ending))?;
    }
    part::sync_folder(database)
}

/// Brings what is only in the log into the file. When that cannot be, as with a damaged file, the log is kept beside it.
fn empty_log(database: &Path) {
    if let Err(error) = Moment::open(database, Company::Program) {
        tracing::warn!(%error, "the replaced database cannot be read; it is kept as it is, with its log");
        return;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let emptied = Connection::open_with_flags(database, flags).and_then(|conn| {
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        conn.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE)
    });
    if let Err(error) = emptied {
        tracing::warn!(%error, "the log of the replaced database is kept beside it, since it could not be emptied");
    }
}

fn exists(path: &Path) -> Result<bool, StorageError> {
    path.try_exists().map_err(|error| StorageError::not_writable(path, &error))
}

fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StorageError::not_writable(path, &error))
        }
        _ => Ok(()),
    }
}
