//! `POST /api/packets`.

use crate::error::HttpError;
use crate::extract::{Authorized, JsonBody};
use crate::json::Json;
use crate::render::packet::{DecodedPacket, decode_frame};
use crate::routes::decode::frame_bytes;
use crate::services::{PacketSubmission, SubmitError};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use model::PacketHash;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A packet that an observer has heard.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SubmitRequest {
    /// The whole frame as hex.
    #[serde(default)]
    #[schema(required)]
    hex: String,
    /// The id of the observer.
    #[schema(nullable = false)]
    observer: Option<String>,
    /// Signal-to-noise ratio in decibels.
    #[schema(nullable = false)]
    snr: Option<f64>,
    /// Received signal strength in dBm.
    #[schema(nullable = false)]
    rssi: Option<f64>,
    /// Region code of the observer.
    #[schema(nullable = false)]
    region: Option<String>,
    /// Content hash: computed, so it only has to agree.
    #[schema(nullable = false)]
    hash: Option<String>,
}

/// The packet was stored, or was known already.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubmitResponse {
    /// The transmission's id.
    id: u64,
    decoded: DecodedPacket,
}

/// Hand in a packet, as if an observer had published it. Needs the API key in `X-API-Key`.
#[utoipa::path(
    post, path = "/api/packets", tag = "packets", request_body = SubmitRequest,
    responses(
        (status = 200, body = SubmitResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 503, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn submit_packet(
    _authorized: Authorized,
    State(state): State<ApiState>,
    JsonBody(request): JsonBody<SubmitRequest>,
) -> Result<Json<SubmitResponse>, HttpError> {
    let frame = frame_bytes(&request.hex)?;
    let parsed = meshcore::Frame::parse(&frame).map_err(|error| HttpError::bad_request(error.to_string()))?;
    let claimed = request.hash.filter(|hash| !hash.is_empty());
    if claimed.is_some_and(|hash| hash.parse::<PacketHash>() != Ok(parsed.content_hash())) {
        return Err(HttpError::bad_request("hash does not belong to this packet"));
    }
    let (decoded, _verdict) =
        decode_frame(&frame, state.keys()).map_err(|error| HttpError::bad_request(error.to_string()))?;
    let submission = PacketSubmission {
        frame,
        observer: request.observer.filter(|id| !id.is_empty()),
        snr: request.snr,
        rssi: request.rssi,
        region: request.region.filter(|region| !region.is_empty()),
    };
    match state.services().submit_packet(submission).await {
        Ok(stored) => Ok(Json(SubmitResponse { id: stored.transmission.0, decoded })),
        Err(SubmitError::Refused(reason)) => Err(HttpError::bad_request(reason)),
        Err(error @ SubmitError::Unavailable) => {
            Err(HttpError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
        }
    }
}
