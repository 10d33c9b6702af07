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
    /// A group is committed at the latest this long after its first row came, when nobody waits for an answer. Five
    /// seconds at five observations a second cost some 800 bytes of log an observation, one second costs 2,300
    /// (`cargo xtask bench write`). It is also the most that the end of the process can take from senders at QoS 0. Under
    /// load groups close earlier: see `writer/pace.rs`.
    pub max_batch_delay: Duration,
    /// A group is committed at the latest this long after a sender began to wait for its acknowledgement. Senders give
    /// up and send again after some 5 to 30 seconds; one second leaves them unworried and still gathers all that a mesh
    /// sends within it. Senders that have all fallen silent to wait are answered within milliseconds, if there are
    /// enough rows to be worth a commit.
    pub max_ack_delay: Duration,
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
            max_batch_delay: Duration::from_secs(5),
            max_ack_delay: Duration::from_secs(1),
            queue_rows: 20_000,
            durability: Durability::default(),
            close_patience: Duration::from_secs(10),
        }
    }
}
