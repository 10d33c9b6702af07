//! What can go wrong, each with the path and what was being done.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the database could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder or a file in it cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    NotWritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is something at the path, but not an SQLite database.
    #[error("{} is not a database; it was left as it is", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// An SQLite database of another program.
    #[error("{} is a database of another program (application id {application_id:#x}); it was left as it is", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What its header says.
        application_id: i32,
    },
    /// No database, or an empty one that is just being made.
    #[error("there is no database at {}", path.display())]
    NotThere {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// An older release made this database, and only the process that writes brings it up to date.
    #[error(
        "{} has format {found}, older than this release's {known}: start `run` or `ingest` once to bring it up to date",
        path.display()
    )]
    OlderVersion {
        /// The file.
        path: PathBuf,
        /// Format of the file.
        found: i32,
        /// Newest format that this release knows.
        known: i32,
    },
    /// A newer release made this database.
    #[error("{} has format {found}, and this release knows formats up to {known}: use a newer release", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Format of the file.
        found: i32,
        /// Newest format that this release knows.
        known: i32,
    },
    /// Another process (or another part of this one) writes this database.
    #[error("{} is in use by {}", path.display(), holder.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The database file.
        path: PathBuf,
        /// Process that holds it, where it said so.
        holder: Option<u32>,
    },
    /// The file's content contradicts itself.
    #[error(
        "{} is damaged: {source} while {doing}; stop the program, copy the file with its -wal file, and rescue what \
         is left with `sqlite3 {} .recover`, or move it away to begin anew",
        path.display(), path.display()
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// SQLite refused for another reason.
    #[error("{}: {source} while {doing}", path.display())]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file that would have been overwritten.
    #[error("{} exists already and was left as it is", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A backup was to be written over the database, or over a file that belongs to it, or restored from itself.
    #[error("{} is the database itself or a part of it; name another file", path.display())]
    OwnFile {
        /// The file.
        path: PathBuf,
    },
    /// Somebody is writing this file already.
    #[error("{} is being written by another backup", path.display())]
    BackupUnderWay {
        /// The unfinished file.
        path: PathBuf,
    },
    /// A copy does not fit.
    #[error("the disk is full: {} needs {needed} bytes; make room or choose another place", path.display())]
    DiskFull {
        /// The unfinished file, which has been removed.
        path: PathBuf,
        /// Bytes of the whole copy.
        needed: u64,
    },
    /// A file did not pass the check.
    #[error("{} is not sound: {problem}", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// The first thing that is wrong.
        problem: String,
    },
    /// Whoever asked for it does not want it any more.
    #[error("the backup was given up")]
    Cancelled,
    /// The system would not start a thread.
    #[error("cannot start thread {name}: {source}")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The storage has been closed, or its writer has died.
    #[error("the storage is closed")]
    Closed,
    /// Commits fail at present; they are retried, and nothing is lost meanwhile.
    #[error("commits to {} fail at present and are retried: {reason}", path.display())]
    WriteFailing {
        /// The database file.
        path: PathBuf,
        /// What SQLite said to the newest attempt.
        reason: String,
    },
    /// Closing gave up: these rows were never acknowledged and are not stored.
    #[error("{rows} rows could not be written to {} before the end: {reason}", path.display())]
    Unwritten {
        /// The database file.
        path: PathBuf,
        /// How many.
        rows: usize,
        /// What SQLite said to the last attempt.
        reason: String,
    },
}

impl StorageError {
    /// Sorts an error of SQLite by what the operator has to do about it.
    pub(crate) fn sqlite(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, doing, source },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path, reason: format!("{source} while {doing}") }
            }
            _ => Self::Sqlite { path, doing, source },
        }
    }

    pub(crate) fn not_writable(path: &Path, error: &io::Error) -> Self {
        Self::NotWritable { path: path.to_owned(), reason: error.to_string() }
    }
}
