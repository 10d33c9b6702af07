//! `GET /api/perf/bundle`: everything that somebody who is to help needs to see, and nothing that is nobody's business.

mod redact;

use super::{PerfResponse, SqliteResponse, perf_answer, sqlite_answer};
use crate::error::HttpError;
use crate::json::Json;
use crate::render::time::rfc3339_millis;
use crate::routes::health::BUILD;
use crate::services::{IngestReport, IoRates, LoadStatus, MqttSourceRow, WriteSourcesSnapshot};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, HeaderName};
use model::UnixMillis;
use redact::Redaction;
use serde::Serialize;
use utoipa::ToSchema;
use xray::{AlertsReport, Books, HistoryAnswer, HistoryQuery, JobsReport, Ledger, SeriesReading};

/// Events in a bundle: weeks of a quiet installation.
const EVENTS: usize = 200;

/// Windows of its ledgers in seconds: now, and a day, in which every daily job has run.
const LEDGER_SECS: [u32; 2] = [300, 86_400];

/// History in a bundle: the last hour, in steps that show a commit every few seconds and keep the document small.
const HISTORY_SECS: i64 = 3_600;
const HISTORY_STEP_SECS: u32 = 10;

/// What one question for history may name.
const SERIES_PER_QUERY: usize = 32;

/// Series of a bundle's history, beside the [`MOST_CAUSES`] that wrote the most; those that are not kept are left out.
const TELLING: &[&str] = &[
    "process.wchar",
    "process.write_bytes",
    "process.cancelled_write_bytes",
    "process.network_wchar",
    "process.cpu",
    "meter.cpu",
    "device.written",
    "pressure.io_some",
    "pressure.io_full",
    "waterfall.received",
    "waterfall.bound",
    "waterfall.pages",
    "wal.bytes",
    "wal.pending",
    "db.bytes",
    "db.free_pages",
    "cache.hits",
    "cache.misses",
    "cache.spills",
    "checkpoint.frames",
    "queue.rows",
    "commit.p99",
    "writer.wait_p99",
    "writer.hold_p99",
    "rows.tx_inserted",
    "rows.obs_inserted",
    "rows.write_errors",
    "ingest.received",
    "memory.resident",
    "live.viewers",
    "http.requests",
    "disk.free",
    "write.failing",
];

/// Series of written bytes in it: those that wrote the most.
const MOST_CAUSES: usize = 8;

/// Everything that somebody who is to help needs to see. Observers, topics, sources and what is below the host of an address are
/// replaced by names that mean the same thing within this document and nothing outside of it. No packet is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupportBundle {
    /// Version of this form; 1.
    format: u32,
    /// When it was made, RFC 3339.
    made_at: String,
    /// Of the program that answered.
    version: &'static str,
    /// `unknown` when the program was not built from a checkout.
    commit: &'static str,
    /// `unknown` when the builder did not say.
    build_time: &'static str,
    /// Operating system and processor, such as `linux aarch64`.
    platform: String,
    /// Processors.
    processors: usize,
    /// Seconds since the start of the process that answered.
    uptime_secs: u64,
    /// Whether the history is loaded.
    history_loaded: bool,
    /// Verdict, flags, events, webhooks and thresholds.
    alerts: AlertsReport,
    /// Background jobs.
    jobs: JobsReport,
    /// Over the last 5 minutes, and over the last day.
    ledgers: Vec<Ledger>,
    /// All series with their newest values.
    series: Vec<SeriesReading>,
    /// The last hour of the most telling series.
    history: Vec<HistoryAnswer>,
    /// As `/api/perf`, memory by structure included.
    perf: PerfResponse,
    /// As `/api/perf/io`.
    io: IoRates,
    /// As `/api/perf/sqlite`.
    sqlite: SqliteResponse,
    /// As `/api/perf/write-sources`.
    write_sources: WriteSourcesSnapshot,
    /// As `/api/ingest`, redacted.
    ingest: IngestReport,
    /// As `/api/mqtt/status`, redacted.
    mqtt_sources: Vec<MqttSourceRow>,
}

/// One document with all figures, for somebody who is to help. There is no secret in it, so no key is needed.
#[utoipa::path(
    get, path = "/api/perf/bundle", tag = "perf",
    responses((status = 200, body = SupportBundle, description = "A file to keep and to send"))
)]
pub(crate) async fn perf_bundle(
    State(state): State<ApiState>,
) -> Result<([(HeaderName, &'static str); 1], Json<SupportBundle>), HttpError> {
    // An hour of history for forty series takes some milliseconds, which is too long for the threads that serve everyone.
    let made = tokio::task::spawn_blocking(move || bundle(&state)).await;
    let bundle =
        made.map_err(|_panic| HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))?;
    let name = "attachment; filename=\"meshcore-analyzer-bundle.json\"";
    Ok(([(CONTENT_DISPOSITION, name)], Json(bundle)))
}

fn bundle(state: &ApiState) -> SupportBundle {
    let redaction = Redaction::new();
    let services = state.services();
    let books = services.books();
    let (mut alerts, mut perf) = (books.alerts(EVENTS), perf_answer(state, true));
    let (mut ingest, mut mqtt_sources) = (services.ingest_report(), services.mqtt_sources());
    redaction.alerts(&mut alerts);
    redaction.slow_queries(&mut perf.slow_queries);
    redaction.ingest(&mut ingest);
    redaction.brokers(&mut mqtt_sources);
    let series = books.readings();
    SupportBundle {
        format: 1,
        made_at: rfc3339_millis(UnixMillis::now()),
        version: BUILD.version,
        commit: BUILD.commit,
        build_time: BUILD.time,
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        uptime_secs: state.uptime_secs(),
        history_loaded: services.load_status() == LoadStatus::Ready,
        alerts,
        jobs: books.jobs(),
        ledgers: LEDGER_SECS.into_iter().map(|secs| books.ledger(secs)).collect(),
        history: history(books, &series),
        series,
        perf,
        io: services.io_rates(),
        sqlite: sqlite_answer(state),
        write_sources: services.write_sources(),
        ingest,
        mqtt_sources,
    }
}

/// The last hour of what tells most. A part that the books refuse is left out: a bundle of a program in trouble is wanted most.
fn history(books: &dyn Books, series: &[SeriesReading]) -> Vec<HistoryAnswer> {
    let mut written: Vec<_> = series.iter().filter(|one| one.name.starts_with("written.")).collect();
    written.sort_by_key(|one| std::cmp::Reverse(one.value));
    let telling = series.iter().filter(|one| TELLING.contains(&one.name.as_str()));
    let names: Vec<String> =
        written.into_iter().take(MOST_CAUSES).chain(telling).map(|one| one.name.clone()).collect();
    let from_secs = Some(UnixMillis::now().secs() - HISTORY_SECS);
    let answers = names.chunks(SERIES_PER_QUERY).map(|part| {
        let step_secs = Some(HISTORY_STEP_SECS);
        books.history(&HistoryQuery { series: part.to_vec(), from_secs, to_secs: None, step_secs })
    });
    answers.filter_map(Result::ok).collect()
}
