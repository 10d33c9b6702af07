//! The books of the process that writes.

use super::sources;
use super::views::{self, Samples};
use super::wire::{Ask, BooksReport, Facts, Reply};
use crate::parts::jobs::BackgroundJobs;
use crate::parts::webhooks::Webhooks;
use api::LiveHub;
use ingest::IngestLedger;
use parking_lot::Mutex;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::WriteStats;
use telemetry::Counter;
use xray::{
    AlertsReport, Alerts, Baselines, Books, Catalogue, Delivery, HistoryAnswer, HistoryError, HistoryQuery, JobAction,
    JobError, JobReport, JobsReport, Ledger, Meter, SeriesReading, Sources, StepReport, Thresholds, Watch,
};

/// The folder of the books within the data folder.
const FOLDER: &str = "xray";
