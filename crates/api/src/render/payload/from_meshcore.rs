//! Rendering what crate `meshcore` has parsed.

use super::{
    AckPayload, AdvertFlags, AdvertPayload, AnonRequestPayload, ChannelMessagePayload, ControlPayload,
    DecodedPayload, DecryptionStatus, EncryptedPayload, GroupDataPayload, GroupTextPayload, KnownPayload,
    MalformedPayload, MultipartPayload, PathReturnPayload, RawCustomPayload, TracePayload, UnknownPayload,
};
use crate::render::hex;
use crate::render::time::rfc3339;
use meshcore::{
    Ack, Advert, AppData, ChannelMessage, Control, ControlMessage, Encrypted, Frame, GroupData, GroupText,
    KeyRing, Multipart, NodeName, Payload, PayloadError, PayloadType, RawCustom, Trace, shown_name,
    shown_text,
};
use model::{SnrQuarterDb, UnixMillis};

/// Whether the signatures of adverts are to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signatures {
    /// They were, before the packet was stored; checking again costs 30 times as much as all else.
    CheckedBefore,
    /// They are now.
    CheckNow,
}

/// Says what a payload says. `keys` open what is sent to channels.
pub(crate) fn decode_payload(frame: &Frame<'_>, keys: &KeyRing, signatures: Signatures) -> DecodedPayload {
    match frame.payload() {
        Ok(Payload::GroupText(text)) => group_text(&text, keys.decrypt_text(&text), keys),
        Ok(payload) => DecodedPayload::Known(known(&payload, frame, keys, signatures)),
        Err(error) => malformed(&error, frame.payload_bytes()),
    }
}

/// A text to a channel; `message` is what a key has opened.
pub(crate) fn group_text(
    text: &GroupText<'_>,
    message: Option<ChannelMessage<'_>>,
    keys: &KeyRing,
) -> DecodedPayload {
    DecodedPayload::Known(match message {
        Some(message) => KnownPayload::ChannelMessage(channel_message(&message, text.channel_hash)),
        None => KnownPayload::GroupText(GroupTextPayload {
            channel_hash: text.channel_hash,
            channel_hash_hex: hex::upper(&[text.channel_hash]),
            decryption_status: why_not_decrypted(keys, text.channel_hash),
            mac: hex::lower(&text.mac),
            encrypted_data: hex::lower(text.ciphertext),
        }),
    })
}

fn known(payload: &Payload<'_>, frame: &Frame<'_>, keys: &KeyRing, signatures: Signatures) -> KnownPayload {
    match payload {
        Payload::Request(sealed) => KnownPayload::Request(encrypted(sealed)),
        Payload::Response(sealed) => KnownPayload::Response(encrypted(sealed)),
        Payload::Text(sealed) => KnownPayload::Text(encrypted(sealed)),
        Payload::PathReturn(sealed) => {
            let EncryptedPayload { dest_hash, src_hash, mac, encrypted_data } = encrypted(sealed);
            KnownPayload::PathReturn(PathReturnPayload {
                dest_hash,
                src_hash,
                mac,
                path_data: encrypted_data,
            })
        }
        Payload::Ack(ack) => KnownPayload::Ack(acknowledgement(ack)),
        Payload::Advert(advert) => KnownPayload::Advert(node_advert(advert, signatures)),
        Payload::GroupData(data) => KnownPayload::GroupData(group_data(data, keys)),
        Payload::AnonRequest(request) => KnownPayload::AnonRequest(AnonRequestPayload {
            dest_hash: hex::lower(&[request.dest]),
            ephemeral_pub_key: request.key.to_string(),
            mac: hex::lower(&request.mac),
            encrypted_data: hex::lower(request.ciphertext),
        }),
        Payload::Trace(trace) => KnownPayload::Trace(trace_payload(trace)),
        Payload::Multipart(part) => KnownPayload::Multipart(multipart(part)),
        Payload::Control(control) => KnownPayload::Control(control_payload(control, frame.payload_bytes())),
        Payload::RawCustom(custom) => KnownPayload::RawCustom(raw_custom(custom)),
        // Texts to channels are taken care of by the caller, which has tried the keys.
        Payload::Unassigned(_) | Payload::GroupText(_) => {
            KnownPayload::Unknown(UnknownPayload { raw: hex::lower(frame.payload_bytes()) })
        }
    }
}

/// A payload too short for its type, as CoreScope words it, with where and what.
pub(crate) fn malformed(error: &PayloadError, payload: &[u8]) -> DecodedPayload {
    DecodedPayload::Malformed(MalformedPayload {
        payload_type: error.payload_type.name(),
        error: "too short",
        field: error.field,
        offset: error.offset,
        raw: hex::lower(payload),
    })
}

fn encrypted(sealed: &Encrypted<'_>) -> EncryptedPayload {
    EncryptedPayload {
        dest_hash: hex::lower(&[sealed.dest]),
        src_hash: hex::lower(&[sealed.source]),
        mac: hex::lower(&sealed.mac),
        encrypted_data: hex::lower(sealed.ciphertext),
    }
}

fn acknowledgement(ack: &Ack<'_>) -> AckPayload {
    AckPayload {
        extra_hash: checksum_text(ack),
        ack_len: ack_len(ack),
        ack_attempt: ack.attempt(),
        ack_rand: ack.random(),
    }
}

fn checksum_text(ack: &Ack<'_>) -> String {
    format!("{:08x}", u32::from_le_bytes(ack.checksum))
}

/// The firmware uses six bytes at most.
fn ack_len(ack: &Ack<'_>) -> usize {
    (ack.checksum.len() + ack.extra.len()).min(6)
}

fn node_advert(advert: &Advert<'_>, signatures: Signatures) -> AdvertPayload {
    let (app, app_data_error) = match advert.app() {
        Some(Ok(app)) => (Some(app), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let location = app.and_then(|app| app.location);
    AdvertPayload {
        pub_key: advert.key.to_string(),
        timestamp: advert.timestamp,
        timestamp_iso: rfc3339(UnixMillis(i64::from(advert.timestamp) * 1000)),
        signature: hex::lower(advert.signature),
        signature_valid: (signatures == Signatures::CheckNow).then(|| advert.verify()),
        flags: app.as_ref().map(advert_flags),
        lat: location.map(|location| location.lat()),
        lon: location.map(|location| location.lon()),
        feat1: app.and_then(|app| app.feat1),
        feat2: app.and_then(|app| app.feat2),
        name: app.and_then(|app| app.name).as_ref().map(NodeName::display),
        app_data_error,
    }
}

fn advert_flags(app: &AppData<'_>) -> AdvertFlags {
    let role = app.role.code();
    AdvertFlags {
        raw: app.flags,
        role,
        chat: role == 1,
        repeater: role == 2,
        room: role == 3,
        sensor: role == 4,
        has_location: app.location.is_some(),
        has_feat1: app.feat1.is_some(),
        has_feat2: app.feat2.is_some(),
        has_name: app.has_name_flag(),
    }
}

fn channel_message(message: &ChannelMessage<'_>, channel_hash: u8) -> ChannelMessagePayload {
    ChannelMessagePayload {
        channel: message.channel.to_owned(),
        channel_hash,
        channel_hash_hex: hex::upper(&[channel_hash]),
        decryption_status: DecryptionStatus::Decrypted,
        sender: message.sender().map(|sender| shown_name(&sender)),
        text: shown_text(&message.text()),
        sender_timestamp: message.timestamp,
    }
}

fn why_not_decrypted(keys: &KeyRing, channel_hash: u8) -> DecryptionStatus {
    if keys.has_hash(channel_hash) { DecryptionStatus::DecryptionFailed } else { DecryptionStatus::NoKey }
}

fn group_data(data: &GroupData<'_>, keys: &KeyRing) -> GroupDataPayload {
    let opened = keys.decrypt_data(data);
    let sealed = opened.is_none();
    GroupDataPayload {
        channel_hash: data.channel_hash,
        channel_hash_hex: hex::upper(&[data.channel_hash]),
        decryption_status: match opened {
            Some(_) => DecryptionStatus::Decrypted,
            None => why_not_decrypted(keys, data.channel_hash),
        },
        channel: opened.as_ref().map(|opened| opened.channel.to_owned()),
        data_type: opened.as_ref().map(|opened| opened.data_type),
        data_len: opened.as_ref().map(|opened| usize::from(opened.len)),
        decrypted_blob: opened.map(|opened| hex::lower(&opened.data)),
        mac: sealed.then(|| hex::lower(&data.mac)),
        encrypted_data: sealed.then(|| hex::lower(data.ciphertext)),
    }
}

fn trace_payload(trace: &Trace<'_>) -> TracePayload {
    TracePayload {
        tag: trace.tag,
        auth_code: trace.auth,
        trace_flags: trace.flags,
        path_data: hex::lower(trace.route),
        snr_values: trace.snrs_quarter_db().map(|quarters| SnrQuarterDb(quarters).db()).collect(),
    }
}

fn multipart(part: &Multipart<'_>) -> MultipartPayload {
    let ack = part.inner_ack();
    MultipartPayload {
        remaining: part.remaining,
        inner_type: part.inner_type.code(),
        inner_type_name: part.inner_type.name(),
        inner_ack_crc: ack.as_ref().map(checksum_text),
        inner_ack_len: ack.as_ref().map(ack_len),
        inner_ack_attempt: ack.and_then(|ack| ack.attempt()),
        inner_ack_rand: ack.and_then(|ack| ack.random()),
        inner_payload: ack.is_none().then(|| hex::lower(part.data)),
    }
}

fn control_payload(control: &Control<'_>, payload: &[u8]) -> ControlPayload {
    let mut decoded = ControlPayload {
        flags: hex::lower(&[control.flags]),
        zero_hop: control.zero_hop_only(),
        length: payload.len(),
        subtype: "UNKNOWN",
        raw: hex::lower(payload),
        filter: None,
        tag: None,
        since: None,
        node_type: None,
        snr: None,
        pub_key: None,
    };
    match control.message() {
        ControlMessage::DiscoverRequest(request) => {
            decoded.subtype = "DISCOVER_REQ";
            decoded.filter = Some(request.filter);
            decoded.tag = Some(request.tag);
            decoded.since = request.since;
        }
        ControlMessage::DiscoverResponse(response) => {
            decoded.subtype = "DISCOVER_RESP";
            decoded.node_type = Some(response.role.code());
            decoded.snr = Some(response.snr_quarter_db);
            decoded.tag = Some(response.tag);
            decoded.pub_key = Some(hex::lower(response.key));
        }
        ControlMessage::Other => {}
    }
    decoded
}

fn raw_custom(custom: &RawCustom<'_>) -> RawCustomPayload {
    RawCustomPayload {
        raw_length: custom.bytes.len(),
        first_byte_tag: hex::upper(custom.bytes.get(..1).unwrap_or_default()),
        raw: hex::lower(custom.bytes),
    }
}

/// A payload whose type or version means nothing to us.
pub(crate) fn unknown(payload: &[u8]) -> DecodedPayload {
    DecodedPayload::Known(KnownPayload::Unknown(UnknownPayload { raw: hex::lower(payload) }))
}

/// A frame without a payload.
pub(crate) fn empty(payload_type: PayloadType) -> DecodedPayload {
    DecodedPayload::Malformed(MalformedPayload {
        payload_type: payload_type.name(),
        error: "too short",
        field: "payload",
        offset: 0,
        raw: String::new(),
    })
}
