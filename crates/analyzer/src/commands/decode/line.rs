//! The shape of a line. Field names are those of the project's test vectors, so that both can be compared directly.

use meshcore::{
    Advert, ControlMessage, Frame, FrameErrorKind, Hex, KeyRing, LenientFrame, Payload, Trace, TransportCodes,
};
use serde::Serialize;

/// What there is to say about one frame.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum DecodedLine {
    Good(Box<GoodFrame>),
    Bad(BadFrame),
}

/// A frame that the firmware takes.
#[derive(Debug, Serialize)]
pub(super) struct GoodFrame {
    ok: bool,
    route: u8,
    ptype: u8,
    ver: u8,
    /// Transport codes as numbers.
    tc: Option<[u16; 2]>,
    /// The path byte as it stands in the frame.
    path_len: u8,
    hash_size: u8,
    /// Upper-case hex; of a trace these are signal values, as in the frame.
    hops: Vec<String>,
    payload_len: usize,
    /// Upper-case hex.
    hash: String,
    p: Fields,
}

/// A frame that the firmware drops, with what could be read of it.
#[derive(Debug, Serialize)]
pub(super) struct BadFrame {
    ok: bool,
    err: &'static str,
    /// Which part of the frame is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// Where that part begins, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ver: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ptype: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<u8>,
}

/// The payload's fields; those of other types are absent. Byte strings are lower-case hex.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Fields {
    #[serde(flatten)]
    error: Option<PayloadProblem>,
    #[serde(flatten)]
    sealed: Option<SealedFields>,
    #[serde(flatten)]
    text: Option<TextFields>,
    #[serde(flatten)]
    data: Option<DataFields>,
    #[serde(flatten)]
    ack: Option<AckFields>,
    #[serde(flatten)]
    advert: Option<AdvertFields>,
    #[serde(flatten)]
    trace: Option<TraceFields>,
    #[serde(flatten)]
    multipart: Option<MultipartFields>,
    #[serde(flatten)]
    control: Option<ControlFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

#[derive(Debug, Serialize)]
struct PayloadProblem {
    err: &'static str,
    err_field: &'static str,
    err_offset: usize,
}

#[derive(Debug, Default, Serialize)]
struct SealedFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    dst: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chan: Option<u8>,
    #[serde(rename = "pub", skip_serializing_if = "Option::is_none")]
    sender_key: Option<String>,
    mac: String,
    /// Bytes of ciphertext.
    clen: usize,
    /// Whether that is whole blocks of 16.
    blocks: bool,
}

#[derive(Debug, Serialize)]
struct TextFields {
    /// The name of the key that fits: the same as `channel`.
    key: String,
    channel: String,
    ts: u32,
    txt_type: u8,
    attempt: u8,
    sender: Option<String>,
    /// The whole text, the sender's name included.
    text: String,
}

#[derive(Debug, Serialize)]
struct DataFields {
    key: String,
    channel: String,
    dtype: u16,
    dlen: u8,
    data: String,
}

#[derive(Debug, Serialize)]
struct AckFields {
    crc: String,
    extra: String,
}

#[derive(Debug, Serialize)]
struct AdvertFields {
    pubkey: String,
    ts: u32,
    /// Bytes of app data as sent; the firmware reads the first 32 of them.
    app_len: usize,
    sig_ok: bool,
    #[serde(flatten)]
    app: Option<AppFields>,
}

#[derive(Debug, Default, Serialize)]
struct AppFields {
    flags: u8,
    role: u8,
    /// Degrees times a million.
    #[serde(skip_serializing_if = "Option::is_none")]
    lat: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lon: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feat1: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feat2: Option<u16>,
    app_valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Debug, Serialize)]
struct TraceFields {
    tag: u32,
    auth: u32,
    flags: u8,
    tsize: u8,
    route: Vec<String>,
    rem: usize,
    /// Decibels.
    snr: Vec<f64>,
    direct: bool,
}

#[derive(Debug, Serialize)]
struct MultipartFields {
    remaining: u8,
    inner: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct ControlFields {
    flags: u8,
    zero_hop_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_type: Option<u8>,
    /// Decibels.
    #[serde(skip_serializing_if = "Option::is_none")]
    snr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pubkey: Option<String>,
}

impl DecodedLine {
    pub(super) fn not_hex() -> Self {
        Self::Bad(BadFrame {
            ok: false,
            err: "not hex",
            field: None,
            offset: None,
            ver: None,
            ptype: None,
            route: None,
        })
    }

    pub(super) fn of(bytes: &[u8], keys: &KeyRing) -> Self {
        let read = Frame::parse_lenient(bytes);
        match read.frame() {
            Some(frame) => Self::Good(Box::new(GoodFrame::of(&frame, keys))),
            None => Self::Bad(BadFrame::of(&read)),
        }
    }
}

impl GoodFrame {
    fn of(frame: &Frame<'_>, keys: &KeyRing) -> Self {
        Self {
            ok: true,
            route: frame.route().code(),
            ptype: frame.payload_type().code(),
            ver: frame.version(),
            tc: frame.transport_codes().map(codes),
            path_len: frame.path().byte(),
            hash_size: frame.path().hash_size(),
            hops: frame.path().hops().map(|hop| upper(hop.0)).collect(),
            payload_len: frame.payload_bytes().len(),
            hash: upper(&frame.content_hash().0),
            p: Fields::of(frame, keys),
        }
    }
}

impl BadFrame {
    fn of(read: &LenientFrame<'_>) -> Self {
        let error = read.error;
        let version = error.is_some_and(|error| error.kind == FrameErrorKind::Version);
        Self {
            ok: false,
            err: error.map_or("unreadable", |error| error.kind.name()),
            field: error.map(|error| error.field.name()),
            offset: error.map(|error| error.offset),
            // Behind another kind of error these three are as doubtful as the rest.
            ver: read.version.filter(|_| version),
            ptype: read.payload_type.map(meshcore::PayloadType::code).filter(|_| version),
            route: read.route.map(meshcore::Route::code).filter(|_| version),
        }
    }
}

impl Fields {
    pub(crate) fn of(frame: &Frame<'_>, keys: &KeyRing) -> Self {
        let mut fields = Self::default();
        let payload = match frame.payload() {
            Ok(payload) => payload,
            Err(error) => {
                let problem = PayloadProblem {
                    err: error.kind.name(),
                    err_field: error.field,
                    err_offset: error.offset,
                };
                return Self { error: Some(problem), ..fields };
            }
        };
        match payload {
            Payload::Request(sealed)
            | Payload::Response(sealed)
            | Payload::Text(sealed)
            | Payload::PathReturn(sealed) => {
                let ends = SealedFields {
                    dst: Some(lower(&[sealed.dest])),
                    src: Some(lower(&[sealed.source])),
                    ..SealedFields::of(sealed.mac, sealed.ciphertext)
                };
                fields.sealed = Some(ends);
            }
            Payload::GroupText(group) => {
                let sealed = SealedFields::of(group.mac, group.ciphertext);
                fields.sealed = Some(SealedFields { chan: Some(group.channel_hash), ..sealed });
                fields.text = keys.decrypt_text(&group).map(TextFields::of);
            }
            Payload::GroupData(group) => {
                let sealed = SealedFields::of(group.mac, group.ciphertext);
                fields.sealed = Some(SealedFields { chan: Some(group.channel_hash), ..sealed });
                fields.data = keys.decrypt_data(&group).map(DataFields::of);
            }
            Payload::AnonRequest(request) => {
                fields.sealed = Some(SealedFields {
                    dst: Some(lower(&[request.dest])),
                    sender_key: Some(lower(&request.key.0)),
                    ..SealedFields::of(request.mac, request.ciphertext)
                });
            }
            Payload::Ack(ack) => {
                fields.ack = Some(AckFields { crc: lower(&ack.checksum), extra: lower(ack.extra) });
            }
            Payload::Advert(advert) => fields.advert = Some(AdvertFields::of(&advert)),
            Payload::Trace(trace) => fields.trace = Some(TraceFields::of(&trace, frame)),
            Payload::Multipart(part) => fields.multipart = Some(MultipartFields::of(&part)),
            Payload::Control(control) => fields.control = Some(ControlFields::of(&control)),
            Payload::Unassigned(unassigned) => fields.raw = Some(lower(unassigned.bytes)),
            Payload::RawCustom(custom) => fields.raw = Some(lower(custom.bytes)),
        }
        fields
    }
}

impl SealedFields {
    fn of(mac: [u8; 2], ciphertext: &[u8]) -> Self {
        let blocks = ciphertext.len().is_multiple_of(16);
        Self { mac: lower(&mac), clen: ciphertext.len(), blocks, ..Self::default() }
    }
}

impl TextFields {
    fn of(message: meshcore::ChannelMessage<'_>) -> Self {
        Self {
            key: message.channel.to_owned(),
            channel: message.channel.to_owned(),
            ts: message.timestamp,
            txt_type: message.txt_type,
            attempt: message.attempt,
            sender: message.sender().map(std::borrow::Cow::into_owned),
            text: message.text().into_owned(),
        }
    }
}

impl DataFields {
    fn of(data: meshcore::ChannelData<'_>) -> Self {
        let channel = data.channel.to_owned();
        Self { key: channel.clone(), channel, dtype: data.data_type, dlen: data.len, data: lower(&data.data) }
    }
}

impl AdvertFields {
    fn of(advert: &Advert<'_>) -> Self {
        let app = advert.app().map(|app| match app {
            Ok(app) => AppFields {
                flags: app.flags,
                role: app.role.code(),
                lat: app.location.map(|place| place.lat_e6),
                lon: app.location.map(|place| place.lon_e6),
                feat1: app.feat1,
                feat2: app.feat2,
                app_valid: true,
                ..AppFields::named(
                    app.flags,
                    app.name.map(|name| (name.bytes().to_vec(), name.lossy().into_owned())),
                )
            },
            Err(error) => AppFields { flags: error.flags, role: error.role().code(), ..AppFields::default() },
        });
        let (pubkey, sig_ok) = (lower(&advert.key.0), advert.verify());
        Self {
            pubkey,
            ts: advert.timestamp,
            app_len: advert.app_data.len() + advert.ignored.len(),
            sig_ok,
            app,
        }
    }
}

impl AppFields {
    /// The name flag without a byte of a name is an empty name here, and no name anywhere else.
    fn named(flags: u8, name: Option<(Vec<u8>, String)>) -> Self {
        let (bytes, text) = match name {
            Some((bytes, text)) => (Some(bytes), Some(text)),
            None if flags & 0x80 != 0 => (Some(Vec::new()), Some(String::new())),
            None => (None, None),
        };
        Self { name_hex: bytes.map(|bytes| lower(&bytes)), name: text, ..Self::default() }
    }
}

impl TraceFields {
    fn of(trace: &Trace<'_>, frame: &Frame<'_>) -> Self {
        Self {
            tag: trace.tag,
            auth: trace.auth,
            flags: trace.flags,
            tsize: trace.entry_size(),
            route: trace.entries().map(|entry| upper(entry.0)).collect(),
            rem: trace.remainder(),
            snr: trace.snrs_quarter_db().map(|quarters| f64::from(quarters) / 4.0).collect(),
            direct: frame.route().is_direct(),
        }
    }
}

impl MultipartFields {
    fn of(part: &meshcore::Multipart<'_>) -> Self {
        let ack = part.inner_ack();
        Self {
            remaining: part.remaining,
            inner: part.inner_type.code(),
            crc: ack.map(|ack| lower(&ack.checksum)),
            extra: ack.map(|ack| lower(ack.extra)),
            data: ack.is_none().then(|| lower(part.data)),
        }
    }
}

impl ControlFields {
    fn of(control: &meshcore::Control<'_>) -> Self {
        let fields = Self { flags: control.flags, zero_hop_only: control.zero_hop_only(), ..Self::default() };
        match control.message() {
            ControlMessage::DiscoverRequest(request) => Self {
                sub: Some("DISCOVER_REQ"),
                prefix_only: Some(request.prefix_only),
                filter: Some(request.filter),
                tag: Some(request.tag),
                since: Some(request.since.unwrap_or(0)),
                ..fields
            },
            ControlMessage::DiscoverResponse(response) => Self {
                sub: Some("DISCOVER_RESP"),
                node_type: Some(response.role.code()),
                snr: Some(f64::from(response.snr_quarter_db) / 4.0),
                tag: Some(response.tag),
                pubkey: Some(lower(response.key)),
                ..fields
            },
            ControlMessage::Other => fields,
        }
    }
}

fn codes(codes: TransportCodes) -> [u16; 2] {
    [codes.scope, codes.reserved]
}

fn lower(bytes: &[u8]) -> String {
    format!("{:x}", Hex(bytes))
}

fn upper(bytes: &[u8]) -> String {
    format!("{:X}", Hex(bytes))
}
