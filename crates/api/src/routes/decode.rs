//! `POST /api/decode`.

use crate::error::{ErrorBody, HttpError};
use crate::extract::JsonBody;
use crate::json::Json;
use crate::render::packet::{DecodedPacket, FramePart, Verdict, decode_frame, frame_parts};
use crate::state::ApiState;
use axum::extract::State;
use meshcore::Frame;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A frame has at most 510 hex digits; this leaves room for blanks and for mistakes worth an answer.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// A frame to be decoded.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DecodeRequest {
    /// The whole frame as hex; blanks are left out.
    #[serde(default)]
    #[schema(required)]
    hex: String,
}

/// What a frame says and what the firmware makes of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecodeResponse {
    decoded: DecodedPacket,
    verdict: Verdict,
    /// The content hash; null for a frame that the firmware drops.
    hash: Option<String>,
    /// Where each part stands; empty for a frame that the firmware drops.
    parts: Vec<FramePart>,
}

/// Decode a frame. Signatures of adverts are checked, and texts decrypted with the configured channel keys.
#[utoipa::path(
    post, path = "/api/decode", tag = "packets", request_body = DecodeRequest,
    responses((status = 200, body = DecodeResponse), (status = 400, body = ErrorBody), (status = 413, body = ErrorBody))
)]
pub(crate) async fn decode(
    State(state): State<ApiState>,
    JsonBody(request): JsonBody<DecodeRequest>,
) -> Result<Json<DecodeResponse>, HttpError> {
    let bytes = frame_bytes(&request.hex)?;
    let (decoded, verdict) = decode_frame(&bytes, state.keys()).map_err(|error| {
        HttpError::bad_request(error.to_string()).with_place(error.field.name(), error.offset)
    })?;
    let frame = Frame::parse(&bytes).ok();
    Ok(Json(DecodeResponse {
        decoded,
        verdict,
        hash: frame.map(|frame| frame.content_hash().to_string()),
        parts: frame.as_ref().map(frame_parts).unwrap_or_default(),
    }))
}

/// The bytes of a `hex` field.
///
/// # Errors
/// A 400 that says where the first wrong digit stands.
pub(crate) fn frame_bytes(hex: &str) -> Result<Vec<u8>, HttpError> {
    let digits: String = hex.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if digits.is_empty() {
        return Err(HttpError::bad_request("hex is required"));
    }
    if let Some(place) = digits.chars().position(|c| !c.is_ascii_hexdigit()) {
        return Err(
            HttpError::bad_request("hex has a character that is no hex digit").with_place("hex", place)
        );
    }
    meshcore::decode_hex(&digits).ok_or_else(|| {
        HttpError::bad_request("hex has an odd number of digits").with_place("hex", digits.len())
    })
}
