//! `GET /api/nodes/bulk-health`.

use crate::error::HttpError;
use crate::extract::{Params, Whole, csv, limit, parsed};
use crate::json::Json;
use crate::render::node::health::{NodeObserverRow, NodeStatsRow, shown_shares};
use crate::render::node::{believable_place, shown_name};
use crate::render::time::midnight;
use crate::state::ApiState;
use crate::visibility::{Visibility, area_key, is_in_area, listed_since, regions};
use axum::extract::State;
use index::{Node, NodeQuery};
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which nodes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct BulkHealthParams {
    /// Rows: 50 when absent or 0, at most 200. Without effect together with `area`.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
    /// With an advert heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
    /// All nodes of this configured area, up to the cap of `/api/nodes`.
    area: Option<String>,
}

/// How well the adverts of a node are heard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkHealthRow {
    public_key: String,
    name: Option<String>,
    role: String,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    stats: NodeStatsRow,
    /// By number of packets, most first.
    observers: Vec<NodeObserverRow>,
}

/// How well the adverts of many nodes are heard, those seen last first.
#[utoipa::path(
    get, path = "/api/nodes/bulk-health", tag = "nodes", params(BulkHealthParams),
    responses((status = 200, body = Vec<BulkHealthRow>), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn bulk_health(
    State(state): State<ApiState>,
    Params(params): Params<BulkHealthParams>,
) -> Result<Json<Vec<BulkHealthRow>>, HttpError> {
    let config = state.config_arc();
    let area = area_key(params.area, &config)?;
    let rows = match area {
        Some(_) => config.list_limits.nodes_max,
        None => limit(params.limit, 50, config.list_limits.bulk_health_max),
    };
    // A row is as much work as many of other lists.
    let answer = state.read_rows(usize::MAX, move |index| {
        let visibility = Visibility::new(&config);
        let keep = |node: &Node| {
            visibility.shows_node(node) && area.as_deref().is_none_or(|area| is_in_area(node, &config, area))
        };
        let now = UnixMillis::now();
        let regions = regions(params.region);
        let query = NodeQuery {
            limit: rows,
            last_seen_after: listed_since(config.nodes_listed_for, now),
            regions: regions.as_deref(),
            keep: Some(&keep),
            ..NodeQuery::default()
        };
        let index = index.read();
        let row = |node: &&Node| {
            let health = index.node_health(&index.packets_by(&node.key), midnight(now));
            let place = believable_place(node);
            BulkHealthRow {
                public_key: node.key.to_string(),
                name: shown_name(node),
                role: node.role.name().to_owned(),
                lat: place.map(|[lat, _]| lat),
                lon: place.map(|[_, lon]| lon),
                stats: NodeStatsRow::of(&health),
                observers: shown_shares(&health.observers, &index, &visibility)
                    .map(|share| NodeObserverRow::of(share, &index))
                    .collect(),
            }
        };
        index.nodes(&query).nodes.iter().map(row).collect()
    });
    Ok(Json(answer.await?))
}
