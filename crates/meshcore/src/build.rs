//! Building packets: payloads with their type, frames around them, and what can be wrong with what they are built from.

use crate::frame::{Frame, MAX_PAYLOAD_BYTES, TransportCodes};
use crate::header::{PayloadType, Route, header_byte};
use crate::path::Path;

/// Why a packet cannot be built: the firmware would not send it, or could not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A payload needs 1 to 184 bytes.
    #[error("payload of {len} bytes, must be 1 to 184")]
    PayloadLength {
        /// How many there would be.
        len: usize,
    },
    /// Fields of the payload do not fit its type: too short, a value out of range, or a part cut off.
    #[error("{field} cannot be sent in a {payload_type} payload")]
    Field {
        /// Of which type.
        payload_type: PayloadType,
        /// Which one.
        field: &'static str,
    },
    /// A text or plaintext longer than the firmware sends.
    #[error("{field} of {len} bytes, at most {max}")]
    TooLong {
        /// What.
        field: &'static str,
        /// How long it is, in bytes.
        len: usize,
        /// How long it may be, in bytes.
        max: usize,
    },
    /// A NUL ends a name or text, so it cannot be within.
    #[error("{field} contains a NUL byte")]
    Nul {
        /// What.
        field: &'static str,
    },
    /// A name of no bytes is no name.
    #[error("{field} is empty")]
    Empty {
        /// What.
        field: &'static str,
    },
}

/// A payload ready to be sent: its type and 1 to 184 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PayloadBuf {
    payload_type: PayloadType,
    bytes: Vec<u8>,
}

impl PayloadBuf {
    /// Any bytes as a payload of any type.
    ///
    /// # Errors
    /// When there are none or more than 184.
    pub fn new(payload_type: PayloadType, bytes: Vec<u8>) -> Result<PayloadBuf, BuildError> {
        if (1..=MAX_PAYLOAD_BYTES).contains(&bytes.len()) {
            Ok(PayloadBuf { payload_type, bytes })
        } else {
            Err(BuildError::PayloadLength { len: bytes.len() })
        }
    }

    /// From bytes whose number was checked before.
    pub(crate) const fn from_checked(payload_type: PayloadType, bytes: Vec<u8>) -> PayloadBuf {
        PayloadBuf { payload_type, bytes }
    }

    /// Its type.
    pub const fn payload_type(&self) -> PayloadType {
        self.payload_type
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Puts a payload into a frame. Cannot fail, since all its parts are good ones.
///
/// ```
/// use meshcore::{Frame, FrameBuilder, PathBuf, PayloadBuf, PayloadType, Route};
///
/// let payload = PayloadBuf::new(PayloadType::RawCustom, vec![0xCA, 0xFE])?;
/// let mut path = PathBuf::new(1)?;
/// path.push(&[0xAB])?;
/// let bytes = FrameBuilder::new(Route::Direct, &payload).path(path.as_path()).encode();
/// assert_eq!(bytes, [0x3E, 0x01, 0xAB, 0xCA, 0xFE]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FrameBuilder<'a> {
    route: Route,
    payload_type: PayloadType,
    codes: TransportCodes,
    path: Path<'a>,
    payload: &'a [u8],
}

impl<'a> FrameBuilder<'a> {
    /// With an empty path and, where the route has them, transport codes of 0.
    pub fn new(route: Route, payload: &'a PayloadBuf) -> FrameBuilder<'a> {
        FrameBuilder {
            route,
            payload_type: payload.payload_type,
            codes: TransportCodes::default(),
            path: Path::EMPTY,
            payload: &payload.bytes,
        }
    }

    pub(crate) fn of_frame(frame: &Frame<'a>) -> FrameBuilder<'a> {
        FrameBuilder {
            route: frame.route(),
            payload_type: frame.payload_type(),
            codes: frame.transport_codes().unwrap_or_default(),
            path: frame.path(),
            payload: frame.payload_bytes(),
        }
    }

    /// Another route. The codes stay for when the route has any.
    pub fn route(self, route: Route) -> FrameBuilder<'a> {
        FrameBuilder { route, ..self }
    }

    /// Another path.
    pub fn path(self, path: Path<'a>) -> FrameBuilder<'a> {
        FrameBuilder { path, ..self }
    }

    /// These transport codes, and the route that has them.
    pub fn transport_codes(self, codes: TransportCodes) -> FrameBuilder<'a> {
        FrameBuilder { codes, route: self.route.with_transport_codes(), ..self }
    }

    /// The frame.
    pub fn frame(&self) -> Frame<'a> {
        let codes = self.route.has_transport_codes().then_some(self.codes);
        Frame::from_checked(header_byte(self.route, self.payload_type), codes, self.path, self.payload)
    }

    /// The bytes on air.
    pub fn encode(&self) -> Vec<u8> {
        self.frame().encode()
    }
}
