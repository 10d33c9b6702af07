//! `GET /api/nodes/resolve`.

use crate::error::HttpError;
use crate::extract::Params;
use crate::json::Json;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which node is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ResolveParams {
    /// The beginning of its key: 4 to 64 hex digits.
    #[param(required = true)]
    prefix: String,
}

/// The one node whose key begins so, if it is only one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolveResponse {
    /// As asked for, in lower case.
    prefix: String,
    /// Absent when no node or several begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pubkey: Option<String>,
    /// Absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Whether several begin so.
    ambiguous: bool,
}

/// Fewer digits name nobody in particular.
const LEAST_DIGITS: usize = 4;

/// The node whose key begins with some digits.
#[utoipa::path(
    get, path = "/api/nodes/resolve", tag = "nodes", params(ResolveParams),
    responses((status = 200, body = ResolveResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn resolve_node(
    State(state): State<ApiState>,
    Params(params): Params<ResolveParams>,
) -> Result<Json<ResolveResponse>, HttpError> {
    let prefix = params.prefix.trim().to_ascii_lowercase();
    let is_hex = prefix.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex || !(LEAST_DIGITS..=64).contains(&prefix.len()) {
        return Err(HttpError::bad_parameter("prefix", "not 4 to 64 hex digits"));
    }
    let config = state.config_arc();
    let visibility = Visibility::new(&config);
    Ok(Json(state.read(|index, _now| {
        let mut found = index.nodes_by_prefix(&prefix).into_iter().filter(|node| visibility.shows_node(node));
        let first = found.next();
        let ambiguous = found.next().is_some();
        let node = first.filter(|_| !ambiguous);
        ResolveResponse {
            prefix: prefix.clone(),
            pubkey: node.map(|node| node.key.to_string()),
            name: node.and_then(crate::render::node::shown_name),
            ambiguous,
        }
    })))
}
