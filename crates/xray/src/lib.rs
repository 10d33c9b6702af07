//! The Write X-ray: books on every byte that the analyzer writes, kept by the analyzer itself.
//!
//! Everything that is known is a *series*: a counter or a gauge with a name ([`SeriesInfo`]), read once a second. History,
//! ledger, rates, flags and alerts are views on the series. This crate must never know SQLite, HTTP or MQTT: whoever has a
//! figure registers a way to read it. Reading must not allocate, and nothing here may ever make ingest wait.

#![forbid(unsafe_code)]

mod alerts;
mod baseline;
mod books;
mod files;
mod history;
mod jobs;
mod ledger;
mod meter;
mod recent;
mod report;
mod rules;
mod series;

pub use alerts::Alerts;
pub use baseline::{Baselines, Usual};
pub use books::{Books, HistoryError, HistoryQuery, JobError, SeriesReading};
pub use files::{Written, replace_file, replace_file_durably};
pub use history::{Growth, History, HistoryFileError, HistoryOpenError};
pub use jobs::{Job, JobPlan, Jobs, Run, StepReport, Wake, Work};
pub use ledger::LedgerView;
pub use meter::Meter;
pub use recent::Recent;
pub use report::*;
pub use rules::{Change, Watch};
pub use series::{Catalogue, SeriesId, Sources, info};
