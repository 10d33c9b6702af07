//! What can be asked of the books, wherever they are kept.

use crate::{
    AlertsReport, Delivery, HistoryAnswer, JobAction, JobReport, JobsReport, Ledger, SeriesKind, Unit,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The books of this process, or those of the ingest process that it follows. All answers come from memory, but for history
/// of more than an hour ago, which is read from small files.
pub trait Books: Send + Sync {
    /// All series with their newest values.
    fn readings(&self) -> Vec<SeriesReading>;

    /// Series over time.
    ///
    /// # Errors
    /// When a series is not known or the window makes no sense.
    fn history(&self, query: &HistoryQuery) -> Result<HistoryAnswer, HistoryError>;

    /// Who has written what and where, over the last so many seconds.
    fn ledger(&self, window_secs: u32) -> Ledger;

    /// The background jobs.
    fn jobs(&self) -> JobsReport;

    /// Pauses, resumes or starts a job.
    ///
    /// # Errors
    /// [`JobError`].
    fn control_job(&self, name: &str, action: JobAction) -> Result<JobReport, JobError>;

    /// What is wrong, and what was; the newest `events` events.
    fn alerts(&self, events: usize) -> AlertsReport;

    /// The seconds around an event: ten minutes before and after it.
    fn black_box(&self, event: u64) -> Option<HistoryAnswer>;

    /// Sends a test to each webhook and waits for the answers, some seconds at most.
    fn test_webhooks(&self) -> Vec<Delivery>;
}

/// A series with its newest value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesReading {
    /// Such as `written.packets.wal`.
    pub name: String,
    /// Counter or gauge.
    pub kind: SeriesKind,
    /// What is counted.
    pub unit: Unit,
    /// What it is, in a sentence.
    pub help: String,
    /// Since the start for a counter, now for a gauge.
    pub value: u64,
    /// A counter's mean a second over the last 30 (or over what there is); null for gauges and before the second reading.
    pub per_sec: Option<f64>,
}

/// Which series, over which window. All may be left out but the series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Names of series, at most 32.
    pub series: Vec<String>,
    /// Seconds since 1970; an hour before `to_secs` when left out.
    pub from_secs: Option<i64>,
    /// Seconds since 1970; now when left out.
    pub to_secs: Option<i64>,
    /// Seconds from one value to the next; when left out, as fine as the history has it for so old a window, and no more than
    /// about 720 values.
    pub step_secs: Option<u32>,
}

/// Why there is no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A series that the books do not keep.
    #[error("no series `{0}`; /api/perf/series lists them")]
    UnknownSeries(String),
    /// A window or a step that makes no sense; the text names the parameter first.
    #[error("{parameter}: {problem}")]
    BadWindow {
        /// `from`, `to`, `step` or `series`.
        parameter: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why a job was not controlled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum JobError {
    /// There is none of this name.
    #[error("no job `{0}`")]
    Unknown(String),
    /// This cannot be done to this job.
    #[error("{job} cannot be told to {action}: {reason}")]
    Refused {
        /// Its name.
        job: String,
        /// What was asked for.
        action: String,
        /// Why not.
        reason: String,
    },
    /// The jobs are those of another process, which cannot be reached.
    #[error("{0}")]
    Elsewhere(String),
}
