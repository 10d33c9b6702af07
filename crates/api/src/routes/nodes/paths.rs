//! `GET /api/nodes/{pubkey}/paths`.

use super::find::find_node;
use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::Segment;
use crate::history::packets_since;
use crate::json::Json;
use crate::render::hex;
use crate::render::node::{believable_place, peer_name, shown_name};
use crate::render::time::rfc3339;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Index, Node, NodePath};
use serde::Serialize;
use utoipa::ToSchema;

/// The ways that packets took over a node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodePathsResponse {
    node: PathNodeRow,
    /// At most 50, most taken first.
    paths: Vec<NodePathRow>,
    /// How many different ways there are.
    total_paths: u64,
    /// Packets that took any of them.
    total_transmissions: u64,
    /// Present and true when only the newest packets were looked at.
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
pub(crate) struct PathNodeRow {
    public_key: String,
    name: Option<String>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
}

/// One way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodePathRow {
    /// In the order in which a packet passes them.
    hops: Vec<PathHopRow>,
    /// Packets that took it.
    count: u64,
    /// When the newest of them was first heard, RFC 3339.
    last_seen: String,
    /// The content hash of the newest of them.
    sample_hash: String,
}

/// One hop of a way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PathHopRow {
    /// The hash as the newest packet has it.
    prefix: String,
    /// The node's name, or the hash when it is not known who it was.
    name: String,
    /// Null when it is not known who it was.
    pubkey: Option<String>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
}

const MAX_PATHS: usize = 50;

/// The ways that packets took over a node, most taken first.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/paths", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8")),
    responses(
        (status = 200, body = NodePathsResponse),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_paths(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
) -> Result<Json<NodePathsResponse>, HttpError> {
    let config = state.config_arc();
    let answer = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let node = find_node(&index, &pubkey, &config)?;
        Ok(paths(&index, node, &config))
    });
    answer.await?.map(Json)
}

fn paths(index: &Index, node: &Node, config: &ApiConfig) -> NodePathsResponse {
    let visibility = Visibility::new(config);
    let packets = index.some_packets_of(&node.key);
    let may_name = |key: &_| visibility.shows_peer(index, key);
    let found = index.node_paths(&node.key, &packets, &index.hops(), may_name);
    let place = believable_place(node);
    NodePathsResponse {
        node: PathNodeRow {
            public_key: node.key.to_string(),
            name: shown_name(node),
            lat: place.map(|[lat, _]| lat),
            lon: place.map(|[_, lon]| lon),
        },
        paths: found.paths.iter().take(MAX_PATHS).map(|path| path_row(path, index)).collect(),
        total_paths: found.paths.len() as u64,
        total_transmissions: found.packets,
        bounded: found.bounded,
        packets_since: packets_since(index, None),
    }
}

fn path_row(path: &NodePath, index: &Index) -> NodePathRow {
    let sample = index.view(path.sample);
    let hashes = sample.best().path();
    let row = |(hash, node): (meshcore::Hop<'_>, &Option<meshcore::NodeKey>)| {
        let prefix = hex::upper(hash.bytes());
        let known = node.as_ref().and_then(|key| index.node(key));
        let place = known.and_then(believable_place);
        PathHopRow {
            name: node.and_then(|key| peer_name(index, &key)).unwrap_or_else(|| prefix.clone()),
            prefix,
            pubkey: node.map(|key| key.to_string()),
            lat: place.map(|[lat, _]| lat),
            lon: place.map(|[_, lon]| lon),
        }
    };
    NodePathRow {
        hops: hashes.hops().zip(&path.nodes).map(row).collect(),
        count: u64::from(path.packets),
        last_seen: rfc3339(path.last_seen),
        sample_hash: sample.hash().to_string(),
    }
}
