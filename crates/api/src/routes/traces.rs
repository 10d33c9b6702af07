//! `GET /api/traces/{hash}`.

use crate::error::HttpError;
use crate::extract::Segment;
use crate::json::Json;
use crate::json::to_text;
use crate::render::packet::hops;
use crate::render::time::rfc3339_millis;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Hidden, TransmissionView};
use model::PacketHash;
use serde::Serialize;
use utoipa::ToSchema;

/// Observations of an answer: no packet has nearly as many, but somebody could make one.
const MAX_ROWS: usize = 10_000;

/// Who heard a packet, when and how.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct TraceResponse {
    /// In order of time.
    traces: Vec<TraceRow>,
    /// True when there are more observations than an answer holds, and these arrived first; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    truncated: Option<bool>,
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
    let Ok(hash) = hash.parse::<PacketHash>() else { return Ok(Json(TraceResponse::default())) };
    let config = state.config_arc();
    let rows = state.read(|index, _now| index.by_hash(hash).map_or(0, |packet| packet.observation_count()));
    let answer = state.reach(rows as usize, move |reach| {
        let hidden = Visibility::new(&config).hidden(&reach.hot.read());
        reach.by_hash(hash, |packet| TraceResponse::of(packet, &hidden)).unwrap_or_default()
    });
    Ok(Json(answer.await?))
}

impl TraceResponse {
    fn of(packet: &TransmissionView<'_>, hidden: &Hidden) -> Self {
        let mut heard: Vec<_> = hidden.heard(packet).take(MAX_ROWS + 1).collect();
        let truncated = (heard.len() > MAX_ROWS).then_some(true);
        heard.truncate(MAX_ROWS);
        heard.sort_by_key(|heard| (heard.time(), heard.id()));
        let frame = packet.frame();
        let rows = heard.iter().map(|heard| TraceRow {
            observer: heard.observer().key.to_string(),
            observer_name: heard.observer().name.as_deref().map(str::to_owned),
            time: rfc3339_millis(heard.time()),
            snr: heard.snr().map(model::SnrQuarterDb::db),
            rssi: heard.rssi().map(f64::from),
            path_json: to_text(&hops(&frame, heard.path())),
        });
        Self { traces: rows.collect(), truncated }
    }
}
