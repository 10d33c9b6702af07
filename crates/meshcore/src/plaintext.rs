//! What stands inside the encrypted payloads of types REQ, RESPONSE, TXT_MSG, PATH and ANON_REQ.
//!
//! A plaintext comes out of decryption with zeros up to a whole block, and its length is not sent: what is not
//! text keeps these zeros.

use sha2::{Digest, Sha256};

use crate::build::BuildError;
use crate::header::PayloadType;
use crate::key::NodeKey;
use crate::name::until_nul;
use crate::path::{Path, path_len};

#[cfg(test)]
mod tests;

/// The most bytes of a text, to a node or to a channel (there with the sender's name).
pub const MAX_TEXT_BYTES: usize = 160;

/// The most bytes of a plaintext to one node (firmware `Mesh::createDatagram`).
const MAX_DATAGRAM_BYTES: usize = 167;

/// The most bytes of the plaintext of an ANON_REQ (firmware `Mesh::createAnonDatagram`).
const MAX_ANON_BYTES: usize = 136;

/// The most bytes of path, extra and five more in a PATH (firmware `MAX_COMBINED_PATH`).
const MAX_COMBINED_PATH: usize = 166;

/// A text with what is sent along: the plaintext of TXT_MSG and of GRP_TXT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextContent<'a> {
    /// Unix seconds by the sender's clock.
    pub timestamp: u32,
    /// 0 plain, 1 command line, 2 signed; up to 63. To channels only 0 is sent.
    pub txt_type: u8,
    /// Which attempt to deliver it, from 0. To channels only the two lowest bits are sent.
    pub attempt: u8,
    /// In a signed text (type 2) to one node: the first 4 bytes of the author's key.
    pub author: Option<[u8; 4]>,
    /// The text, up to the first NUL; not always UTF-8.
    pub text: &'a [u8],
}

impl<'a> TextContent<'a> {
    /// A plain text, first attempt.
    pub const fn plain(timestamp: u32, text: &'a str) -> TextContent<'a> {
        TextContent { timestamp, txt_type: 0, attempt: 0, author: None, text: text.as_bytes() }
    }

    /// Reads the plaintext of a TXT_MSG; `None` when it is too short.
    ///
    /// An attempt above 3 stands after the NUL that ends the text.
    pub fn parse(plaintext: &'a [u8]) -> Option<TextContent<'a>> {
        let mut content = TextContent::parse_group(plaintext)?;
        let mut rest = &plaintext[5..];
        if content.txt_type == SIGNED {
            let (author, text) = rest.split_first_chunk::<4>()?;
            content.author = Some(*author);
            rest = text;
        }
        content.text = until_nul(rest);
        if let Some(attempt) =
            rest.get(content.text.len() + 1).filter(|a| **a > 3 && **a & 3 == content.attempt)
        {
            content.attempt = *attempt;
        }
        Some(content)
    }

    /// Reads the plaintext of a GRP_TXT, where neither authors nor attempts above 3 are sent.
    pub(crate) fn parse_group(plaintext: &'a [u8]) -> Option<TextContent<'a>> {
        let ([timestamp @ .., flags], rest) = plaintext.split_first_chunk::<5>()?;
        Some(TextContent {
            timestamp: u32::from_le_bytes(*timestamp),
            txt_type: flags >> 2,
            attempt: flags & 3,
            author: None,
            text: until_nul(rest),
        })
    }

    /// The plaintext.
    ///
    /// # Errors
    /// When the text has more than 160 bytes or a NUL, the type is above 63, or an author is missing or out of place.
    pub fn encode(&self) -> Result<Vec<u8>, BuildError> {
        let payload_type = PayloadType::Text;
        if (self.txt_type == SIGNED) != self.author.is_some() {
            return Err(BuildError::Field { payload_type, field: "author" });
        }
        let mut bytes = self.encode_common(payload_type)?;
        if self.attempt > 3 {
            bytes.extend_from_slice(&[0, self.attempt]);
        }
        Ok(bytes)
    }

    pub(crate) fn encode_group(&self) -> Result<Vec<u8>, BuildError> {
        if self.author.is_some() {
            return Err(BuildError::Field { payload_type: PayloadType::GroupText, field: "author" });
        }
        if self.attempt > 3 {
            return Err(BuildError::Field { payload_type: PayloadType::GroupText, field: "attempt" });
        }
        self.encode_common(PayloadType::GroupText)
    }

    /// The acknowledgement that the receiver of this text owes: the first 4 bytes of a SHA-256 over time, flags, text
    /// and a key.
    ///
    /// The key is the sender's; for a signed text it is the receiver's.
    pub fn ack_checksum(&self, key: &NodeKey) -> [u8; 4] {
        let mut sha = Sha256::new();
        sha.update(self.timestamp.to_le_bytes());
        sha.update([self.flags()]);
        sha.update(self.author.as_ref().map_or(&[][..], |author| author));
        sha.update(self.text);
        sha.update(key.0);
        let hash = sha.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    const fn flags(&self) -> u8 {
        self.txt_type << 2 | self.attempt & 3
    }

    fn encode_common(&self, payload_type: PayloadType) -> Result<Vec<u8>, BuildError> {
        if self.txt_type > 63 {
            return Err(BuildError::Field { payload_type, field: "text type" });
        }
        if self.text.contains(&0) {
            return Err(BuildError::Nul { field: "text" });
        }
        at_most("text", self.text.len(), MAX_TEXT_BYTES)?;
        let mut bytes = Vec::with_capacity(11 + self.text.len());
        bytes.extend_from_slice(&self.timestamp.to_le_bytes());
        bytes.push(self.flags());
        bytes.extend_from_slice(self.author.as_ref().map_or(&[][..], |author| author));
        bytes.extend_from_slice(self.text);
        Ok(bytes)
    }
}

const SIGNED: u8 = 2;

/// What stands in a REQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestPlaintext<'a> {
    /// The sender's time in Unix seconds, which the response repeats.
    pub tag: u32,
    /// 1 status, 2 keep-alive, 3 telemetry, 5 access list, 6 neighbours, 7 owner.
    pub request_type: u8,
    /// Depends on the type; followed by zeros when it comes from decryption.
    pub arguments: &'a [u8],
}

/// What stands in a RESPONSE: in practice, since the firmware leaves it to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponsePlaintext<'a> {
    /// The tag of the request.
    pub tag: u32,
    /// Depends on the request; followed by zeros when it comes from decryption.
    pub data: &'a [u8],
}

/// What stands in a PATH: the path by which a packet came, for its sender to use, and with it often another payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathPlaintext<'a> {
    /// The path that was found.
    pub path: Path<'a>,
    /// Of the payload sent along, of which bits 0–3 count: an ACK, a RESPONSE. All ones when only filler follows.
    pub extra_type: u8,
    /// The payload sent along, or filler; followed by zeros when it comes from decryption.
    pub extra: &'a [u8],
}

impl PathPlaintext<'_> {
    /// The type of the payload sent along, if there is one.
    pub fn extra_payload_type(&self) -> Option<PayloadType> {
        (self.extra_type != PathPlaintext::FILLER).then(|| PayloadType::from_bits(self.extra_type))
    }

    /// The extra type that says that only filler follows.
    pub const FILLER: u8 = 0xFF;
}

/// What stands in an ANON_REQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnonRequestPlaintext<'a> {
    /// Unix seconds by the sender's clock.
    pub timestamp: u32,
    /// A password (for a room after the time, u32, from which on texts are wanted), or a request: 1 regions, 2 owner,
    /// 3 clock, with a path for the reply. Followed by zeros when it comes from decryption.
    pub data: &'a [u8],
}

/// What is sent encrypted to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plaintext<'a> {
    /// REQ.
    Request(RequestPlaintext<'a>),
    /// RESPONSE.
    Response(ResponsePlaintext<'a>),
    /// TXT_MSG.
    Text(TextContent<'a>),
    /// PATH.
    PathReturn(PathPlaintext<'a>),
    /// ANON_REQ.
    AnonRequest(AnonRequestPlaintext<'a>),
}

impl<'a> Plaintext<'a> {
    /// Reads a plaintext of a type; `None` when it is too short, or the type is not one of these five.
    pub fn parse(payload_type: PayloadType, plaintext: &'a [u8]) -> Option<Plaintext<'a>> {
        match payload_type {
            PayloadType::Request => {
                let ([tag @ .., request_type], arguments) = plaintext.split_first_chunk::<5>()?;
                let (tag, request_type) = (u32::from_le_bytes(*tag), *request_type);
                Some(Plaintext::Request(RequestPlaintext { tag, request_type, arguments }))
            }
            PayloadType::Response => {
                let (tag, data) = plaintext.split_first_chunk::<4>()?;
                Some(Plaintext::Response(ResponsePlaintext { tag: u32::from_le_bytes(*tag), data }))
            }
            PayloadType::Text => TextContent::parse(plaintext).map(Plaintext::Text),
            PayloadType::PathReturn => {
                let (byte, rest) = plaintext.split_first()?;
                let (path, rest) = rest.split_at_checked(path_len(*byte).ok()?)?;
                let (extra_type, extra) = rest.split_first()?;
                let path = Path::from_checked(*byte, path);
                Some(Plaintext::PathReturn(PathPlaintext { path, extra_type: *extra_type, extra }))
            }
            PayloadType::AnonRequest => {
                let (timestamp, data) = plaintext.split_first_chunk::<4>()?;
                let timestamp = u32::from_le_bytes(*timestamp);
                Some(Plaintext::AnonRequest(AnonRequestPlaintext { timestamp, data }))
            }
            _ => None,
        }
    }

    /// The type of the payload it goes into.
    pub const fn payload_type(&self) -> PayloadType {
        match self {
            Plaintext::Request(_) => PayloadType::Request,
            Plaintext::Response(_) => PayloadType::Response,
            Plaintext::Text(_) => PayloadType::Text,
            Plaintext::PathReturn(_) => PayloadType::PathReturn,
            Plaintext::AnonRequest(_) => PayloadType::AnonRequest,
        }
    }

    /// The bytes to be encrypted.
    ///
    /// # Errors
    /// When they are more than the firmware sends, or a text is not one (see [`TextContent::encode`]).
    pub fn encode(&self) -> Result<Vec<u8>, BuildError> {
        let mut max = MAX_DATAGRAM_BYTES;
        let bytes = match self {
            Plaintext::Request(request) => {
                [&request.tag.to_le_bytes()[..], &[request.request_type], request.arguments].concat()
            }
            Plaintext::Response(response) => [&response.tag.to_le_bytes(), response.data].concat(),
            Plaintext::Text(text) => text.encode()?,
            Plaintext::PathReturn(PathPlaintext { path, extra_type, extra }) => {
                at_most("path and extra", path.bytes().len() + extra.len() + 5, MAX_COMBINED_PATH)?;
                [&[path.byte()], path.bytes(), &[*extra_type], extra].concat()
            }
            Plaintext::AnonRequest(request) => {
                max = MAX_ANON_BYTES;
                [&request.timestamp.to_le_bytes(), request.data].concat()
            }
        };
        at_most("plaintext", bytes.len(), max)?;
        Ok(bytes)
    }
}

/// A decrypted plaintext that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opened {
    payload_type: PayloadType,
    bytes: Vec<u8>,
}

impl Opened {
    pub(crate) const fn new(payload_type: PayloadType, bytes: Vec<u8>) -> Opened {
        Opened { payload_type, bytes }
    }

    /// The plaintext as bytes: whole blocks, filled up with zeros.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says; `None` when it is not of its payload's type.
    pub fn plaintext(&self) -> Option<Plaintext<'_>> {
        Plaintext::parse(self.payload_type, &self.bytes)
    }
}

pub(crate) const fn at_most(field: &'static str, len: usize, max: usize) -> Result<(), BuildError> {
    if len > max { Err(BuildError::TooLong { field, len, max }) } else { Ok(()) }
}
