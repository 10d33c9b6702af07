//! `/api/alerts`: what is wrong, and what was.

use crate::error::HttpError;
use crate::extract::{Authorized, Params, Segment, Whole, limit, parsed};
use crate::json::Json;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use xray::{AlertsReport, Delivery, HistoryAnswer};

/// How many events are given when nobody says, and at most.
const DEFAULT_EVENTS: usize = 50;
const MOST_EVENTS: usize = 1_000;

/// How far back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsParams {
    /// Events at most, newest first; 50 when left out, 1000 at most.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<usize>)]
    limit: Option<Whole>,
}

/// How the webhooks took a test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestResult {
    /// One for each webhook.
    deliveries: Vec<Delivery>,
}

/// What is wrong now, with the reason in words and figures, and what has happened in the last 90 days.
#[utoipa::path(
    get, path = "/api/alerts", tag = "perf", params(AlertsParams),
    responses((status = 200, body = AlertsReport), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn alerts(
    State(state): State<ApiState>,
    Params(params): Params<AlertsParams>,
) -> Json<AlertsReport> {
    Json(state.services().books().alerts(limit(params.limit, DEFAULT_EVENTS, MOST_EVENTS)))
}

/// The seconds around an event: all series of the ten minutes before and after it. The newest hundred events have them.
#[utoipa::path(
    get, path = "/api/alerts/{id}/black-box", tag = "perf", params(("id" = u64, Path, description = "Id of the event")),
    responses((status = 200, body = HistoryAnswer), (status = 404, body = crate::error::ErrorBody))
)]
pub(crate) async fn black_box(
    State(state): State<ApiState>,
    Segment(id): Segment,
) -> Result<Json<HistoryAnswer>, HttpError> {
    let missing = || HttpError::not_found("no black box of such an event");
    let id = id.parse().map_err(|_| missing())?;
    // It is read from a file.
    let found = tokio::task::spawn_blocking(move || state.services().books().black_box(id)).await;
    found.ok().flatten().map(Json).ok_or_else(missing)
}

/// Send a test to each webhook. Needs the API key in `X-API-Key`.
#[utoipa::path(
    post, path = "/api/alerts/test", tag = "perf",
    responses(
        (status = 200, body = TestResult),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn test_webhooks(
    _authorized: Authorized,
    State(state): State<ApiState>,
) -> Result<Json<TestResult>, HttpError> {
    // It waits for other servers.
    let sent = tokio::task::spawn_blocking(move || state.services().books().test_webhooks()).await;
    let internal = |_panic| HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
    Ok(Json(TestResult { deliveries: sent.map_err(internal)? }))
}
