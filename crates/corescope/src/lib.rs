//! Reads the database of CoreScope, of any age, into ours.
//!
//! The file is looked at, not its version: which tables and columns there are, and what the cells hold. What was heard goes
//! through the decisions of live packets ([`ingest::History`]): one decoder, one duplicate rule, one format. What is wrong
//! in the file and can be put right is put right and counted (hashes that are not those of the bytes, observers that are
//! not known, fractions where there are none); what cannot be kept is left out and counted by reason.
//!
//! This crate must never write the file that it reads, nor leave anything beside it, and must never believe what the file
//! says of a packet when the packet's bytes say it, too.
//!
//! ```
//! use std::sync::Arc;
//!
//! use corescope::{ImportOptions, Source, Target, import};
//! use index::IndexOptions;
//! use ingest::IngestConfig;
//! use meshcore::{KeyRing, ScopeSet};
//! use storage::{Storage, StorageOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("meshcore.db");
//! rusqlite::Connection::open(&path)?.execute_batch(
//!     "CREATE TABLE transmissions (id INTEGER PRIMARY KEY, raw_hex TEXT, hash TEXT, first_seen TEXT);
//!      CREATE TABLE observations (id INTEGER PRIMARY KEY, transmission_id INTEGER, observer_id TEXT,
//!          snr REAL, rssi REAL, score INTEGER, path_json TEXT, timestamp TEXT);
//!      INSERT INTO transmissions VALUES (1, '0D00DEADBEEF', 'ffffffffffffffff', '2025-06-01T12:00:00Z');
//!      INSERT INTO observations VALUES (1, 1, 'DUNE-NORTH', 7.5, -88, 612.4, '[\"A1\"]', '2025-06-01 12:00:01');",
//! )?;
//!
//! let storage = Storage::open(StorageOptions::new(folder.path().join("analyzer.db")))?;
//! let options = ImportOptions {
//!     ingest: IngestConfig::default(),
//!     index: IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) },
//! };
//! let report = import(&Source::open(&path)?, Target::Storage(&storage), &options, &mut |_| {})?;
//! assert_eq!((report.transmissions.taken, report.observations.taken), (1, 1));
//! assert_eq!(report.transmissions.repaired["hash_recomputed"], 1);
//! storage.close()?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod coverage;
mod dropped;
mod error;
mod fates;
mod frames;
mod import;
mod metrics;
mod nodes;
mod observers;
mod packets;
mod report;
mod source;

pub use error::ImportError;
pub use import::{ImportOptions, OnProgress, Phase, Progress, Target, import};
pub use report::{Report, TableReport};
pub use source::Source;
