//! `GET /api/nodes/clock-skew` and `GET /api/nodes/{pubkey}/clock-skew`.

use super::find::find_node_or;
use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Params, Segment};
use crate::json::Json;
use crate::render::node::clock::NodeClockRow;
use crate::state::ApiState;
use crate::visibility::{Visibility, area_key, is_in_area, listed_since};
use axum::extract::State;
use index::{Index, Node, NodeQuery};
use model::UnixMillis;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which nodes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClockSkewParams {
    /// In this configured area.
    area: Option<String>,
}

/// Adverts of each node of the list: those that are recent, and one more so that a drift can be told.
const ADVERTS_IN_LIST: usize = 6;

/// Adverts of a single node: as many as have a part in its drift.
const ADVERTS_OF_ONE: usize = 200;

/// Among much else of a node.
pub(super) const ADVERTS_IN_ANALYTICS: usize = 32;

const NO_DATA: &str = "No clock skew data for this node";

/// How wrong the clocks of nodes are, by the newest 6 adverts of each: those seen last first, at most as many as lists have.
/// Nodes whose adverts say a time at which no clock was ever set are left out.
#[utoipa::path(
    get, path = "/api/nodes/clock-skew", tag = "nodes", params(ClockSkewParams),
    responses((status = 200, body = Vec<NodeClockRow>), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn nodes_clock_skew(
    State(state): State<ApiState>,
    Params(params): Params<ClockSkewParams>,
) -> Result<Json<Vec<NodeClockRow>>, HttpError> {
    let config = state.config_arc();
    let area = area_key(params.area, &config)?;
    let rows = state.read_rows(usize::MAX, move |index| {
        let visibility = Visibility::new(&config);
        let keep = |node: &Node| {
            visibility.shows_node(node) && area.as_deref().is_none_or(|area| is_in_area(node, &config, area))
        };
        let query = NodeQuery {
            limit: config.list_limits.nodes_max,
            last_seen_after: listed_since(config.nodes_listed_for, UnixMillis::now()),
            keep: Some(&keep),
            ..NodeQuery::default()
        };
        let index = index.read();
        let clocks = index.clocks();
        let row = |node: &&Node| {
            let clock = clocks.of_node(&node.key, ADVERTS_IN_LIST)?;
            Some(NodeClockRow::in_list(node, &clock, &index))
        };
        index.nodes(&query).nodes.iter().filter_map(row).collect()
    });
    Ok(Json(rows.await?))
}

/// How wrong the clock of a node is, by its newest 200 adverts.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/clock-skew", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8")),
    responses(
        (status = 200, body = NodeClockRow),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_clock_skew(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
) -> Result<Json<NodeClockRow>, HttpError> {
    let config = state.config_arc();
    let answer = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let node = find_node_or(&index, &pubkey, &config, NO_DATA)?;
        clock_of(&index, node, &config, ADVERTS_OF_ONE).ok_or_else(|| HttpError::not_found(NO_DATA))
    });
    answer.await?.map(Json)
}

/// The clock of a node with all that is told of it; `None` when its adverts tell nothing.
pub(super) fn clock_of(
    index: &Index,
    node: &Node,
    config: &ApiConfig,
    adverts: usize,
) -> Option<NodeClockRow> {
    let clocks = index.clocks();
    let clock = clocks.of_node(&node.key, adverts)?;
    Some(NodeClockRow::whole(node, &clock, &clocks, index, &Visibility::new(config)))
}
