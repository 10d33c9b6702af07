//! What the ingest process tells serving processes about its books, once a second, and what they may ask it.

use api::PruneStatus;
use serde::{Deserialize, Serialize};
use xray::{
    AlertEvent, AlertsReport, Delivery, Device, HistoryAnswer, JobAction, JobError, JobReport, JobsReport,
    SeriesInfo, ThreadRow,
};

/// The books of one moment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BooksReport {
    /// Tells one list of series from another, so that it need not be sent each time.
    pub(crate) catalogue_id: u64,
    /// The series; only when a follower may not have them yet.
    pub(crate) catalogue: Option<Vec<SeriesInfo>>,
    /// When the sample was taken, in milliseconds since 1970; 0 before the first.
    pub(crate) at_ms: i64,
    /// The sample, in the order of the series.
    pub(crate) sample: Vec<u64>,
    pub(crate) jobs: JobsReport,
    /// Without events.
    pub(crate) alerts: AlertsReport,
    /// The newest events, newest first; only when a follower may not have them yet.
    pub(crate) events: Option<Vec<AlertEvent>>,
    pub(crate) facts: Facts,
}

/// What is known of a process beside its series.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) threads: Vec<ThreadRow>,
    /// The medium that holds the database.
    pub(crate) device: Option<Device>,
    /// Why it is not known.
    pub(crate) no_device_because: Option<String>,
    /// Why figures of the kernel are missing.
    pub(crate) unknown_because: Option<String>,
}

impl Facts {
    /// The medium, or why it is not known.
    pub(crate) fn device(&self) -> Result<Device, String> {
        let reason =
            || self.no_device_because.clone().unwrap_or_else(|| "the system does not tell".to_owned());
        self.device.clone().ok_or_else(reason)
    }
}

/// What a serving process asks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    ControlJob { name: String, action: JobAction },
    BlackBox { event: u64 },
    TestWebhooks,
    Prune { keys: Vec<String> },
    PruneStatus { id: String },
}

/// What it is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Job(Result<Box<JobReport>, JobError>),
    BlackBox(Option<HistoryAnswer>),
    Deliveries(Vec<Delivery>),
    /// The number of the request, if it was taken.
    Pruning(Option<String>),
    PruneStatus(Option<PruneStatus>),
}
