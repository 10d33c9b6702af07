//! `GET /api/perf/ledger`.

use crate::extract::{Params, parsed};
use crate::json::Json;
use crate::state::ApiState;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use xray::Ledger;

/// Five minutes: long enough to have a checkpoint in it, short enough to be about now.
const DEFAULT_SECS: u32 = 300;

/// The history goes back a month.
const MOST_SECS: u32 = 30 * 86_400;

/// Over which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerParams {
    /// The last so many seconds, 5 to 2592000 (30 days); 300 when left out. What is longer than the history is cut to it.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u32>)]
    window: Option<u32>,
}

/// Every byte written, twice: by who caused it and by where it went.
///
/// The sums of both are equal. Beside them is what the kernel and the device counted, and what nobody explains.
#[utoipa::path(
    get, path = "/api/perf/ledger", tag = "perf", params(LedgerParams),
    responses((status = 200, body = Ledger), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn perf_ledger(
    State(state): State<ApiState>,
    Params(params): Params<LedgerParams>,
) -> Json<Ledger> {
    let secs = params.window.unwrap_or(DEFAULT_SECS).clamp(5, MOST_SECS);
    Json(state.services().books().ledger(secs))
}
