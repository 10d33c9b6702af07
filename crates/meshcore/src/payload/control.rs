//! CONTROL: unencrypted, today only the discovery of neighbours.

use super::app_data::Role;
use super::{Payload, concat};
use crate::build::{BuildError, PayloadBuf};
use crate::header::PayloadType;

/// A control payload: a kind in the upper half of the flags and data that depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Control<'a> {
    /// Upper four bits: the kind, of which bit 7 means "to neighbours only". Lower four bits: depends.
    pub flags: u8,
    /// Depends on the kind.
    pub data: &'a [u8],
}

/// What a control payload says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlMessage<'a> {
    /// Kind 8: who is there?
    DiscoverRequest(DiscoverRequest),
    /// Kind 9: the answer.
    DiscoverResponse(DiscoverResponse<'a>),
    /// Another kind, or one of these two cut short.
    Other,
}

/// Asks the neighbours to say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DiscoverRequest {
    /// Whether the first 8 bytes of the key are answer enough.
    pub prefix_only: bool,
    /// Who is asked: bit n stands for the role with code n.
    pub filter: u8,
    /// Chosen by the sender; the answers repeat it.
    pub tag: u32,
    /// Only nodes changed since this time (Unix seconds) are asked; not always sent.
    pub since: Option<u32>,
}

/// A neighbour says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DiscoverResponse<'a> {
    /// What it is.
    pub role: Role,
    /// How it heard the request: signal-to-noise ratio in quarters of a decibel.
    pub snr_quarter_db: i8,
    /// The tag of the request.
    pub tag: u32,
    /// Its key: 32 bytes, or 8 where only the prefix was asked for; 0 to 32 are taken.
    pub key: &'a [u8],
}

const DISCOVER_REQUEST: u8 = 0x80;
const DISCOVER_RESPONSE: u8 = 0x90;

impl<'a> Control<'a> {
    /// Bit 7 of the flags: sent to neighbours only, never forwarded.
    pub const fn zero_hop_only(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// What it says.
    pub fn message(&self) -> ControlMessage<'a> {
        let low_nibble = self.flags & 0x0F;
        match (self.flags & 0xF0, self.data.split_first_chunk::<5>()) {
            (DISCOVER_REQUEST, Some(([filter, tag @ ..], rest))) => {
                let since = rest.first_chunk::<4>().map(|since| u32::from_le_bytes(*since));
                let (prefix_only, tag) = (low_nibble & 1 != 0, u32::from_le_bytes(*tag));
                ControlMessage::DiscoverRequest(DiscoverRequest { prefix_only, filter: *filter, tag, since })
            }
            (DISCOVER_RESPONSE, Some(([snr, tag @ ..], rest))) => {
                ControlMessage::DiscoverResponse(DiscoverResponse {
                    role: Role::from_bits(low_nibble),
                    snr_quarter_db: *snr as i8,
                    tag: u32::from_le_bytes(*tag),
                    key: &rest[..rest.len().min(32)],
                })
            }
            _ => ControlMessage::Other,
        }
    }
}

impl DiscoverRequest {
    /// The payload, to be sent by [`crate::Route::Direct`] with an empty path.
    pub fn to_buf(&self) -> PayloadBuf {
        let mut bytes = vec![DISCOVER_REQUEST | u8::from(self.prefix_only), self.filter];
        bytes.extend_from_slice(&self.tag.to_le_bytes());
        if let Some(since) = self.since {
            bytes.extend_from_slice(&since.to_le_bytes());
        }
        PayloadBuf::from_checked(PayloadType::Control, bytes)
    }
}

impl DiscoverResponse<'_> {
    /// The payload, to be sent by [`crate::Route::Direct`] with an empty path.
    ///
    /// # Errors
    /// When the key has more than 32 bytes.
    pub fn to_buf(&self) -> Result<PayloadBuf, BuildError> {
        if self.key.len() > 32 {
            return Err(BuildError::TooLong { field: "key", len: self.key.len(), max: 32 });
        }
        let mut data = Vec::with_capacity(5 + self.key.len());
        concat(&mut data, &[&[self.snr_quarter_db as u8], &self.tag.to_le_bytes(), self.key]);
        Payload::Control(Control { flags: DISCOVER_RESPONSE | self.role.code(), data: &data }).to_buf()
    }
}
