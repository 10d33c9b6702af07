//! The answers of `/api/perf*`.

use super::limits::LimitFigures;
use crate::routes::health::SlowQuery;
use crate::services::CheckpointResult;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the program is doing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PerfResponse {
    /// Seconds since the start.
    pub(crate) uptime: u64,
    pub(crate) total_requests: u64,
    pub(crate) avg_ms: f64,
    /// By route, with `:name` for what varies.
    pub(crate) endpoints: BTreeMap<String, EndpointFigures>,
    /// Requests of more than 100 ms, newest first, at most 20.
    pub(crate) slow_queries: Vec<SlowQuery>,
    pub(crate) cache: PerfCache,
    pub(crate) packet_store: PacketStoreFigures,
    pub(crate) sqlite: DatabaseFigures,
    #[serde(rename = "goRuntime")]
    pub(crate) runtime: RuntimeFigures,
    /// What requests may take, and how often it was too much.
    pub(crate) limits: LimitFigures,
    /// Bytes by structure of the index; only with `mem=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) memory_breakdown: Option<BTreeMap<String, u64>>,
}

/// How long the requests of a route took. The percentiles are over the last 100 of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointFigures {
    pub(crate) count: u64,
    pub(crate) avg_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) max_ms: f64,
}

/// Always zero: answers come from the index, nothing is cached.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PerfCache {
    size: u64,
    hits: u64,
    misses: u64,
    stale_hits: u64,
    recomputes: u64,
    hit_rate: f64,
}

/// The index.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PacketStoreFigures {
    /// Transmissions in memory; storage has all.
    pub(crate) total_loaded: u64,
    pub(crate) total_observations: u64,
    /// Transmissions let go from memory since the start, the loading of history included; storage keeps them.
    pub(crate) evicted: u64,
    /// Of these, those that have been away so long that a further copy is taken for a new packet, for want of room for their
    /// hashes. More room is a larger `packetStore.maxMemoryMB`.
    pub(crate) forgotten_hashes: u64,
    /// Observations taken in since the start.
    pub(crate) inserts: u64,
    /// Requests since the start.
    pub(crate) queries: u64,
    /// Transmissions.
    pub(crate) in_memory: u64,
    /// Always false.
    pub(crate) sqlite_only: bool,
    /// Mebibytes held.
    #[serde(rename = "estimatedMB")]
    pub(crate) estimated_mb: f64,
    /// The same.
    #[serde(rename = "trackedMB")]
    pub(crate) tracked_mb: f64,
    pub(crate) avg_bytes_per_packet: u64,
    /// The memory budget, `packetStore.maxMemoryMB` or a share of the machine; 0 without a bound.
    #[serde(rename = "maxMB")]
    pub(crate) max_mb: u64,
    pub(crate) indexes: StoreIndexes,
    /// Always 0: at the start as much is loaded as the budget holds.
    pub(crate) hot_startup_hours: u64,
    pub(crate) background_load_complete: bool,
    /// Always false.
    pub(crate) background_load_failed: bool,
    /// Percent.
    pub(crate) background_load_progress: u8,
    /// Always 0: the budget is in bytes, not in hours.
    pub(crate) retention_hours: u64,
    /// The least observation time in memory, RFC 3339.
    pub(crate) oldest_loaded: Option<String>,
    /// Transmissions in memory of all that are stored; 0 while the history is loaded.
    pub(crate) load_coverage_ratio: f64,
}

/// Entries by kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoreIndexes {
    pub(crate) by_hash: u64,
    pub(crate) by_observer: u64,
    pub(crate) by_node: u64,
    pub(crate) advert_by_observer: u64,
}

/// The database.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatabaseFigures {
    #[serde(rename = "dbSizeMB")]
    pub(crate) db_size_mb: f64,
    #[serde(rename = "walSizeMB")]
    pub(crate) wal_size_mb: f64,
    #[serde(rename = "freelistMB")]
    pub(crate) freelist_mb: f64,
    pub(crate) wal_pages: WalPages,
    pub(crate) rows: RowCounts,
}

/// The write-ahead log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalPages {
    pub(crate) total: u64,
    /// Of these, copied into the database.
    pub(crate) checkpointed: u64,
    /// Always 0: our checkpoints never wait.
    pub(crate) busy: u64,
}

/// Rows, as the index has them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowCounts {
    pub(crate) transmissions: u64,
    pub(crate) observations: u64,
    pub(crate) nodes: u64,
    pub(crate) observers: u64,
}

/// The runtime, under the names that pages for CoreScope look for. There is no garbage collector, so its figures are 0.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuntimeFigures {
    /// Tasks alive.
    pub(crate) goroutines: usize,
    #[serde(rename = "numGC")]
    pub(crate) num_gc: u64,
    pub(crate) pause_total_ms: f64,
    pub(crate) last_pause_ms: f64,
    /// Held by the index.
    #[serde(rename = "heapAllocMB")]
    pub(crate) heap_alloc_mb: f64,
    /// Resident memory.
    #[serde(rename = "heapSysMB")]
    pub(crate) heap_sys_mb: f64,
    /// Held by the index.
    #[serde(rename = "heapInuseMB")]
    pub(crate) heap_inuse_mb: f64,
    #[serde(rename = "heapIdleMB")]
    pub(crate) heap_idle_mb: f64,
    #[serde(rename = "numCPU")]
    pub(crate) num_cpu: usize,
}

/// The database's files and cache.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SqliteResponse {
    /// The write-ahead log in mebibytes.
    #[serde(rename = "walSizeMB")]
    pub(crate) wal_size_mb: f64,
    /// The write-ahead log in bytes.
    pub(crate) wal_size: u64,
    pub(crate) page_count: u64,
    /// Bytes.
    pub(crate) page_size: u64,
    /// Pages, or KiB when negative.
    pub(crate) cache_size: i64,
    /// Share of lookups that SQLite's page cache of the write connection answered, 0 to 1, since the start; 0 before the
    /// first.
    pub(crate) cache_hit_rate: f64,
    /// False while the database's figures are not known; then all of this is zero.
    pub(crate) available: bool,
    /// The cache's bound in KiB, whichever way `cacheSize` says it.
    pub(crate) cache_size_kib: u64,
    /// Lookups that the cache answered.
    pub(crate) cache_hits: u64,
    /// Lookups for which a page was read.
    pub(crate) cache_misses: u64,
    /// Pages handed to the log.
    pub(crate) cache_writes: u64,
    /// Of these, before the commit, because the cache was full.
    pub(crate) cache_spills: u64,
    /// Bytes of the database file.
    pub(crate) db_size: u64,
    /// Pages that are free for re-use.
    pub(crate) freelist_pages: u64,
    /// Frames in the log.
    pub(crate) wal_frames: u64,
    /// Of these, those that no checkpoint has copied into the database yet.
    pub(crate) pending_checkpoint_frames: u64,
    /// Checkpoints since the start.
    pub(crate) checkpoints: u64,
    /// The newest of them; null before the first.
    pub(crate) last_checkpoint: Option<CheckpointResult>,
}

/// Done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResetResponse {
    /// Always true.
    pub(crate) ok: bool,
}
