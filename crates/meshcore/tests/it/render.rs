//! Our reading of a frame in the shape of the vectors' `expect`.

use meshcore::{
    Advert, Control, ControlMessage, Encrypted, Frame, FrameErrorKind, Hex, KeyRing, Payload, Trace,
};
use serde_json::{Map, Value, json};

/// The whole of `expect`.
pub(crate) fn expectation(bytes: &[u8], keys: &KeyRing) -> Value {
    let frame = match Frame::parse(bytes) {
        Ok(frame) => frame,
        Err(error) => return bad_frame(bytes, error.kind),
    };
    json!({
        "ok": true,
        "route": frame.route().code(),
        "ptype": frame.payload_type().code(),
        "ver": frame.version(),
        "tc": frame.transport_codes().map(|codes| [codes.scope, codes.reserved]),
        "path_len": frame.path().byte(),
        "hash_size": frame.path().hash_size(),
        "hops": frame.path().hops().map(|hop| hop.to_string()).collect::<Vec<_>>(),
        "payload_len": frame.payload_bytes().len(),
        "hash": frame.content_hash().to_string().to_uppercase(),
        "p": payload(&frame, keys),
    })
}

fn bad_frame(bytes: &[u8], kind: FrameErrorKind) -> Value {
    let mut out = json!({ "ok": false, "err": kind.name() });
    if kind == FrameErrorKind::Version {
        let read = Frame::parse_lenient(bytes);
        out["ver"] = json!(read.version);
        out["ptype"] = json!(read.payload_type.map(meshcore::PayloadType::code));
        out["route"] = json!(read.route.map(meshcore::Route::code));
    }
    out
}

fn payload(frame: &Frame<'_>, keys: &KeyRing) -> Value {
    let payload = match frame.payload() {
        Ok(payload) => payload,
        Err(error) => return json!({ "err": error.kind.name() }),
    };
    match payload {
        Payload::Request(sealed)
        | Payload::Response(sealed)
        | Payload::Text(sealed)
        | Payload::PathReturn(sealed) => encrypted(&sealed),
        Payload::Ack(ack) => json!({ "crc": lower(&ack.checksum), "extra": lower(ack.extra) }),
        Payload::Advert(advert) => advert_fields(&advert),
        Payload::GroupText(text) => {
            let mut out = group(text.channel_hash, text.mac, text.ciphertext);
            if let Some(message) = keys.decrypt_text(&text) {
                let read = json!({ "key": message.channel, "ts": message.timestamp, "txt_type": message.txt_type,
                    "attempt": message.attempt, "text": message.text() });
                extend(&mut out, read);
            }
            out
        }
        Payload::GroupData(data) => {
            let mut out = group(data.channel_hash, data.mac, data.ciphertext);
            if let Some(read) = keys.decrypt_data(&data) {
                let data = lower(&read.data);
                extend(
                    &mut out,
                    json!({ "key": read.channel, "dtype": read.data_type, "dlen": read.len, "data": data }),
                );
            }
            out
        }
        Payload::AnonRequest(request) => {
            json!({ "dst": lower(&[request.dest]), "pub": request.key.to_string(),
            "mac": lower(&request.mac), "clen": request.ciphertext.len(), "blocks": whole_blocks(request.ciphertext) })
        }
        Payload::Trace(trace) => trace_fields(&trace, frame.route().is_direct()),
        Payload::Multipart(part) => {
            json!({ "remaining": part.remaining, "inner": part.inner_type.code(), "data": lower(part.data) })
        }
        Payload::Control(control) => control_fields(&control),
        Payload::Unassigned(unassigned) => json!({ "raw": lower(unassigned.bytes) }),
        Payload::RawCustom(raw) => json!({ "raw": lower(raw.bytes) }),
    }
}

fn encrypted(sealed: &Encrypted<'_>) -> Value {
    json!({ "dst": lower(&[sealed.dest]), "src": lower(&[sealed.source]), "mac": lower(&sealed.mac),
        "clen": sealed.ciphertext.len(), "blocks": whole_blocks(sealed.ciphertext) })
}

fn group(channel_hash: u8, mac: [u8; 2], ciphertext: &[u8]) -> Value {
    json!({ "chan": channel_hash, "mac": lower(&mac), "clen": ciphertext.len(), "blocks": whole_blocks(ciphertext) })
}

fn advert_fields(advert: &Advert<'_>) -> Value {
    let app_len = advert.app_data.len() + advert.ignored.len();
    let mut out = json!({ "pubkey": advert.key.to_string(), "ts": advert.timestamp, "app_len": app_len,
        "sig_ok": advert.verify() });
    match advert.app() {
        None => {}
        Some(Err(error)) => {
            extend(
                &mut out,
                json!({ "flags": error.flags, "role": error.role().code(), "app_valid": false }),
            );
        }
        Some(Ok(app)) => {
            extend(&mut out, json!({ "flags": app.flags, "role": app.role.code(), "app_valid": true }));
            if let Some(place) = app.location {
                extend(&mut out, json!({ "lat": place.lat_e6, "lon": place.lon_e6 }));
            }
            for (key, feature) in [("feat1", app.feat1), ("feat2", app.feat2)] {
                feature.into_iter().for_each(|feature| extend(&mut out, json!({ key: feature })));
            }
            if app.has_name_flag() {
                let (bytes, text) = app.name.map(|name| (name.bytes(), name.lossy())).unwrap_or_default();
                extend(&mut out, json!({ "name_hex": lower(bytes), "name": text }));
            }
        }
    }
    out
}

fn trace_fields(trace: &Trace<'_>, is_direct: bool) -> Value {
    json!({ "tag": trace.tag, "auth": trace.auth, "flags": trace.flags, "tsize": trace.entry_size(),
        "route": trace.entries().map(|entry| entry.to_string()).collect::<Vec<_>>(), "rem": trace.remainder(),
        "snr": trace.snrs_quarter_db().map(decibels).collect::<Vec<_>>(), "direct": is_direct })
}

fn control_fields(control: &Control<'_>) -> Value {
    let mut out = json!({ "flags": control.flags, "zero_hop_only": control.zero_hop_only() });
    match control.message() {
        ControlMessage::DiscoverRequest(request) => extend(
            &mut out,
            json!({ "sub": "DISCOVER_REQ", "prefix_only": request.prefix_only, "filter": request.filter,
                "tag": request.tag, "since": request.since.unwrap_or(0) }),
        ),
        ControlMessage::DiscoverResponse(response) => extend(
            &mut out,
            json!({ "sub": "DISCOVER_RESP", "node_type": response.role.code(),
                "snr": decibels(response.snr_quarter_db), "tag": response.tag, "pubkey": lower(response.key) }),
        ),
        ControlMessage::Other => {}
    }
    out
}

fn decibels(quarters: i8) -> f64 {
    f64::from(quarters) / 4.0
}

fn whole_blocks(ciphertext: &[u8]) -> bool {
    ciphertext.len().is_multiple_of(16)
}

fn lower(bytes: &[u8]) -> String {
    format!("{:x}", Hex(bytes))
}

fn extend(out: &mut Value, more: Value) {
    let (Value::Object(out), Value::Object(more)) = (out, more) else { unreachable!("both are objects") };
    out.extend::<Map<String, Value>>(more);
}
