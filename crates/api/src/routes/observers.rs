//! `/api/observers` and what is below it.

pub(crate) mod analytics;
pub(crate) mod clock_skew;
pub(crate) mod compare;
pub(crate) mod metrics;
pub(crate) mod summary;

use crate::error::HttpError;
use crate::extract::{Params, Segment, csv};
use crate::fields::{Fields, Rows};
use crate::json::Json;
use crate::render::observer::ObserverRow;
use crate::render::time::rfc3339;
use crate::state::ApiState;
use crate::visibility::{Visibility, listed_since};
use axum::extract::State;
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ObserversParams {
    /// Only these fields of each row, such as `id,name,last_seen`.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    fields: Vec<String>,
}

/// All observers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserversResponse {
    /// Those heard of last first.
    #[schema(value_type = Vec<ObserverRow>)]
    observers: Rows<ObserverRow>,
    /// The server's clock, RFC 3339.
    server_time: String,
}

/// All observers.
#[utoipa::path(
    get, path = "/api/observers", tag = "observers", params(ObserversParams),
    responses((status = 200, body = ObserversResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn list_observers(
    State(state): State<ApiState>,
    Params(params): Params<ObserversParams>,
) -> Result<Json<ObserversResponse>, HttpError> {
    let fields = Fields::named(params.fields)?;
    let config = state.config_arc();
    let visibility = Visibility::new(&config);
    let mut observers: Vec<ObserverRow> = state.read(|index, now| {
        let since = listed_since(config.observers_listed_for, now);
        let is_listed = |seen: UnixMillis| since.is_none_or(|since| seen > since);
        let shown = index.observers(now).into_iter();
        let shown =
            shown.filter(|observer| is_listed(observer.last_seen) && visibility.shows_observer(observer));
        shown.map(|observer| ObserverRow::of(&observer)).collect()
    });
    ObserverRow::count_naive_times(&mut observers, state.services());
    let observers = Rows { rows: observers, fields };
    Ok(Json(ObserversResponse { observers, server_time: rfc3339(UnixMillis::now()) }))
}

/// One observer.
#[utoipa::path(
    get, path = "/api/observers/{id}", tag = "observers",
    params(("id" = String, Path, description = "The id under which it publishes, in either case")),
    responses((status = 200, body = ObserverRow), (status = 404, body = crate::error::ErrorBody))
)]
pub(crate) async fn get_observer(
    State(state): State<ApiState>,
    Segment(id): Segment,
) -> Result<Json<ObserverRow>, HttpError> {
    let config = state.config_arc();
    let visibility = Visibility::new(&config);
    let row = state.read(|index, now| {
        let observer = index.observer(&id, now).filter(|observer| visibility.shows_observer(observer))?;
        Some(ObserverRow::of(&observer))
    });
    let mut row = row.ok_or_else(|| HttpError::not_found("Observer not found"))?;
    ObserverRow::count_naive_times(std::slice::from_mut(&mut row), state.services());
    Ok(Json(row))
}
