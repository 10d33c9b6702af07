//! `GET /api/nodes/search`.

use crate::error::HttpError;
use crate::extract::Params;
use crate::json::Json;
use crate::render::node::NodeRow;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// Part of the name, in either case, or the beginning of the key.
    q: String,
}

/// Nodes found by name or key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchResponse {
    /// At most ten, those seen last first.
    nodes: Vec<NodeRow>,
}

const MAX_FOUND: usize = 10;

/// Find nodes by name or key.
#[utoipa::path(
    get, path = "/api/nodes/search", tag = "nodes", params(SearchParams),
    responses((status = 200, body = SearchResponse))
)]
pub(crate) async fn search_nodes(
    State(state): State<ApiState>,
    Params(params): Params<SearchParams>,
) -> Result<Json<SearchResponse>, HttpError> {
    let config = state.config_arc();
    let visibility = Visibility::new(&config);
    let nodes = state.read(|index, _now| {
        let found = index.search_nodes(params.q.trim(), usize::MAX).into_iter();
        let shown = found.filter(|node| visibility.shows_node(node)).take(MAX_FOUND);
        shown.map(|node| NodeRow::of(node, index, &config)).collect()
    });
    Ok(Json(SearchResponse { nodes }))
}
