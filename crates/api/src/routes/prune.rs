//! `/api/admin/prune-geo-filter`: taking nodes off the list that say that they are outside the area of interest.

use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Authorized, Params, json_of, parsed};
use crate::json::Json;
use crate::render::node::{believable_place, is_foreign};
use crate::services::{MAX_PRUNED_AT_ONCE, PruneStatus, PruneUnavailable};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use index::{Index, Node, NodeQuery};
use model::NodeKey;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::{IntoParams, ToSchema};

/// Whether to do it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PruneParams {
    /// `true` takes the nodes of the body off the list; anything else only says which there are.
    #[param(value_type = Option<String>)]
    confirm: String,
}

/// Which request.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PruneStatusParams {
    /// The `requestId` that was answered.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = String, required = true)]
    id: Option<RequestId>,
}

/// Up to 64 hex digits.
#[derive(Debug)]
struct RequestId(String);

impl std::str::FromStr for RequestId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex { Ok(Self(text.to_ascii_lowercase())) } else { Err("not up to 64 hex digits") }
    }
}

/// The nodes to take off the list.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct PruneOrder {
    /// Their keys, at most 2,000. Those that are not outside the area of interest by now are left alone.
    pubkeys: Vec<String>,
}

/// What would be done, or will be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PruneResponse {
    /// Whether nothing is done.
    dry_run: bool,
    /// True once it will be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    accepted: Option<bool>,
    /// To ask what has become of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
    /// Nodes in the list.
    count: usize,
    /// The nodes; null when there are none.
    nodes: Option<Vec<PrunableNode>>,
    /// Where to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status_url: Option<String>,
}

/// A node outside the area of interest.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PrunableNode {
    pubkey: String,
    /// Empty while it has told none.
    name: String,
    lat: f64,
    lon: f64,
}

/// Take nodes off the list that say that they are outside the area of interest. Without `confirm=true` it only says which
/// there are. A node comes back with the next advert that is heard of it. Needs the API key in `X-API-Key`.
#[utoipa::path(
    post, path = "/api/admin/prune-geo-filter", tag = "admin", params(PruneParams),
    request_body(content = Option<PruneOrder>),
    responses(
        (status = 200, description = "What would be done", body = PruneResponse),
        (status = 202, description = "It will be done", body = PruneResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 503, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn prune_geo_filter(
    _authorized: Authorized,
    State(state): State<ApiState>,
    Params(params): Params<PruneParams>,
    body: Bytes,
) -> Result<(StatusCode, Json<PruneResponse>), HttpError> {
    let config = state.config_arc();
    if config.geo_filter.is_none() {
        return Err(HttpError::bad_request("no geo_filter is configured"));
    }
    let wanted = if params.confirm == "true" { Some(wanted(&body)?) } else { None };
    let only = wanted.clone();
    let outside = move |index: &index::SharedIndex| outside(&index.read(), &config, only.as_ref());
    let nodes = state.read_rows(usize::MAX, outside).await?;
    let count = nodes.len();
    let mut answer = PruneResponse {
        dry_run: wanted.is_none(),
        accepted: None,
        request_id: None,
        count,
        nodes: None,
        status_url: None,
    };
    if wanted.is_some() {
        let keys: Vec<NodeKey> = nodes.iter().map(|(key, _)| *key).collect();
        let request = state.registry(move |registry| registry.prune(keys)).await?.map_err(unavailable)?;
        answer.accepted = Some(true);
        answer.status_url = Some(format!("/api/admin/prune-geo-filter/status?id={request}"));
        answer.request_id = Some(request);
    }
    answer.nodes = Some(nodes.into_iter().map(|(_, node)| node).collect()).filter(|_| count > 0);
    Ok((if answer.dry_run { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(answer)))
}

/// What has become of a request to prune nodes. Needs the API key in `X-API-Key`.
#[utoipa::path(
    get, path = "/api/admin/prune-geo-filter/status", tag = "admin", params(PruneStatusParams),
    responses(
        (status = 200, body = PruneStatus),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
        (status = 503, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn prune_status(
    _authorized: Authorized,
    State(state): State<ApiState>,
    Params(params): Params<PruneStatusParams>,
) -> Result<Json<PruneStatus>, HttpError> {
    let RequestId(id) = params.id.ok_or_else(|| HttpError::missing_parameter("id", "id is required"))?;
    let status = state.registry(move |registry| registry.prune_status(&id)).await?.map_err(unavailable)?;
    status.map(Json).ok_or_else(|| HttpError::not_found("no such request"))
}

fn unavailable(error: PruneUnavailable) -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn wanted(body: &[u8]) -> Result<HashSet<NodeKey>, HttpError> {
    let order: PruneOrder = json_of(body)?;
    if order.pubkeys.is_empty() {
        return Err(HttpError::bad_request("pubkeys is required"));
    }
    if order.pubkeys.len() > MAX_PRUNED_AT_ONCE {
        return Err(HttpError::bad_request(format!("at most {MAX_PRUNED_AT_ONCE} pubkeys at once")));
    }
    let key = |text: &String| {
        let wrong = || HttpError::bad_request("pubkeys has one that is no key");
        text.trim()
            .parse::<NodeKey>()
            .map_err(|_| wrong().with_detail(text.chars().take(80).collect::<String>()))
    };
    order.pubkeys.iter().map(key).collect()
}

/// The nodes outside, of these or of all, by key.
fn outside(
    index: &Index,
    config: &ApiConfig,
    only: Option<&HashSet<NodeKey>>,
) -> Vec<(NodeKey, PrunableNode)> {
    let visibility = Visibility::new(config);
    let keep = |node: &Node| {
        is_foreign(node, config)
            && !visibility.hides_node(node)
            && only.is_none_or(|only| only.contains(&node.key))
    };
    let query = NodeQuery { limit: usize::MAX, keep: Some(&keep), ..NodeQuery::default() };
    let mut nodes = index.nodes(&query).nodes;
    nodes.sort_unstable_by_key(|node| node.key);
    let row = |node: &Node| {
        let [lat, lon] = believable_place(node)?;
        let name = node.name.as_ref().map(|name| name.display.to_string()).unwrap_or_default();
        Some((node.key, PrunableNode { pubkey: node.key.to_string(), name, lat, lon }))
    };
    nodes.into_iter().filter_map(row).collect()
}
