//! What one frame of the live feed says.

use crate::json::to_text;
use crate::render::hex;
use crate::render::hops::resolved_path;
use crate::render::packet::{DecodedPath, ObserverTexts, RECEIVED, decoded, decoded_packet, hops};
use crate::render::payload::{DecodedPayload, Signatures};
use crate::render::time::{rfc3339, rfc3339_millis};
use index::ObservationView;
use meshcore::{KeyRing, PayloadType};
use serde::Serialize;
use utoipa::ToSchema;

/// One frame of the live feed. Clients should pass over types that they do not know.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveMessage {
    /// `packet`.
    #[serde(rename = "type")]
    kind: &'static str,
    data: LiveData,
}

/// An observation with its transmission. The fields of `packet` also stand beside it; older clients look there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveData {
    #[serde(flatten)]
    fields: LivePacket,
    decoded: LiveDecoded,
    packet: LivePacket,
}

/// An observation with its transmission.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LivePacket {
    /// The transmission's id.
    id: u64,
    /// The observation's id: rises by one with each, so a gap tells of frames that were missed.
    observation_id: u64,
    /// The frame that was heard, as hex.
    raw_hex: String,
    /// The content hash.
    hash: String,
    /// When the transmission was first heard, RFC 3339.
    first_seen: String,
    /// When this observation was made, RFC 3339 with milliseconds.
    timestamp: String,
    /// Of this copy, 0 to 3.
    route_type: u8,
    /// 0 to 15.
    payload_type: u8,
    /// What the payload says, as JSON in a text: see `DecodedPayload`.
    decoded_json: String,
    observer_id: Option<String>,
    observer_name: Option<String>,
    observer_iata: Option<String>,
    /// In decibels.
    snr: Option<f64>,
    /// In dBm.
    rssi: Option<f64>,
    /// The hops as a JSON array in a text.
    path_json: Option<String>,
    /// By hop of `path_json`: the key of the node that it is, null where that is not as good as sure; absent when it is not for
    /// any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resolved_path: Option<Vec<Option<String>>>,
    /// Always `rx`.
    direction: Option<&'static str>,
    /// How often the transmission has been heard.
    observation_count: u64,
    /// By how many observers it has been heard.
    observer_count: u64,
    /// The scope's name with `#`, empty when it is not known, null when the packet is not scoped.
    scope_name: Option<String>,
}

/// The decoded parts that the map needs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveDecoded {
    header: LiveHeader,
    payload: DecodedPayload,
    /// Of a TRACE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    path: Option<DecodedPath>,
}

/// What kind of packet it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LiveHeader {
    payload_type_name: &'static str,
}

/// The frame about an observation, as text.
pub(crate) fn live_text(heard: &ObservationView<'_>, keys: &KeyRing) -> String {
    let packet = heard.transmission();
    let observer = ObserverTexts::of(heard.observer());
    let payload = decoded(&packet, keys);
    let is_trace = packet.payload_type() == PayloadType::Trace;
    let path = is_trace.then(|| decoded_packet(&packet.frame(), keys, Signatures::CheckedBefore).path);
    let fields = LivePacket {
        id: packet.id().0,
        observation_id: heard.id().0,
        raw_hex: hex::upper(&heard.frame_bytes()),
        hash: packet.hash().to_string(),
        first_seen: rfc3339(packet.first_seen()),
        timestamp: rfc3339_millis(heard.time()),
        route_type: heard.route().code(),
        payload_type: packet.payload_type().code(),
        decoded_json: to_text(&payload),
        observer_id: observer.id,
        observer_name: observer.name,
        observer_iata: observer.iata,
        snr: heard.snr().map(model::SnrQuarterDb::db),
        rssi: heard.rssi().map(f64::from),
        path_json: Some(to_text(&hops(&packet.frame(), heard.path()))),
        resolved_path: resolved_path(heard),
        direction: Some(RECEIVED),
        observation_count: u64::from(packet.observation_count()),
        observer_count: u64::from(packet.observer_count()),
        scope_name: packet.scope().map(str::to_owned),
    };
    let header = LiveHeader { payload_type_name: packet.payload_type().name() };
    let decoded = LiveDecoded { header, payload, path };
    let data = LiveData { packet: fields.clone(), fields, decoded };
    to_text(&LiveMessage { kind: "packet", data })
}
