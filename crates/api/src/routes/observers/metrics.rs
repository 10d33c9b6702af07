//! `GET /api/observers/{id}/metrics`.

use crate::error::HttpError;
use crate::extract::{Moment, Params, Segment, parsed};
use crate::json::Json;
use crate::render::counters::{ObserverMetricsRow, Resolution, metrics_rows};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use axum::http::StatusCode;
use model::{ObserverId, UnixMillis};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is shown when no time is given.
const DEFAULT_MS: i64 = 24 * 3_600_000;

/// Rows of an answer: a month at one in five minutes is 8,928.
const MAX_ROWS: usize = 10_000;

/// Which samples.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ObserverMetricsParams {
    /// From this time on, RFC 3339; the last 24 hours when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    since: Option<Moment>,
    /// Until this time, RFC 3339; until now when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    until: Option<Moment>,
    /// `5m` for all samples, `1h` and `1d` for the last of each hour or day.
    #[param(value_type = Option<String>, example = "1h")]
    resolution: Option<String>,
}

/// The samples of an observer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserverMetricsResponse {
    /// Oldest first.
    metrics: Vec<ObserverMetricsRow>,
    /// The id under which it publishes.
    observer_id: String,
    /// What it calls itself.
    observer_name: Option<String>,
    /// When it started anew, RFC 3339.
    reboots: Vec<String>,
    /// True when there are more samples than an answer holds, and these are the newest; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    truncated: Option<bool>,
}

/// What an observer said of itself, and the rates that follow.
#[utoipa::path(
    get, path = "/api/observers/{id}/metrics", tag = "observers",
    params(("id" = String, Path, description = "The id under which it publishes, in either case"), ObserverMetricsParams),
    responses(
        (status = 200, body = ObserverMetricsResponse), (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody), (status = 503, body = crate::error::ErrorBody)
    )
)]
pub(crate) async fn observer_metrics(
    State(state): State<ApiState>,
    Segment(id): Segment,
    Params(params): Params<ObserverMetricsParams>,
) -> Result<Json<ObserverMetricsResponse>, HttpError> {
    let resolution = resolution(params.resolution.as_deref())?;
    let config = state.config_arc();
    let who = state.read(|index, now| {
        let observer = index.observer(&id, now)?;
        let name = observer.record.name.as_deref().filter(|name| !name.is_empty());
        let who = (observer.record.id, observer.record.key.to_string(), name.map(str::to_owned));
        Visibility::new(&config).shows_observer(&observer).then_some(who)
    });
    let Some((observer, observer_id, observer_name)) = who else {
        return Err(HttpError::not_found("Observer not found"));
    };
    let since = params.since.map_or_else(|| UnixMillis::now().plus_ms(-DEFAULT_MS), |Moment(time)| time);
    // The reader's end is exclusive.
    let until = params.until.map_or(UnixMillis(i64::MAX), |Moment(time)| time.plus_ms(1));
    let found = read(state, observer, (since, until), resolution).await?;
    Ok(Json(ObserverMetricsResponse { observer_id, observer_name, ..found }))
}

/// On the blocking pool, since it takes the disk's time.
async fn read(
    state: ApiState,
    observer: ObserverId,
    (since, until): (UnixMillis, UnixMillis),
    resolution: Resolution,
) -> Result<ObserverMetricsResponse, HttpError> {
    let asked = state.clone();
    let answer = state.read_rows(usize::MAX, move |_index| {
        let reader = asked.services().reader().ok_or_else(no_database)?;
        let mut samples = reader.metrics(observer, since, until).map_err(|error| {
            tracing::warn!(%error, "an observer's metrics could not be read");
            no_database()
        })?;
        resolution.thin(&mut samples);
        let surplus = samples.len().saturating_sub(MAX_ROWS);
        samples.drain(..surplus);
        let (metrics, reboots) = metrics_rows(&samples, resolution);
        let truncated = (surplus > 0).then_some(true);
        Ok(ObserverMetricsResponse {
            metrics,
            observer_id: String::new(),
            observer_name: None,
            reboots,
            truncated,
        })
    });
    answer.await?
}

pub(crate) fn no_database() -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read at the moment")
}

fn resolution(text: Option<&str>) -> Result<Resolution, HttpError> {
    match text {
        None | Some("" | "5m") => Ok(Resolution::FiveMinutes),
        Some("1h") => Ok(Resolution::Hour),
        Some("1d") => Ok(Resolution::Day),
        Some(other) => {
            let text = format!("invalid resolution: {other}. Must be 5m, 1h, or 1d");
            Err(HttpError::bad_request(text).with_parameter("resolution"))
        }
    }
}
