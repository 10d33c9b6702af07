//! `GET /api/nodes/{pubkey}/analytics`.

use super::clock_skew::{ADVERTS_IN_ANALYTICS, clock_of};
use super::find::find_node;
use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Params, Segment, Whole, parsed};
use crate::history::packets_since;
use crate::json::Json;
use crate::render::node::activity::{
    ActivityBucket, ComputedStats, CoverageRow, HeatmapCell, HopCountRow, PeerRow, SignalRow, TypeCountRow,
    heatmap, hop_counts, timeline, type_counts,
};
use crate::render::node::clock::NodeClockRow;
use crate::render::node::health::shown_shares;
use crate::render::node::{NodeRow, peer_name};
use crate::render::time::rfc3339;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Index, Node, Peer};
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How far back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DaysParams {
    /// Days before now: 7 when absent or 0, at most 365.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    days: Option<Whole>,
}

impl DaysParams {
    /// Within the bounds.
    pub(crate) fn days(&self) -> u32 {
        crate::extract::limit(self.days, 7, 365) as u32
    }
}

/// The span of time that the figures are of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimeRange {
    /// RFC 3339.
    from: String,
    /// RFC 3339.
    to: String,
    days: u32,
}

/// What happened to a node, by its adverts and the packets that it relayed. Hops, signals and observers are those of the
/// best observation of each packet: the one with the longest path.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeAnalyticsResponse {
    node: NodeRow,
    time_range: TimeRange,
    /// Hours without a packet are left out.
    activity_timeline: Vec<ActivityBucket>,
    /// In the order of time.
    snr_trend: Vec<SignalRow>,
    packet_type_breakdown: Vec<TypeCountRow>,
    /// By number of packets, most first.
    observer_coverage: Vec<CoverageRow>,
    hop_distribution: Vec<HopCountRow>,
    /// Those who stood beside the node on the ways of its packets: at most 20, most packets first.
    peer_interactions: Vec<PeerRow>,
    /// Hours without a packet are left out.
    uptime_heatmap: Vec<HeatmapCell>,
    computed_stats: ComputedStats,
    /// How wrong its clock is, by its newest 32 adverts whatever the days. Absent when they tell nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    clock_skew: Option<NodeClockRow>,
    /// Present and true when the node has so many packets that signals, observers and peers are only those of the newest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    bounded: bool,
    /// Present when older packets of the time range are only in storage: the figures are of packets first heard after this, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    packets_since: Option<String>,
}

const MAX_PEERS: usize = 20;
const DAY_MS: i64 = 86_400_000;

/// What happened to a node in the last days.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/analytics", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8"), DaysParams),
    responses(
        (status = 200, body = NodeAnalyticsResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_analytics(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
    Params(params): Params<DaysParams>,
) -> Result<Json<NodeAnalyticsResponse>, HttpError> {
    let config = state.config_arc();
    let days = params.days();
    let answer = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let node = find_node(&index, &pubkey, &config)?;
        Ok(analytics(&index, node, &config, days))
    });
    answer.await?.map(Json)
}

fn analytics(index: &Index, node: &Node, config: &ApiConfig, days: u32) -> NodeAnalyticsResponse {
    let visibility = Visibility::new(config);
    let now = UnixMillis::now();
    let from = now.plus_ms(-i64::from(days) * DAY_MS);
    let packets = index.packets_since(&index.some_packets_of(&node.key), from);
    let activity = index.node_activity(&packets);
    let resolver = index.hops();
    let beside = index.node_peers(&node.key, &packets, &resolver);
    let peers: Vec<PeerRow> =
        beside.peers.iter().filter_map(|peer| peer_row(peer, index, &visibility)).collect();
    let shares: Vec<_> = shown_shares(&activity.observers, index, &visibility).collect();
    let shown_signals = activity.signals.iter().filter(|signal| {
        let record = index.observer_record(signal.observer);
        record.is_some_and(|record| visibility.shows_observer_key(&record.key))
    });
    NodeAnalyticsResponse {
        node: NodeRow::with_relay(node, index, config, &resolver, now),
        time_range: TimeRange { from: rfc3339(from), to: rfc3339(now), days },
        activity_timeline: timeline(&activity),
        snr_trend: shown_signals.map(|signal| SignalRow::of(signal, index)).collect(),
        packet_type_breakdown: type_counts(&activity),
        hop_distribution: hop_counts(&activity),
        uptime_heatmap: heatmap(&activity),
        computed_stats: ComputedStats::of(&activity, days, shares.len() as u64, peers.len() as u64),
        observer_coverage: shares.into_iter().map(|share| CoverageRow::of(share, index)).collect(),
        peer_interactions: peers.into_iter().take(MAX_PEERS).collect(),
        clock_skew: clock_of(index, node, config, ADVERTS_IN_ANALYTICS),
        bounded: activity.bounded || beside.bounded,
        packets_since: packets_since(index, Some(from)),
    }
}

/// `None` for one that is not to be shown, be it as a node or as an observer.
fn peer_row(peer: &Peer, index: &Index, visibility: &Visibility<'_>) -> Option<PeerRow> {
    visibility.shows_peer(index, &peer.key).then(|| PeerRow {
        peer_key: peer.key.to_string(),
        peer_name: peer_name(index, &peer.key),
        message_count: u64::from(peer.packets),
        last_contact: rfc3339(peer.last),
    })
}
