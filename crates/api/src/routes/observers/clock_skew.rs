//! `GET /api/observers/clock-skew`.

use crate::error::HttpError;
use crate::json::Json;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::ClockOffset;
use serde::Serialize;
use utoipa::ToSchema;

/// The clock of an observer against those of the others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClockOffsetRow {
    /// The id under which it publishes.
    #[serde(rename = "observerID")]
    observer_id: String,
    /// Seconds by which it is ahead of the others; negative when it is behind.
    #[serde(rename = "offsetSec")]
    offset_sec: f64,
    /// Adverts by which that was measured.
    samples: usize,
}

/// How far the observers' clocks are apart, by the newest 1,000 adverts as far as several observers heard them.
#[utoipa::path(
    get, path = "/api/observers/clock-skew", tag = "observers",
    responses((status = 200, body = Vec<ClockOffsetRow>))
)]
pub(crate) async fn observer_clock_skew(
    State(state): State<ApiState>,
) -> Result<Json<Vec<ClockOffsetRow>>, HttpError> {
    let config = state.config_arc();
    let rows = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let visibility = Visibility::new(&config);
        let row = |offset: ClockOffset| {
            let key = &index.observer_record(offset.observer)?.key;
            visibility.shows_observer_key(key).then(|| ClockOffsetRow {
                observer_id: key.to_string(),
                offset_sec: offset.offset_ms as f64 / 1000.0,
                samples: offset.adverts,
            })
        };
        index.clock_offsets().into_iter().filter_map(row).collect()
    });
    Ok(Json(rows.await?))
}
