//! `GET /api/nodes/{pubkey}/health`.

use super::find::find_node;
use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::Segment;
use crate::history::packets_since;
use crate::json::Json;
use crate::render::node::NodeRow;
use crate::render::node::health::{NodeObserverRow, NodeStatsRow, shown_shares};
use crate::render::packet::{Observations, PacketRow, packet_row};
use crate::render::time::midnight;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Hidden, Index, ObserverShare, PacketsOf};
use meshcore::{KeyRing, NodeKey};
use model::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

/// How well a node is heard, by its adverts and the packets that it relayed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeHealthResponse {
    node: HealthNode,
    /// By number of packets, most first.
    observers: Vec<HealthObserverRow>,
    stats: HealthStatsRow,
    /// At most 20, newest first.
    recent_packets: Vec<PacketRow>,
    /// Present and true when the node has so many packets that only the newest were looked at for signals and observers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    bounded: bool,
    /// Present when older packets are only in storage: the figures are of packets first heard after this, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    packets_since: Option<String>,
}

/// The node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there is one in an answer, and it is seldom the small one")]
pub(crate) enum HealthNode {
    /// One that adverted.
    Known(NodeRow),
    /// One that never did: an observer that relays.
    Unknown(UnknownNode),
}

/// A node that never adverted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnknownNode {
    public_key: String,
    /// Always `Unknown`.
    name: &'static str,
    /// Always `unknown`.
    role: &'static str,
}

/// An observer of the node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthObserverRow {
    #[serde(flatten)]
    heard: NodeObserverRow,
    /// Whether it also repeats; null while it has never said so.
    can_relay: Option<bool>,
}

/// The sums over the packets of the node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthStatsRow {
    #[serde(flatten)]
    sums: NodeStatsRow,
    /// Mean hops of the packets that have any, rounded; 0 when none has.
    avg_hops: u64,
}

const RECENT_PACKETS: usize = 20;

/// How well a node is heard.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/health", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8")),
    responses(
        (status = 200, body = NodeHealthResponse),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_health(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
) -> Result<Json<NodeHealthResponse>, HttpError> {
    let config = state.config_arc();
    let keys = std::sync::Arc::clone(state.keys());
    let answer = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let (key, node) = match find_node(&index, &pubkey, &config) {
            Ok(node) => {
                let row = NodeRow::with_relay(node, &index, &config, &index.hops(), UnixMillis::now());
                (node.key, HealthNode::Known(row))
            }
            Err(error) => find_unknown(&index, &pubkey, &config).ok_or(error)?,
        };
        Ok(health(&index, &key, node, &config, &keys))
    });
    answer.await?.map(Json)
}

/// One that relayed packets and never adverted; those that are hidden did, or are hidden by their keys.
fn find_unknown(index: &Index, pubkey: &str, config: &ApiConfig) -> Option<(NodeKey, HealthNode)> {
    let key = pubkey.parse().ok().filter(|key| index.node(key).is_none())?;
    let is_there = Visibility::new(config).shows_peer(index, &key) && !index.packets_of(&key).is_empty();
    let public_key = key.to_string();
    let stub = UnknownNode { public_key, name: "Unknown", role: "unknown" };
    is_there.then_some((key, HealthNode::Unknown(stub)))
}

fn health(
    index: &Index,
    key: &NodeKey,
    node: HealthNode,
    config: &ApiConfig,
    keys: &KeyRing,
) -> NodeHealthResponse {
    let visibility = Visibility::new(config);
    let packets = index.packets_of(key);
    let health = index.node_health(&packets, midnight(UnixMillis::now()));
    NodeHealthResponse {
        node,
        observers: shown_shares(&health.observers, index, &visibility)
            .map(|share| HealthObserverRow::of(share, index))
            .collect(),
        stats: HealthStatsRow {
            sums: NodeStatsRow::of(&health),
            avg_hops: health.hops.mean().map_or(0, |mean| mean.round() as u64),
        },
        recent_packets: recent_packets(index, &packets, &visibility.hidden(index), keys),
        bounded: health.bounded,
        packets_since: packets_since(index, None),
    }
}

/// Without adverts of nodes that are not shown, which the node may have relayed.
fn recent_packets(index: &Index, packets: &PacketsOf, hidden: &Hidden, keys: &KeyRing) -> Vec<PacketRow> {
    let row = |row| packet_row(&index.view(row), keys, hidden, Observations::LeftOut);
    packets.newest().filter_map(row).take(RECENT_PACKETS).collect()
}

impl HealthObserverRow {
    fn of(share: &ObserverShare, index: &Index) -> Self {
        let can_relay = index.observer_record(share.observer).and_then(|record| record.can_relay);
        Self { heard: NodeObserverRow::of(share, index), can_relay }
    }
}
