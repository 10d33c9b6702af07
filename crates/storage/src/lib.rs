//! Durable rows: one writer thread, readers, and the stream by which a start rebuilds the index.
//!
//! A packet is its raw bytes, stored once; an observation is eight integers. Nothing that can be decoded again is
//! stored, and nothing but an integer key is indexed, so that appending touches only the last page of each table.
//! This crate must never be asked per web request for data that the index has in memory, and must never decide what
//! a row means: it keeps [`model::Change`]s and gives them back.
//!
//! ```
//! use model::{Change, FrameHead, HeadId};
//! use storage::{Storage, StorageOptions, WriteBatch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let options = StorageOptions::new(folder.path().join("packets.db"));
//!
//! let storage = Storage::open(options.clone())?;
//! let head = Change::Head(FrameHead { id: HeadId(0), bytes: vec![0x02, 0x00].into() });
//! storage.writer().submit(WriteBatch { changes: vec![head.clone()], on_durable: None })?;
//! storage.close()?;
//!
//! let mut found = Vec::new();
//! let storage = Storage::open(options)?;
//! let report = storage.load(&mut |_| {}, &mut |change| found.push(change))?;
//! assert_eq!((report.heads, found), (1, vec![head]));
//! # Ok(())
//! # }
//! ```
//!
//! # What "durable" promises
//! [`WriteBatch::on_durable`] runs when the commit that holds the batch has returned. From then on the rows survive
//! the end of the process by any means, kill -9 included. With [`Durability::PowerLoss`], the default, the log has
//! also been forced to the medium (`synchronous=FULL`, one `fsync` per group of batches), so they survive
//! power loss as far as the medium keeps its own promises. With [`Durability::ProcessEnd`] the last seconds
//! may be missing after power loss; the database is consistent in any case.
//!
//! Rows that nobody waits for (`on_durable: None`) become durable within [`StorageOptions::max_batch_delay`], sooner when
//! many come; what the end of the process can take of them is what was gathered by then.
//!
//! # When something goes wrong
//! | what | what the writer does |
//! | --- | --- |
//! | disk full, I/O error, lock of another process, no permission | tries again for as long as it lasts; submitters wait, nobody is answered |
//! | one row that the database refuses | keeps it in the table `set_aside` and writes the others |
//! | damage, a table gone, anything else that does not pass | after some tries puts the batch aside in `<db>-aside` on the medium, answers, and takes it in again at the next start |
//! | the log or the database is deleted while in use | writes the content back from the open files, then goes on |
//! | another file is put in place of the database | does not touch it, tries again, nobody is answered |
//! | a step of retention fails | tells who asked; nothing has changed, and ingest goes on |

#![deny(unsafe_code)]

mod aside;
mod backup;
mod checkpoint;
mod error;
mod files;
mod id_set;
mod info;
mod load;
mod lock;
mod moment;
mod options;
mod pages;
mod reader;
mod restore;
mod rows;
mod schema;
mod snapshot;
mod stats;
mod status;
mod store;
mod tail;
mod vfs;
mod writer;

pub use backup::{
    BackupOptions, BackupProgress, BackupReport, BackupWatcher, DEFAULT_BACKUP_RATE, backup,
    remove_unfinished_backup, temporary_backup,
};
pub use error::StorageError;
pub use info::{DatabaseInfo, Depth, ObjectInfo, ObjectKind, database_info, writer_of};
pub use load::{LastIds, LoadPhase, LoadProgress, LoadReport, RECEPTIONS_LOADED, SkippedRows};
pub use moment::TableCount;
pub use options::{Durability, StorageOptions};
pub use pages::{PageStats, TreeKind, TreeStats};
pub use reader::{DbFigures, Reader, StoredSegment, TableRows};
pub use restore::{Restored, restore};
pub use schema::{APPLICATION_ID, PAGE_BYTES};
pub use snapshot::{Snapshot, has_log, open_without_trace};
pub use stats::{
    CheckpointReason, CheckpointResult, IoCounts, IoFile, IoStats, IoWork, LastWriteError, SourceStats,
    WriteSource, WriteStats,
};
pub use store::Storage;
pub use tail::{News, Tail};
#[cfg(debug_assertions)]
pub use writer::Rewritten;
pub use writer::{Removal, RemovedRows, StepFigures, Stepped, WriteBatch, WriterHandle};
