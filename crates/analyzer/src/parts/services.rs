//! What the API asks of the rest of the program: of this process, or of the ingest process that it follows.

use super::backup;
use super::books::{BooksReport, FollowedBooks, OwnBooks, SILENT_AFTER, silent};
use super::figures::{Figures, Report, process_io};
use super::load::LoadProgress;
use super::registry::ProcessRegistry;
use super::window;
use api::{
    BackupMaking, DbFigures, Freshness, IngestReport, IoRates, LoadStatus, MqttSourceRow, PacketSubmission,
    Services, Submission, SubmitError, SubmittedPacket, WindowFigures, WriteSourcesSnapshot,
};
use ingest::{SubmitAnswer, SubmitHandle, Window};
use meshcore::Hex;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::Reader;
use telemetry::ProcessSampler;

/// How often /proc is read.
const SAMPLING: Duration = Duration::from_secs(1);

/// Both halves are in this process.
pub(crate) struct OneProcess {
    pub(crate) figures: Arc<Figures>,
    pub(crate) books: Arc<OwnBooks>,
    pub(crate) submit: SubmitHandle,
    pub(crate) progress: Arc<LoadProgress>,
    pub(crate) database: PathBuf,
    pub(crate) backup: backup::OfWriter,
    pub(crate) registry: Arc<ProcessRegistry>,
    pub(crate) window: Arc<Window>,
}

/// The receiving half is another process.
pub(crate) struct FollowingProcess {
    progress: Arc<LoadProgress>,
    report: Arc<LatestReport>,
    sampler: ProcessSampler,
    database: PathBuf,
    reader: Mutex<Option<Arc<Reader>>>,
    registry: Arc<ProcessRegistry>,
    window: Arc<Window>,
}

/// What the ingest process has told last.
pub(crate) struct LatestReport {
    latest: Mutex<Option<(Instant, Report)>>,
    books: Arc<FollowedBooks>,
}

impl LatestReport {
    /// Nothing yet; what is told of the books goes there.
    pub(crate) fn new(books: Arc<FollowedBooks>) -> Self {
        Self { latest: Mutex::default(), books }
    }

    /// Takes in a report; one that cannot be read is of another release, which the feed has said already.
    pub(crate) fn take(&self, json: &[u8]) {
        match serde_json::from_slice(json) {
            Ok(told) => {
                let (report, books): (Report, BooksReport) = told;
                self.books.take(books);
                *self.latest.lock() = Some((Instant::now(), report));
            }
            Err(error) => tracing::debug!(%error, "a report of the ingest process cannot be read"),
        }
    }

    fn ask<T>(&self, what: impl FnOnce(&Report) -> T) -> Option<T> {
        self.latest.lock().as_ref().map(|(_, report)| what(report))
    }

    /// Asks a report that is of now.
    fn ask_fresh<T>(&self, what: impl FnOnce(&Report) -> T) -> Option<T> {
        let latest = self.latest.lock();
        latest.as_ref().filter(|(at, _)| at.elapsed() <= SILENT_AFTER).map(|(_, report)| what(report))
    }

    /// Whether what was told is of now.
    fn freshness(&self) -> Freshness {
        let silence = self.latest.lock().as_ref().map(|(at, _)| at.elapsed());
        let reason = silent(silence);
        Freshness { stale: reason.is_some(), age_ms: silence.map(millis), reason }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Services for OneProcess {
    fn ingest_report(&self) -> IngestReport {
        self.figures.ingest_report()
    }

    fn mqtt_sources(&self) -> Vec<MqttSourceRow> {
        self.figures.mqtt_sources()
    }

    fn write_sources(&self) -> WriteSourcesSnapshot {
        self.figures.write_sources()
    }

    fn write_counts(&self) -> BTreeMap<String, u64> {
        self.figures.write_counts()
    }

    fn db_figures(&self) -> Option<DbFigures> {
        self.figures.db_figures()
    }

    fn io_rates(&self) -> IoRates {
        IoRates { process: self.figures.io(), ..IoRates::default() }
    }

    fn rss_bytes(&self) -> Option<u64> {
        self.figures.rss_bytes()
    }

    fn load_status(&self) -> LoadStatus {
        self.progress.status()
    }

    fn books(&self) -> &dyn xray::Books {
        self.books.as_ref()
    }

    fn submit_packet(&self, packet: PacketSubmission) -> Submission {
        let submit = self.submit.clone();
        Box::pin(async move {
            let submission = ingest::PacketSubmission {
                raw: format!("{:X}", Hex(&packet.frame)),
                observer: packet.observer,
                snr: packet.snr,
                rssi: packet.rssi,
                region: packet.region,
            };
            match submit.submit(submission).await {
                Ok(SubmitAnswer::Stored { transmission, .. } | SubmitAnswer::Duplicate { transmission }) => {
                    Ok(SubmittedPacket { transmission })
                }
                Ok(SubmitAnswer::Refused { outcome, detail }) if detail.is_empty() => {
                    Err(SubmitError::Refused(outcome.name().to_owned()))
                }
                Ok(SubmitAnswer::Refused { outcome, detail }) => {
                    Err(SubmitError::Refused(format!("{}: {detail}", outcome.name())))
                }
                Err(_) => Err(SubmitError::Unavailable),
            }
        })
    }

    fn backup(&self) -> BackupMaking {
        backup::make(self.database.clone(), Some(self.backup.clone()))
    }

    fn registry(&self) -> Arc<dyn api::Registry> {
        self.registry.clone()
    }

    fn window(&self) -> Option<WindowFigures> {
        Some(window::figures(&self.window))
    }

    fn reader(&self) -> Option<Arc<Reader>> {
        Some(self.figures.reader())
    }
}

impl FollowingProcess {
    pub(crate) fn new(
        database: PathBuf,
        progress: Arc<LoadProgress>,
        report: Arc<LatestReport>,
        registry: Arc<ProcessRegistry>,
        window: Arc<Window>,
    ) -> Self {
        let sampler = ProcessSampler::spawn(SAMPLING);
        Self { progress, report, sampler, database, reader: Mutex::new(None), registry, window }
    }

    /// Sizes of the files, which need no ingest process; its own counters are 0 then.
    fn figures_of_files(&self) -> Option<DbFigures> {
        let figures = self.reader()?.db_figures().ok()?;
        Some(DbFigures {
            db_bytes: figures.db_bytes,
            wal_bytes: figures.wal_bytes,
            freelist_pages: figures.freelist_count,
            page_count: figures.page_count,
            page_size: figures.page_size,
            cache_size: -(figures.cache_size_kib as i64),
            ..DbFigures::default()
        })
    }
}

impl Services for FollowingProcess {
    fn ingest_report(&self) -> IngestReport {
        self.report.ask(|report| report.ingest.clone()).unwrap_or_default()
    }

    fn mqtt_sources(&self) -> Vec<MqttSourceRow> {
        let with_liveness = |report: &Report| {
            let rows = report.mqtt_sources.iter();
            rows.map(|(row, liveness)| MqttSourceRow { liveness: *liveness, ..row.clone() }).collect()
        };
        self.report.ask(with_liveness).unwrap_or_default()
    }

    fn write_sources(&self) -> WriteSourcesSnapshot {
        let told = self.report.ask(|report| report.write_sources.clone()).unwrap_or_default();
        let Freshness { stale, age_ms, reason } = self.report.freshness();
        WriteSourcesSnapshot { stale, age_ms: told.age_ms + age_ms.unwrap_or_default(), reason, ..told }
    }

    fn write_counts(&self) -> BTreeMap<String, u64> {
        self.report.ask(|report| report.write_sources.sources.clone()).unwrap_or_default()
    }

    fn db_figures(&self) -> Option<DbFigures> {
        self.report.ask_fresh(|report| report.db_figures).flatten().or_else(|| self.figures_of_files())
    }

    fn io_rates(&self) -> IoRates {
        IoRates {
            process: process_io(&self.sampler),
            ingestor: self.report.ask_fresh(|report| report.io.clone()),
            ingestor_status: Some(self.report.freshness()),
        }
    }

    fn rss_bytes(&self) -> Option<u64> {
        self.sampler.rss_bytes()
    }

    fn load_status(&self) -> LoadStatus {
        self.progress.status()
    }

    fn books(&self) -> &dyn xray::Books {
        self.report.books.as_ref()
    }

    fn submit_packet(&self, _packet: PacketSubmission) -> Submission {
        // Only the ingest process writes; it takes packets by MQTT.
        Box::pin(async { Err(SubmitError::Unavailable) })
    }
    fn backup(&self) -> BackupMaking {
        backup::make(self.database.clone(), None)
    }

    fn registry(&self) -> Arc<dyn api::Registry> {
        self.registry.clone()
    }

    fn window(&self) -> Option<WindowFigures> {
        Some(window::figures(&self.window))
    }

    fn reader(&self) -> Option<Arc<Reader>> {
        let mut reader = self.reader.lock();
        if reader.is_none() {
            *reader = Reader::open(&self.database).ok().map(Arc::new);
        }
        reader.clone()
    }
}
