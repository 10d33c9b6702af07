//! Fields of decoded payloads, without decoding more of a payload than the field.
//!
//! Each is what the field of this name says in `decoded_json` (contract §5.6); a test of crate `api` holds the two together.

use filter::{Found, PayloadField};
use meshcore::{
    Ack, Advert, Control, ControlMessage, Encrypted, Hex, Multipart, Payload, PayloadType, Trace,
};

use super::packet::app_data;
use crate::channels::ChannelRef;
use crate::view::TransmissionView;

pub(super) fn find<'a>(packet: &TransmissionView<'a>, field: &PayloadField) -> Found<'a> {
    if !field.types.contains(&packet.payload_type()) {
        return Found::Nothing;
    }
    let Some(name) = field.name.strip_prefix("payload.") else { return Found::Nothing };
    let frame = packet.frame();
    match frame.payload() {
        Ok(Payload::Advert(advert)) => of_advert(&advert, name),
        Ok(Payload::GroupText(text)) => of_group(packet, text.channel_hash, name),
        Ok(Payload::GroupData(data)) => of_group(packet, data.channel_hash, name),
        Ok(
            Payload::Request(sealed)
            | Payload::Response(sealed)
            | Payload::Text(sealed)
            | Payload::PathReturn(sealed),
        ) => of_sealed(&sealed, name),
        Ok(Payload::AnonRequest(request)) => match name {
            "destHash" => lower(&[request.dest]),
            "ephemeralPubKey" => owned(request.key.to_string()),
            _ => Found::Nothing,
        },
        Ok(Payload::Ack(ack)) => of_ack(&ack, name),
        Ok(Payload::Trace(trace)) => of_trace(&trace, name),
        Ok(Payload::Multipart(part)) => of_multipart(&part, name),
        Ok(Payload::Control(control)) => of_control(&control, name),
        Ok(Payload::RawCustom(custom)) => match name {
            "rawLength" => Found::Number(custom.bytes.len() as f64),
            "firstByteTag" => upper(custom.bytes.get(..1).unwrap_or_default()),
            _ => Found::Nothing,
        },
        Ok(Payload::Unassigned(_)) | Err(_) => Found::Nothing,
    }
}

fn of_advert<'a>(advert: &Advert<'_>, name: &str) -> Found<'a> {
    match name {
        "pubKey" => return owned(advert.key.to_string()),
        "timestamp" => return Found::Number(f64::from(advert.timestamp)),
        _ => {}
    }
    let Some(app) = app_data(advert.app()) else { return Found::Nothing };
    let role = app.role.code();
    match name {
        "name" => Found::text(app.name.map(|name| name.display())),
        "lat" => Found::number(app.location.map(|location| location.lat())),
        "lon" => Found::number(app.location.map(|location| location.lon())),
        "flags.type" => Found::Number(f64::from(role)),
        "flags.chat" => Found::Flag(role == 1),
        "flags.repeater" => Found::Flag(role == 2),
        "flags.room" => Found::Flag(role == 3),
        "flags.sensor" => Found::Flag(role == 4),
        "flags.hasLocation" => Found::Flag(app.location.is_some()),
        "flags.hasName" => Found::Flag(app.has_name_flag()),
        _ => Found::Nothing,
    }
}

/// Texts and data to channels.
fn of_group<'a>(packet: &TransmissionView<'a>, channel_hash: u8, name: &str) -> Found<'a> {
    let channel = match packet.channel() {
        Some(ChannelRef::Name(name)) => Some(name.as_str()),
        _ => None,
    };
    match name {
        "channel" => Found::text(channel),
        "channelHash" => Found::Number(f64::from(channel_hash)),
        "channelHashHex" => upper(&[channel_hash]),
        "decryptionStatus" => Found::text(Some(match channel {
            Some(_) => "decrypted",
            None if packet.index.options.keys.has_hash(channel_hash) => "decryption_failed",
            None => "no_key",
        })),
        "sender" => {
            let message = packet.channel_message();
            let sender = message.as_ref().and_then(meshcore::ChannelMessage::sender);
            Found::text(sender.map(|sender| meshcore::shown_name(&sender)))
        }
        "text" => {
            let message = packet.channel_message();
            Found::text(message.map(|message| meshcore::shown_text(&message.text())))
        }
        "sender_timestamp" => Found::number(packet.channel_message().map(|message| message.timestamp)),
        _ => Found::Nothing,
    }
}

fn of_sealed<'a>(sealed: &Encrypted<'_>, name: &str) -> Found<'a> {
    match name {
        "destHash" => lower(&[sealed.dest]),
        "srcHash" => lower(&[sealed.source]),
        _ => Found::Nothing,
    }
}

fn of_ack<'a>(ack: &Ack<'_>, name: &str) -> Found<'a> {
    match name {
        "extraHash" => owned(format!("{:08x}", u32::from_le_bytes(ack.checksum))),
        // The firmware uses six bytes at most.
        "ackLen" => Found::Number((ack.checksum.len() + ack.extra.len()).min(6) as f64),
        _ => Found::Nothing,
    }
}

fn of_trace<'a>(trace: &Trace<'_>, name: &str) -> Found<'a> {
    match name {
        "tag" => Found::Number(f64::from(trace.tag)),
        "authCode" => Found::Number(f64::from(trace.auth)),
        "traceFlags" => Found::Number(f64::from(trace.flags)),
        _ => Found::Nothing,
    }
}

fn of_multipart<'a>(part: &Multipart<'_>, name: &str) -> Found<'a> {
    match name {
        "remaining" => Found::Number(f64::from(part.remaining)),
        "innerType" => Found::Number(f64::from(part.inner_type.code())),
        "innerTypeName" => Found::text(Some(PayloadType::name(part.inner_type))),
        _ => Found::Nothing,
    }
}

fn of_control<'a>(control: &Control<'_>, name: &str) -> Found<'a> {
    match (name, control.message()) {
        ("ctrlFlags", _) => lower(&[control.flags]),
        ("ctrlZeroHop", _) => Found::Flag(control.zero_hop_only()),
        ("ctrlSubtype", message) => Found::text(Some(match message {
            ControlMessage::DiscoverRequest(_) => "DISCOVER_REQ",
            ControlMessage::DiscoverResponse(_) => "DISCOVER_RESP",
            ControlMessage::Other => "UNKNOWN",
        })),
        ("ctrlTag", ControlMessage::DiscoverRequest(request)) => Found::Number(f64::from(request.tag)),
        ("ctrlTag", ControlMessage::DiscoverResponse(response)) => Found::Number(f64::from(response.tag)),
        ("ctrlNodeType", ControlMessage::DiscoverResponse(response)) => {
            Found::Number(f64::from(response.role.code()))
        }
        ("ctrlPubKey", ControlMessage::DiscoverResponse(response)) => lower(response.key),
        _ => Found::Nothing,
    }
}

fn owned<'a>(text: String) -> Found<'a> {
    Found::text(Some(text))
}

fn lower<'a>(bytes: &[u8]) -> Found<'a> {
    owned(format!("{:x}", Hex(bytes)))
}

fn upper<'a>(bytes: &[u8]) -> Found<'a> {
    owned(format!("{:X}", Hex(bytes)))
}
