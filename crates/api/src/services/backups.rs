//! A copy of the database, as it passes through [`super::Services`].

use std::fs::File;
use std::future::Future;
use std::pin::Pin;

/// A copy of the database that is complete and verified.
#[derive(Debug)]
pub struct BackupFile {
    /// Stands at its begin. It has no name any more, so nothing is left of it when it is closed.
    pub content: File,
    /// Its length.
    pub bytes: u64,
}

/// The copy, once it is made.
pub type BackupMaking = Pin<Box<dyn Future<Output = Result<BackupFile, BackupError>> + Send>>;

/// Why there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// Another one is being made.
    #[error("another backup is under way")]
    UnderWay,
    /// There is no room for it.
    #[error("no room for the backup")]
    NoRoom(String),
    /// The database, or the disk, is in no state to be copied.
    #[error("the backup failed")]
    Failed(String),
}
