//! `GET /api/config/*`.

pub(crate) mod geo_filter;

use crate::config::{Customizer, MapDefaults, Timestamps, theme_blocks};
use crate::json::Json;
use crate::state::ApiState;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The client cache times of the configuration, as they stand; nothing is cached here.
#[utoipa::path(get, path = "/api/config/cache", tag = "config", responses((status = 200, body = Object)))]
pub(crate) async fn cache(State(state): State<ApiState>) -> Json<Value> {
    Json(state.config().cache_ttl.clone().unwrap_or_else(|| json!({})))
}

/// What the page needs to know. Blocks that are null were not configured.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientConfigResponse {
    #[schema(value_type = Option<Object>)]
    roles: Option<Value>,
    health_thresholds: ClientHealthThresholds,
    map: ClientMap,
    #[schema(value_type = Option<Object>)]
    tiles: Option<Value>,
    #[schema(value_type = Option<Object>)]
    snr_thresholds: Option<Value>,
    #[schema(value_type = Option<Object>)]
    dist_thresholds: Option<Value>,
    #[schema(value_type = Option<Object>)]
    max_hop_dist: Option<Value>,
    #[schema(value_type = Option<Object>)]
    limits: Option<Value>,
    #[schema(value_type = Option<f64>)]
    perf_slow_ms: Option<Value>,
    #[schema(value_type = Option<f64>)]
    ws_reconnect_ms: Option<Value>,
    #[schema(value_type = Option<f64>)]
    cache_invalidate_ms: Option<Value>,
    #[schema(value_type = Option<Object>)]
    external_urls: Option<Value>,
    /// How long the page collects the copies of a packet before it draws its way.
    propagation_buffer_ms: u64,
    /// Most nodes drawn at once.
    live_map_max_nodes: u64,
    timestamps: Timestamps,
    /// Present and true when configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    debug_affinity: Option<bool>,
    /// Present when configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    map_dark_tile_provider: Option<String>,
    customizer: Customizer,
    client_rx_coverage: bool,
    /// Whether what is shown is a demonstration and not a live mesh.
    demo: bool,
}

/// Ages in milliseconds at which nodes and observers count as degraded, silent or stale.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientHealthThresholds {
    infra_degraded_ms: f64,
    infra_silent_ms: f64,
    node_degraded_ms: f64,
    node_silent_ms: f64,
    observer_online_ms: f64,
    observer_stale_ms: f64,
}

/// Map tile providers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientMap {
    #[schema(value_type = Object)]
    tiles: Value,
}

const HOUR_MS: f64 = 3_600_000.0;
const MINUTE_MS: f64 = 60_000.0;

/// What the page needs to know.
#[utoipa::path(get, path = "/api/config/client", tag = "config", responses((status = 200, body = ClientConfigResponse)))]
pub(crate) async fn client(State(state): State<ApiState>) -> Json<ClientConfigResponse> {
    let config = state.config_arc();
    let health = config.health_thresholds;
    Json(ClientConfigResponse {
        roles: config.roles.clone(),
        health_thresholds: ClientHealthThresholds {
            infra_degraded_ms: health.infra_degraded_hours * HOUR_MS,
            infra_silent_ms: health.infra_silent_hours * HOUR_MS,
            node_degraded_ms: health.node_degraded_hours * HOUR_MS,
            node_silent_ms: health.node_silent_hours * HOUR_MS,
            observer_online_ms: health.observer_online_minutes * MINUTE_MS,
            observer_stale_ms: health.observer_stale_minutes * MINUTE_MS,
        },
        map: ClientMap { tiles: config.map.tiles.clone().unwrap_or_else(|| json!({})) },
        tiles: config.tiles.clone(),
        snr_thresholds: config.snr_thresholds.clone(),
        dist_thresholds: config.dist_thresholds.clone(),
        max_hop_dist: config.max_hop_dist.clone(),
        limits: config.limits.clone(),
        perf_slow_ms: config.perf_slow_ms.clone(),
        ws_reconnect_ms: config.ws_reconnect_ms.clone(),
        cache_invalidate_ms: config.cache_invalidate_ms.clone(),
        external_urls: config.external_urls.clone(),
        propagation_buffer_ms: config.live_map.propagation_buffer_ms,
        live_map_max_nodes: config.live_map.max_nodes.clamp(100, 20_000),
        timestamps: config.timestamps.clone(),
        debug_affinity: config.debug_affinity.then_some(true),
        map_dark_tile_provider: config.map_dark_tile_provider.clone(),
        customizer: config.customizer.clone(),
        client_rx_coverage: config.client_rx_coverage.enabled,
        demo: config.demo,
    })
}

/// The regions: labels by code, from the configuration and from the observers.
#[utoipa::path(
    get, path = "/api/config/regions", tag = "config",
    responses((status = 200, body = BTreeMap<String, String>))
)]
pub(crate) async fn regions(State(state): State<ApiState>) -> Json<BTreeMap<String, String>> {
    let mut regions = state.config().regions.clone();
    state.read(|index, now| {
        for observer in index.observers(now) {
            if let Some(iata) = observer.record.iata.as_deref().filter(|iata| !iata.is_empty()) {
                regions.entry(iata.to_owned()).or_insert_with(|| iata.to_owned());
            }
        }
    });
    Json(regions)
}

/// The look: blocks of colours and words, each the defaults with the operator's values over them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThemeResponse {
    #[schema(value_type = Object)]
    branding: Value,
    theme: BTreeMap<String, String>,
    theme_dark: BTreeMap<String, String>,
    node_colors: BTreeMap<String, String>,
    type_colors: BTreeMap<String, String>,
    #[schema(value_type = Object)]
    home: Value,
    #[schema(value_type = Object)]
    marker_stroke: Value,
}

/// The look.
#[utoipa::path(get, path = "/api/config/theme", tag = "config", responses((status = 200, body = ThemeResponse)))]
pub(crate) async fn theme(State(state): State<ApiState>) -> Json<Map<String, Value>> {
    Json(theme_blocks(&state.config()))
}

/// Where the map opens.
#[utoipa::path(get, path = "/api/config/map", tag = "config", responses((status = 200, body = MapDefaults)))]
pub(crate) async fn map(State(state): State<ApiState>) -> Json<MapDefaults> {
    Json(state.config().map_defaults)
}

/// A named area.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AreaRow {
    /// What the `area` parameter wants.
    key: String,
    label: String,
}

/// The named areas, by key.
#[utoipa::path(get, path = "/api/config/areas", tag = "config", responses((status = 200, body = Vec<AreaRow>)))]
pub(crate) async fn areas(State(state): State<ApiState>) -> Json<Vec<AreaRow>> {
    let config = state.config();
    let labelled = config.areas.iter().filter(|(_, area)| !area.label.is_empty());
    Json(labelled.map(|(key, area)| AreaRow { key: key.clone(), label: area.label.clone() }).collect())
}

/// A named area with its outline: a polygon or the four edges of a box.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AreaPolygonRow {
    key: String,
    label: String,
    /// Corners as latitude and longitude.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    polygon: Vec<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lat_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lat_max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lon_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lon_max: Option<f64>,
}

/// The named areas with their outlines, by key.
#[utoipa::path(
    get, path = "/api/config/areas/polygons", tag = "config",
    responses((status = 200, body = Vec<AreaPolygonRow>))
)]
pub(crate) async fn area_polygons(State(state): State<ApiState>) -> Json<Vec<AreaPolygonRow>> {
    let config = state.config();
    let labelled = config.areas.iter().filter(|(_, area)| !area.label.is_empty());
    let rows = labelled.map(|(key, area)| AreaPolygonRow {
        key: key.clone(),
        label: area.label.clone(),
        polygon: area.polygon.clone(),
        lat_min: area.lat_min,
        lat_max: area.lat_max,
        lon_min: area.lon_min,
        lon_max: area.lon_max,
    });
    Json(rows.collect())
}
