//! `GET /api/nodes`.

use crate::error::HttpError;
use crate::extract::{Moment, Params, Whole, choice, csv, limit, parsed};
use crate::fields::{Fields, Rows};
use crate::json::Json;
use crate::render::node::{NodeRow, RoleCountsRow};
use crate::state::ApiState;
use crate::visibility::{Visibility, area_key, is_in_area, listed_since, regions};
use axum::extract::State;
use index::{Node, NodeQuery, NodeSort};
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
    /// Only these fields of each row, such as `public_key,name,lat,lon`.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    fields: Vec<String>,
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
    #[schema(value_type = Vec<NodeRow>)]
    nodes: Rows<NodeRow>,
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
    let fields = Fields::named(params.fields)?;
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
        let resolver = index.hops();
        let page = index.nodes(&query);
        let nodes = page.nodes.iter();
        let nodes = nodes.map(|node| NodeRow::with_relay(node, &index, &config, &resolver, now)).collect();
        NodesResponse {
            nodes: Rows { rows: nodes, fields },
            total: page.total,
            counts: RoleCountsRow::from(index.totals(now).roles_all),
        }
    });
    Ok(Json(answer.await?))
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
