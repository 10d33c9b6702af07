//! `GET /api/healthz` and `GET /api/health`.

use crate::json::Json;
use crate::services::{LoadStatus, SourceLiveness};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whether the history is loaded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthzResponse {
    /// Always true here; while loading the answer is a 503 with `ready` false.
    ready: bool,
    /// Transmissions in memory.
    #[serde(rename = "loadedTx")]
    loaded_tx: u64,
    /// Observations in memory.
    #[serde(rename = "loadedObs")]
    loaded_obs: u64,
    from_pubkey_backfill: BackfillProgress,
    /// When messages last came in, by source; absent while there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    ingest_liveness: BTreeMap<String, SourceLiveness>,
}

/// There is never anything to fill in later, since nothing is stored that can be derived.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackfillProgress {
    total: u64,
    processed: u64,
    done: bool,
}

/// The history is still loading.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotReady {
    /// Always false.
    ready: bool,
    /// `loading`.
    reason: &'static str,
    /// Rows loaded so far.
    rows: u64,
}

/// Is the history loaded?
#[utoipa::path(
    get, path = "/api/healthz", tag = "core",
    responses((status = 200, body = HealthzResponse), (status = 503, body = NotReady))
)]
pub(crate) async fn healthz(State(state): State<ApiState>) -> Response {
    if let LoadStatus::Loading { rows } = state.services().load_status() {
        let body = NotReady { ready: false, reason: "loading", rows };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    let totals = state.read(index::Index::totals);
    let sources = state.services().mqtt_sources();
    Json(HealthzResponse {
        ready: true,
        loaded_tx: totals.transmissions,
        loaded_obs: totals.observations,
        from_pubkey_backfill: BackfillProgress { total: 0, processed: 0, done: true },
        ingest_liveness: sources
            .into_iter()
            .filter_map(|source| Some((source.name, source.liveness?)))
            .collect(),
    })
    .into_response()
}

/// The process: memory, delays, live clients, requests.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthResponse {
    /// `ok`.
    status: &'static str,
    /// `rust`.
    engine: &'static str,
    version: &'static str,
    /// `unknown` when the program was not built from a checkout.
    commit: &'static str,
    /// `unknown` when the builder did not say.
    build_time: &'static str,
    /// Seconds since the start.
    uptime: u64,
    /// Hours and minutes since the start.
    uptime_human: String,
    memory: MemoryFigures,
    event_loop: EventLoopFigures,
    cache: CacheFigures,
    websocket: WebSocketFigures,
    packet_store: PacketStoreHealth,
    perf: RequestFigures,
}

/// Memory in whole mebibytes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemoryFigures {
    /// Resident memory of the process.
    rss: u64,
    /// What the index holds.
    heap_used: u64,
    /// The same as `rss`: there is no separate heap to report.
    heap_total: u64,
    /// Always 0.
    external: u64,
}

/// How late the threads that serve requests were, in milliseconds: the time beyond what a timer had asked for.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventLoopFigures {
    pub(crate) current_lag_ms: f64,
    pub(crate) max_lag_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Always zero: answers come from the index, nothing is cached.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheFigures {
    entries: u64,
    hits: u64,
    misses: u64,
    stale_hits: u64,
    recomputes: u64,
    hit_rate: f64,
}

/// The live feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebSocketFigures {
    /// Clients connected now.
    clients: u64,
    /// Frames that slow clients did not get, since the start.
    dropped_frames: u64,
    /// Observations that were not announced because the feed was too far behind, since the start.
    skipped_observations: u64,
    /// Subscriptions of `/api/live` now.
    subscriptions: u64,
    /// Rows of subscriptions that slow clients were told that they missed, since the start.
    missed_rows: u64,
    /// Clients for whom there was no place, since the start.
    refused_clients: u64,
}

/// What is in memory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PacketStoreHealth {
    /// Transmissions.
    packets: u64,
    /// Mebibytes held by the index.
    #[serde(rename = "estimatedMB")]
    estimated_mb: f64,
    /// The same.
    #[serde(rename = "trackedMB")]
    tracked_mb: f64,
}

/// Requests since the start.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestFigures {
    total_requests: u64,
    avg_ms: f64,
    /// Requests of more than 100 ms.
    slow_queries: u64,
    /// The newest of these, at most five.
    recent_slow: Vec<SlowQuery>,
}

/// A request of more than 100 ms.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SlowQuery {
    /// The path, without its query.
    pub(crate) path: String,
    pub(crate) ms: f64,
    /// When it ended, RFC 3339.
    pub(crate) time: String,
    /// Of the answer.
    pub(crate) status: u16,
}

/// How is the process?
#[utoipa::path(get, path = "/api/health", tag = "core", responses((status = 200, body = HealthResponse)))]
pub(crate) async fn health(State(state): State<ApiState>) -> Json<HealthResponse> {
    let (packets, index_bytes) =
        state.read(|index, now| (index.totals(now).transmissions, index.memory().total() as u64));
    let tracked_mb = mebibytes(index_bytes);
    let rss = state.services().rss_bytes().unwrap_or_default() >> 20;
    let timings = state.timings().summary();
    let uptime = state.uptime_secs();
    Json(HealthResponse {
        status: "ok",
        engine: "rust",
        version: BUILD.version,
        commit: BUILD.commit,
        build_time: BUILD.time,
        uptime,
        uptime_human: format!("{}h {}m", uptime / 3600, uptime / 60 % 60),
        memory: MemoryFigures { rss, heap_used: index_bytes >> 20, heap_total: rss, external: 0 },
        event_loop: state.lag().figures(),
        cache: CacheFigures::default(),
        websocket: WebSocketFigures {
            clients: state.live().clients(),
            dropped_frames: state.live().dropped_frames(),
            skipped_observations: state.live().skipped_observations(),
            subscriptions: state.live().subscriptions(),
            missed_rows: state.live().missed_rows(),
            refused_clients: state.live().refused_clients(),
        },
        packet_store: PacketStoreHealth { packets, estimated_mb: tracked_mb, tracked_mb },
        perf: RequestFigures {
            total_requests: timings.requests,
            avg_ms: timings.avg_ms,
            slow_queries: timings.slow,
            recent_slow: state.timings().slowest_recent(5),
        },
    })
}

/// Of which build this is.
pub(crate) struct Build {
    pub(crate) version: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) time: &'static str,
}

/// The builder may pass these two in the environment; there is no git in a source archive to ask.
pub(crate) const BUILD: Build = Build {
    version: env!("CARGO_PKG_VERSION"),
    commit: or_unknown(option_env!("ANALYZER_COMMIT")),
    time: or_unknown(option_env!("ANALYZER_BUILD_TIME")),
};

const fn or_unknown(given: Option<&'static str>) -> &'static str {
    match given {
        Some(given) => given,
        None => "unknown",
    }
}

/// With one decimal.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / 1_048_576.0 * 10.0).round() / 10.0
}
