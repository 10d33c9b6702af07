//! `GET /api/packets`.

mod answer;

use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Moment, Params, Whole, choice, csv, limit, parsed};
use crate::fields::{Fields, Rows};
use crate::json::Json;
use crate::limits::Deadline;
use crate::render::packet::{GroupedPacketRow, Observations, PacketRow};
use crate::routes::channels::parse_channel;
use crate::state::ApiState;
use crate::visibility::{Visibility, area_key, nodes_in_area, regions};
use answer::answer;
use axum::extract::State;
use filter::Filter;
use index::{Cursor, Index, NodeQuery, Order, PacketQuery, Reach, Sort};
use meshcore::{PayloadType, Route};
use model::{NodeKey, PacketHash, UnixMillis};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which packets. All filters given must hold; they are applied before the page is cut.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
#[derive(Default)]
pub(crate) struct PacketsParams {
    /// Rows of the page: 50 when absent or 0, at most 10,000.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
    /// Rows to leave out before the page.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    offset: Option<Whole>,
    /// `nextCursor` of the page before: goes on from there, whatever has come in since.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// Which end comes first: by id, or with `groupByHash` by the newest observation.
    #[serde(deserialize_with = "choice")]
    #[param(inline)]
    order: Option<SortOrder>,
    /// Payload type, 0 to 15.
    #[serde(rename = "type", deserialize_with = "parsed")]
    #[param(value_type = Option<u8>, maximum = 15)]
    payload_type: Option<TypeCode>,
    /// Route of the first copy, 0 to 3.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u8>, maximum = 3)]
    route: Option<RouteCode>,
    /// Heard by any of these observers: ids, separated by commas.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    observer: Vec<String>,
    /// Content hash.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    hash: Option<PacketHash>,
    /// First heard after this time, RFC 3339.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    since: Option<Moment>,
    /// First heard before this time, RFC 3339.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    until: Option<Moment>,
    /// Heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
    /// Adverts of nodes in this configured area.
    area: Option<String>,
    /// Sent or relayed by this node: its key or its exact name. What it sent is known of adverts; what it relayed, where its hash
    /// fits others too, of the newest thousand packets with that hash.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    node: Option<String>,
    /// Sent or relayed by any of these nodes: keys, separated by commas. All other filters but the times and `filter`
    /// are left out.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    nodes: Vec<String>,
    /// Texts to this channel: its name, with or without `#`, or `enc_` and the hash byte in hex.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    channel: Option<String>,
    /// `observations` adds all observations to each row.
    #[serde(deserialize_with = "choice")]
    #[param(inline)]
    expand: Option<Expand>,
    /// `true` for rows in order of their newest observations, without observations.
    #[serde(rename = "groupByHash", deserialize_with = "parsed")]
    #[param(value_type = Option<bool>)]
    group_by_hash: Option<bool>,
    /// An expression of the packet filter language, such as `type == ADVERT && any(snr > 5)`: see
    /// `/api/filter/fields`. One that is wrong is a 400 with its place (`offset`, `length`, in characters) and a hint.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    filter: Option<String>,
    /// Only these fields of each row, such as `id,hash,snr`; the rest is not made, and the rows are quicker.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    fields: Vec<String>,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SortOrder {
    /// The oldest.
    Asc,
    /// The newest.
    Desc,
}

/// What rows carry beside their own.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expand {
    /// All observations.
    Observations,
}

/// A page of packets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PacketsResponse {
    packets: PacketRows,
    /// How many packets pass the filters, on this page or not.
    total: u64,
    /// True when packets that may pass the filters were not all looked at, so that there may be more than `total`; absent
    /// otherwise. These are old packets in storage, and then the page may be short: `nextCursor` goes on where it ended. Or
    /// they are packets with a hash that fits the node that is asked for and others, beyond the newest thousand.
    #[serde(rename = "totalIsLowerBound", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total_is_lower_bound: Option<bool>,
    /// As applied.
    limit: usize,
    /// As applied.
    offset: usize,
    /// What `cursor` wants for the next page; null when this one is the last.
    #[serde(rename = "nextCursor")]
    next_cursor: Option<String>,
}

/// Plain rows, or with `groupByHash=true` grouped ones.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum PacketRows {
    #[schema(value_type = Vec<PacketRow>)]
    Plain(Rows<PacketRow>),
    #[schema(value_type = Vec<GroupedPacketRow>)]
    Grouped(Rows<GroupedPacketRow>),
}

/// A page of packets.
#[utoipa::path(
    get, path = "/api/packets", tag = "packets", params(PacketsParams),
    responses((status = 200, body = PacketsResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn list_packets(
    State(state): State<ApiState>,
    deadline: Deadline,
    Params(params): Params<PacketsParams>,
) -> Result<Json<PacketsResponse>, HttpError> {
    let config = state.config_arc();
    let fields = params.fields.clone();
    let shape = if params.group_by_hash == Some(true) {
        Shape::Grouped(Fields::named(fields)?)
    } else if params.expand.is_some() {
        Shape::Plain(Observations::Listed, Fields::named(fields)?)
    } else {
        Shape::Plain(Observations::LeftOut, Fields::named(fields)?)
    };
    let asked = Asked::new(params, &shape, &config)?;
    let keys = state.keys().clone();
    // How much a filter has to look at does not depend on the page.
    let rows = if asked.query.filter.is_some() { usize::MAX } else { asked.query.limit };
    let budget = deadline.budget();
    let make = move |reach: &Reach<'_>| answer(reach, asked, &shape, &config, &keys, budget);
    Ok(Json(state.reach(rows, make).await??))
}

/// What the rows look like.
enum Shape {
    Plain(Observations, Fields<PacketRow>),
    Grouped(Fields<GroupedPacketRow>),
}

/// A query, and the names in it that only the index can turn into keys.
struct Asked {
    query: PacketQuery,
    observers: Vec<String>,
    node_name: Option<String>,
    area: Option<String>,
}

impl Asked {
    fn new(params: PacketsParams, shape: &Shape, config: &ApiConfig) -> Result<Self, HttpError> {
        let sort = if matches!(shape, Shape::Grouped(_)) { Sort::Latest } else { Sort::Id };
        if params.cursor.is_some_and(|cursor| cursor.sort() != sort) {
            return Err(HttpError::bad_parameter("cursor", "belongs to a list of another order"));
        }
        let nodes = params.nodes.iter().map(|key| key.parse::<NodeKey>()).collect::<Result<Vec<_>, _>>();
        let nodes = nodes.map_err(|error| HttpError::bad_parameter("nodes", error))?;
        let filter = params.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|mistake| HttpError::bad_filter("filter", mistake))?;
        let mut query = PacketQuery {
            limit: limit(params.limit, 50, config.list_limits.packets_max),
            offset: params.offset.map_or(0, |Whole(rows)| rows),
            cursor: params.cursor,
            order: match params.order {
                Some(SortOrder::Asc) => Order::Ascending,
                Some(SortOrder::Desc) | None => Order::Descending,
            },
            sort,
            since: params.since.map(|Moment(time)| time),
            until: params.until.map(|Moment(time)| time),
            nodes,
            filter: filter.map(Arc::new),
            now: UnixMillis::now(),
            ..PacketQuery::default()
        };
        let area = area_key(params.area, config)?;
        if !query.nodes.is_empty() {
            // The contract's multi-node mode: the other filters do not apply.
            return Ok(Self { query, observers: Vec::new(), node_name: None, area: None });
        }
        query.payload_type = params.payload_type.map(|TypeCode(code)| code);
        query.route = params.route.map(|RouteCode(code)| code);
        query.regions = regions(params.region);
        query.hash = params.hash;
        query.channel = params.channel.as_deref().map(parse_channel);
        let key = params.node.as_deref().and_then(|node| node.parse().ok());
        query.node = key;
        let node_name = params.node.filter(|_| key.is_none());
        Ok(Self { query, observers: params.observer, node_name, area })
    }

    /// Turns names into keys; `false` when nothing can match.
    fn resolve(&mut self, index: &Index, config: &ApiConfig) -> bool {
        let hidden = Visibility::new(config).hidden(index);
        let observers = self.observers.iter().filter_map(|key| index.observer_by_key(key));
        self.query.observers = observers.filter(|id| !hidden.hides_observer(*id)).collect();
        if self.query.observers.is_empty() && !self.observers.is_empty() {
            return false;
        }
        if let Some(name) = &self.node_name {
            self.query.nodes = nodes_named(index, name);
        }
        let asks_for_nodes = !self.query.nodes.is_empty() || self.node_name.is_some();
        self.query.nodes.retain(|node| !hidden.hides_node(node));
        if (asks_for_nodes && self.query.nodes.is_empty())
            || self.query.node.is_some_and(|node| hidden.hides_node(&node))
        {
            return false;
        }
        self.query.hidden = Arc::new(hidden);
        self.query.area_nodes = self.area.as_deref().map(|area| nodes_in_area(index, config, area));
        true
    }
}

/// The nodes with exactly this name.
fn nodes_named(index: &Index, name: &str) -> Vec<NodeKey> {
    let keep = |node: &index::Node| node.name.as_ref().is_some_and(|heard| *heard.display == *name);
    let query =
        NodeQuery { limit: usize::MAX, search: Some(name), keep: Some(&keep), ..NodeQuery::default() };
    index.nodes(&query).nodes.iter().map(|node| node.key).collect()
}

/// A payload type, as a parameter.
#[derive(Clone, Copy, Debug)]
struct TypeCode(PayloadType);

impl std::str::FromStr for TypeCode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.parse::<u8>().ok().filter(|code| *code < 16);
        code.map(|code| Self(PayloadType::from_bits(code))).ok_or("not a payload type from 0 to 15")
    }
}

/// A route, as a parameter.
#[derive(Clone, Copy, Debug)]
struct RouteCode(Route);

impl std::str::FromStr for RouteCode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.parse::<u8>().ok().filter(|code| *code < 4);
        code.map(|code| Self(Route::from_bits(code))).ok_or("not a route from 0 to 3")
    }
}
