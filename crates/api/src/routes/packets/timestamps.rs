//! `GET /api/packets/timestamps`.

use crate::error::HttpError;
use crate::extract::{Moment, Params, parsed};
use crate::json::WrittenJson;
use crate::render::time::rfc3339_list;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use index::Reach;
use serde::Deserialize;
use utoipa::IntoParams;

/// Says that old packets were not all looked at, since reading them from storage takes long; an array has no other place for it.
const BOUNDED: HeaderName = HeaderName::from_static("x-history-bounded");

/// From when on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimestampsParams {
    /// First heard after this time, RFC 3339.
    #[serde(default, deserialize_with = "parsed")]
    #[param(value_type = String, required = true)]
    since: Option<Moment>,
}

/// When packets were first heard, oldest first. With the header `X-History-Bounded: true`, the oldest are not all there.
#[utoipa::path(
    get, path = "/api/packets/timestamps", tag = "packets", params(TimestampsParams),
    responses((status = 200, body = Vec<String>), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn packet_timestamps(
    State(state): State<ApiState>,
    Params(params): Params<TimestampsParams>,
) -> Result<(HeaderMap, WrittenJson), HttpError> {
    let Some(Moment(since)) = params.since else {
        return Err(HttpError::missing_parameter("since", "since required"));
    };
    // How many there are is not known before, so this is always made on the blocking pool.
    let list = move |reach: &Reach<'_>| {
        let times = reach.first_seen_since(since);
        (times.bounded, rfc3339_list(&times.found))
    };
    let (bounded, list) = state.reach(usize::MAX, list).await?;
    let mut headers = HeaderMap::new();
    if bounded {
        headers.insert(BOUNDED, HeaderValue::from_static("true"));
    }
    Ok((headers, WrittenJson(list)))
}
