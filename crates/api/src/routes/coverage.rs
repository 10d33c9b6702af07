//! What mobile clients hear where: `/api/rx-coverage`, that of one node, and `/api/rx-leaderboard`.

mod geojson;

use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::extract::{Params, Segment, Whole, limit, parsed};
use crate::json::Json;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use geojson::{FeatureCollection, Names};
use index::{Coverage, CoverageQuery, Index, SharedIndex};
use model::{NodeKey, UnixMillis};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

/// Cells of one answer.
const MAX_CELLS: usize = 5_000;

/// Nodes named for a cell.
const MAX_NODES: usize = 25;

/// Resolution of the cells when no zoom is given: some 270 m.
const DEFAULT_ZOOM: f64 = 13.0;

const DAY_MS: i64 = 86_400_000;

/// The part of the map that is shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct NodeCoverageParams {
    /// `minLat,minLon,maxLat,maxLon` in degrees.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = String, required = true)]
    bbox: Option<Bbox>,
    /// Zoom of the map, which decides the size of the cells: 3 to 18, others count as the nearest of these.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<f64>)]
    z: Option<Zoom>,
}

/// The part of the map that is shown, and of what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct CoverageParams {
    /// `minLat,minLon,maxLat,maxLon` in degrees.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = String, required = true)]
    bbox: Option<Bbox>,
    /// Zoom of the map, which decides the size of the cells: 3 to 18, others count as the nearest of these.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<f64>)]
    z: Option<Zoom>,
    /// Only where the node with this key was heard.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    node: Option<NodeKey>,
    /// Only by the client with this key.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    rx: Option<ClientKey>,
    /// Heard within so many days: 7 when absent or 0, at most 30.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    days: Option<Whole>,
}

/// Of how long, and how many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct LeaderboardParams {
    /// Heard within so many days: 7 when absent or 0, at most 30.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    days: Option<Whole>,
    /// Clients: 20 when absent or 0, at most 100.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
}

/// Who has found how much.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeaderboardResponse {
    /// Days that count.
    days: i64,
    /// The greatest score first.
    observers: Vec<LeaderboardRow>,
}

/// What a mobile client has found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeaderboardRow {
    pubkey: String,
    /// Empty while it has told none.
    name: String,
    /// Receptions.
    receptions: u64,
    /// Different nodes heard.
    nodes: u64,
    /// Different cells of some 270 m in which it heard any.
    cells: u64,
    /// The sum over its cells of one divided by the clients that were there.
    score: f64,
}

/// South-western and north-eastern corner, latitude before longitude, in millionths of a degree.
#[derive(Clone, Copy, Debug)]
struct Bbox {
    south_west: (i32, i32),
    north_east: (i32, i32),
}

impl FromStr for Bbox {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Vec<f64> = text
            .split(',')
            .map_while(|number| number.trim().parse().ok().filter(|n: &f64| n.is_finite()))
            .collect();
        let [south, west, north, east] = numbers[..] else {
            return Err("not minLat,minLon,maxLat,maxLon");
        };
        if text.split(',').count() != 4 || south > north || west > east {
            return Err("not minLat,minLon,maxLat,maxLon");
        }
        // Maps show more than the Earth at small zooms; beyond its edges there is nothing to find.
        let e6 = |degrees: f64, most: f64| (degrees.clamp(-most, most) * 1e6).round() as i32;
        Ok(Self {
            south_west: (e6(south, 90.0), e6(west, 180.0)),
            north_east: (e6(north, 90.0), e6(east, 180.0)),
        })
    }
}

/// The zoom of a map, which may lie between two steps.
#[derive(Clone, Copy, Debug)]
struct Zoom(f64);

impl FromStr for Zoom {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().filter(|zoom: &f64| zoom.is_finite()).map(Self).ok_or("not a number")
    }
}

impl Zoom {
    fn resolution(zoom: Option<Self>) -> u8 {
        zoom.map_or(DEFAULT_ZOOM, |zoom| zoom.0).clamp(3.0, 18.0) as u8
    }
}

/// The key of a mobile client.
#[derive(Clone, Debug)]
struct ClientKey(String);

impl FromStr for ClientKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_key = (2..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_key { Ok(Self(text.to_ascii_lowercase())) } else { Err("not 2 to 64 hex digits") }
    }
}

/// Where mobile clients have heard a node directly, in cells of a map. 404 unless `clientRxCoverage.enabled` is set.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/rx-coverage", tag = "coverage",
    params(("pubkey" = String, Path, description = "The node's key"), NodeCoverageParams),
    responses(
        (status = 200, body = FeatureCollection),
        (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_coverage(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
    Params(params): Params<NodeCoverageParams>,
) -> Result<Json<FeatureCollection>, HttpError> {
    let config = switched_on(&state)?;
    let node: NodeKey =
        pubkey.parse().map_err(|_| HttpError::bad_parameter("pubkey", "not the 64 hex digits of a key"))?;
    if !Visibility::new(&config).shows_key(&node) {
        return Err(HttpError::not_found("Not found"));
    }
    let asked = Asked { bbox: bbox(params.bbox)?, zoom: params.z, node: Some(node), rx: None, since: None };
    let answer = state.read_rows(usize::MAX, move |index| asked.answer(index, &config)).await?;
    let (coverage, names) = answer.ok_or_else(|| HttpError::not_found("Not found"))?;
    Ok(Json(FeatureCollection::new(&coverage, &names)))
}

/// Where mobile clients have heard any node directly, in cells of a map. 404 unless `clientRxCoverage.enabled` is set.
#[utoipa::path(
    get, path = "/api/rx-coverage", tag = "coverage", params(CoverageParams),
    responses(
        (status = 200, body = FeatureCollection),
        (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn rx_coverage(
    State(state): State<ApiState>,
    Params(params): Params<CoverageParams>,
) -> Result<Json<FeatureCollection>, HttpError> {
    let config = switched_on(&state)?;
    let (since, rx) = (since(days(params.days)), params.rx.map(|rx| rx.0));
    let asked = Asked { bbox: bbox(params.bbox)?, zoom: params.z, node: params.node, rx, since: Some(since) };
    let answer = state.read_rows(usize::MAX, move |index| asked.answer(index, &config)).await?;
    // A node that is not shown was heard nowhere.
    let (coverage, names) = answer.unwrap_or_default();
    Ok(Json(FeatureCollection::new(&coverage, &names).with_totals(&coverage)))
}

/// Mobile clients by what they have found: the more for a cell, the fewer others were there. 404 unless
/// `clientRxCoverage.enabled` is set.
#[utoipa::path(
    get, path = "/api/rx-leaderboard", tag = "coverage", params(LeaderboardParams),
    responses(
        (status = 200, body = LeaderboardResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn rx_leaderboard(
    State(state): State<ApiState>,
    Params(params): Params<LeaderboardParams>,
) -> Result<Json<LeaderboardResponse>, HttpError> {
    let config = switched_on(&state)?;
    let (days, rows) = (days(params.days), limit(params.limit, 20, 100));
    let answer = move |index: &SharedIndex| {
        let visibility = Visibility::new(&config);
        let (receptions, clients) = {
            let index = index.read();
            (index.receptions(), index.clients_where(|client| visibility.shows_observer_key(&client.key)))
        };
        let mut board = receptions.leaderboard(since(days), &clients);
        board.truncate(rows);
        let index = index.read();
        board.iter().filter_map(|row| leaderboard_row(&index, &visibility, row)).collect()
    };
    let observers = state.read_rows(usize::MAX, answer).await?;
    Ok(Json(LeaderboardResponse { days, observers }))
}

fn leaderboard_row(
    index: &Index,
    visibility: &Visibility<'_>,
    row: &index::LeaderboardRow,
) -> Option<LeaderboardRow> {
    let client = index.client(row.client)?;
    let of_node = || {
        let node = index.node(&client.key.parse().ok()?).filter(|node| visibility.shows_node(node))?;
        node.name.as_ref().map(|name| name.display.to_string())
    };
    let name = client.name.as_deref().map(str::to_owned).or_else(of_node);
    let index::LeaderboardRow { receptions, nodes, cells, score, .. } = *row;
    let (pubkey, name) = (client.key.to_string(), name.unwrap_or_default());
    Some(LeaderboardRow { pubkey, name, receptions, nodes, cells, score })
}

/// A question about coverage.
struct Asked {
    bbox: Bbox,
    zoom: Option<Zoom>,
    node: Option<NodeKey>,
    rx: Option<String>,
    since: Option<UnixMillis>,
}

impl Asked {
    /// The receptions are added up outside the lock; then the nodes are named. `None` when the node is not shown.
    fn answer(&self, index: &SharedIndex, config: &ApiConfig) -> Option<(Coverage, Names)> {
        let visibility = Visibility::new(config);
        let (receptions, clients) = {
            let index = index.read();
            if let Some(node) = self.node
                && index.node(&node).is_some_and(|node| !visibility.shows_node(node))
            {
                return None;
            }
            let wanted = |client: &model::ClientObserver| {
                self.rx.as_deref().is_none_or(|key| *client.key == *key)
                    && visibility.shows_observer_key(&client.key)
            };
            (index.receptions(), index.clients_where(wanted))
        };
        let coverage = receptions.coverage(&CoverageQuery {
            south_west: self.bbox.south_west,
            north_east: self.bbox.north_east,
            resolution: Zoom::resolution(self.zoom),
            since: self.since,
            node: self.node,
            clients: &clients,
            max_cells: MAX_CELLS,
            max_nodes: MAX_NODES,
        });
        let names = Names::of(&coverage, &index.read(), &visibility);
        Some((coverage, names))
    }
}

fn switched_on(state: &ApiState) -> Result<std::sync::Arc<ApiConfig>, HttpError> {
    let config = state.config_arc();
    if config.client_rx_coverage.enabled {
        Ok(config)
    } else {
        Err(HttpError::not_found("client rx coverage is not enabled"))
    }
}

fn bbox(given: Option<Bbox>) -> Result<Bbox, HttpError> {
    given.ok_or_else(|| HttpError::missing_parameter("bbox", "bbox is required: minLat,minLon,maxLat,maxLon"))
}

fn days(asked: Option<Whole>) -> i64 {
    limit(asked, 7, 30) as i64
}

fn since(days: i64) -> UnixMillis {
    UnixMillis::now().plus_ms(-days * DAY_MS)
}
