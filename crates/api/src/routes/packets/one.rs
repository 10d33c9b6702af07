//! `GET /api/packets/{id}`.

use crate::error::HttpError;
use crate::extract::Segment;
use crate::json::Json;
use crate::render::packet::{
    DecodedPacket, FramePart, ObservationRow, Observations, PacketRow, decoded_packet, frame_parts,
    packet_row,
};
use crate::render::payload::Signatures;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Hidden, Reach, TransmissionView};
use meshcore::KeyRing;
use model::{ObservationId, PacketHash, TransmissionId};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One packet in full.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PacketResponse {
    packet: PacketRow,
    /// The hops of the best observation.
    path: Vec<String>,
    observation_count: u64,
    /// All observations in order of arrival, each with its frame.
    observations: Vec<ObservationRow>,
    /// The first copy, part by part.
    decoded: DecodedPacket,
    /// Where each part of the first copy stands.
    parts: Vec<FramePart>,
}

/// One packet in full, by its content hash, its transmission id or the id of one of its observations.
#[utoipa::path(
    get, path = "/api/packets/{id}", tag = "packets",
    params(("id" = String, Path, description = "16 hex digits, or a transmission id, or an observation id")),
    responses((status = 200, body = PacketResponse), (status = 404, body = crate::error::ErrorBody))
)]
pub(crate) async fn get_packet(
    State(state): State<ApiState>,
    Segment(id): Segment,
) -> Result<Json<PacketResponse>, HttpError> {
    let keys = Arc::clone(state.keys());
    let config = state.config_arc();
    let found = state.reach(1, move |reach| {
        let hidden = Visibility::new(&config).hidden(&reach.hot.read());
        find(reach, &id, |packet| answer(packet, &keys, &hidden))
    });
    found.await?.flatten().map(Json).ok_or_else(|| HttpError::not_found("Not found"))
}

fn answer(packet: &TransmissionView<'_>, keys: &KeyRing, hidden: &Hidden) -> Option<PacketResponse> {
    let mut row = packet_row(packet, keys, hidden, Observations::WithFrames)?;
    let observations = row.observations.clone().unwrap_or_default();
    row.observations = Some(observations.clone());
    let frame = packet.frame();
    Some(PacketResponse {
        path: row.parsed_path.clone().unwrap_or_default(),
        observation_count: u64::from(packet.observation_count()).max(1),
        decoded: decoded_packet(&frame, keys, Signatures::CheckedBefore),
        parts: frame_parts(&frame),
        packet: row,
        observations,
    })
}

/// Sixteen digits are a hash even when they are all decimal: no mesh has seen so many packets.
fn find<T>(reach: &Reach<'_>, id: &str, look: impl Fn(&TransmissionView<'_>) -> T) -> Option<T> {
    if let Ok(hash) = id.parse::<PacketHash>() {
        return reach.by_hash(hash, look);
    }
    let number = id.parse::<u64>().ok()?;
    let by_observation = || reach.by_observation(ObservationId(number), |heard| look(&heard.transmission()));
    reach.by_id(TransmissionId(number), &look).or_else(by_observation)
}
