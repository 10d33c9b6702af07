//! What the writer does when somebody deletes its files under it.
//!
//! The open files still have everything, so it is written back to where it belongs, provided that this overwrites
//! nothing. Until then transactions fail and are tried again: nothing is acknowledged that only a nameless file holds.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Error, MAIN_DB, OpenFlags, ffi};

use super::commit::Committer;
use crate::aside::sync_folder;
use crate::files::{Files, Lost, beside};
use crate::{IoWork, StorageError, schema, vfs};

/// Pages of one step of a copy; without pauses between, since nobody can write anyway.
const COPY_PAGES: i32 = 4_096;

impl Committer {
    /// Looks whether the files are still in place, and puts them back if that is safe.
    pub(super) fn keep_files(&mut self) -> rusqlite::Result<()> {
        let Some(lost) = self.files.lost() else {
            if self.lost.take().is_some() {
                tracing::info!(path = %self.path().display(), "the database is in place again");
            }
            return Ok(());
        };
        if self.lost != Some(lost) {
            // Said once; the counter and the last error tell the rest.
            tracing::error!(path = %self.path().display(), "{}", lost.what());
        }
        match self.restore(lost) {
            Ok(()) => {
                self.lost = None;
                self.stats().files_restored.increment();
                tracing::warn!(path = %self.path().display(), "what the lost file held was written back; nothing is missing");
                Ok(())
            }
            Err(error) => {
                if self.lost != Some(lost) {
                    tracing::error!(path = %self.path().display(), reason = %error, "it could not be put back yet; {}", lost.advice());
                }
                self.lost = Some(lost);
                Err(moved(&format!("{}: {error}", lost.what())))
            }
        }
    }

    fn restore(&mut self, lost: Lost) -> rusqlite::Result<()> {
        // No checkpoint may run meanwhile, and afterwards none on files without a name.
        let checkpoints = std::sync::Arc::clone(&self.checkpoints);
        let mut second = checkpoints.connection();
        vfs::at_work(IoWork::Checkpoint);
        match lost {
            Lost::DatabaseReplaced => return Err(moved("it is left alone")),
            Lost::Wal => self.empty_log()?,
            Lost::DatabaseDeleted => self.copy_back()?,
        }
        vfs::at_work(IoWork::Opening);
        let open = |error: StorageError| moved(&error.to_string());
        let path = self.path().to_owned();
        let conn = schema::open_writable(&path).map_err(open)?;
        // The old connections close after the new ones are open: the last one of a database to close would take the log
        // with it.
        let new_second = schema::open_second(&path).map_err(open)?;
        self.use_connection(conn)?;
        *second = Some(new_second);
        drop(second);
        self.checkpoints.log_is_new();
        Ok(())
    }

    /// Brings all of the nameless log into the database file, so that a new one can begin.
    fn empty_log(&mut self) -> rusqlite::Result<()> {
        self.connection().wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE).map(|_| ())
    }

    /// Copies the nameless database, its log included, to where it was.
    fn copy_back(&mut self) -> rusqlite::Result<()> {
        let database = self.files.database().to_owned();
        let copy = beside(&database, "-restored");
        let io = |error: std::io::Error| moved(&error.to_string());
        remove_if_there(&copy).map_err(io)?;
        // Nobody else may look at it meanwhile; then it allows what the lost one did.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy).map_err(io)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut target = schema::open_counted(&copy, flags)?;
        Backup::new(self.connection(), &mut target)?.run_to_completion(COPY_PAGES, Duration::ZERO, None)?;
        target.close().map_err(|(_, error)| error)?;
        if let Some(permissions) = self.files.permissions() {
            fs::set_permissions(&copy, permissions).map_err(io)?;
        }
        // What lies in the old log is in the copy, and replaying it over the copy would ruin it.
        for suffix in ["-wal", "-shm"] {
            remove_if_there(&beside(&database, suffix)).map_err(io)?;
        }
        // A link fails where there is a file meanwhile; a rename would replace it.
        fs::hard_link(&copy, &database).map_err(io)?;
        remove_if_there(&copy).map_err(io)?;
        sync_folder(&database).map_err(io)
    }

    /// Which files are open now.
    pub(super) fn note_files(&mut self) {
        self.files = Files::of(self.path());
    }
}

/// The error that SQLite has for this case and does not look for where there is a log.
pub(super) fn moved(reason: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY_DBMOVED), Some(reason.to_owned()))
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
