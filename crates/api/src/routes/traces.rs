//! `GET /api/traces/{hash}`.

use crate::error::HttpError;
use crate::extract::Segment;
use crate::json::Json;
use crate::json::to_text;
use crate::render::packet::hops;
use crate::render::time::rfc3339_millis;
use crate::state::ApiState;
use axum::extract::State;
use index::{ObservationView, TransmissionView};
use model::PacketHash;
use serde::Serialize;
use utoipa::ToSchema;

/// Who heard a packet, when and how.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceResponse {
    /// In order of time.
    traces: Vec<TraceRow>,
}

/// One observation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceRow {
    /// The id under which the observer publishes.
    observer: String,
    observer_name: Option<String>,
    /// RFC 3339 with milliseconds.
    time: String,
    /// In decibels.
    snr: Option<f64>,
    /// In dBm.
    rssi: Option<f64>,
    /// The hops as a JSON array in a text.
    path_json: String,
}

/// Who heard a packet, when and how. Nobody, for a hash that is not known.
#[utoipa::path(
    get, path = "/api/traces/{hash}", tag = "packets",
    params(("hash" = String, Path, description = "Content hash, in either case")),
    responses((status = 200, body = TraceResponse))
)]
pub(crate) async fn trace(
    State(state): State<ApiState>,
    Segment(hash): Segment,
) -> Result<Json<TraceResponse>, HttpError> {
    let traces = state.reach(1, move |reach| reach.by_hash(hash.parse::<PacketHash>().ok()?, rows)).await?;
    Ok(Json(TraceResponse { traces: traces.unwrap_or_default() }))
}

fn rows(packet: &TransmissionView<'_>) -> Vec<TraceRow> {
    let mut heard: Vec<_> = packet.observations().collect();
    heard.sort_by_key(|heard| (heard.time(), heard.id()));
    let row = |heard: &ObservationView<'_>| TraceRow {
        observer: heard.observer().key.to_string(),
        observer_name: heard.observer().name.as_deref().map(str::to_owned),
        time: rfc3339_millis(heard.time()),
        snr: heard.snr().map(model::SnrQuarterDb::db),
        rssi: heard.rssi().map(f64::from),
        path_json: to_text(&hops(&packet.frame(), heard.path())),
    };
    heard.iter().map(row).collect()
}
