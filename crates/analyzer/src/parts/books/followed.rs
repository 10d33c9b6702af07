//! The books of the ingest process that this process follows, and the little that this process writes itself.

use super::asks::Asks;
use super::serving::ServingBooks;
use super::views::{self, Samples};
use super::wire::{Ask, BooksReport, Facts, Reply};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use xray::{
    AlertsReport, Books, Catalogue, Delivery, HistoryAnswer, HistoryError, HistoryQuery, JobAction, JobError,
    JobReport, JobsReport, Ledger, Level, SeriesReading, Verdict,
};

/// An ingest process that has been silent for longer is said to be; the contract's bound of the stats file.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(5);

/// A replica, fed by reports.
pub(crate) struct FollowedBooks {
    /// Where the ingest process keeps its history.
    folder: PathBuf,
    state: Mutex<Option<Replica>>,
    /// What this process does.
    own: ServingBooks,
    asks: Arc<Asks>,
}

struct Replica {
    catalogue_id: u64,
    samples: Samples,
    heard: Instant,
    jobs: JobsReport,
    alerts: AlertsReport,
    facts: Facts,
}

impl FollowedBooks {
    /// Knows nothing yet. `own` are those of this process.
    pub(crate) fn new(folder: PathBuf, own: ServingBooks, asks: Arc<Asks>) -> Self {
        Self { folder, state: Mutex::new(None), own, asks }
    }

    /// Takes in what the ingest process tells.
    pub(crate) fn take(&self, report: BooksReport) {
        let BooksReport { catalogue_id, catalogue, at_ms, sample, jobs, mut alerts, events, facts } = report;
        let mut state = self.state.lock();
        if state.as_ref().is_none_or(|replica| replica.catalogue_id != catalogue_id) {
            // Without the list of series a sample means nothing; it comes within seconds.
            let Some(infos) = catalogue else { return };
            alerts.events = events.unwrap_or_default();
            let samples = Samples::following(Arc::new(Catalogue::new(infos)), &self.folder);
            let heard = Instant::now();
            *state = Some(Replica { catalogue_id, samples, heard, jobs, alerts, facts });
        } else if let Some(replica) = state.as_mut() {
            alerts.events = events.unwrap_or_else(|| std::mem::take(&mut replica.alerts.events));
            (replica.jobs, replica.alerts, replica.facts) = (jobs, alerts, facts);
            replica.heard = Instant::now();
        }
        if let Some(replica) = state.as_ref().filter(|_| at_ms > 0) {
            replica.samples.push(at_ms, &sample);
        }
    }

    /// How long ago the ingest process said something; `None` when it never has.
    pub(crate) fn silence(&self) -> Option<Duration> {
        self.state.lock().as_ref().map(|replica| replica.heard.elapsed())
    }

    /// Asks the replica; `None` while there is none.
    fn of<T>(&self, ask: impl FnOnce(&Replica) -> T) -> Option<T> {
        self.state.lock().as_ref().map(ask)
    }
}

/// Why the ingest process cannot be told anything.
const NOT_REACHED: &str = "the job belongs to the ingest process, which cannot be reached";

impl Books for FollowedBooks {
    fn readings(&self) -> Vec<SeriesReading> {
        self.of(|replica| replica.samples.readings()).unwrap_or_else(|| self.own.samples.readings())
    }

    fn history(&self, query: &HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
        self.of(|replica| replica.samples.history(query)).unwrap_or_else(|| self.own.samples.history(query))
    }

    fn ledger(&self, window_secs: u32) -> Ledger {
        let own = self.own.process_ledger(window_secs);
        let Some((ingest, wear)) = self.of(|replica| {
            let ingest = replica.samples.process_ledger("ingest", window_secs, &replica.facts);
            (ingest, replica.samples.wear(&replica.facts))
        }) else {
            return views::ledger(window_secs, vec![own], xray::Wear::default());
        };
        views::ledger(window_secs, vec![ingest, own], wear)
    }

    fn jobs(&self) -> JobsReport {
        self.of(|replica| replica.jobs.clone()).unwrap_or_default()
    }

    fn control_job(&self, name: &str, action: JobAction) -> Result<JobReport, JobError> {
        match self.asks.ask(&Ask::ControlJob { name: name.to_owned(), action }) {
            Some(Reply::Job(answer)) => answer.map(|report| *report),
            _ => Err(JobError::Elsewhere(NOT_REACHED.to_owned())),
        }
    }

    fn alerts(&self, events: usize) -> AlertsReport {
        let silence = self.silence();
        let mut report = self.of(|replica| replica.alerts.clone()).unwrap_or_default();
        report.events.truncate(events);
        if let Some(text) = silent(silence) {
            // What was wrong when it fell silent is still shown, but nobody knows what is wrong now.
            report.verdict = Verdict { level: Level::Unknown, text };
        }
        report
    }

    fn black_box(&self, event: u64) -> Option<HistoryAnswer> {
        match self.asks.ask(&Ask::BlackBox { event }) {
            Some(Reply::BlackBox(answer)) => answer,
            _ => None,
        }
    }

    fn test_webhooks(&self) -> Vec<Delivery> {
        match self.asks.ask(&Ask::TestWebhooks) {
            Some(Reply::Deliveries(deliveries)) => deliveries,
            _ => Vec::new(),
        }
    }
}

/// Says that the ingest process is silent, if it is.
pub(crate) fn silent(silence: Option<Duration>) -> Option<String> {
    match silence {
        None => Some("the ingest process has not been heard yet".to_owned()),
        Some(silence) if silence > SILENT_AFTER => {
            Some(format!("the ingest process has been silent for {} s", silence.as_secs()))
        }
        Some(_) => None,
    }
}
