//! Packets and observations as rows.

mod from_frame;
mod from_index;
mod parts;

pub(crate) use from_frame::{Verdict, decode_frame, decoded_packet};
pub(crate) use from_index::{
    Observations, ObserverTexts, RECEIVED, decoded, grouped_row, hops, observation_row, packet_row,
    packet_row_of,
};
pub(crate) use parts::frame_parts;

use super::payload::DecodedPayload;
use serde::Serialize;
use utoipa::ToSchema;

/// A transmission with its best observation: the one with the longest path, of several the first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PacketRow {
    /// The transmission's id.
    pub(crate) id: u64,
    /// The first copy's whole frame as hex.
    pub(crate) raw_hex: String,
    /// The content hash: 16 hex digits, the same for all copies.
    pub(crate) hash: String,
    /// When it was first heard, RFC 3339.
    pub(crate) first_seen: String,
    /// The same as `first_seen`.
    pub(crate) timestamp: String,
    /// When it was last heard, RFC 3339.
    pub(crate) latest: String,
    /// 0 TRANSPORT_FLOOD, 1 FLOOD, 2 DIRECT, 3 TRANSPORT_DIRECT; of the first copy.
    pub(crate) route_type: u8,
    /// 0 to 15.
    pub(crate) payload_type: u8,
    /// What the payload says, as JSON in a text: see `DecodedPayload`.
    pub(crate) decoded_json: String,
    /// How often it was heard.
    pub(crate) observation_count: u64,
    /// By how many observers it was heard.
    pub(crate) observer_count: u64,
    /// The scope's name with `#`, empty when it is scoped but the scope is not known, null when it is not scoped.
    pub(crate) scope_name: Option<String>,
    /// Of the best observation, as is all below.
    pub(crate) observer_id: Option<String>,
    pub(crate) observer_name: Option<String>,
    pub(crate) observer_iata: Option<String>,
    /// Signal-to-noise ratio in decibels.
    pub(crate) snr: Option<f64>,
    /// Received signal strength in dBm.
    pub(crate) rssi: Option<f64>,
    /// The hops as a JSON array in a text.
    pub(crate) path_json: Option<String>,
    /// Always `rx`: copies that an observer sent itself are not stored.
    pub(crate) direction: Option<&'static str>,
    /// The hops; null when there are none.
    #[serde(rename = "_parsedPath")]
    pub(crate) parsed_path: Option<Vec<String>>,
    /// By hop of `path_json`: the key of the node that it is, null where that is not as good as sure; absent when it is not for
    /// any. Works itself out anew as more becomes known of the mesh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) resolved_path: Option<Vec<Option<String>>>,
    /// All observations in order of arrival; only with `expand=observations` and for single packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) observations: Option<Vec<ObservationRow>>,
}

/// A transmission by the newest time at which it was heard (`groupByHash=true`).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct GroupedPacketRow {
    /// The transmission's id.
    pub(crate) id: u64,
    /// The content hash.
    pub(crate) hash: String,
    /// When it was first heard, RFC 3339.
    pub(crate) first_seen: String,
    /// How often it was heard.
    pub(crate) count: u64,
    /// By how many observers it was heard.
    pub(crate) observer_count: u64,
    /// The same as `count`.
    pub(crate) observation_count: u64,
    /// When it was last heard, RFC 3339.
    pub(crate) latest: String,
    /// Of the best observation.
    pub(crate) observer_id: Option<String>,
    pub(crate) observer_name: Option<String>,
    pub(crate) observer_iata: Option<String>,
    /// The regions of all its observers, sorted.
    pub(crate) distinct_iatas: Vec<String>,
    /// The hops of the best observation as a JSON array in a text.
    pub(crate) path_json: Option<String>,
    /// 0 to 15.
    pub(crate) payload_type: u8,
    /// 0 to 3; of the first copy.
    pub(crate) route_type: u8,
    /// The first copy's whole frame as hex.
    pub(crate) raw_hex: String,
    /// What the payload says, as JSON in a text: see `DecodedPayload`.
    pub(crate) decoded_json: String,
    /// Of the best observation, in decibels.
    pub(crate) snr: Option<f64>,
    /// Of the best observation, in dBm.
    pub(crate) rssi: Option<f64>,
}

/// One observer heard one copy.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ObservationRow {
    /// The observation's id.
    pub(crate) id: u64,
    /// The transmission's id.
    pub(crate) transmission_id: u64,
    /// The content hash.
    pub(crate) hash: String,
    /// The id under which the observer publishes.
    pub(crate) observer_id: Option<String>,
    pub(crate) observer_name: Option<String>,
    pub(crate) observer_iata: Option<String>,
    /// Signal-to-noise ratio in decibels.
    pub(crate) snr: Option<f64>,
    /// Received signal strength in dBm.
    pub(crate) rssi: Option<f64>,
    /// The firmware's retransmit score, 0 to 1000.
    pub(crate) score: Option<u16>,
    /// The hops as a JSON array in a text.
    pub(crate) path_json: Option<String>,
    /// When, RFC 3339 with milliseconds.
    pub(crate) timestamp: String,
    /// Always `rx`.
    pub(crate) direction: Option<&'static str>,
    /// The route of this copy.
    pub(crate) route_type: u8,
    /// By hop of `path_json`: the key of the node that it is, null where that is not as good as sure; absent when it is not for
    /// any. Works itself out anew as more becomes known of the mesh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) resolved_path: Option<Vec<Option<String>>>,
    /// This copy's whole frame as hex; only for single packets and `POST /api/packets/observations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) raw_hex: Option<String>,
}

/// A whole frame, part by part.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecodedPacket {
    pub(crate) header: DecodedHeader,
    /// Null for routes without transport codes.
    pub(crate) transport_codes: Option<DecodedTransportCodes>,
    pub(crate) path: DecodedPath,
    pub(crate) payload: DecodedPayload,
    /// The frame as hex.
    pub(crate) raw: String,
    /// What no firmware would send, though it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) anomaly: Option<String>,
}

/// The first byte of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecodedHeader {
    /// 0 to 3.
    pub(crate) route_type: u8,
    pub(crate) route_type_name: &'static str,
    /// 0 to 15.
    pub(crate) payload_type: u8,
    pub(crate) payload_type_name: &'static str,
    /// 0 in all that the firmware receives.
    pub(crate) payload_version: u8,
}

/// Both codes as hex of their bytes in the order on air.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct DecodedTransportCodes {
    /// The code of the scope.
    pub(crate) code1: String,
    /// Sent as 0000 by today's firmware.
    pub(crate) code2: String,
}

/// The way of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecodedPath {
    /// Bytes of one hop; 0 for a direct packet without hops, which does not say.
    pub(crate) hash_size: u8,
    /// How many hops.
    pub(crate) hash_count: usize,
    /// The hops as hex; of a TRACE the route that its sender gave.
    pub(crate) hops: Vec<String>,
    /// Of a TRACE: how many of the hops are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) hops_completed: Option<usize>,
}

/// A part of a frame, for hex dumps.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct FramePart {
    /// Which group of colours it belongs to.
    pub(crate) section: FrameSection,
    /// What it is, in words.
    pub(crate) name: String,
    /// Where it begins, in bytes from the start of the frame.
    pub(crate) offset: usize,
    /// How many bytes it has.
    pub(crate) length: usize,
    /// What it says, in words.
    pub(crate) value: String,
}

/// The groups of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FrameSection {
    Header,
    TransportCodes,
    Path,
    Payload,
}
