//! `GET /api/nodes/network-status`.

use crate::json::Json;
use crate::render::node::Presence;
use crate::state::ApiState;
use crate::visibility::{Visibility, listed_since};
use axum::extract::State;
use index::{Node, NodeQuery};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many nodes are how much alive, by the age of their newest adverts.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkStatusResponse {
    /// The nodes that lists have.
    total: u64,
    /// Heard lately.
    active: u64,
    /// Not heard for a while.
    degraded: u64,
    /// Not heard for long.
    silent: u64,
    /// Nodes by role.
    role_counts: BTreeMap<String, u64>,
}

/// How many nodes are active, degraded and silent.
#[utoipa::path(
    get, path = "/api/nodes/network-status", tag = "nodes",
    responses((status = 200, body = NetworkStatusResponse))
)]
pub(crate) async fn network_status(State(state): State<ApiState>) -> Json<NetworkStatusResponse> {
    let config = state.config_arc();
    let visibility = Visibility::new(&config);
    Json(state.read(|index, now| {
        let keep = |node: &Node| visibility.shows_node(node);
        let query = NodeQuery {
            limit: usize::MAX,
            last_seen_after: listed_since(config.nodes_listed_for, now),
            keep: Some(&keep),
            ..NodeQuery::default()
        };
        let mut status = NetworkStatusResponse::default();
        for node in index.nodes(&query).nodes {
            status.total += 1;
            match Presence::of(node, &config.health_thresholds, now) {
                Presence::Active => status.active += 1,
                Presence::Degraded => status.degraded += 1,
                Presence::Silent => status.silent += 1,
            }
            *status.role_counts.entry(node.role.name().to_owned()).or_default() += 1;
        }
        status
    }))
}
