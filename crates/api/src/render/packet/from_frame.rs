//! Decoding a frame that stands alone: for `POST /api/decode` and for the detail of a packet.

use super::{DecodedHeader, DecodedPacket, DecodedPath, DecodedTransportCodes};
use crate::render::hex;
use crate::render::payload::{Signatures, decode_payload, empty, unknown};
use meshcore::{
    Frame, FrameError, FrameErrorKind, Hop, KeyRing, LenientFrame, Path, Payload, PayloadType, Route,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What the firmware does with a frame.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
// The alerts have a verdict as well, and names of schemas are one namespace.
#[schema(as = FrameVerdict)]
pub(crate) struct Verdict {
    /// Whether it receives the frame.
    pub(crate) accepted: bool,
    /// Why it drops it; null when it does not.
    pub(crate) error: Option<FrameProblem>,
}

/// What is wrong with a frame or its payload, and where.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct FrameProblem {
    /// A short fixed text, such as `path beyond frame`.
    pub(crate) kind: &'static str,
    /// In which part.
    pub(crate) field: &'static str,
    /// In bytes from the start of the frame.
    pub(crate) offset: usize,
}

impl FrameProblem {
    fn of(error: FrameError) -> Self {
        Self { kind: error.kind.name(), field: error.field.name(), offset: error.offset }
    }
}

/// Decodes as much as can be decoded.
///
/// # Errors
/// When the frame cannot be taken apart at all. A frame that can, but that the firmware drops, is decoded and its verdict
/// says why it is dropped; so is one with a payload too short for its type.
pub(crate) fn decode_frame(bytes: &[u8], keys: &KeyRing) -> Result<(DecodedPacket, Verdict), FrameError> {
    let lenient = Frame::parse_lenient(bytes);
    if let Some(frame) = lenient.frame() {
        let verdict = match frame.payload() {
            Ok(_) => Verdict { accepted: true, error: None },
            Err(error) => Verdict {
                accepted: false,
                error: Some(FrameProblem {
                    kind: error.kind.name(),
                    field: error.field,
                    offset: lenient.rest_offset + error.offset,
                }),
            },
        };
        return Ok((decoded_packet(&frame, keys, Signatures::CheckNow), verdict));
    }
    let unreadable =
        FrameError { kind: FrameErrorKind::Length, field: meshcore::FrameField::Frame, offset: bytes.len() };
    let error = lenient.error.unwrap_or(unreadable);
    // CoreScope decodes these two, so its clients expect an answer; all others it refuses.
    let readable = matches!(error.kind, FrameErrorKind::Version | FrameErrorKind::EmptyPayload);
    let decoded = readable.then(|| decode_dropped(&lenient, bytes)).flatten().ok_or(error)?;
    Ok((decoded, Verdict { accepted: false, error: Some(FrameProblem::of(error)) }))
}

/// A good frame, part by part.
pub(crate) fn decoded_packet(frame: &Frame<'_>, keys: &KeyRing, signatures: Signatures) -> DecodedPacket {
    let (path, anomaly) = match frame.payload() {
        Ok(Payload::Trace(trace)) => {
            let route: Vec<String> = trace.entries().map(hop_text).collect();
            let path = DecodedPath {
                hash_size: trace.entry_size(),
                hash_count: route.len(),
                hops: route,
                hops_completed: Some(trace.hops_done()),
            };
            (path, trace_anomaly(frame.route(), trace.remainder()))
        }
        _ => (decoded_path(frame.route(), frame.path()), None),
    };
    DecodedPacket {
        header: decoded_header(frame.route(), frame.payload_type(), frame.version()),
        transport_codes: frame.transport_codes().map(decoded_codes),
        path,
        payload: decode_payload(frame, keys, signatures),
        raw: hex::upper(&frame.encode()),
        anomaly,
    }
}

/// A frame that the firmware drops. What a payload of another version means nobody knows.
fn decode_dropped(lenient: &LenientFrame<'_>, bytes: &[u8]) -> Option<DecodedPacket> {
    let (route, payload_type, path) = (lenient.route?, lenient.payload_type?, lenient.path?);
    Some(DecodedPacket {
        header: decoded_header(route, payload_type, lenient.version?),
        transport_codes: lenient.transport_codes.map(decoded_codes),
        path: decoded_path(route, path),
        payload: if lenient.rest.is_empty() { empty(payload_type) } else { unknown(lenient.rest) },
        raw: hex::upper(bytes),
        anomaly: None,
    })
}

fn decoded_header(route: Route, payload_type: PayloadType, version: u8) -> DecodedHeader {
    DecodedHeader {
        route_type: route.code(),
        route_type_name: route.name(),
        payload_type: payload_type.code(),
        payload_type_name: payload_type.name(),
        payload_version: version,
    }
}

fn decoded_codes(codes: meshcore::TransportCodes) -> DecodedTransportCodes {
    let [code1, code2] = codes.wire_hex();
    DecodedTransportCodes { code1, code2 }
}

fn decoded_path(route: Route, path: Path<'_>) -> DecodedPath {
    let says_nothing = route.is_direct() && path.is_empty();
    DecodedPath {
        hash_size: if says_nothing { 0 } else { path.hash_size() },
        hash_count: path.count(),
        hops: path.hops().map(hop_text).collect(),
        hops_completed: None,
    }
}

fn hop_text(hop: Hop<'_>) -> String {
    hex::upper(hop.bytes())
}

fn trace_anomaly(route: Route, remainder: usize) -> Option<String> {
    if route.is_flood() {
        Some("a trace travels direct; no firmware sends it by flood".to_owned())
    } else if remainder > 0 {
        Some(format!("the last {remainder} bytes of the route are not a whole entry"))
    } else {
        None
    }
}
