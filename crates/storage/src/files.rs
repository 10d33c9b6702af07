//! Whether the files at the database's paths are still the ones that are open.
//!
//! A file that is deleted or replaced while it is open lives on, without a name, until it is closed. SQLite goes on
//! writing it, and with the end of the process all of that is gone.

use std::fs::{self, Permissions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and inode.
type Identity = (u64, u64);

/// The files of an open database.
#[derive(Debug)]
pub(crate) struct Files {
    database: PathBuf,
    wal: PathBuf,
    open_database: Option<Identity>,
    open_wal: Option<Identity>,
    permissions: Option<Permissions>,
}

/// What has become of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// There is nothing at the database's path.
    DatabaseDeleted,
    /// There is another file at the database's path.
    DatabaseReplaced,
    /// There is nothing, or another file, at the log's path.
    Wal,
}

impl Files {
    /// Of a database that has just been opened and read.
    pub(crate) fn of(database: &Path) -> Self {
        // SQLite follows a link, and has the log beside the file that it leads to.
        let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let wal = beside(&database, "-wal");
        let (open_database, open_wal) = (identity(&database), identity(&wal));
        let permissions = fs::metadata(&database).ok().map(|metadata| metadata.permissions());
        Self { database, wal, open_database, open_wal, permissions }
    }

    /// What the database allowed to whom when it was opened.
    pub(crate) fn permissions(&self) -> Option<Permissions> {
        self.permissions.clone()
    }

    /// Where the database really lies.
    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    /// Two questions to the file system, some microseconds.
    pub(crate) fn lost(&self) -> Option<Lost> {
        match identity(&self.database) {
            // What cannot be looked at, for want of permission or because the medium is gone, is not known to be lost.
            None if is_absent(&self.database) => return Some(Lost::DatabaseDeleted),
            Some(found) if self.open_database.is_some_and(|open| open != found) => {
                return Some(Lost::DatabaseReplaced);
            }
            _ => {}
        }
        let open_wal = self.open_wal?;
        match identity(&self.wal) {
            None if is_absent(&self.wal) => Some(Lost::Wal),
            Some(found) if found != open_wal => Some(Lost::Wal),
            _ => None,
        }
    }
}

impl Lost {
    /// What happened, for the operator.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::DatabaseDeleted => "the database file was deleted while it was in use",
            Self::DatabaseReplaced => "another file was put in place of the database while it was in use",
            Self::Wal => "the write-ahead log was deleted or replaced while it was in use",
        }
    }

    /// What to do where the writer cannot help itself.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::DatabaseDeleted | Self::Wal => {
                "leave the program running, it holds the content and writes it back as soon as it can: make room, and \
                 see that the folder is there and can be written"
            }
            Self::DatabaseReplaced => {
                "nothing is acknowledged until the database is back: move it back in place, or stop the program, \
                 delete the -wal and -shm files beside the new one, and start again"
            }
        }
    }
}

/// The path of a file that lies beside the database.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn is_absent(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
