//! `GET /api/nodes/{pubkey}/reach`.

use super::find::find_node;
use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Params, Segment, Whole, limit, parsed};
use crate::history::packets_since;
use crate::json::Json;
use crate::render::node::health::mean_snr_db;
use crate::render::node::{believable_place, peer_name, shown_name};
use crate::render::packet::ObserverTexts;
use crate::render::time::rfc3339;
use crate::render::{hex, rounded};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{DirectObserver, HopResolver, Index, Node, NodeLink};
use meshcore::NodeKey;
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How far back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReachParams {
    /// Days before now: 7 when absent or 0, at most 30.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    days: Option<Whole>,
}

/// Whom a node hears, and who hears it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeReachResponse {
    node: ReachNodeRow,
    window: ReachWindow,
    /// The beginnings of its key, of one to three bytes, that no other node that relays shares. Packets are counted by the
    /// word of hop resolution, which needs no such beginning.
    reliable_tokens: Vec<String>,
    importance: ReachImportance,
    /// Who observed the node itself, and not by way of others: most often first.
    direct_observers: Vec<DirectObserverRow>,
    /// Those that are good in both directions first.
    links: Vec<ReachLinkRow>,
    /// Present and true when the node has so many packets that only the newest were looked at, or when older ones of the window
    /// are not in memory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    bounded: bool,
}

/// The node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReachNodeRow {
    pubkey: String,
    name: Option<String>,
    /// `companion`, `repeater`, `room`, `sensor`, `none` or `type-N`.
    role: String,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// RFC 3339.
    first_seen: String,
}

/// The span of time that is looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReachWindow {
    days: usize,
    /// RFC 3339.
    since: String,
}

/// What the node is to the mesh.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReachImportance {
    /// Nodes that were heard beside it at the ends of paths.
    neighbor_degree: usize,
    /// 1 when no node has more of them; 0 when it has none.
    degree_rank: usize,
    /// Nodes that have any.
    nodes_with_edges: usize,
    /// Observations of packets that it relayed.
    relay_observations: u64,
    /// Links that are good in both directions.
    bidirectional_links: usize,
    /// Observers that heard it without others between.
    direct_observers: usize,
}

/// An observer that heard the node itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DirectObserverRow {
    /// The id under which it publishes.
    pubkey: String,
    name: Option<String>,
    /// Observations.
    count: u64,
    /// Decibels.
    avg_snr: Option<f64>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// Null when one of the two does not say where it is.
    distance_km: Option<f64>,
}

/// A node that this one hears, or that hears it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReachLinkRow {
    pubkey: String,
    name: Option<String>,
    /// Null for an observer that never adverted.
    role: Option<String>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// Observations in whose path it stands right before the node.
    we_hear: u64,
    /// Observations in whose path it stands right after the node, or which are its own.
    they_hear: u64,
    /// The lesser of the two.
    bottleneck: u64,
    /// Whether neither is 0.
    bidir: bool,
    /// Null when one of the two does not say where it is.
    distance_km: Option<f64>,
}

const DAY_MS: i64 = 86_400_000;

/// Whom a node hears and who hears it, by the floods that it sent or relayed.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/reach", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8"), ReachParams),
    responses(
        (status = 200, body = NodeReachResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_reach(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
    Params(params): Params<ReachParams>,
) -> Result<Json<NodeReachResponse>, HttpError> {
    let is_hex = pubkey.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex || !(8..=64).contains(&pubkey.len()) {
        return Err(HttpError::bad_parameter("pubkey", "not 64 hex digits, or at least the first 8"));
    }
    let config = state.config_arc();
    let days = limit(params.days, 7, 30);
    let answer = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let node = find_node(&index, &pubkey, &config)?;
        Ok(reach(&index, node, &config, days))
    });
    answer.await?.map(Json)
}

fn reach(index: &Index, node: &Node, config: &ApiConfig, days: usize) -> NodeReachResponse {
    let visibility = Visibility::new(config);
    let since = UnixMillis::now().plus_ms(-(days as i64) * DAY_MS);
    let resolver = index.hops();
    let found = index.node_links(&node.key, since, &resolver);
    let shown_links = found.links.iter().filter(|link| visibility.shows_peer(index, &link.key));
    let mut links: Vec<ReachLinkRow> =
        shown_links.map(|link| ReachLinkRow::of(link, node, index, &resolver)).collect();
    links.sort_by(|a, b| {
        let rank = |row: &ReachLinkRow| (row.bottleneck, row.we_hear + row.they_hear);
        rank(b).cmp(&rank(a)).then_with(|| a.pubkey.cmp(&b.pubkey))
    });
    let direct = found.observers.iter();
    let direct = direct.filter_map(|found| DirectObserverRow::of(found, node, index, &resolver, &visibility));
    let mut direct_observers: Vec<DirectObserverRow> = direct.collect();
    direct_observers.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.pubkey.cmp(&b.pubkey)));
    let standing = resolver.standing(&node.key);
    let place = believable_place(node);
    NodeReachResponse {
        node: ReachNodeRow {
            pubkey: node.key.to_string(),
            name: shown_name(node),
            role: node.role.name().to_owned(),
            lat: place.map(|[lat, _]| lat),
            lon: place.map(|[_, lon]| lon),
            first_seen: rfc3339(node.first_seen),
        },
        window: ReachWindow { days, since: rfc3339(since) },
        reliable_tokens: reliable_tokens(&node.key, &resolver),
        importance: ReachImportance {
            neighbor_degree: standing.degree,
            degree_rank: standing.rank,
            nodes_with_edges: standing.of,
            relay_observations: u64::from(found.relayed),
            bidirectional_links: links.iter().filter(|link| link.bidir).count(),
            direct_observers: direct_observers.len(),
        },
        direct_observers,
        links,
        bounded: found.bounded || packets_since(index, Some(since)).is_some(),
    }
}

fn reliable_tokens(key: &NodeKey, resolver: &HopResolver) -> Vec<String> {
    let is_its_own = |hash: &&[u8]| {
        let mut candidates = resolver.candidates(hash);
        candidates.next().is_some_and(|only| only.key == *key) && candidates.next().is_none()
    };
    (1..=3).map(|size| &key.0[..size]).filter(is_its_own).map(hex::lower).collect()
}

fn distance_km(resolver: &HopResolver, one: &NodeKey, other: &NodeKey) -> Option<f64> {
    resolver.distance_km(one, other).map(|km| rounded(f64::from(km), 2))
}

impl DirectObserverRow {
    /// `None` for one that is not to be shown.
    fn of(
        found: &DirectObserver,
        node: &Node,
        index: &Index,
        resolver: &HopResolver,
        visibility: &Visibility<'_>,
    ) -> Option<Self> {
        let record = index.observer_record(found.observer)?;
        let key: Option<NodeKey> = record.key.parse().ok();
        let is_shown = match &key {
            Some(key) => visibility.shows_peer(index, key),
            None => visibility.shows_observer_key(&record.key),
        };
        let place = key.as_ref().and_then(|key| index.node(key)).and_then(believable_place);
        is_shown.then(|| Self {
            pubkey: record.key.to_string(),
            name: ObserverTexts::of(record).name,
            count: u64::from(found.count),
            avg_snr: mean_snr_db(found.snr),
            lat: place.map(|[lat, _]| lat),
            lon: place.map(|[_, lon]| lon),
            distance_km: key.and_then(|key| distance_km(resolver, &node.key, &key)),
        })
    }
}

impl ReachLinkRow {
    fn of(link: &NodeLink, node: &Node, index: &Index, resolver: &HopResolver) -> Self {
        let peer = index.node(&link.key);
        let place = peer.and_then(believable_place);
        let (we_hear, they_hear) = (u64::from(link.we_hear), u64::from(link.they_hear));
        Self {
            pubkey: link.key.to_string(),
            name: peer_name(index, &link.key),
            role: peer.map(|peer| peer.role.name().to_owned()),
            lat: place.map(|[lat, _]| lat),
            lon: place.map(|[_, lon]| lon),
            we_hear,
            they_hear,
            bottleneck: we_hear.min(they_hear),
            bidir: we_hear > 0 && they_hear > 0,
            distance_km: distance_km(resolver, &node.key, &link.key),
        }
    }
}
