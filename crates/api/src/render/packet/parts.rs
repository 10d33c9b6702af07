//! Where each part of a frame stands and what it says, for hex dumps.

use super::{FramePart, FrameSection};
use crate::render::hex;
use crate::render::time::rfc3339;
use meshcore::{Advert, AppData, ControlMessage, Frame, Payload};
use model::{SnrQuarterDb, UnixMillis};

/// The parts of a frame in order, without gaps. A payload too short for its type is one part.
pub(crate) fn frame_parts(frame: &Frame<'_>) -> Vec<FramePart> {
    let mut parts = Parts { section: FrameSection::Header, offset: 0, list: Vec::new() };
    let header = format!("{}, {}, version {}", frame.route(), frame.payload_type(), frame.version());
    parts.push("header", 1, header);
    if let Some(codes) = frame.transport_codes() {
        let [scope, reserved] = codes.wire_hex();
        parts.section = FrameSection::TransportCodes;
        parts.push("scope code", 2, scope);
        parts.push("second code", 2, reserved);
    }
    parts.section = FrameSection::Path;
    let path = frame.path();
    let payload = frame.payload();
    if let Ok(Payload::Trace(trace)) = payload {
        parts.push("path byte", 1, format!("{} hops done", trace.hops_done()));
        for (number, quarters) in (1..).zip(trace.snrs_quarter_db()) {
            parts.push(format!("SNR at hop {number}"), 1, format!("{} dB", SnrQuarterDb(quarters).db()));
        }
    } else {
        let size = path.hash_size();
        parts.push("path byte", 1, format!("{} hops of {size} bytes", path.count()));
        for (number, hop) in (1..).zip(path.hops()) {
            parts.push(format!("hop {number}"), hop.bytes().len(), hop.to_string());
        }
    }
    parts.section = FrameSection::Payload;
    match payload {
        Ok(payload) => parts.payload(&payload, frame.payload_bytes()),
        Err(error) => parts.push("payload", frame.payload_bytes().len(), error.to_string()),
    }
    parts.list
}

struct Parts {
    section: FrameSection,
    offset: usize,
    list: Vec<FramePart>,
}

impl Parts {
    fn push(&mut self, name: impl Into<String>, length: usize, value: impl Into<String>) {
        if length > 0 {
            let (section, offset) = (self.section, self.offset);
            self.list.push(FramePart { section, name: name.into(), offset, length, value: value.into() });
            self.offset += length;
        }
    }

    fn bytes(&mut self, name: &'static str, bytes: &[u8]) {
        self.push(name, bytes.len(), hex::upper(bytes));
    }

    fn payload(&mut self, payload: &Payload<'_>, all: &[u8]) {
        match payload {
            Payload::Request(sealed)
            | Payload::Response(sealed)
            | Payload::Text(sealed)
            | Payload::PathReturn(sealed) => {
                self.bytes("destination hash", &[sealed.dest]);
                self.bytes("source hash", &[sealed.source]);
                self.bytes("MAC", &sealed.mac);
                self.bytes("ciphertext", sealed.ciphertext);
            }
            Payload::Ack(ack) => {
                self.bytes("checksum", &ack.checksum);
                self.bytes("attempt and random byte", ack.extra);
            }
            Payload::Advert(advert) => self.advert(advert),
            Payload::GroupText(group) => self.group(group.channel_hash, group.mac, group.ciphertext),
            Payload::GroupData(group) => self.group(group.channel_hash, group.mac, group.ciphertext),
            Payload::AnonRequest(request) => {
                self.bytes("destination hash", &[request.dest]);
                self.push("sender key", 32, request.key.to_string());
                self.bytes("MAC", &request.mac);
                self.bytes("ciphertext", request.ciphertext);
            }
            Payload::Trace(trace) => {
                self.push("tag", 4, format!("{:08x}", trace.tag));
                self.push("auth code", 4, format!("{:08x}", trace.auth));
                self.push("flags", 1, format!("entries of {} bytes", trace.entry_size()));
                for (number, entry) in (1..).zip(trace.entries()) {
                    self.push(format!("route entry {number}"), entry.bytes().len(), entry.to_string());
                }
                self.bytes("rest of the route", &trace.route[trace.route.len() - trace.remainder()..]);
            }
            Payload::Multipart(part) => {
                let value = format!("{} still to come, {} inside", part.remaining, part.inner_type);
                self.push("remaining and inner type", 1, value);
                self.bytes("inner payload", part.data);
            }
            Payload::Control(control) => {
                self.push("flags", 1, control_kind(control.message()));
                self.bytes("data", control.data);
            }
            Payload::Unassigned(_) | Payload::RawCustom(_) => self.bytes("payload", all),
        }
    }

    fn group(&mut self, channel_hash: u8, mac: [u8; 2], ciphertext: &[u8]) {
        self.bytes("channel hash", &[channel_hash]);
        self.bytes("MAC", &mac);
        self.bytes("ciphertext", ciphertext);
    }

    fn advert(&mut self, advert: &Advert<'_>) {
        self.push("public key", 32, advert.key.to_string());
        self.push("timestamp", 4, rfc3339(UnixMillis(i64::from(advert.timestamp) * 1000)));
        self.bytes("signature", advert.signature);
        match advert.app() {
            Some(Ok(app)) => self.app_data(&app, advert.app_data),
            Some(Err(error)) => self.push("application data", advert.app_data.len(), error.to_string()),
            None => {}
        }
        self.push("beyond what the firmware takes", advert.ignored.len(), hex::upper(advert.ignored));
    }

    fn app_data(&mut self, app: &AppData<'_>, all: &[u8]) {
        let start = self.offset;
        self.push("flags", 1, format!("{}, {:#04X}", app.role, app.flags));
        if let Some(location) = app.location {
            self.push("latitude", 4, format!("{:.6}°", location.lat()));
            self.push("longitude", 4, format!("{:.6}°", location.lon()));
        }
        for (name, feature) in [("feature 1", app.feat1), ("feature 2", app.feat2)] {
            if let Some(value) = feature {
                self.push(name, 2, value.to_string());
            }
        }
        if let Some(name) = app.name {
            self.push("name", name.bytes().len(), name.display());
        }
        self.bytes("rest", &all[self.offset - start..]);
    }
}

fn control_kind(message: ControlMessage<'_>) -> &'static str {
    match message {
        ControlMessage::DiscoverRequest(_) => "who is there?",
        ControlMessage::DiscoverResponse(_) => "I am here",
        ControlMessage::Other => "of an unknown kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_every_real_frame_cover_it_without_gaps() {
        let frames = include_str!("../../../../simulator/data/bay-area.jsonl");
        for line in frames.lines() {
            let envelope: serde_json::Value = serde_json::from_str(line).unwrap();
            let bytes = meshcore::decode_hex(envelope["payload"]["raw"].as_str().unwrap()).unwrap();
            let Ok(frame) = Frame::parse(&bytes) else { continue };
            let mut next = 0;
            for part in frame_parts(&frame) {
                assert_eq!(part.offset, next, "{part:?} of {}", hex::upper(&bytes));
                next += part.length;
            }
            assert_eq!(next, bytes.len());
        }
    }
}
