//! `GET /api/perf/history` and `GET /api/perf/series`.

use crate::error::HttpError;
use crate::extract::{Params, csv, parsed};
use crate::json::Json;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use xray::{HistoryAnswer, HistoryError, HistoryQuery, SeriesReading};

/// Which series, over which window.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// Names of series, separated by commas, at most 32; `/api/perf/series` lists them.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = String)]
    series: Vec<String>,
    /// Begin, in seconds since 1970; an hour before `to` when left out.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<i64>)]
    from: Option<i64>,
    /// End, in seconds since 1970; now when left out.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<i64>)]
    to: Option<i64>,
    /// Seconds from one value to the next. When left out, as fine as there is, and no more than about 720 values.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u32>)]
    step: Option<u32>,
}

/// All series.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesList {
    /// In the order in which they were registered.
    series: Vec<SeriesReading>,
}

/// Figures over time: each second of the last hour, each 10 seconds of the last day, each minute of the last 30 days.
///
/// Counters are given per second. The history survives restarts, and kill -9 takes at most its last minute.
#[utoipa::path(
    get, path = "/api/perf/history", tag = "perf", params(HistoryParams),
    responses((status = 200, body = HistoryAnswer), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn perf_history(
    State(state): State<ApiState>,
    Params(params): Params<HistoryParams>,
) -> Result<Json<HistoryAnswer>, HttpError> {
    let HistoryParams { series, from, to, step } = params;
    let query = HistoryQuery { series, from_secs: from, to_secs: to, step_secs: step };
    // A month of minutes is read from files and unpacked, which is no work for the threads that serve everyone.
    let answer = tokio::task::spawn_blocking(move || state.services().books().history(&query)).await;
    let answer =
        answer.map_err(|_panic| HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))?;
    answer.map(Json).map_err(|error| match error {
        HistoryError::UnknownSeries(_) => HttpError::bad_parameter("series", error),
        HistoryError::BadWindow { parameter, problem } => HttpError::bad_parameter(parameter, problem),
    })
}

/// The series that the books keep, with their newest values.
#[utoipa::path(get, path = "/api/perf/series", tag = "perf", responses((status = 200, body = SeriesList)))]
pub(crate) async fn perf_series(State(state): State<ApiState>) -> Json<SeriesList> {
    Json(SeriesList { series: state.services().books().readings() })
}
