//! What can go wrong between the two processes.

use std::io;
use std::path::PathBuf;

/// Why there is no feed, or no more.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The socket cannot be opened.
    #[error("cannot listen on {}: {source}", path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What the system said; a path of more than about 100 bytes is too long for a socket.
        source: io::Error,
    },
    /// Nobody is at the other end.
    #[error("no ingest process at {}: {source}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The ingest process has gone, or has dropped this follower because it was too slow.
    #[error("the ingest process has closed the feed")]
    Closed,
    /// Reading failed.
    #[error("reading the feed: {0}")]
    Read(#[from] io::Error),
    /// The other end speaks another version.
    #[error(
        "the ingest process is of another release (feed version {found}, here {known}): start both from the same one"
    )]
    OtherRelease {
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Bytes that are not a frame.
    #[error("the feed is garbled: {0}")]
    Garbled(String),
}
