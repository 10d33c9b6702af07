//! The frame: header, transport codes, path and payload, as a radio hands it over.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::build::{FrameBuilder, PayloadBuf};
use crate::header::{PayloadType, Route};
use crate::key::PacketHash;
use crate::path::{Hop, Path, PathError, path_len};
use crate::payload::{Payload, PayloadError};

mod error;
#[cfg(test)]
mod tests;

pub use error::{FrameError, FrameErrorKind, FrameField};

/// The most bytes a frame can have on air (`MAX_TRANS_UNIT`).
pub const MAX_FRAME_BYTES: usize = 255;

/// The most bytes a payload can have (`MAX_PACKET_PAYLOAD`).
pub const MAX_PAYLOAD_BYTES: usize = 184;

/// A frame the firmware would take, borrowed from the bytes it was parsed from.
///
/// Its parts always agree with each other, so [`Frame::encode`] gives back exactly the bytes that were parsed.
///
/// ```
/// use meshcore::{Frame, Payload, PayloadType, Route};
///
/// let bytes = meshcore::decode_hex("0D011101020304").ok_or("not hex")?;
/// let frame = Frame::parse(&bytes)?;
/// assert_eq!((frame.route(), frame.payload_type()), (Route::Flood, PayloadType::Ack));
/// assert_eq!(frame.path().hops().map(|hop| hop.to_string()).collect::<Vec<_>>(), ["11"]);
/// assert_eq!(frame.content_hash().to_string(), "df7fbc5d90629c17");
/// assert!(matches!(frame.payload()?, Payload::Ack(ack) if ack.checksum == [1, 2, 3, 4]));
/// assert_eq!(frame.encode(), bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame<'a> {
    header: u8,
    transport_codes: Option<TransportCodes>,
    path: Path<'a>,
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Parses with the firmware's verdict, in the firmware's order.
    ///
    /// # Errors
    /// What the firmware drops: see [`FrameErrorKind`]. [`Frame::parse_lenient`] keeps what can be read of such a frame.
    pub fn parse(bytes: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        let read = LenientFrame::read(bytes);
        match (read.error, read.frame()) {
            (None, Some(frame)) => Ok(frame),
            (Some(error), _) => Err(error),
            (None, None) => Err(FrameError::new(FrameErrorKind::Length, FrameField::Frame, bytes.len())),
        }
    }

    /// Reads as much as can be read, and says what the firmware would have stumbled over first.
    pub fn parse_lenient(bytes: &'a [u8]) -> LenientFrame<'a> {
        LenientFrame::read(bytes)
    }

    /// From parts that were checked before.
    pub(crate) const fn from_checked(
        header: u8,
        transport_codes: Option<TransportCodes>,
        path: Path<'a>,
        payload: &'a [u8],
    ) -> Frame<'a> {
        Frame { header, transport_codes, path, payload }
    }

    /// The header byte.
    pub const fn header(&self) -> u8 {
        self.header
    }

    /// How it travels.
    pub const fn route(&self) -> Route {
        Route::from_bits(self.header)
    }

    /// What its payload is.
    pub const fn payload_type(&self) -> PayloadType {
        PayloadType::from_bits(self.header >> 2)
    }

    /// The payload version: always 0, since the firmware drops the other three.
    pub const fn version(&self) -> u8 {
        self.header >> 6
    }

    /// There exactly when the route has transport codes.
    pub const fn transport_codes(&self) -> Option<TransportCodes> {
        self.transport_codes
    }

    /// The path; for a TRACE the signal-to-noise ratios measured so far.
    pub const fn path(&self) -> Path<'a> {
        self.path
    }

    /// The payload as bytes: 1 to 184.
    pub const fn payload_bytes(&self) -> &'a [u8] {
        self.payload
    }

    /// The payload parsed by its type.
    ///
    /// # Errors
    /// When it is too short for its type.
    pub fn payload(&self) -> Result<Payload<'a>, PayloadError> {
        Payload::parse(self)
    }

    /// The hops that a copy of this packet with this path has done, or has ahead of it. The path of a TRACE holds
    /// signal-to-noise ratios, one for each entry of its route that is done, so its hops are those entries.
    pub fn hops_along(
        &self,
        path: Path<'a>,
    ) -> impl DoubleEndedIterator<Item = Hop<'a>> + ExactSizeIterator + use<'a> {
        let (bytes, size) = match self.payload() {
            Ok(Payload::Trace(trace)) => {
                let size = usize::from(trace.entry_size());
                (&trace.route[..trace.route.len().min(path.bytes().len() * size)], size)
            }
            _ => (path.bytes(), usize::from(path.hash_size())),
        };
        bytes.chunks_exact(size).map(Hop)
    }

    /// The hash that all copies of this packet share.
    pub fn content_hash(&self) -> PacketHash {
        content_hash(self.payload_type(), self.path.byte(), self.payload)
    }

    /// The number of bytes on air: 3 to 254.
    pub const fn encoded_len(&self) -> usize {
        let codes = if self.transport_codes.is_some() { 4 } else { 0 };
        2 + codes + self.path.bytes().len() + self.payload.len()
    }

    /// The bytes on air.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        self.encode_to(&mut bytes);
        bytes
    }

    /// Appends the bytes on air.
    pub fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(self.header);
        if let Some(codes) = self.transport_codes {
            out.extend_from_slice(&codes.to_bytes());
        }
        out.push(self.path.byte());
        out.extend_from_slice(self.path.bytes());
        out.extend_from_slice(self.payload);
    }

    /// The same packet as another copy of it: change its path, route or codes and encode.
    pub fn to_builder(&self) -> FrameBuilder<'a> {
        FrameBuilder::of_frame(self)
    }

    /// An owned copy of the payload.
    pub fn payload_buf(&self) -> PayloadBuf {
        PayloadBuf::from_checked(self.payload_type(), self.payload.to_vec())
    }
}

/// The content hash of a packet: the first 8 bytes of SHA-256 over the payload type, for a TRACE also the path byte as
/// two bytes, and the payload (firmware `Packet.cpp`, where `path_len` is a u16).
///
/// Route, version, codes and path do not enter, so all copies of a packet share it; a TRACE has another hash at each hop.
pub fn content_hash(payload_type: PayloadType, path_byte: u8, payload: &[u8]) -> PacketHash {
    let mut sha = Sha256::new();
    if payload_type == PayloadType::Trace {
        sha.update([payload_type.code(), path_byte, 0]);
    } else {
        sha.update([payload_type.code()]);
    }
    sha.update(payload);
    let mut hash = [0; 8];
    hash.copy_from_slice(&sha.finalize()[..8]);
    PacketHash(hash)
}

/// The two transport codes of a scoped packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TransportCodes {
    /// The code of the scope (see [`crate::ScopeKey::code_for`]). With both codes 0 a
    /// packet is sent nowhere: so are contacts shared with the neighbours.
    pub scope: u16,
    /// Sent as 0 by today's firmware; reserved for a home or return region.
    pub reserved: u16,
}

impl TransportCodes {
    /// From the four bytes on air, two little-endian numbers.
    pub const fn from_bytes(bytes: [u8; 4]) -> TransportCodes {
        TransportCodes {
            scope: u16::from_le_bytes([bytes[0], bytes[1]]),
            reserved: u16::from_le_bytes([bytes[2], bytes[3]]),
        }
    }

    /// The four bytes on air.
    pub const fn to_bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.scope.to_le_bytes(), self.reserved.to_le_bytes());
        [a, b, c, d]
    }

    /// Both codes as upper-case hex of their bytes in the order on air, as other analyzers show them; not the numbers.
    ///
    /// ```
    /// let codes = meshcore::TransportCodes { scope: 0x1234, reserved: 0 };
    /// assert_eq!(codes.wire_hex(), ["3412", "0000"]);
    /// ```
    pub fn wire_hex(self) -> [String; 2] {
        [self.scope, self.reserved].map(|code| format!("{:04X}", code.swap_bytes()))
    }
}

/// What could be read of a frame, good or bad. The fields after the one in error may be missing.
///
/// ```
/// use meshcore::{Frame, FrameErrorKind, PayloadType};
///
/// let bad = Frame::parse_lenient(&[0x55, 0x00, 1, 2, 3]);
/// let error = bad.error.ok_or("the version is not 0")?;
/// assert_eq!(error.to_string(), "version (header, byte 0)");
/// assert_eq!((bad.version, bad.payload_type), (Some(1), Some(PayloadType::GroupText)));
/// assert_eq!(bad.rest, [1, 2, 3]);
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LenientFrame<'a> {
    /// The header byte; missing only when there are no bytes at all.
    pub header: Option<u8>,
    /// Bits 0–1 of the header.
    pub route: Option<Route>,
    /// Bits 2–5 of the header.
    pub payload_type: Option<PayloadType>,
    /// Bits 6–7 of the header.
    pub version: Option<u8>,
    /// Where the route has them and they are whole.
    pub transport_codes: Option<TransportCodes>,
    /// The path byte, whatever it says.
    pub path_byte: Option<u8>,
    /// Where the path byte is legal and all its bytes are there.
    pub path: Option<Path<'a>>,
    /// All that follows what is above: the payload when the path could be read.
    pub rest: &'a [u8],
    /// Where `rest` begins.
    pub rest_offset: usize,
    /// What the firmware drops the frame for; `None` for a good one.
    pub error: Option<FrameError>,
}

impl<'a> LenientFrame<'a> {
    /// The frame, if it is a good one.
    pub fn frame(&self) -> Option<Frame<'a>> {
        match (self.error, self.header, self.path) {
            (None, Some(header), Some(path)) => {
                Some(Frame { header, transport_codes: self.transport_codes, path, payload: self.rest })
            }
            _ => None,
        }
    }

    fn read(bytes: &'a [u8]) -> LenientFrame<'a> {
        let mut read = LenientFrame {
            header: None,
            route: None,
            payload_type: None,
            version: None,
            transport_codes: None,
            path_byte: None,
            path: None,
            rest: bytes,
            rest_offset: 0,
            error: None,
        };
        if !(2..=MAX_FRAME_BYTES).contains(&bytes.len()) {
            read.fail(FrameErrorKind::Length, FrameField::Frame, bytes.len().min(MAX_FRAME_BYTES));
        }
        if read.read_header() && read.read_codes() && read.read_path() {
            if read.rest.len() > MAX_PAYLOAD_BYTES {
                read.fail(FrameErrorKind::PayloadTooBig, FrameField::Payload, read.rest_offset);
            }
            if read.rest.is_empty() {
                read.fail(FrameErrorKind::EmptyPayload, FrameField::Payload, read.rest_offset);
            }
        }
        read
    }

    /// Each of these three says whether the fields after it can be found.
    fn read_header(&mut self) -> bool {
        let Some(header) = self.take_byte() else { return false };
        self.header = Some(header);
        self.route = Some(Route::from_bits(header));
        self.payload_type = Some(PayloadType::from_bits(header >> 2));
        self.version = Some(header >> 6);
        if header >> 6 != 0 {
            self.fail(FrameErrorKind::Version, FrameField::Header, 0);
        }
        true
    }

    fn read_codes(&mut self) -> bool {
        if self.route.is_some_and(Route::has_transport_codes) {
            let Some((codes, rest)) = self.rest.split_first_chunk::<4>() else {
                self.fail(FrameErrorKind::TruncatedTransport, FrameField::TransportCodes, self.rest_offset);
                return false;
            };
            self.transport_codes = Some(TransportCodes::from_bytes(*codes));
            self.rest = rest;
            self.rest_offset += 4;
        }
        true
    }

    fn read_path(&mut self) -> bool {
        let path_byte_offset = self.rest_offset;
        let Some(byte) = self.take_byte() else {
            self.fail(FrameErrorKind::MissingPathByte, FrameField::PathByte, path_byte_offset);
            return false;
        };
        self.path_byte = Some(byte);
        let kind = match path_len(byte) {
            Ok(len) => match self.rest.split_at_checked(len) {
                Some((path, rest)) => {
                    self.path = Some(Path::from_checked(byte, path));
                    self.rest = rest;
                    self.rest_offset += len;
                    return true;
                }
                None => FrameErrorKind::PathBeyondFrame,
            },
            Err(PathError::HashSize) => FrameErrorKind::PathMode3,
            Err(_) => FrameErrorKind::PathTooLong,
        };
        match kind {
            FrameErrorKind::PathBeyondFrame => self.fail(kind, FrameField::Path, self.rest_offset),
            _ => self.fail(kind, FrameField::PathByte, path_byte_offset),
        }
        false
    }

    fn take_byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.rest_offset += 1;
        Some(*byte)
    }

    /// Keeps the first error only: that is the firmware's verdict.
    fn fail(&mut self, kind: FrameErrorKind, field: FrameField, offset: usize) {
        self.error.get_or_insert(FrameError::new(kind, field, offset));
    }
}

impl fmt::Display for TransportCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [scope, reserved] = self.wire_hex();
        write!(f, "{scope} {reserved}")
    }
}
