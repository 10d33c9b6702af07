//! What the ingest process tells the serving processes: changes as they are decided, before the disk has them.
//!
//! A serving process reads the history from the database. Following the database alone would show a packet only when its
//! batch is committed, seconds later on a quiet mesh; committing more often would wear out the disk for the sake of viewers.
//! So ingest also tells its changes over a Unix socket beside the database, and which of them have become durable. Whoever
//! connects gets first all changes that are not durable yet: with what the database then holds, nothing is missing between.
//!
//! Followers may also ask (a job is to be paused, say), and get the answer of whoever ingest has appointed to give it.
//!
//! This crate must never decide anything about packets, and never make ingest wait: a follower that cannot keep up is
//! disconnected, and loads anew.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use feed::{FeedServer, Follower, News};
//! use model::{Change, FrameHead, HeadId};
//!
//! let folder = tempfile::tempdir()?;
//! let database = folder.path().join("analyzer.db");
//! let server = FeedServer::bind(&database)?;
//! let head = Change::Head(FrameHead { id: HeadId(0), bytes: vec![0x02, 0x00].into() });
//! server.handle().publish(std::slice::from_ref(&head));
//!
//! let heard = tokio::task::spawn_blocking(move || {
//!     let mut follower = Follower::connect(&database)?;
//!     follower.next(std::time::Duration::from_secs(5))
//! });
//! assert_eq!(heard.await??, Some(News::Changes { sequence: 1, changes: vec![head] }));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod error;
mod follower;
mod frame;
mod server;

pub use error::FeedError;
pub use follower::{Asker, Follower};
pub use frame::News;
pub use server::{FeedHandle, FeedServer};

use std::path::{Path, PathBuf};

/// The socket of a database: beside it, so that whoever may read the folder finds it.
fn socket_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-feed");
    name.into()
}
