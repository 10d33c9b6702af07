//! Why the firmware drops a frame.

use std::fmt;

/// Why the firmware drops a frame, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind} ({field}, byte {offset})")]
pub struct FrameError {
    /// What is wrong.
    pub kind: FrameErrorKind,
    /// In which part of the frame.
    pub field: FrameField,
    /// Counted in bytes from the start of the frame.
    pub offset: usize,
}

impl FrameError {
    pub(super) const fn new(kind: FrameErrorKind, field: FrameField, offset: usize) -> FrameError {
        FrameError { kind, field, offset }
    }
}

/// The reasons, in the order in which the firmware tests them (`Dispatcher::tryParsePacket`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameErrorKind {
    /// Fewer than 2 or more than 255 bytes.
    Length,
    /// A payload version other than 0.
    Version,
    /// A route with transport codes, but the frame ends before them or within.
    TruncatedTransport,
    /// The frame ends after the transport codes.
    MissingPathByte,
    /// The reserved hash size: code 3 in the two highest bits of the path byte.
    PathMode3,
    /// More than 64 bytes of path.
    PathTooLong,
    /// The frame ends before the path does.
    PathBeyondFrame,
    /// More than 184 bytes of payload.
    PayloadTooBig,
    /// No payload: no handler of the firmware can use it.
    EmptyPayload,
}

impl FrameErrorKind {
    /// All of them, in order.
    pub const ALL: [FrameErrorKind; 9] = [
        FrameErrorKind::Length,
        FrameErrorKind::Version,
        FrameErrorKind::TruncatedTransport,
        FrameErrorKind::MissingPathByte,
        FrameErrorKind::PathMode3,
        FrameErrorKind::PathTooLong,
        FrameErrorKind::PathBeyondFrame,
        FrameErrorKind::PayloadTooBig,
        FrameErrorKind::EmptyPayload,
    ];

    /// A short fixed text, the same that test vectors use.
    pub const fn name(self) -> &'static str {
        match self {
            FrameErrorKind::Length => "length",
            FrameErrorKind::Version => "version",
            FrameErrorKind::TruncatedTransport => "truncated transport",
            FrameErrorKind::MissingPathByte => "missing path byte",
            FrameErrorKind::PathMode3 => "path mode 3",
            FrameErrorKind::PathTooLong => "path too long",
            FrameErrorKind::PathBeyondFrame => "path beyond frame",
            FrameErrorKind::PayloadTooBig => "payload too big",
            FrameErrorKind::EmptyPayload => "empty payload",
        }
    }
}

impl fmt::Display for FrameErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The parts of a frame that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameField {
    /// The frame as a whole.
    Frame,
    /// The first byte.
    Header,
    /// The four bytes after it, for routes that have them.
    TransportCodes,
    /// The byte before the path.
    PathByte,
    /// The path.
    Path,
    /// What follows the path.
    Payload,
}

impl FrameField {
    /// A short fixed text.
    pub const fn name(self) -> &'static str {
        match self {
            FrameField::Frame => "frame",
            FrameField::Header => "header",
            FrameField::TransportCodes => "transport codes",
            FrameField::PathByte => "path byte",
            FrameField::Path => "path",
            FrameField::Payload => "payload",
        }
    }
}

impl fmt::Display for FrameField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
