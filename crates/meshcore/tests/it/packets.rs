//! Arbitrary good packets of all 16 types, and what must hold of whatever bytes.

use meshcore::{
    Ack, Advert, AnonRequest, Control, Encrypted, Frame, GroupData, GroupText, Hex, KeyRing, Multipart,
    NodeKey, PathBuf, Payload, PayloadBuf, PayloadType, RawCustom, Route, Trace, TransportCodes, Unassigned,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A packet as its fields were filled in, and built.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// The `Debug` text of the payload that it was built from.
    pub(crate) fields: String,
    pub(crate) payload: PayloadBuf,
    pub(crate) path: PathBuf,
    pub(crate) route: Route,
    pub(crate) codes: TransportCodes,
}

pub(crate) fn any_packet() -> impl Strategy<Value = Packet> {
    let ways = (any::<prop::sample::Selector>(), any::<[u8; 4]>(), any_path());
    (any_payload_type(), any::<[u8; 32]>(), any::<[u8; 64]>(), vec(any::<u8>(), 0..=184), ways).prop_map(
        |(payload_type, head, signature, rest, (way, codes, path))| {
            // The path of a TRACE has one byte for each hop.
            let path = if payload_type == PayloadType::Trace { one_byte_hops(&path) } else { path };
            let payload = fill(payload_type, &head, &signature, &rest, &path);
            let fields = format!("{payload:?}");
            let payload = payload.to_buf().unwrap();
            let route = *way.select(Route::ALL.iter());
            Packet { fields, payload, path, route, codes: TransportCodes::from_bytes(codes) }
        },
    )
}

pub(crate) fn any_path() -> impl Strategy<Value = PathBuf> {
    (1_u8..=3, vec(any::<u8>(), 0..=64)).prop_map(|(size, bytes)| {
        let mut path = PathBuf::new(size).unwrap();
        bytes.chunks_exact(usize::from(size)).take(63).for_each(|hop| path.push(hop).unwrap());
        path
    })
}

fn one_byte_hops(path: &PathBuf) -> PathBuf {
    let snrs: Vec<i8> = path.as_path().bytes().iter().take(63).map(|byte| *byte as i8).collect();
    PathBuf::from_snrs(&snrs).unwrap()
}

fn any_payload_type() -> impl Strategy<Value = PayloadType> {
    (0_u8..16).prop_map(PayloadType::from_bits)
}

/// A payload that can be sent, from random bytes: `rest` is used as far as it fits.
fn fill<'a>(
    payload_type: PayloadType,
    head: &'a [u8; 32],
    signature: &'a [u8; 64],
    rest: &'a [u8],
    path: &'a PathBuf,
) -> Payload<'a> {
    let mac = [head[0], head[1]];
    let number = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
    let not_empty = |room: usize| if rest.is_empty() { &head[..1] } else { &rest[..rest.len().min(room)] };
    let at_most = |room: usize| &rest[..rest.len().min(room)];
    let sealed = Encrypted { dest: head[6], source: head[7], mac, ciphertext: not_empty(180) };
    let (channel_hash, ciphertext) = (head[6], not_empty(181));
    match payload_type {
        PayloadType::Request => Payload::Request(sealed),
        PayloadType::Response => Payload::Response(sealed),
        PayloadType::Text => Payload::Text(sealed),
        PayloadType::PathReturn => Payload::PathReturn(sealed),
        PayloadType::Ack => Payload::Ack(Ack { checksum: number.to_le_bytes(), extra: at_most(180) }),
        PayloadType::Advert => {
            let (app_data, ignored) = at_most(84).split_at(at_most(84).len().min(32));
            Payload::Advert(Advert { key: NodeKey(*head), timestamp: number, signature, app_data, ignored })
        }
        PayloadType::GroupText => Payload::GroupText(GroupText { channel_hash, mac, ciphertext }),
        PayloadType::GroupData => Payload::GroupData(GroupData { channel_hash, mac, ciphertext }),
        PayloadType::AnonRequest => {
            let ciphertext = not_empty(149);
            Payload::AnonRequest(AnonRequest { dest: head[6], key: NodeKey(*head), mac, ciphertext })
        }
        PayloadType::Trace => Payload::Trace(Trace {
            tag: number,
            auth: !number,
            flags: head[6],
            route: at_most(175),
            snr_bytes: path.as_path().bytes(),
        }),
        PayloadType::Multipart => Payload::Multipart(Multipart {
            remaining: head[6] >> 4,
            inner_type: PayloadType::from_bits(head[6]),
            data: at_most(183),
        }),
        PayloadType::Control => Payload::Control(Control { flags: head[6], data: at_most(183) }),
        PayloadType::RawCustom => Payload::RawCustom(RawCustom { bytes: not_empty(184) }),
        payload_type => Payload::Unassigned(Unassigned { payload_type, bytes: not_empty(184) }),
    }
}

/// What must hold of any bytes, as a sentence of what does not. Reads all there is to read; checks no signature.
pub(crate) fn violated(bytes: &[u8], keys: &KeyRing) -> Result<(), String> {
    let must = |holds: bool, what: &str| {
        if holds { Ok(()) } else { Err(format!("{what}: {:X}", Hex(bytes))) }
    };
    let (strict, lenient) = (Frame::parse(bytes), Frame::parse_lenient(bytes));
    must(lenient.error == strict.err(), "lenient and strict give the same error")?;
    must(lenient.frame() == strict.ok(), "lenient and strict give the same frame")?;
    must(lenient.rest == &bytes[lenient.rest_offset..], "the rest is where it is said to be")?;
    let frame = match strict {
        Ok(frame) => frame,
        Err(error) => return must(error.offset <= bytes.len(), "an error points into the frame"),
    };
    must(frame.encode() == bytes, "a frame encodes to its own bytes")?;
    must(frame.encoded_len() == bytes.len(), "a frame knows its length")?;
    must(frame.to_builder().frame() == frame, "a frame builds to itself")?;
    must(frame.path().to_buf().as_path() == frame.path(), "a path copies to itself")?;
    must(frame.path().hops().len() == frame.path().count(), "a path has as many hops as it says")?;
    match frame.payload() {
        Err(error) => must(error.offset <= frame.payload_bytes().len(), "an error points into the payload"),
        Ok(payload) => {
            must(payload.to_buf() == Ok(frame.payload_buf()), "a payload builds to its own bytes")?;
            payload_holds(&payload, keys, must)
        }
    }
}

fn payload_holds(
    payload: &Payload<'_>,
    keys: &KeyRing,
    must: impl Fn(bool, &str) -> Result<(), String>,
) -> Result<(), String> {
    match payload {
        Payload::Advert(advert) => {
            must(advert.app_data.len() <= 32, "app data is cut")?;
            if let Some(Ok(app)) = advert.app() {
                let shown = app.name.map(|name| name.display()).unwrap_or_default();
                must(shown.len() <= 32, "a shown name is short")?;
                must(!shown.chars().any(char::is_control), "a shown name has no control characters")?;
                must(app.encode().is_ok_and(|bytes| bytes.len() <= 32), "what was read can be sent")?;
            }
            Ok(())
        }
        Payload::GroupText(text) => match keys.decrypt_text(text) {
            Some(read) => {
                must(!read.text_bytes.contains(&0), "a NUL ends a text")?;
                must(read.body().len() <= read.text().len(), "a body is part of the text")
            }
            None => Ok(()),
        },
        Payload::GroupData(data) => match keys.decrypt_data(data) {
            Some(read) => must(read.data.len() <= usize::from(read.len), "data is no longer than it says"),
            None => Ok(()),
        },
        Payload::Trace(trace) => must(
            trace.entries().len() * usize::from(trace.entry_size()) + trace.remainder() == trace.route.len(),
            "a route is its entries and a remainder",
        ),
        Payload::Control(control) => {
            must(format!("{:?}", control.message()).len() > 4, "a message can be shown")
        }
        Payload::Multipart(part) => must(
            part.inner_ack().is_none_or(|ack| ack.extra.len() + 4 == part.data.len()),
            "an inner ack is whole",
        ),
        _ => Ok(()),
    }
}
