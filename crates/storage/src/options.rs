//! Settings of the storage.

use std::path::PathBuf;
use std::time::Duration;

/// What an acknowledged row survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Loss of power, as far as the medium keeps its promises: one `fsync` of the log per group of batches.
    #[default]
    PowerLoss,
    /// The end of the process by any means. After loss of power the last seconds may be missing. No `fsync` but at
    /// checkpoints: for media that wear out or are very slow.
    ProcessEnd,
}

/// Where the database lies and how writes are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageOptions {
    /// The database file. Its folder is made if it is missing; `-wal`, `-shm` and `-lock` files lie beside it.
    pub path: PathBuf,
    /// A group of batches is committed when it has this many rows. At 5,000 rows a commit is some 45 pages, nearly all
    /// of them full, so larger groups save little and make more work of a retry.
    pub max_batch_rows: usize,
    /// A group is committed at the latest this long after its first row came. One second at 100 observations a second
    /// costs some 250 bytes of log per observation; a tenth of it would cost ten times as much. Under load groups
    /// close earlier: by rows, or when senders have fallen silent to wait for their acknowledgements.
    pub max_batch_delay: Duration,
    /// Rows that wait for the writer at most; then [`crate::WriterHandle::submit`] blocks. Four groups: enough to go on
    /// during a commit, and some megabytes at worst.
    pub queue_rows: usize,
    /// What an acknowledged row survives.
    pub durability: Durability,
    /// How long [`crate::Storage::close`] goes on trying to commit when commits fail.
    pub close_patience: Duration,
}

impl StorageOptions {
    /// The defaults for a database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_batch_rows: 5_000,
            max_batch_delay: Duration::from_secs(1),
            queue_rows: 20_000,
            durability: Durability::default(),
            close_patience: Duration::from_secs(10),
        }
    }
}
