//! Channels: a shared key, the text and data that it opens.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::build::{BuildError, PayloadBuf};
use crate::hex::decode_hex;
use crate::payload::{GroupData, GroupText, Payload};
use crate::plaintext::{TextContent, at_most};
use crate::seal::Cipher;

/// The most bytes of data in a GRP_DATA.
pub const MAX_GROUP_DATA_BYTES: usize = 165;

/// The key of a channel: 16 or 32 bytes. Whoever has it can read and write there.
///
/// ```
/// use meshcore::ChannelKey;
///
/// assert_eq!(ChannelKey::public().hash(), 0x11);
/// assert_eq!(ChannelKey::hashtag("#test").bytes()[..4], [0x9c, 0xd8, 0xfc, 0xf2]);
/// assert_eq!(ChannelKey::from_hex("8b3387e9c5cdea6ac9e5edbaa115cd72"), Ok(ChannelKey::public()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelKey {
    /// A key of 16 bytes is followed by zeros, as in the firmware.
    secret: [u8; 32],
}

/// A channel key has 16 or 32 bytes, or 32 or 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelKeyError {
    /// Another number of bytes.
    #[error("channel key of {len} bytes, must be 16 or 32")]
    Length {
        /// How many.
        len: usize,
    },
    /// Not hex digits, or an odd number of them.
    #[error("channel key is not hex digits")]
    NotHex,
}

impl ChannelKey {
    /// The channel that every node knows.
    pub const fn public() -> ChannelKey {
        ChannelKey::from_16([
            0x8b, 0x33, 0x87, 0xe9, 0xc5, 0xcd, 0xea, 0x6a, 0xc9, 0xe5, 0xed, 0xba, 0xa1, 0x15, 0xcd, 0x72,
        ])
    }

    /// The channel that anyone can join by its name: the first 16 bytes of the SHA-256 of the name with `#`, which is
    /// put in front where it is missing. Upper and lower case differ.
    pub fn hashtag(name: &str) -> ChannelKey {
        ChannelKey::from_16(name_key(name))
    }

    /// A private channel.
    ///
    /// # Errors
    /// When there are not 16 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<ChannelKey, ChannelKeyError> {
        if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
            return Ok(ChannelKey::from_16(bytes));
        }
        let secret = bytes.try_into().map_err(|_| ChannelKeyError::Length { len: bytes.len() })?;
        Ok(ChannelKey { secret })
    }

    /// A private channel, from 32 or 64 hex digits of either case.
    ///
    /// # Errors
    /// When they are not.
    pub fn from_hex(digits: &str) -> Result<ChannelKey, ChannelKeyError> {
        ChannelKey::from_bytes(&decode_hex(digits).ok_or(ChannelKeyError::NotHex)?)
    }

    /// The key: 32 bytes, or 16 when the others are zero.
    pub fn bytes(&self) -> &[u8] {
        if self.secret[16..] == [0; 16] { &self.secret[..16] } else { &self.secret }
    }

    /// The byte by which packets name the channel: the first of the SHA-256 of the key.
    pub fn hash(&self) -> u8 {
        Sha256::digest(self.bytes())[0]
    }

    /// A text from `sender` to this channel, as companions send it: `sender: text`.
    ///
    /// # Errors
    /// When name and text together have more than 158 bytes, or there is a NUL.
    pub fn encrypt_message(
        &self,
        timestamp: u32,
        sender: &str,
        text: &str,
    ) -> Result<PayloadBuf, BuildError> {
        self.encrypt_text(&TextContent::plain(timestamp, &format!("{sender}: {text}")))
    }

    /// Any text to this channel; the firmware shows only type 0.
    ///
    /// ```
    /// use meshcore::{ChannelKey, FrameBuilder, Route, TextContent};
    ///
    /// let payload = ChannelKey::public().encrypt_text(&TextContent::plain(1_767_225_600, "Ann: hi"))?;
    /// let frame = FrameBuilder::new(Route::Flood, &payload).encode();
    /// assert_eq!(meshcore::decode_hex("1500112379AC076505DAA61C2636516BCE59409C74"), Some(frame));
    /// # Ok::<(), meshcore::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// When it has more than 160 bytes or a NUL, an author, a type above 63 or an attempt above 3.
    pub fn encrypt_text(&self, content: &TextContent<'_>) -> Result<PayloadBuf, BuildError> {
        let (mac, ciphertext) = self.cipher().seal(&content.encode_group()?);
        let channel_hash = self.hash();
        Payload::GroupText(GroupText { channel_hash, mac, ciphertext: &ciphertext }).to_buf()
    }

    /// Data to this channel. The types are numbered in the firmware's `docs/number_allocations.md`.
    ///
    /// # Errors
    /// When there are more than 165 bytes.
    pub fn encrypt_data(&self, data_type: u16, data: &[u8]) -> Result<PayloadBuf, BuildError> {
        at_most("data", data.len(), MAX_GROUP_DATA_BYTES)?;
        let plaintext = [&data_type.to_le_bytes()[..], &[data.len() as u8], data].concat();
        let (mac, ciphertext) = self.cipher().seal(&plaintext);
        let channel_hash = self.hash();
        Payload::GroupData(GroupData { channel_hash, mac, ciphertext: &ciphertext }).to_buf()
    }

    pub(crate) fn cipher(&self) -> Cipher {
        Cipher::new(&self.secret)
    }

    const fn from_16(bytes: [u8; 16]) -> ChannelKey {
        let mut secret = [0; 32];
        let mut i = 0;
        while i < 16 {
            secret[i] = bytes[i];
            i += 1;
        }
        ChannelKey { secret }
    }
}

impl fmt::Debug for ChannelKey {
    /// Does not show the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelKey(hash {:02x})", self.hash())
    }
}

/// The key that belongs to a public name, of a channel or of a region: the first 16 bytes of the SHA-256 of the name
/// with `#`.
pub(crate) fn name_key(name: &str) -> [u8; 16] {
    let mut sha = Sha256::new();
    if !name.starts_with('#') {
        sha.update(b"#");
    }
    sha.update(name);
    let mut key = [0; 16];
    key.copy_from_slice(&sha.finalize()[..16]);
    key
}

/// A decrypted text to a channel.
///
/// The sender's name stands in the text and is not authenticated: anyone who has the key can write any name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChannelMessage<'k> {
    /// The channel's name in the key ring.
    pub channel: &'k str,
    /// The key's place in the key ring.
    pub key_index: usize,
    /// Unix seconds by the sender's clock.
    pub timestamp: u32,
    /// 0 for text; the firmware drops others.
    pub txt_type: u8,
    /// 0 to 3.
    pub attempt: u8,
    /// The whole text up to the first NUL, as sent; not always UTF-8.
    pub text_bytes: Vec<u8>,
}

impl ChannelMessage<'_> {
    /// The whole text, with U+FFFD for what is not UTF-8. May contain control characters.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.text_bytes)
    }

    /// The name before the first `": "`, if that stands at byte 1 to 49 and the name has none of `:`, `[`, `]`.
    ///
    /// The firmware only ever writes `name: text`; this rule for reading it back is the one that analyzers share.
    pub fn sender(&self) -> Option<Cow<'_, str>> {
        self.split().map(|(sender, _)| String::from_utf8_lossy(sender))
    }

    /// What follows the sender's name; the whole text when there is none.
    pub fn body(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.split().map_or(&self.text_bytes, |(_, body)| body))
    }

    fn split(&self) -> Option<(&[u8], &[u8])> {
        let at = self.text_bytes.windows(2).take(MAX_SENDER_BYTES + 1).position(|pair| pair == b": ")?;
        let (sender, body) = (&self.text_bytes[..at], &self.text_bytes[at + 2..]);
        let is_name = at > 0 && !sender.iter().any(|byte| matches!(byte, b':' | b'[' | b']'));
        is_name.then_some((sender, body))
    }
}

/// See [`ChannelMessage::sender`].
const MAX_SENDER_BYTES: usize = 49;

/// Decrypted data to a channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChannelData<'k> {
    /// The channel's name in the key ring.
    pub channel: &'k str,
    /// The key's place in the key ring.
    pub key_index: usize,
    /// What the data is: see the firmware's `docs/number_allocations.md`.
    pub data_type: u16,
    /// How many bytes the sender says there are.
    pub len: u8,
    /// The bytes: fewer than `len` when the packet is too short for them.
    pub data: Vec<u8>,
}

#[cfg(test)]
mod tests;
