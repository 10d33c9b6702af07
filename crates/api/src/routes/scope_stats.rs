//! `GET /api/scope-stats`.

use crate::error::HttpError;
use crate::extract::Params;
use crate::json::Json;
use crate::render::time::rfc3339;
use crate::state::ApiState;
use axum::extract::State;
use index::{OfPieces, ScopeStats};
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// How far back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScopeStatsParams {
    /// `1h`, `24h` or `7d`; 24 hours when absent.
    #[param(value_type = Option<String>, example = "24h")]
    window: Option<String>,
}

/// How much of the traffic is scoped to regions, by packets first heard in the window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScopeStatsResponse {
    /// As asked for.
    window: &'static str,
    summary: ScopeSummary,
    /// The regions that we know by their names, the most packets first.
    by_region: Vec<ScopeRegion>,
    /// Oldest first, without times in which nothing was heard: 5 minutes each for `1h`, an hour for `24h`, six hours for `7d`.
    time_series: Vec<ScopePoint>,
    /// True when the window begins long before what is in memory, and not all of it could be read in time: the figures are of
    /// the newest part; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bounded: Option<bool>,
}

/// Packets by scope.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScopeSummary {
    /// With transport codes.
    transport_total: u64,
    /// Of these, those scoped to a region, known or not.
    scoped: u64,
    /// All other packets, with transport codes or without.
    unscoped: u64,
    /// Of the scoped ones, those whose region is not known.
    unknown_scope: u64,
}

/// Packets of a region.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScopeRegion {
    /// With `#`.
    name: String,
    count: u64,
}

/// Packets of a span of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScopePoint {
    /// When it begins, RFC 3339.
    t: String,
    scoped: u64,
    unscoped: u64,
}

/// A window that can be asked for, its length, and the length of a point of its series.
type Window = (&'static str, i64, i64);

const WINDOWS: [Window; 3] =
    [("1h", HOUR_MS, 5 * MINUTE_MS), ("24h", 24 * HOUR_MS, HOUR_MS), ("7d", 7 * 24 * HOUR_MS, 6 * HOUR_MS)];

/// How much of the traffic is scoped to regions.
#[utoipa::path(
    get, path = "/api/scope-stats", tag = "core", params(ScopeStatsParams),
    responses((status = 200, body = ScopeStatsResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn scope_stats(
    State(state): State<ApiState>,
    Params(params): Params<ScopeStatsParams>,
) -> Result<Json<ScopeStatsResponse>, HttpError> {
    let asked = params.window.as_deref().filter(|window| !window.is_empty()).unwrap_or("24h");
    let Some((window, length_ms, bucket_ms)) = WINDOWS.into_iter().find(|(name, ..)| *name == asked) else {
        let error = HttpError::bad_request("window must be 1h, 24h, or 7d");
        return Err(error.with_parameter("window"));
    };
    // Each packet of the window is looked at once.
    let answer = state.reach(usize::MAX, move |reach| {
        let since = UnixMillis::now().plus_ms(-length_ms);
        ScopeStatsResponse::of(window, reach.scope_stats(since, bucket_ms))
    });
    Ok(Json(answer.await?))
}

impl ScopeStatsResponse {
    fn of(window: &'static str, OfPieces { found: stats, bounded }: OfPieces<ScopeStats>) -> Self {
        let region = |(name, count): (Box<str>, u64)| ScopeRegion { name: name.into(), count };
        let series = stats.series.iter();
        Self {
            window,
            summary: ScopeSummary {
                transport_total: stats.transport_total,
                scoped: stats.scoped,
                unscoped: stats.unscoped,
                unknown_scope: stats.unknown_scope,
            },
            time_series: series
                .map(|bucket| ScopePoint {
                    t: rfc3339(bucket.start),
                    scoped: bucket.scoped,
                    unscoped: bucket.unscoped,
                })
                .collect(),
            by_region: stats.by_region.into_iter().map(region).collect(),
            bounded: bounded.then_some(true),
        }
    }
}
