//! `/api/jobs`.

use crate::error::HttpError;
use crate::extract::{Authorized, JsonBody, Segment};
use crate::json::Json;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use xray::{JobAction, JobError, JobReport, JobsReport};

/// What to do.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct JobOrder {
    action: JobAction,
}

/// Background jobs: what they may write, what they have done, and whom they kept waiting.
#[utoipa::path(get, path = "/api/jobs", tag = "perf", responses((status = 200, body = JobsReport)))]
pub(crate) async fn list_jobs(State(state): State<ApiState>) -> Json<JobsReport> {
    Json(state.services().books().jobs())
}

/// Pause a job, let it go on, or let it run now. Needs the API key in `X-API-Key`.
#[utoipa::path(
    post, path = "/api/jobs/{name}", tag = "perf", params(("name" = String, Path, description = "Name of the job")),
    request_body = JobOrder,
    responses(
        (status = 200, body = JobReport),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, body = crate::error::ErrorBody),
        (status = 503, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn control_job(
    _authorized: Authorized,
    State(state): State<ApiState>,
    Segment(name): Segment,
    JsonBody(order): JsonBody<JobOrder>,
) -> Result<Json<JobReport>, HttpError> {
    state.services().books().control_job(&name, order.action).map(Json).map_err(|error| {
        let status = match error {
            JobError::Unknown(_) => StatusCode::NOT_FOUND,
            JobError::Refused { .. } => StatusCode::CONFLICT,
            JobError::Elsewhere(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        HttpError::new(status, error.to_string())
    })
}
