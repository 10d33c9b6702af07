//! Why nothing, or not all, can be imported.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use storage::StorageError;

/// Each says which file, what is wrong with it, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no file.
    #[error("there is no file {}", path.display())]
    Missing {
        /// What was named.
        path: PathBuf,
    },
    /// The system does not let us read it.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Not a database at all.
    #[error("{} is no SQLite database", path.display())]
    NotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// A database of this program.
    #[error(
        "{} is a database of meshcore-analyzer already; there is nothing to import, `run --data-dir` uses it as it is",
        path.display()
    )]
    OurOwn {
        /// The file.
        path: PathBuf,
    },
    /// A layout from before CoreScope told packets from their observations.
    #[error(
        "{} has the layout of the oldest releases, one table `packets` where `transmissions` and `observations` were \
         looked for: let a newer CoreScope open it once, which converts it, and import it then",
        path.display()
    )]
    TooOld {
        /// The file.
        path: PathBuf,
    },
    /// A database of some other program.
    #[error("{} is no database of CoreScope: {missing} was looked for and is not there", path.display())]
    NotCoreScope {
        /// The file.
        path: PathBuf,
        /// The table or column.
        missing: String,
    },
    /// Rows lie in a log that cannot be opened, such as on a read-only medium.
    #[error(
        "{} has rows in its log, the file with `-wal` behind its name, and that cannot be opened where it lies: copy \
         both files to a folder that can be written, and import from there",
        path.display()
    )]
    LogOutOfReach {
        /// The database file.
        path: PathBuf,
    },
    /// Some program wrote the file while it was read without a lock.
    #[error(
        "{} was changed while it was read; what was read is kept, and another import takes up what is missing",
        path.display()
    )]
    Changed {
        /// The database file.
        path: PathBuf,
    },
    /// The file contradicts itself or cannot be read to its end.
    #[error(
        "{}: {error} while reading {what}; what was read until then is kept. `sqlite3 {} .recover` may rescue the rest",
        path.display(), path.display()
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// Which part was being read.
        what: &'static str,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// Our own database cannot be read or written.
    #[error(transparent)]
    Target(#[from] StorageError),
}

impl ImportError {
    /// Sorts an error of SQLite by what the operator has to do about it.
    pub(crate) fn sqlite(path: &Path, what: &'static str, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::LogOutOfReach { path }
            }
            _ => Self::Damaged { path, what, error },
        }
    }
}
