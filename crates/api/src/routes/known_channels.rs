//! `/api/known-channels`.

use crate::error::HttpError;
use crate::extract::{Params, csv};
use crate::json::Json;
use crate::services::{KnownChannels, Registry};
use crate::state::ApiState;
use crate::visibility::regions;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use serde::Deserialize;
use utoipa::IntoParams;

/// The contract's words for a list that is there, which changes once a day.
const CACHE: &str = "public, max-age=300";

/// And for one that may be there in a moment.
const CACHE_EMPTY: &str = "public, max-age=30";

/// What stands for "never" where a time is wanted; CoreScope's.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Which channels.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct KnownChannelsParams {
    /// Of any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
}

/// Channels that a community has published. Empty unless `knownChannelsUrl` is configured; fetched once a day.
#[utoipa::path(
    get, path = "/api/known-channels", tag = "channels", params(KnownChannelsParams),
    responses((status = 200, body = KnownChannels), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn known_channels(
    State(state): State<ApiState>,
    Params(params): Params<KnownChannelsParams>,
) -> Result<([(HeaderName, &'static str); 1], Json<KnownChannels>), HttpError> {
    let wanted = regions(params.region);
    let list = state.registry(Registry::known_channels).await?;
    let Some(list) = list else {
        let (generated_at, license, source) = (None, None, String::new());
        let empty = KnownChannels {
            generated_at,
            license,
            fetched_at: NEVER.to_owned(),
            source,
            entries: Vec::new(),
        };
        return Ok(([(CACHE_CONTROL, CACHE_EMPTY)], Json(empty)));
    };
    let mut list = list.as_ref().clone();
    if let Some(codes) = wanted {
        list.entries.retain(|entry| codes.iter().any(|code| code.eq_ignore_ascii_case(&entry.region)));
    }
    Ok(([(CACHE_CONTROL, CACHE)], Json(list)))
}
