//! The books of the process that writes: the meter that reads the series, the rules, the alerts, the jobs.

use super::sources;
use super::system::System;
use super::views::{self, Samples};
use super::wire::{Ask, BooksReport, Reply};
use crate::config::WebhooksConfig;
use crate::parts::jobs::BackgroundJobs;
use crate::parts::prunings::Prunings;
use crate::parts::webhooks::Webhooks;
use anyhow::{Context as _, Result};
use api::{LiveHub, SourceRate};
use index::SharedIndex;
use ingest::IngestLedger;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use storage::{PAGE_BYTES, WriteStats};
use telemetry::Counter;
use xray::{
    Alerts, AlertsReport, Baselines, Books, Catalogue, Delivery, Flag, History, HistoryAnswer, HistoryError,
    HistoryQuery, JobAction, JobError, JobReport, JobsReport, Ledger, Meter, SeriesReading, Sources,
    StepReport, Thresholds, Watch, Written,
};

/// The folder of the books within the data folder.
const FOLDER: &str = "xray";

/// Events that are told to serving processes; their pages show no more at once.
const EVENTS_TOLD: usize = 100;

/// Over how many seconds the rate of a write source is taken.
const RATE_SECS: u32 = 30;

/// The counters of rows that are the sign of a cause of bytes, with that cause. Frame heads and transmissions go with their
/// observations.
const CAUSES: [(&str, &str); 9] = [
    ("obs_inserted", "packets"),
    ("observer_upserts", "observers"),
    ("metrics_upserts", "metrics"),
    ("node_upserts", "nodes"),
    ("dropped_inserted", "dropped"),
    ("receptions_inserted", "coverage"),
    ("rows_removed", "retention"),
    ("pages_freed", "vacuum"),
    ("checkpoints", "checkpoint"),
];

/// What the books are about.
pub(crate) struct OwnParts<'a> {
    /// `run` or `ingest`.
    pub(crate) process: &'static str,
    pub(crate) database: &'a Path,
    pub(crate) stats: Arc<WriteStats>,
    pub(crate) ledger: Arc<IngestLedger>,
    pub(crate) index: SharedIndex,
    pub(crate) jobs: BackgroundJobs,
    pub(crate) viewers: Option<Viewers>,
    /// What was written to the stats file, if there is one.
    pub(crate) stats_file: Option<Arc<Written>>,
    /// What was written of the list of known channels, if one is fetched.
    pub(crate) known_channels: Option<Arc<Written>>,
    pub(crate) thresholds: Thresholds,
    pub(crate) webhooks: WebhooksConfig,
}

/// What is known of those who ask over HTTP.
#[derive(Clone)]
pub(crate) struct Viewers {
    pub(crate) requests: Arc<Counter>,
    pub(crate) hub: LiveHub,
    /// What they had written to the configuration.
    pub(crate) config_written: Arc<Written>,
}

/// The books. They are read once a second for as long as this lives.
pub(crate) struct OwnBooks {
    process: &'static str,
    catalogue_id: u64,
    samples: Samples,
    watching: Arc<Mutex<Watching>>,
    jobs: BackgroundJobs,
    system: System,
    webhooks: Arc<Webhooks>,
    /// Id of the newest event that serving processes were told of.
    newest_told: AtomicU64,
    /// Taken out when the program stops.
    meter: Mutex<Option<Meter>>,
}

/// What looks at each sample.
struct Watching {
    watch: Watch,
    alerts: Alerts,
}

impl OwnBooks {
    /// Opens the books and starts the meter.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(parts: OwnParts<'_>) -> Result<Self> {
        let folder = folder_of(parts.database);
        let alerts_written = Arc::new(Written::default());
        let (mut sources, system) = series_of(&parts, &alerts_written);
        // Last, because the history must know all series before it can count itself.
        let history_written = Arc::new(Written::default());
        sources::files_of(&mut sources, "history", "the history of these series", &history_written);
        let catalogue = Arc::new(sources.catalogue().clone());
        let history = open_history(&folder, &catalogue, history_written);
        let samples = Samples::new(Arc::clone(&catalogue), history);
        let baselines = Baselines::open(&catalogue, &folder, Arc::clone(&alerts_written));
        let watch = Watch::new(&catalogue, &parts.jobs.registry, parts.thresholds, baselines);
        let alerts = Alerts::open(&folder, sources::now_ms(), alerts_written).unwrap_or_else(|error| {
            tracing::warn!(%error, "alerts are kept in memory only");
            Alerts::in_memory()
        });
        let watching = Arc::new(Mutex::new(Watching { watch, alerts }));
        let told = Arc::clone(&watching);
        let webhooks = Webhooks::start(parts.webhooks, move |event, delivery| {
            told.lock().alerts.delivered(event, delivery);
        })?;
        for event in watching.lock().alerts.untold(sources::now_ms()) {
            webhooks.send(event.clone());
        }
        let books = Self {
            process: parts.process,
            catalogue_id: id_of(&catalogue),
            samples,
            watching,
            jobs: parts.jobs,
            system,
            webhooks: Arc::new(webhooks),
            newest_told: AtomicU64::new(0),
            meter: Mutex::new(None),
        };
        let meter =
            Meter::start(sources, books.tick(parts.stats)).context("cannot start the meter thread")?;
        *books.meter.lock() = Some(meter);
        Ok(books)
    }

    /// What is done with each sample.
    fn tick(&self, stats: Arc<WriteStats>) -> impl FnMut(i64, &[u64]) + Send + use<> {
        let (samples, watching) = (self.samples.clone(), Arc::clone(&self.watching));
        let (jobs, webhooks) = (self.jobs.clone(), Arc::clone(&self.webhooks));
        let mut observed = Observed::default();
        move |at_ms, sample| {
            samples.push(at_ms, sample);
            observed.book(&jobs, &stats, &samples);
            let mut watching = watching.lock();
            let Watching { watch, alerts } = &mut *watching;
            samples.recent(|recent| {
                let changes = watch.evaluate(at_ms, recent, &jobs.registry);
                alerts.record(at_ms, changes).into_iter().for_each(|event| webhooks.send(event));
                alerts.tick(at_ms, recent);
            });
        }
    }

    /// Ends the meter after a last reading, and writes down what only memory has.
    pub(crate) fn stop(&self) {
        drop(self.meter.lock().take());
        self.samples.close();
        let mut watching = self.watching.lock();
        self.samples.recent(|recent| watching.alerts.close(recent));
    }

    /// How quickly the write sources grow, by their names.
    pub(crate) fn source_rates(&self) -> BTreeMap<String, SourceRate> {
        // The tick takes this lock before that of the samples, so it must not be taken within.
        let (flags, usual) = {
            let (watching, now_ms) = (self.watching.lock(), sources::now_ms());
            let usual =
                CAUSES.map(|(_, cause)| watching.watch.usual(cause, now_ms).map(|usual| usual.median));
            (watching.watch.active(), usual)
        };
        self.samples.recent(|recent| {
            let catalogue = recent.catalogue();
            let written = |cause: &str| -> f64 {
                let prefix = format!("written.{cause}.");
                catalogue.under(&prefix).filter_map(|(id, _)| recent.rate(id, RATE_SECS)).sum()
            };
            let all: f64 = catalogue.under("written.").filter_map(|(id, _)| recent.rate(id, RATE_SECS)).sum();
            let window_ms = (recent.covered(RATE_SECS) * 1e3) as u64;
            let rate = |(id, name): (xray::SeriesId, &str)| {
                let per_sec = recent.rate(id, RATE_SECS)?;
                let place = CAUSES.iter().position(|(rows, _)| *rows == name);
                let cause = place.map(|place| CAUSES[place].1);
                let bytes = cause.map(written);
                let rate = SourceRate {
                    per_sec,
                    window_ms,
                    cause: cause.map(str::to_owned),
                    usual_bytes_per_sec: place.and_then(|place| usual[place]),
                    bytes_per_sec: bytes,
                    share_of_bytes: bytes.filter(|_| all > 0.0).map(|bytes| bytes / all),
                    flag: cause.and_then(|cause| reason_of(&flags, cause)),
                };
                Some((name.to_owned(), rate))
            };
            catalogue.under("rows.").filter_map(rate).collect()
        })
    }

    /// Rows that jobs have rewritten, by job; CoreScope calls that backfills.
    pub(crate) fn rewritten_rows(&self) -> Vec<(String, u64)> {
        let reports = self.samples.recent(|recent| self.jobs.registry.reports(recent));
        let rewriting = reports.into_iter().filter(|job| job.unchanged > 0);
        rewriting.map(|job| (job.name, job.changed + job.unchanged)).collect()
    }

    /// What serving processes are told.
    pub(crate) fn report(&self, with_series: bool) -> BooksReport {
        let (catalogue, at_ms, sample) = self.samples.recent(|recent| {
            let newest = recent.samples().last();
            let (at_ms, sample) = newest.map_or((0, Vec::new()), |(at_ms, sample)| (at_ms, sample.to_vec()));
            (with_series.then(|| recent.catalogue().infos().to_vec()), at_ms, sample)
        });
        let newest_event = self.watching.lock().alerts.events(1).first().map_or(0, |event| event.id);
        let is_news = self.newest_told.swap(newest_event, Ordering::Relaxed) != newest_event;
        BooksReport {
            catalogue_id: self.catalogue_id,
            catalogue,
            at_ms,
            sample,
            jobs: self.jobs(),
            alerts: self.alerts(0),
            events: (is_news || with_series).then(|| self.watching.lock().alerts.events(EVENTS_TOLD)),
            facts: self.system.facts(),
        }
    }

    /// Answers a serving process.
    pub(crate) fn answer(&self, question: &[u8], prunings: &Arc<Prunings>) -> Vec<u8> {
        let reply = match serde_json::from_slice(question) {
            Ok(Ask::ControlJob { name, action }) => Reply::Job(self.control_job(&name, action).map(Box::new)),
            Ok(Ask::BlackBox { event }) => Reply::BlackBox(self.black_box(event)),
            Ok(Ask::TestWebhooks) => Reply::Deliveries(self.test_webhooks()),
            Ok(Ask::Prune { keys }) => {
                let keys = keys.iter().filter_map(|key| key.parse().ok()).collect();
                Reply::Pruning(prunings.begin(keys))
            }
            Ok(Ask::PruneStatus { id }) => Reply::PruneStatus(prunings.status(&id)),
            Err(error) => {
                tracing::warn!(%error, "a serving process asks what nobody understands");
                return Vec::new();
            }
        };
        // It is plain data, which can always be written as JSON.
        serde_json::to_vec(&reply).unwrap_or_default()
    }
}

impl Books for OwnBooks {
    fn readings(&self) -> Vec<SeriesReading> {
        self.samples.readings()
    }

    fn history(&self, query: &HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
        self.samples.history(query)
    }

    fn ledger(&self, window_secs: u32) -> Ledger {
        let facts = self.system.facts();
        let process = self.samples.process_ledger(self.process, window_secs, &facts);
        views::ledger(window_secs, vec![process], self.samples.wear(&facts))
    }

    fn jobs(&self) -> JobsReport {
        JobsReport { jobs: self.samples.recent(|recent| self.jobs.registry.reports(recent)) }
    }

    fn control_job(&self, name: &str, action: JobAction) -> Result<JobReport, JobError> {
        self.samples.recent(|recent| self.jobs.registry.control(name, action, recent))
    }

    fn alerts(&self, events: usize) -> AlertsReport {
        let watching = self.watching.lock();
        AlertsReport {
            verdict: self.samples.recent(|recent| watching.watch.verdict(recent)),
            active: watching.watch.active(),
            events: watching.alerts.events(events),
            webhooks: self.webhooks.states(),
            thresholds: watching.watch.thresholds(),
        }
    }

    fn black_box(&self, event: u64) -> Option<HistoryAnswer> {
        let watching = self.watching.lock();
        self.samples.recent(|recent| watching.alerts.black_box(event, recent))
    }

    fn test_webhooks(&self) -> Vec<Delivery> {
        self.webhooks.test()
    }
}

/// Work that is seen in the counters, because nobody of ours loops over it.
#[derive(Default)]
struct Observed {
    checkpoints: u64,
    copied_frames: u64,
    history_bytes: u64,
}

impl Observed {
    fn book(&mut self, jobs: &BackgroundJobs, stats: &WriteStats, samples: &Samples) {
        let (checkpoints, frames) = (stats.checkpoints.get(), stats.checkpointed_frames.get());
        if checkpoints > self.checkpoints {
            let copied = frames - self.copied_frames;
            let took = stats.last_checkpoint().map_or(Duration::ZERO, |last| last.took);
            jobs.checkpoint.observed(copied_pages(copied), took);
            (self.checkpoints, self.copied_frames) = (checkpoints, frames);
        }
        jobs.history.hindered(samples.history_error());
        let bytes = samples.history_bytes();
        if bytes > self.history_bytes {
            let written_bytes = bytes - self.history_bytes;
            jobs.history.observed(StepReport { written_bytes, ..StepReport::default() }, Duration::ZERO);
            self.history_bytes = bytes;
        }
    }
}

fn copied_pages(pages: u64) -> StepReport {
    StepReport { examined: pages, changed: pages, written_bytes: pages * PAGE_BYTES, ..StepReport::default() }
}

/// All series but those of the history.
fn series_of(parts: &OwnParts<'_>, alerts_written: &Arc<Written>) -> (Sources, System) {
    let mut sources = Sources::default();
    sources::storage(&mut sources, &parts.stats);
    sources::rows(&mut sources, &parts.stats);
    sources::ingest(&mut sources, Arc::clone(&parts.ledger));
    sources::files(&mut sources, parts.database);
    sources::log(&mut sources);
    sources::files_of(&mut sources, "alerts", "alerts and baselines", alerts_written);
    if let Some(written) = &parts.stats_file {
        sources::files_of(&mut sources, "stats_file", "the stats file for other programs", written);
    }
    if let Some(written) = &parts.known_channels {
        sources::files_of(&mut sources, "known_channels", "the list of known channels", written);
    }
    if let Some(viewers) = &parts.viewers {
        sources::viewers(&mut sources, viewers);
    }
    sources::index(&mut sources, Arc::clone(&parts.index));
    parts.jobs.registry.series(&mut sources);
    let system = System::register(&mut sources, Some(parts.database));
    (sources, system)
}

/// Where the books of a database are kept.
pub(crate) fn folder_of(database: &Path) -> PathBuf {
    database.parent().unwrap_or(Path::new(".")).join(FOLDER)
}

fn open_history(folder: &Path, catalogue: &Arc<Catalogue>, written: Arc<Written>) -> History {
    History::open(folder, Arc::clone(catalogue), written).unwrap_or_else(|error| {
        tracing::warn!(%error, "the history of the figures is kept in memory only");
        History::in_memory(Arc::clone(catalogue))
    })
}

/// Lists of series that differ have different ids, as well as a hash can promise it.
fn id_of(catalogue: &Catalogue) -> u64 {
    let mut hasher = DefaultHasher::new();
    catalogue.infos().iter().for_each(|info| info.name.hash(&mut hasher));
    hasher.finish()
}

fn reason_of(flags: &[Flag], cause: &str) -> Option<String> {
    flags.iter().find(|flag| flag.subject.name == cause).map(|flag| flag.reason.clone())
}

#[cfg(test)]
mod tests;
