//! The payloads of all 16 types, as views of their bytes. The same types build payloads: fill one in and call
//! [`Payload::to_buf`].

use std::fmt;

use crate::build::{BuildError, PayloadBuf};
use crate::frame::Frame;
use crate::header::PayloadType;
use crate::key::NodeKey;
use crate::path::Path;

mod advert;
mod app_data;
mod control;
mod reader;
mod trace;

pub(crate) use advert::signed_message;
pub use advert::{Advert, MAX_APP_DATA_BYTES, verify_batch};
pub use app_data::{AppData, AppDataError, Location, Role};
pub use control::{Control, ControlMessage, DiscoverRequest, DiscoverResponse};
use reader::Reader;
pub use trace::Trace;

/// A payload parsed by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload<'a> {
    /// REQ: see [`crate::RequestPlaintext`] for what is inside.
    Request(Encrypted<'a>),
    /// RESPONSE: application data, in practice beginning with the tag of the request.
    Response(Encrypted<'a>),
    /// TXT_MSG: see [`crate::TextContent`] for what is inside.
    Text(Encrypted<'a>),
    /// ACK.
    Ack(Ack<'a>),
    /// ADVERT.
    Advert(Advert<'a>),
    /// GRP_TXT.
    GroupText(GroupText<'a>),
    /// GRP_DATA.
    GroupData(GroupData<'a>),
    /// ANON_REQ.
    AnonRequest(AnonRequest<'a>),
    /// PATH: see [`crate::PathPlaintext`] for what is inside.
    PathReturn(Encrypted<'a>),
    /// TRACE.
    Trace(Trace<'a>),
    /// MULTIPART.
    Multipart(Multipart<'a>),
    /// CONTROL.
    Control(Control<'a>),
    /// One of the types 12 to 14.
    Unassigned(Unassigned<'a>),
    /// RAW_CUSTOM.
    RawCustom(RawCustom<'a>),
}

/// Encrypted for one node: REQ, RESPONSE, TXT_MSG and PATH.
///
/// [`crate::SharedSecret::open`] decrypts it. The two hashes have one byte whatever the size of the path's hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encrypted<'a> {
    /// First byte of the receiver's key.
    pub dest: u8,
    /// First byte of the sender's key.
    pub source: u8,
    /// First two bytes of the HMAC-SHA256 of the ciphertext.
    pub mac: [u8; 2],
    /// AES-128-ECB; a receiver refuses what is not whole blocks of 16 bytes. At least one byte.
    pub ciphertext: &'a [u8],
}

/// Acknowledges one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ack<'a> {
    /// First four bytes of a SHA-256 over the text (see [`crate::TextContent::ack_checksum`]), in the order on air.
    pub checksum: [u8; 4],
    /// Since firmware 1.16 normally the attempt and a random byte, so that repeats differ.
    pub extra: &'a [u8],
}

impl Ack<'_> {
    /// The attempt that is acknowledged, where it was sent.
    pub fn attempt(&self) -> Option<u8> {
        self.extra.first().copied()
    }

    /// The random byte, where it was sent.
    pub fn random(&self) -> Option<u8> {
        self.extra.get(1).copied()
    }
}

/// Text to a channel; [`crate::KeyRing::decrypt_text`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupText<'a> {
    /// First byte of the SHA-256 of the channel's key.
    pub channel_hash: u8,
    /// First two bytes of the HMAC-SHA256 of the ciphertext.
    pub mac: [u8; 2],
    /// AES-128-ECB. At least one byte.
    pub ciphertext: &'a [u8],
}

/// Data to a channel; [`crate::KeyRing::decrypt_data`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupData<'a> {
    /// First byte of the SHA-256 of the channel's key.
    pub channel_hash: u8,
    /// First two bytes of the HMAC-SHA256 of the ciphertext.
    pub mac: [u8; 2],
    /// AES-128-ECB. At least one byte.
    pub ciphertext: &'a [u8],
}

/// A request of a node that the receiver need not know, such as a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnonRequest<'a> {
    /// First byte of the receiver's key.
    pub dest: u8,
    /// The sender's real identity.
    pub key: NodeKey,
    /// First two bytes of the HMAC-SHA256 of the ciphertext.
    pub mac: [u8; 2],
    /// AES-128-ECB. At least one byte.
    pub ciphertext: &'a [u8],
}

/// One of several packets that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Multipart<'a> {
    /// How many are still to come: 0 to 15.
    pub remaining: u8,
    /// What the data is. The firmware sends only [`PayloadType::Ack`].
    pub inner_type: PayloadType,
    /// The inner payload; may be empty.
    pub data: &'a [u8],
}

impl<'a> Multipart<'a> {
    /// The acknowledgement inside, if it is one and whole.
    pub fn inner_ack(&self) -> Option<Ack<'a>> {
        let (checksum, extra) = self.data.split_first_chunk::<4>()?;
        (self.inner_type == PayloadType::Ack).then_some(Ack { checksum: *checksum, extra })
    }
}

/// A payload of a type that has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unassigned<'a> {
    /// 12, 13 or 14.
    pub payload_type: PayloadType,
    /// All of it.
    pub bytes: &'a [u8],
}

/// Bytes of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawCustom<'a> {
    /// All of them.
    pub bytes: &'a [u8],
}

/// Why a payload is not one of its type, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{payload_type} payload {kind} ({field}, payload byte {offset})")]
pub struct PayloadError {
    /// What is wrong.
    pub kind: PayloadErrorKind,
    /// The type that the header says.
    pub payload_type: PayloadType,
    /// The first part that is not whole.
    pub field: &'static str,
    /// Where that part begins, in bytes from the start of the payload.
    pub offset: usize,
}

/// What can be wrong with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadErrorKind {
    /// It ends before its last part.
    Short,
}

impl PayloadErrorKind {
    /// A short fixed text, the same that test vectors use.
    pub const fn name(self) -> &'static str {
        match self {
            PayloadErrorKind::Short => "short",
        }
    }
}

impl fmt::Display for PayloadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl<'a> Payload<'a> {
    /// Parses the payload of a frame.
    ///
    /// # Errors
    /// When it is too short for its type, by the firmware's limits.
    pub fn parse(frame: &Frame<'a>) -> Result<Payload<'a>, PayloadError> {
        Payload::parse_parts(frame.payload_type(), frame.path(), frame.payload_bytes())
    }

    fn parse_parts(
        payload_type: PayloadType,
        path: Path<'a>,
        bytes: &'a [u8],
    ) -> Result<Payload<'a>, PayloadError> {
        let mut reader = Reader::new(payload_type, bytes);
        Ok(match payload_type {
            PayloadType::Request => Payload::Request(Encrypted::read(&mut reader)?),
            PayloadType::Response => Payload::Response(Encrypted::read(&mut reader)?),
            PayloadType::Text => Payload::Text(Encrypted::read(&mut reader)?),
            PayloadType::PathReturn => Payload::PathReturn(Encrypted::read(&mut reader)?),
            PayloadType::Ack => {
                Payload::Ack(Ack { checksum: *reader.array("checksum")?, extra: reader.rest() })
            }
            PayloadType::Advert => Payload::Advert(Advert::read(&mut reader)?),
            PayloadType::GroupText => Payload::GroupText(GroupText {
                channel_hash: reader.byte("channel hash")?,
                mac: *reader.array("mac")?,
                ciphertext: reader.rest_not_empty("ciphertext")?,
            }),
            PayloadType::GroupData => Payload::GroupData(GroupData {
                channel_hash: reader.byte("channel hash")?,
                mac: *reader.array("mac")?,
                ciphertext: reader.rest_not_empty("ciphertext")?,
            }),
            PayloadType::AnonRequest => Payload::AnonRequest(AnonRequest {
                dest: reader.byte("destination hash")?,
                key: NodeKey(*reader.array("sender key")?),
                mac: *reader.array("mac")?,
                ciphertext: reader.rest_not_empty("ciphertext")?,
            }),
            PayloadType::Trace => Payload::Trace(Trace::read(&mut reader, path)?),
            PayloadType::Multipart => {
                let byte = reader.byte("remaining and inner type")?;
                let inner_type = PayloadType::from_bits(byte);
                Payload::Multipart(Multipart { remaining: byte >> 4, inner_type, data: reader.rest() })
            }
            PayloadType::Control => {
                Payload::Control(Control { flags: reader.byte("flags")?, data: reader.rest() })
            }
            PayloadType::Unassigned12 | PayloadType::Unassigned13 | PayloadType::Unassigned14 => {
                Payload::Unassigned(Unassigned { payload_type, bytes })
            }
            PayloadType::RawCustom => Payload::RawCustom(RawCustom { bytes }),
        })
    }

    /// Its type.
    pub const fn payload_type(&self) -> PayloadType {
        match self {
            Payload::Request(_) => PayloadType::Request,
            Payload::Response(_) => PayloadType::Response,
            Payload::Text(_) => PayloadType::Text,
            Payload::Ack(_) => PayloadType::Ack,
            Payload::Advert(_) => PayloadType::Advert,
            Payload::GroupText(_) => PayloadType::GroupText,
            Payload::GroupData(_) => PayloadType::GroupData,
            Payload::AnonRequest(_) => PayloadType::AnonRequest,
            Payload::PathReturn(_) => PayloadType::PathReturn,
            Payload::Trace(_) => PayloadType::Trace,
            Payload::Multipart(_) => PayloadType::Multipart,
            Payload::Control(_) => PayloadType::Control,
            Payload::Unassigned(unassigned) => unassigned.payload_type,
            Payload::RawCustom(_) => PayloadType::RawCustom,
        }
    }

    /// Builds the payload: the bytes parse back to the same fields. The path of a TRACE is no part of it, see
    /// [`crate::PathBuf::from_snrs`].
    ///
    /// ```
    /// use meshcore::{Ack, FrameBuilder, Payload, Route};
    ///
    /// let ack = Payload::Ack(Ack { checksum: [1, 2, 3, 4], extra: &[] }).to_buf()?;
    /// assert_eq!(FrameBuilder::new(Route::Direct, &ack).encode(), [0x0E, 0x00, 1, 2, 3, 4]);
    /// # Ok::<(), meshcore::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// When the payload would have no bytes or more than 184, or would not parse back to the same fields: an empty
    /// ciphertext, a number that does not fit its bits, app data of an advert that is not cut as the firmware cuts it.
    pub fn to_buf(&self) -> Result<PayloadBuf, BuildError> {
        let payload_type = self.payload_type();
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        let path = match self {
            Payload::Trace(trace) => Path::from_checked(0, trace.snr_bytes),
            _ => Path::EMPTY,
        };
        match Payload::parse_parts(payload_type, path, &bytes) {
            Ok(parsed) if parsed == *self => PayloadBuf::new(payload_type, bytes),
            Ok(_) => Err(BuildError::Field { payload_type, field: "a value out of range" }),
            Err(error) => Err(BuildError::Field { payload_type, field: error.field }),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Payload::Request(sealed)
            | Payload::Response(sealed)
            | Payload::Text(sealed)
            | Payload::PathReturn(sealed) => {
                concat(out, &[&[sealed.dest, sealed.source], &sealed.mac, sealed.ciphertext]);
            }
            Payload::Ack(ack) => concat(out, &[&ack.checksum, ack.extra]),
            Payload::Advert(advert) => advert.write(out),
            Payload::GroupText(GroupText { channel_hash, mac, ciphertext })
            | Payload::GroupData(GroupData { channel_hash, mac, ciphertext }) => {
                concat(out, &[&[*channel_hash], mac, ciphertext]);
            }
            Payload::AnonRequest(request) => {
                concat(out, &[&[request.dest], &request.key.0, &request.mac, request.ciphertext]);
            }
            Payload::Trace(trace) => trace.write(out),
            Payload::Multipart(Multipart { remaining, inner_type, data }) => {
                concat(out, &[&[remaining << 4 | inner_type.code()], data]);
            }
            Payload::Control(control) => concat(out, &[&[control.flags], control.data]),
            Payload::Unassigned(Unassigned { bytes, .. }) | Payload::RawCustom(RawCustom { bytes }) => {
                out.extend_from_slice(bytes);
            }
        }
    }
}

impl<'a> Encrypted<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Encrypted<'a>, PayloadError> {
        Ok(Encrypted {
            dest: reader.byte("destination hash")?,
            source: reader.byte("source hash")?,
            mac: *reader.array("mac")?,
            ciphertext: reader.rest_not_empty("ciphertext")?,
        })
    }
}

fn concat(out: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
