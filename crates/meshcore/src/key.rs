//! Node identities: Ed25519 public keys and the short hashes that paths carry.

use std::fmt;
use std::str::FromStr;

/// The Ed25519 public key that identifies a node. Shown as 64 lower-case hex digits.
///
/// The hash of a node in a path is the first 1, 2 or 3 bytes of this key (firmware `Identity.h`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey(pub [u8; 32]);

/// Why a text is not a [`NodeKey`] or a [`PacketHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseHexError {
    /// How many hex digits were wanted.
    pub wanted_digits: usize,
}

impl fmt::Display for ParseHexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {} hex digits", self.wanted_digits)
    }
}

impl std::error::Error for ParseHexError {}

/// The content hash of a packet: the first 8 bytes of a SHA-256 (see [`crate::content_hash`]).
///
/// All relayed copies of a packet share it, since neither route nor path enter. Shown as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketHash(pub [u8; 8]);

macro_rules! hex_newtype {
    ($name:ident, $bytes:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&crate::Hex(&self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseHexError;

            /// Takes exactly the right number of hex digits, of either case.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; $bytes];
                crate::hex::decode_exact(text.as_bytes(), &mut bytes)
                    .then_some(Self(bytes))
                    .ok_or(ParseHexError { wanted_digits: $bytes * 2 })
            }
        }
    };
}

hex_newtype!(NodeKey, 32);
hex_newtype!(PacketHash, 8);
