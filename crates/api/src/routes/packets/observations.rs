//! `POST /api/packets/observations`.

use crate::error::HttpError;
use crate::extract::JsonBody;
use crate::fields::{Fields, Rows};
use crate::json::Json;
use crate::limits::Deadline;
use crate::render::packet::{ObservationRow, Observations, observation_row};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::OverBudget;
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
    /// Only these fields of each observation; all of them when absent or empty.
    #[serde(default)]
    #[schema(required = false)]
    fields: Vec<String>,
}

/// Observations by content hash, as it was asked for; hashes that are not known are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObservationsResponse {
    #[schema(value_type = BTreeMap<String, Vec<ObservationRow>>)]
    results: BTreeMap<String, Rows<ObservationRow>>,
}

const MAX_HASHES: usize = 200;

/// Some fifty megabytes of an answer. A packet is heard some ten times, or a hundred.
const MAX_OBSERVATIONS: u64 = 100_000;

/// The observations of many packets.
#[utoipa::path(
    post, path = "/api/packets/observations", tag = "packets", request_body = ObservationsRequest,
    responses((status = 200, body = ObservationsResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn packet_observations(
    State(state): State<ApiState>,
    deadline: Deadline,
    JsonBody(request): JsonBody<ObservationsRequest>,
) -> Result<Json<ObservationsResponse>, HttpError> {
    if request.hashes.len() > MAX_HASHES {
        return Err(HttpError::bad_request("too many hashes (max 200)"));
    }
    let fields = Fields::<ObservationRow>::named(request.fields)?;
    let detail = if fields.wants("raw_hex") { Observations::WithFrames } else { Observations::Listed };
    let mut budget = deadline.budget().with_rows(MAX_OBSERVATIONS);
    let rows = request.hashes.len();
    let config = state.config_arc();
    let results = state.reach(rows, move |reach| {
        let hidden = Visibility::new(&config).hidden(&reach.hot.read());
        let mut results = BTreeMap::new();
        for text in request.hashes {
            let Ok(hash) = text.parse::<PacketHash>() else { continue };
            let Some(count) = reach.by_hash(hash, |packet| u64::from(packet.observation_count())) else {
                continue;
            };
            budget.spend(count)?;
            let rows = reach.by_hash(hash, |packet| -> Vec<ObservationRow> {
                hidden.heard(packet).map(|heard| observation_row(&heard, detail)).collect()
            });
            let rows = rows.filter(|rows| !rows.is_empty());
            results.extend(rows.map(|rows| (text, Rows { rows, fields: fields.clone() })));
        }
        Ok::<_, OverBudget>(results)
    });
    Ok(Json(ObservationsResponse { results: results.await?? }))
}
