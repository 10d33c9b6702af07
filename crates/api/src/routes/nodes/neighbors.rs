//! `GET /api/nodes/{pubkey}/neighbors`.

use super::find::find_node;
use crate::error::HttpError;
use crate::extract::{Decimal, Params, Segment, Whole, parsed};
use crate::history::packets_since;
use crate::json::Json;
use crate::render::node::neighbor::NeighborRow;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which neighbours.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct NeighborsParams {
    /// Heard beside the node at least so often: 1 when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    min_count: Option<Whole>,
    /// With at least this score: 0 when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<f64>)]
    min_score: Option<Decimal>,
    /// Also those of which it is not sure who they are: `true` when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<bool>)]
    include_ambiguous: Option<bool>,
}

/// Who is heard beside a node.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct NeighborsResponse {
    /// The key that was asked for.
    node: String,
    /// The greatest score first.
    neighbors: Vec<NeighborRow>,
    /// The sum of their counts.
    total_observations: u64,
    /// Present when older packets are only in storage: the figures are of packets first heard after this, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    packets_since: Option<String>,
}

/// Who is heard beside a node: nobody for one that is not known.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/neighbors", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8"), NeighborsParams),
    responses(
        (status = 200, body = NeighborsResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_neighbors(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
    Params(params): Params<NeighborsParams>,
) -> Result<Json<NeighborsResponse>, HttpError> {
    let config = state.config_arc();
    let answer = state.read_rows(usize::MAX, move |index| {
        let visibility = Visibility::new(&config);
        let index = index.read();
        let node = match find_node(&index, &pubkey, &config) {
            Ok(node) => node,
            Err(error) if error.is_not_found() => {
                let node = pubkey.to_ascii_lowercase();
                return Ok(NeighborsResponse { node, ..NeighborsResponse::default() });
            }
            Err(error) => return Err(error),
        };
        let least_count = params.min_count.map_or(1, |Whole(count)| count as u64);
        let least_score = params.min_score.map_or(0.0, |Decimal(score)| score);
        let resolver = index.hops();
        let now = model::UnixMillis::now();
        let rows = resolver.neighbours(&node.key);
        let rows = rows.iter().filter_map(|found| NeighborRow::of(found, &index, &visibility, now));
        let mut neighbors: Vec<NeighborRow> = rows
            .filter(|row| row.count >= least_count && row.score >= least_score)
            .filter(|row| params.include_ambiguous != Some(false) || !row.ambiguous)
            .collect();
        neighbors.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.count.cmp(&a.count)));
        Ok(NeighborsResponse {
            node: node.key.to_string(),
            total_observations: neighbors.iter().map(|row| row.count).sum(),
            neighbors,
            packets_since: packets_since(&index, None),
        })
    });
    answer.await?.map(Json)
}
