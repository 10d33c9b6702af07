//! `GET /api/packets/timestamps`.

use crate::error::HttpError;
use crate::extract::{Moment, Params, parsed};
use crate::json::Json;
use crate::render::time::rfc3339;
use crate::state::ApiState;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// From when on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimestampsParams {
    /// First heard after this time, RFC 3339.
    #[serde(default, deserialize_with = "parsed")]
    #[param(value_type = String, required = true)]
    since: Option<Moment>,
}

/// When packets were first heard, oldest first.
#[utoipa::path(
    get, path = "/api/packets/timestamps", tag = "packets", params(TimestampsParams),
    responses((status = 200, body = Vec<String>), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn packet_timestamps(
    State(state): State<ApiState>,
    Params(params): Params<TimestampsParams>,
) -> Result<Json<Vec<String>>, HttpError> {
    let Some(Moment(since)) = params.since else {
        return Err(HttpError::missing_parameter("since", "since required"));
    };
    // How many there are is not known before, so this is always made on the blocking pool.
    let times = state.read_rows(usize::MAX, move |index| index.read().first_seen_since(since)).await?;
    Ok(Json(times.into_iter().map(rfc3339).collect()))
}
