//! `/api/nodes` and what is below it.

use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Moment, Params, Segment, Whole, choice, csv, limit, parsed};
use crate::json::Json;
use crate::render::node::{NodeRow, RoleCountsRow};
use crate::render::packet::{Observations, PacketRow, packet_row};
use crate::state::ApiState;
use crate::visibility::{Visibility, area_key, is_in_area, listed_since, regions};
use axum::extract::State;
use axum::http::StatusCode;
use index::{Index, Node, NodeQuery, NodeSort};
use meshcore::Role;
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which nodes. All filters given must hold; they are applied before the page is cut.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct NodesParams {
    /// Rows of the page: 50 when absent or 0, at most 2,000.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
    /// Rows to leave out before the page.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    offset: Option<Whole>,
    /// `companion`, `repeater`, `room`, `sensor`, `none` or `type-5` to `type-15`.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    role: Option<RoleName>,
    /// Part of the name, in either case.
    search: Option<String>,
    /// First seen at or before this time, RFC 3339.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    before: Option<Moment>,
    /// Heard within this time.
    #[serde(deserialize_with = "choice")]
    #[param(inline)]
    last_heard: Option<LastHeard>,
    /// What comes first: the name, the node seen last, or the one with the most adverts.
    #[serde(deserialize_with = "choice")]
    #[param(inline)]
    sort_by: Option<NodeOrder>,
    /// With an advert heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
    /// In this configured area.
    area: Option<String>,
}

/// Spans of time before now.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub(crate) enum LastHeard {
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "6h")]
    SixHours,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
}

impl LastHeard {
    fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::SixHours => 6,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        }
    }
}

/// What comes first in a list of nodes.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NodeOrder {
    Name,
    LastSeen,
    PacketCount,
}

/// A page of nodes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodesResponse {
    nodes: Vec<NodeRow>,
    /// How many nodes pass the filters, on this page or not.
    total: u64,
    /// Of all nodes there are, whatever the filters.
    counts: RoleCountsRow,
}

const HOUR_MS: i64 = 3_600_000;

/// A page of nodes.
#[utoipa::path(
    get, path = "/api/nodes", tag = "nodes", params(NodesParams),
    responses((status = 200, body = NodesResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn list_nodes(
    State(state): State<ApiState>,
    Params(params): Params<NodesParams>,
) -> Result<Json<NodesResponse>, HttpError> {
    let config = state.config_arc();
    let area = area_key(params.area.clone(), &config)?;
    let rows = limit(params.limit, 50, config.list_limits.nodes_max);
    let answer = state.read_rows(rows, move |index| {
        let visibility = Visibility::new(&config);
        let keep = |node: &Node| {
            visibility.shows_node(node) && area.as_deref().is_none_or(|area| is_in_area(node, &config, area))
        };
        let regions = regions(params.region);
        let now = UnixMillis::now();
        let query = NodeQuery {
            limit: rows,
            offset: params.offset.map_or(0, |Whole(rows)| rows),
            role: params.role.map(|RoleName(role)| role),
            search: params.search.as_deref().filter(|text| !text.is_empty()),
            first_seen_before: params.before.map(|Moment(time)| time),
            last_seen_after: params
                .last_heard
                .map(|span| now.plus_ms(-span.hours() * HOUR_MS))
                .max(listed_since(config.nodes_listed_for, now)),
            sort: match params.sort_by {
                Some(NodeOrder::Name) => NodeSort::Name,
                Some(NodeOrder::PacketCount) => NodeSort::PacketCount,
                Some(NodeOrder::LastSeen) | None => NodeSort::LastSeen,
            },
            regions: regions.as_deref(),
            keys: None,
            keep: Some(&keep),
        };
        let index = index.read();
        let page = index.nodes(&query);
        NodesResponse {
            nodes: page.nodes.iter().map(|node| NodeRow::of(node, &config)).collect(),
            total: page.total,
            counts: RoleCountsRow::from(index.totals(now).roles_all),
        }
    });
    Ok(Json(answer.await?))
}

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
        shown.map(|node| NodeRow::of(node, &config)).collect()
    });
    Ok(Json(SearchResponse { nodes }))
}

/// One node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeResponse {
    node: NodeRow,
    /// At most 20, newest first, each with its observations.
    recent_adverts: Vec<PacketRow>,
}

const RECENT_ADVERTS: usize = 20;

/// Fewer digits would match too many nodes by chance.
const LEAST_PREFIX_DIGITS: usize = 8;

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
    state.read(|index, _now| {
        let node = find(index, &pubkey, &config)?;
        let adverts = index.adverts_of(&node.key, RECENT_ADVERTS).into_iter();
        Ok(Json(NodeResponse {
            node: NodeRow::of(node, &config),
            recent_adverts: adverts
                .map(|row| packet_row(&index.view(row), keys, Observations::Listed))
                .collect(),
        }))
    })
}

fn find<'a>(index: &'a Index, pubkey: &str, config: &ApiConfig) -> Result<&'a Node, HttpError> {
    let visibility = Visibility::new(config);
    let not_found = || HttpError::not_found("Not found");
    if let Ok(key) = pubkey.parse() {
        return index.node(&key).filter(|node| visibility.shows_node(node)).ok_or_else(not_found);
    }
    if pubkey.len() < LEAST_PREFIX_DIGITS {
        return Err(not_found());
    }
    let mut found = index.nodes_by_prefix(pubkey).into_iter().filter(|node| visibility.shows_node(node));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        (Some(_), Some(_)) => {
            Err(HttpError::new(StatusCode::CONFLICT, "several nodes begin with these digits"))
        }
        (None, _) => Err(not_found()),
    }
}

/// A role, as a parameter.
#[derive(Clone, Copy, Debug)]
struct RoleName(Role);

impl std::str::FromStr for RoleName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::from_name(text).map(Self).ok_or("not a role such as repeater")
    }
}
