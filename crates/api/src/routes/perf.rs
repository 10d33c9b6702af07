//! `/api/perf` and what is below it.

pub(crate) mod bundle;
pub(crate) mod history;
pub(crate) mod ledger;
mod limits;
mod types;

use super::health::mebibytes;
use crate::extract::{Authorized, Params, parsed};
use crate::json::Json;
use crate::services::{DbFigures, IoRates, LoadStatus, WriteSourcesSnapshot};
use crate::state::ApiState;
use axum::extract::State;
use index::Totals;
use model::UnixMillis;
use serde::Deserialize;
pub(crate) use types::*;
use utoipa::IntoParams;

/// What to add.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PerfParams {
    /// 1 for memory by structure.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u8>)]
    mem: Option<u8>,
}

/// What the program is doing: requests, memory, database.
#[utoipa::path(
    get, path = "/api/perf", tag = "perf", params(PerfParams),
    responses((status = 200, body = PerfResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn perf(
    State(state): State<ApiState>,
    Params(params): Params<PerfParams>,
) -> Json<PerfResponse> {
    Json(perf_answer(&state, params.mem == Some(1)))
}

fn perf_answer(state: &ApiState, with_memory: bool) -> PerfResponse {
    let (totals, memory) = state.read(|index, now| (index.totals(now), index.memory()));
    let window = state.read(|index, _now| WindowFigures {
        in_memory: index.in_memory(),
        oldest: index.oldest_in_memory(),
        forgotten_hashes: index.forgotten_hashes(),
    });
    let timings = state.timings().summary();
    let index_bytes = memory.total() as u64;
    let breakdown = memory.parts.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes as u64)).collect();
    PerfResponse {
        uptime: state.uptime_secs(),
        total_requests: timings.requests,
        avg_ms: timings.avg_ms,
        endpoints: state.timings().endpoints(),
        slow_queries: state.timings().slowest_recent(20),
        cache: PerfCache::default(),
        packet_store: packet_store(state, &totals, &window, index_bytes),
        sqlite: database(state.services().db_figures().unwrap_or_default(), &totals),
        runtime: runtime(state, index_bytes),
        limits: limits::LimitFigures::of(state),
        memory_breakdown: with_memory.then_some(breakdown),
    }
}

/// What the index says of the packets in memory.
struct WindowFigures {
    /// Transmissions and observations.
    in_memory: (u64, u64),
    oldest: Option<UnixMillis>,
    forgotten_hashes: u64,
}

fn packet_store(
    state: &ApiState,
    totals: &Totals,
    held: &WindowFigures,
    index_bytes: u64,
) -> PacketStoreFigures {
    let (transmissions, observations) = held.in_memory;
    let loading = matches!(state.services().load_status(), LoadStatus::Loading { .. });
    let tracked_mb = mebibytes(index_bytes + state.segment_bytes());
    let window = state.services().window().unwrap_or_default();
    let covered =
        if totals.transmissions == 0 { 1.0 } else { transmissions as f64 / totals.transmissions as f64 };
    PacketStoreFigures {
        total_loaded: transmissions,
        total_observations: observations,
        evicted: window.let_go,
        forgotten_hashes: held.forgotten_hashes,
        inserts: state.services().write_counts().get("obs_inserted").copied().unwrap_or_default(),
        queries: state.timings().summary().requests,
        in_memory: transmissions,
        sqlite_only: false,
        estimated_mb: tracked_mb,
        tracked_mb,
        avg_bytes_per_packet: index_bytes.checked_div(transmissions).unwrap_or_default(),
        max_mb: window.budget_bytes.unwrap_or_default() >> 20,
        indexes: StoreIndexes {
            by_hash: transmissions,
            by_observer: totals.observers,
            by_node: totals.nodes_all_time,
            advert_by_observer: totals.observers,
        },
        hot_startup_hours: 0,
        background_load_complete: !loading,
        background_load_failed: false,
        background_load_progress: u8::from(!loading) * 100,
        retention_hours: 0,
        oldest_loaded: held.oldest.map(crate::render::time::rfc3339),
        load_coverage_ratio: if loading { 0.0 } else { covered },
    }
}

fn database(db: DbFigures, totals: &Totals) -> DatabaseFigures {
    DatabaseFigures {
        db_size_mb: mebibytes(db.db_bytes),
        wal_size_mb: mebibytes(db.wal_bytes),
        freelist_mb: mebibytes(db.freelist_pages * db.page_size),
        wal_pages: WalPages { total: db.wal_frames, checkpointed: db.wal_checkpointed, busy: 0 },
        rows: RowCounts {
            transmissions: totals.transmissions,
            observations: totals.observations,
            nodes: totals.nodes_all_time,
            observers: totals.observers,
        },
    }
}

fn runtime(state: &ApiState, index_bytes: u64) -> RuntimeFigures {
    let rss = mebibytes(state.services().rss_bytes().unwrap_or_default());
    let tasks = tokio::runtime::Handle::try_current().map_or(0, |handle| handle.metrics().num_alive_tasks());
    RuntimeFigures {
        goroutines: tasks,
        num_gc: 0,
        pause_total_ms: 0.0,
        last_pause_ms: 0.0,
        heap_alloc_mb: mebibytes(index_bytes),
        heap_sys_mb: rss,
        heap_inuse_mb: mebibytes(index_bytes),
        heap_idle_mb: 0.0,
        num_cpu: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Disk traffic of the process, per second.
#[utoipa::path(get, path = "/api/perf/io", tag = "perf", responses((status = 200, body = IoRates)))]
pub(crate) async fn perf_io(State(state): State<ApiState>) -> Json<IoRates> {
    Json(state.services().io_rates())
}

/// The database's files and cache.
#[utoipa::path(get, path = "/api/perf/sqlite", tag = "perf", responses((status = 200, body = SqliteResponse)))]
pub(crate) async fn perf_sqlite(State(state): State<ApiState>) -> Json<SqliteResponse> {
    Json(sqlite_answer(&state))
}

fn sqlite_answer(state: &ApiState) -> SqliteResponse {
    let known = state.services().db_figures();
    let (available, db) = (known.is_some(), known.unwrap_or_default());
    let lookups = db.cache_hits + db.cache_misses;
    SqliteResponse {
        wal_size_mb: db.wal_bytes as f64 / 1_048_576.0,
        wal_size: db.wal_bytes,
        page_count: db.page_count,
        page_size: db.page_size,
        cache_size: db.cache_size,
        cache_hit_rate: if lookups == 0 { 0.0 } else { db.cache_hits as f64 / lookups as f64 },
        available,
        cache_size_kib: kibibytes(db.cache_size, db.page_size),
        cache_hits: db.cache_hits,
        cache_misses: db.cache_misses,
        cache_writes: db.cache_writes,
        cache_spills: db.cache_spills,
        db_size: db.db_bytes,
        freelist_pages: db.freelist_pages,
        wal_frames: db.wal_frames,
        pending_checkpoint_frames: db.frames_pending,
        checkpoints: db.checkpoints,
        last_checkpoint: db.last_checkpoint,
    }
}

/// `PRAGMA cache_size` counts pages, or KiB when it is negative (<https://www.sqlite.org/pragma.html#pragma_cache_size>).
fn kibibytes(cache_size: i64, page_size: u64) -> u64 {
    if cache_size < 0 { cache_size.unsigned_abs() } else { cache_size.unsigned_abs() * page_size / 1024 }
}

/// What wrote how many rows since the start.
#[utoipa::path(
    get, path = "/api/perf/write-sources", tag = "perf",
    responses((status = 200, body = WriteSourcesSnapshot))
)]
pub(crate) async fn perf_write_sources(State(state): State<ApiState>) -> Json<WriteSourcesSnapshot> {
    Json(state.services().write_sources())
}

/// Forget the request times. Needs the API key in `X-API-Key`.
#[utoipa::path(
    post, path = "/api/perf/reset", tag = "perf",
    responses(
        (status = 200, body = ResetResponse),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn perf_reset(
    _authorized: Authorized,
    State(state): State<ApiState>,
) -> Json<ResetResponse> {
    state.timings().reset();
    Json(ResetResponse { ok: true })
}
