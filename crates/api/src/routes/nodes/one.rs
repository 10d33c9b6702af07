//! `GET /api/nodes/{pubkey}`.

use super::find::find_node;
use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::Segment;
use crate::json::Json;
use crate::render::node::NodeRow;
use crate::render::node::relay::relays;
use crate::render::packet::{Observations, PacketRow, packet_row};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Index, Node};
use model::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

/// One node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeResponse {
    node: OneNodeRow,
    /// At most 20, newest first, each with its observations.
    recent_adverts: Vec<PacketRow>,
}

/// A node with what only its own page shows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneNodeRow {
    #[serde(flatten)]
    row: NodeRow,
    /// Only for repeaters and rooms: `relay_active` looks back so many hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    relay_window_hours: Option<f64>,
    /// Only for repeaters and rooms: its adverts of the last seven days that came as floods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    flood_advert_count_7d: Option<u64>,
}

const WEEK_MS: i64 = 7 * 24 * 3_600_000;
const RECENT_ADVERTS: usize = 20;

/// One node, by its key or the first eight or more digits of it.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8")),
    responses(
        (status = 200, body = NodeResponse),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn get_node(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
) -> Result<Json<NodeResponse>, HttpError> {
    let config = state.config_arc();
    let keys = state.keys();
    state.read(|index, now| {
        let node = find_node(index, &pubkey, &config)?;
        let hidden = Visibility::new(&config).hidden(index);
        let adverts = index.adverts_of(&node.key, RECENT_ADVERTS).into_iter();
        Ok(Json(NodeResponse {
            node: OneNodeRow::of(node, index, &config, now),
            recent_adverts: adverts
                .filter_map(|row| packet_row(&index.view(row), keys, &hidden, Observations::Listed))
                .collect(),
        }))
    })
}

impl OneNodeRow {
    fn of(node: &Node, index: &Index, config: &ApiConfig, now: UnixMillis) -> Self {
        let row = NodeRow::with_relay(node, index, config, &index.hops(), now);
        let relays = relays(node);
        Self {
            row,
            relay_window_hours: relays.then_some(config.health_thresholds.relay_active_hours),
            flood_advert_count_7d: relays
                .then(|| index.flood_adverts_since(&node.key, now.plus_ms(-WEEK_MS))),
        }
    }
}
