//! `GET /api/stats`.

use super::health::{BUILD, mebibytes};
use crate::json::Json;
use crate::render::node::RoleCountsRow;
use crate::state::ApiState;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// How much there is of everything.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatsResponse {
    /// The same as `totalTransmissions`.
    total_packets: u64,
    /// Distinct packet contents.
    total_transmissions: u64,
    total_observations: u64,
    /// Nodes heard within seven days.
    total_nodes: u64,
    total_nodes_all_time: u64,
    total_observers: u64,
    /// Observations of the last hour.
    packets_last_hour: u64,
    /// Observations of the last 24 hours.
    packets_last24h: u64,
    /// `rust`.
    engine: &'static str,
    version: &'static str,
    commit: &'static str,
    build_time: &'static str,
    /// Of nodes heard within seven days.
    counts: RoleCountsRow,
    /// Adverts refused for a wrong signature; absent while there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    signature_drops: Option<u64>,
    /// Always true: hashes are computed, never migrated.
    hash_migration_complete: bool,
    /// Mebibytes held by the index.
    #[serde(rename = "trackedMB")]
    tracked_mb: f64,
    /// The same as `trackedMB`.
    #[serde(rename = "storeDataMB")]
    store_data_mb: f64,
    /// Resident memory of the process in mebibytes.
    #[serde(rename = "processRSSMB")]
    process_rss_mb: f64,
    /// The same as `trackedMB`.
    #[serde(rename = "goHeapInuseMB")]
    heap_inuse_mb: f64,
    /// The same as `processRSSMB`.
    #[serde(rename = "goSysMB")]
    sys_mb: f64,
    /// Always 0: there is no such cache.
    neighbor_graph_cache_rebuild_failures: u64,
}

/// How much is there?
#[utoipa::path(get, path = "/api/stats", tag = "core", responses((status = 200, body = StatsResponse)))]
pub(crate) async fn stats(State(state): State<ApiState>) -> Json<StatsResponse> {
    let (totals, index_bytes) = state.read(|index, now| (index.totals(now), index.memory().total() as u64));
    let tracked_mb = mebibytes(index_bytes);
    let rss_mb = mebibytes(state.services().rss_bytes().unwrap_or_default());
    let drops = state.services().write_counts().get("sig_drops").copied();
    Json(StatsResponse {
        total_packets: totals.transmissions,
        total_transmissions: totals.transmissions,
        total_observations: totals.observations,
        total_nodes: totals.nodes_7d,
        total_nodes_all_time: totals.nodes_all_time,
        total_observers: totals.observers,
        packets_last_hour: totals.observations_last_hour,
        packets_last24h: totals.observations_last_24h,
        engine: "rust",
        version: BUILD.version,
        commit: BUILD.commit,
        build_time: BUILD.time,
        counts: RoleCountsRow::from(totals.roles_7d),
        signature_drops: drops.filter(|drops| *drops > 0),
        hash_migration_complete: true,
        tracked_mb,
        store_data_mb: tracked_mb,
        process_rss_mb: rss_mb,
        heap_inuse_mb: tracked_mb,
        sys_mb: rss_mb,
        neighbor_graph_cache_rebuild_failures: 0,
    })
}
