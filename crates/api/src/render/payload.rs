//! What a payload says, with the contract's field names (contract §5.6).
//!
//! This is the one definition: packet rows carry it as text in `decoded_json`, the decoder and the live feed as it stands.

mod from_meshcore;

pub(crate) use from_meshcore::{Signatures, decode_payload, empty, group_text, unknown};

use serde::Serialize;
use utoipa::ToSchema;

/// What a payload says, or why it does not say anything.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum DecodedPayload {
    Known(KnownPayload),
    Malformed(MalformedPayload),
}

/// A payload of a known form, told apart by `type`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type")]
pub(crate) enum KnownPayload {
    #[serde(rename = "REQ")]
    Request(EncryptedPayload),
    #[serde(rename = "RESPONSE")]
    Response(EncryptedPayload),
    #[serde(rename = "TXT_MSG")]
    Text(EncryptedPayload),
    #[serde(rename = "ACK")]
    Ack(AckPayload),
    #[serde(rename = "ADVERT")]
    Advert(AdvertPayload),
    #[serde(rename = "CHAN")]
    ChannelMessage(ChannelMessagePayload),
    #[serde(rename = "GRP_TXT")]
    GroupText(GroupTextPayload),
    #[serde(rename = "GRP_DATA")]
    GroupData(GroupDataPayload),
    #[serde(rename = "ANON_REQ")]
    AnonRequest(AnonRequestPayload),
    #[serde(rename = "PATH")]
    PathReturn(PathReturnPayload),
    #[serde(rename = "TRACE")]
    Trace(TracePayload),
    #[serde(rename = "MULTIPART")]
    Multipart(MultipartPayload),
    #[serde(rename = "CONTROL")]
    Control(ControlPayload),
    #[serde(rename = "RAW_CUSTOM")]
    RawCustom(RawCustomPayload),
    #[serde(rename = "UNKNOWN")]
    Unknown(UnknownPayload),
}

/// A payload too short for its type.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MalformedPayload {
    /// The type that the header says.
    #[serde(rename = "type")]
    pub(crate) payload_type: &'static str,
    /// `too short`.
    pub(crate) error: &'static str,
    /// The first part that is not whole.
    pub(crate) field: &'static str,
    /// Where that part begins, in bytes from the start of the payload.
    pub(crate) offset: usize,
    /// The payload as hex.
    pub(crate) raw: String,
}

/// Encrypted from one node to another.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EncryptedPayload {
    /// First byte of the receiver's key as hex.
    pub(crate) dest_hash: String,
    /// First byte of the sender's key as hex.
    pub(crate) src_hash: String,
    /// Two bytes as hex.
    pub(crate) mac: String,
    /// The ciphertext as hex.
    pub(crate) encrypted_data: String,
}

/// Acknowledges a text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AckPayload {
    /// The checksum read as a little-endian number, as eight hex digits.
    pub(crate) extra_hash: String,
    /// Bytes of the acknowledgement: 4 to 6.
    pub(crate) ack_len: usize,
    /// The attempt that is acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) ack_attempt: Option<u8>,
    /// A random byte, so that repeats differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) ack_rand: Option<u8>,
}

/// A node says who and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdvertPayload {
    /// The node's public key: 64 hex digits.
    pub(crate) pub_key: String,
    /// Seconds since 1970 by the sender's clock.
    pub(crate) timestamp: u32,
    /// The same as text.
    #[serde(rename = "timestampISO")]
    pub(crate) timestamp_iso: String,
    /// 64 bytes as hex.
    pub(crate) signature: String,
    /// Whether the signature is the key owner's; absent where it was not checked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) signature_valid: Option<bool>,
    /// What else is there; absent when the advert has no application data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) flags: Option<AdvertFlags>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) lat: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) lon: Option<f64>,
    /// Not used by today's firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) feat1: Option<u16>,
    /// Not used by today's firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) feat2: Option<u16>,
    /// The name, without what could mislead a reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) name: Option<String>,
    /// Why the application data could not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) app_data_error: Option<String>,
}

/// The first byte of an advert's application data.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are the bits of a byte on air")]
pub(crate) struct AdvertFlags {
    /// The byte.
    pub(crate) raw: u8,
    /// The role: 0 none, 1 companion, 2 repeater, 3 room, 4 sensor.
    #[serde(rename = "type")]
    pub(crate) role: u8,
    pub(crate) chat: bool,
    pub(crate) repeater: bool,
    pub(crate) room: bool,
    pub(crate) sensor: bool,
    pub(crate) has_location: bool,
    pub(crate) has_feat1: bool,
    pub(crate) has_feat2: bool,
    pub(crate) has_name: bool,
}

/// A text to a channel whose key is known.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChannelMessagePayload {
    /// The channel's name.
    pub(crate) channel: String,
    /// The first byte of the hash of the channel's key.
    #[serde(rename = "channelHash")]
    pub(crate) channel_hash: u8,
    /// The same as two hex digits.
    #[serde(rename = "channelHashHex")]
    pub(crate) channel_hash_hex: String,
    #[serde(rename = "decryptionStatus")]
    pub(crate) decryption_status: DecryptionStatus,
    /// The name before the colon, which nobody vouches for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) sender: Option<String>,
    /// The whole text, with the sender before it.
    pub(crate) text: String,
    /// Seconds since 1970 by the sender's clock.
    pub(crate) sender_timestamp: u32,
}

/// Whether a group payload could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DecryptionStatus {
    /// It could.
    Decrypted,
    /// No key has this channel hash.
    NoKey,
    /// A key has this channel hash, but it is not the one.
    DecryptionFailed,
}

/// A text to a channel whose key is not known.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupTextPayload {
    /// The first byte of the hash of the channel's key.
    pub(crate) channel_hash: u8,
    /// The same as two hex digits.
    pub(crate) channel_hash_hex: String,
    pub(crate) decryption_status: DecryptionStatus,
    /// Two bytes as hex.
    pub(crate) mac: String,
    /// The ciphertext as hex.
    pub(crate) encrypted_data: String,
}

/// Data to a channel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupDataPayload {
    /// The first byte of the hash of the channel's key.
    pub(crate) channel_hash: u8,
    /// The same as two hex digits.
    pub(crate) channel_hash_hex: String,
    pub(crate) decryption_status: DecryptionStatus,
    /// The channel's name, when decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) channel: Option<String>,
    /// What the data is, when decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) data_type: Option<u16>,
    /// Bytes of the data, when decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) data_len: Option<usize>,
    /// The data as hex, when decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) decrypted_blob: Option<String>,
    /// Two bytes as hex, when not decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) mac: Option<String>,
    /// The ciphertext as hex, when not decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) encrypted_data: Option<String>,
}

/// A request of a node that its receiver need not know.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnonRequestPayload {
    /// First byte of the receiver's key as hex.
    pub(crate) dest_hash: String,
    /// The sender's public key; in spite of the field's name it is not ephemeral.
    pub(crate) ephemeral_pub_key: String,
    /// Two bytes as hex.
    pub(crate) mac: String,
    /// The ciphertext as hex.
    pub(crate) encrypted_data: String,
}

/// The path that a packet took, returned to its sender.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PathReturnPayload {
    /// First byte of the receiver's key as hex.
    pub(crate) dest_hash: String,
    /// First byte of the sender's key as hex.
    pub(crate) src_hash: String,
    /// Two bytes as hex.
    pub(crate) mac: String,
    /// The ciphertext as hex.
    pub(crate) path_data: String,
}

/// Measures the signal at each hop of a route.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TracePayload {
    /// Chosen by the sender; the same at every hop.
    pub(crate) tag: u32,
    /// Chosen by the sender.
    pub(crate) auth_code: u32,
    /// Bits 0–1: the binary logarithm of the bytes of a route entry.
    pub(crate) trace_flags: u8,
    /// The route as hex.
    pub(crate) path_data: String,
    /// Signal-to-noise ratio in decibels at each hop done.
    pub(crate) snr_values: Vec<f64>,
}

/// One of several packets that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MultipartPayload {
    /// How many are still to come.
    pub(crate) remaining: u8,
    /// Type number of what is inside.
    pub(crate) inner_type: u8,
    /// Type name of what is inside.
    pub(crate) inner_type_name: &'static str,
    /// Of an acknowledgement: its checksum as eight hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) inner_ack_crc: Option<String>,
    /// Of an acknowledgement: its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) inner_ack_len: Option<usize>,
    /// Of an acknowledgement: the attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) inner_ack_attempt: Option<u8>,
    /// Of an acknowledgement: its random byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) inner_ack_rand: Option<u8>,
    /// Of anything else: the data as hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) inner_payload: Option<String>,
}

/// Discovery of neighbours.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ControlPayload {
    /// The flags as two hex digits.
    #[serde(rename = "ctrlFlags")]
    pub(crate) flags: String,
    /// Whether it is for neighbours only.
    #[serde(rename = "ctrlZeroHop")]
    pub(crate) zero_hop: bool,
    /// Bytes of the payload.
    #[serde(rename = "ctrlLength")]
    pub(crate) length: usize,
    /// `DISCOVER_REQ`, `DISCOVER_RESP` or `UNKNOWN`.
    #[serde(rename = "ctrlSubtype")]
    pub(crate) subtype: &'static str,
    /// The payload as hex.
    pub(crate) raw: String,
    /// Of a request: bit n asks for the role n.
    #[serde(rename = "ctrlFilter", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) filter: Option<u8>,
    /// Chosen by the asking node.
    #[serde(rename = "ctrlTag", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) tag: Option<u32>,
    /// Of a request: only nodes changed since, in seconds since 1970.
    #[serde(rename = "ctrlSince", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) since: Option<u32>,
    /// Of an answer: the role.
    #[serde(rename = "ctrlNodeType", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) node_type: Option<u8>,
    /// Of an answer: how the request was heard, in quarters of a decibel.
    #[serde(rename = "ctrlSNR", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) snr: Option<i8>,
    /// Of an answer: the key, or its first bytes, as hex.
    #[serde(rename = "ctrlPubKey", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) pub_key: Option<String>,
}

/// Bytes of an application.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawCustomPayload {
    /// Bytes of the payload.
    pub(crate) raw_length: usize,
    /// The first byte as two hex digits.
    pub(crate) first_byte_tag: String,
    /// The payload as hex.
    pub(crate) raw: String,
}

/// A type or a version without meaning.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct UnknownPayload {
    /// The payload as hex.
    pub(crate) raw: String,
}
