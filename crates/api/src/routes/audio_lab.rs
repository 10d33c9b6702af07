//! `GET /api/audio-lab/buckets`.

use crate::error::HttpError;
use crate::json::{Json, to_text};
use crate::render::hex;
use crate::render::packet::{decoded, hops};
use crate::render::time::rfc3339;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Hidden, Index, PacketKind, TransmissionView};
use meshcore::KeyRing;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Packets of each type.
const PER_TYPE: usize = 8;

/// Some packets of each type, from the shortest to the longest.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AudioLabResponse {
    /// By `type` of `decoded_json`; at most eight each, chosen from the newest 10,000 packets.
    buckets: BTreeMap<&'static str, Vec<AudioLabPacket>>,
}

/// A packet to listen to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AudioLabPacket {
    /// Content hash.
    hash: String,
    /// The whole frame of the first copy.
    raw_hex: String,
    /// What the payload says, as JSON in a text.
    decoded_json: String,
    observation_count: u32,
    payload_type: u8,
    /// The hops of the copy with the most, as a JSON array in a text.
    path_json: String,
    /// Who heard that copy.
    observer_id: String,
    /// When the packet was first heard, RFC 3339.
    timestamp: String,
}

/// Some packets of each type, from the shortest to the longest.
#[utoipa::path(
    get, path = "/api/audio-lab/buckets", tag = "packets", responses((status = 200, body = AudioLabResponse))
)]
pub(crate) async fn audio_lab_buckets(
    State(state): State<ApiState>,
) -> Result<Json<AudioLabResponse>, HttpError> {
    let config = state.config_arc();
    let keys = state.keys().clone();
    // Many packets are looked at to choose a few.
    let answer = state.read_rows(usize::MAX, move |index| {
        let visibility = Visibility::new(&config);
        let index = index.read();
        AudioLabResponse { buckets: buckets(&index, &keys, &visibility.hidden(&index)) }
    });
    Ok(Json(answer.await?))
}

fn buckets(index: &Index, keys: &KeyRing, hidden: &Hidden) -> BTreeMap<&'static str, Vec<AudioLabPacket>> {
    let kinds = index.sample_by_length(PER_TYPE).into_iter();
    kinds
        .map(|sample| {
            let rows = sample.rows.iter().filter_map(|row| packet(&index.view(*row), keys, hidden));
            (type_name(sample.kind), rows.collect())
        })
        .collect()
}

/// As `decoded_json` has it.
fn type_name(kind: PacketKind) -> &'static str {
    match kind {
        PacketKind::Payload(payload_type) => payload_type.name(),
        PacketKind::ChannelMessage => "CHAN",
        PacketKind::Unknown => "UNKNOWN",
    }
}

/// `None` when it is not to be shown.
fn packet(packet: &TransmissionView<'_>, keys: &KeyRing, hidden: &Hidden) -> Option<AudioLabPacket> {
    let best = hidden.best(packet)?;
    Some(AudioLabPacket {
        hash: packet.hash().to_string(),
        raw_hex: hex::upper(packet.raw()),
        decoded_json: to_text(&decoded(packet, keys)),
        observation_count: packet.observation_count(),
        payload_type: packet.payload_type().code(),
        path_json: to_text(&hops(&packet.frame(), best.path())),
        observer_id: best.observer().key.to_string(),
        timestamp: rfc3339(packet.first_seen()),
    })
}
