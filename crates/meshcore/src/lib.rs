//! MeshCore packets: parse, build, hash, decrypt, verify.
//!
//! Everything the analyzer knows of the format on air is here, once. The rules are those of the firmware
//! (meshcore-dev/MeshCore, 1.17): [`Frame::parse`] takes and refuses exactly what a node would, and
//! [`Frame::parse_lenient`] shows what can be read of the rest.
//!
//! This crate never does I/O, is not async, contains no unsafe code and does not panic, whatever bytes it is given.
//! Parsing borrows and does not allocate.
//!
//! ```
//! use meshcore::{Frame, KeyRing, Payload};
//!
//! let bytes = meshcore::decode_hex("1500112379AC076505DAA61C2636516BCE59409C74").ok_or("not hex")?;
//! let frame = Frame::parse(&bytes)?;
//! let Payload::GroupText(group_text) = frame.payload()? else { return Err("not a group text".into()) };
//! let keys = KeyRing::with_public();
//! let message = keys.decrypt_text(&group_text).ok_or("no key for it")?;
//! assert_eq!(message.channel, "Public");
//! assert_eq!((message.sender().as_deref(), &*message.body()), (Some("Ann"), "hi"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From here to there:
//! - [`Frame`], its [`Path`] and its [`Payload`]; [`content_hash`] names a packet;
//! - [`KeyRing`] and [`ChannelKey`] for what is sent to channels;
//! - [`Identity`] for what is sent to one node, and for adverts; [`verify_batch`] checks many of those;
//! - [`ScopeSet`] recognises regions;
//! - [`PayloadBuf`] and [`FrameBuilder`] make packets.
#![forbid(unsafe_code)]

mod build;
mod channel;
mod frame;
mod header;
mod hex;
mod identity;
mod key;
mod key_ring;
mod name;
mod path;
mod payload;
mod plaintext;
mod scope;
mod seal;

pub use build::{BuildError, FrameBuilder, PayloadBuf};
pub use channel::{ChannelData, ChannelKey, ChannelKeyError, ChannelMessage, MAX_GROUP_DATA_BYTES};
pub use frame::{
    Frame, FrameError, FrameErrorKind, FrameField, LenientFrame, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES,
    TransportCodes, content_hash,
};
pub use header::{PayloadType, Route};
pub use hex::{Hex, decode_hex};
pub use identity::Identity;
pub use key::{NodeKey, PacketHash, ParseHexError};
pub use key_ring::KeyRing;
pub use name::{NodeName, clean_text, shown_name, shown_text};
pub use path::{Hop, MAX_PATH_BYTES, Path, PathBuf, PathError};
pub use payload::{
    Ack, Advert, AnonRequest, AppData, AppDataError, Control, ControlMessage, DiscoverRequest,
    DiscoverResponse, Encrypted, GroupData, GroupText, Location, MAX_APP_DATA_BYTES, Multipart, Payload,
    PayloadError, PayloadErrorKind, RawCustom, Role, Trace, Unassigned, verify_batch,
};
pub use plaintext::{
    AnonRequestPlaintext, MAX_TEXT_BYTES, Opened, PathPlaintext, Plaintext, RequestPlaintext,
    ResponsePlaintext, TextContent,
};
pub use scope::{ScopeKey, ScopeSet};
pub use seal::SharedSecret;
