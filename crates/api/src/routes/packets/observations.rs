//! `POST /api/packets/observations`.

use crate::error::HttpError;
use crate::extract::JsonBody;
use crate::json::Json;
use crate::render::packet::{ObservationRow, Observations, observation_row};
use crate::state::ApiState;
use axum::extract::State;
use model::PacketHash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The packets whose observations are wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ObservationsRequest {
    /// Content hashes, at most 200.
    #[schema(max_items = 200)]
    hashes: Vec<String>,
}

/// Observations by content hash, as it was asked for; hashes that are not known are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObservationsResponse {
    results: BTreeMap<String, Vec<ObservationRow>>,
}

const MAX_HASHES: usize = 200;

/// The observations of many packets.
#[utoipa::path(
    post, path = "/api/packets/observations", tag = "packets", request_body = ObservationsRequest,
    responses((status = 200, body = ObservationsResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn packet_observations(
    State(state): State<ApiState>,
    JsonBody(request): JsonBody<ObservationsRequest>,
) -> Result<Json<ObservationsResponse>, HttpError> {
    if request.hashes.len() > MAX_HASHES {
        return Err(HttpError::bad_request("too many hashes (max 200)"));
    }
    let rows = request.hashes.len();
    let results = state.reach(rows, move |reach| {
        let found = request.hashes.into_iter().filter_map(|text| {
            let rows = reach.by_hash(text.parse::<PacketHash>().ok()?, |packet| {
                let rows = packet.observations();
                rows.map(|heard| observation_row(&heard, Observations::WithFrames)).collect()
            });
            Some((text, rows?))
        });
        found.collect()
    });
    Ok(Json(ObservationsResponse { results: results.await? }))
}
