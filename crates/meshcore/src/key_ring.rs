//! A ring of channel keys, and finding the one that fits.

use crate::channel::{ChannelData, ChannelKey, ChannelMessage};
use crate::payload::{GroupData, GroupText};
use crate::plaintext::TextContent;
use crate::seal::Cipher;

/// Named channel keys, looked up by the channel hash byte of a packet and then by its MAC.
///
/// Several keys may share a hash byte; they are tried in the order in which they were added. A MAC has two bytes, so one
/// packet in 65,536 of an unknown channel with the same hash byte is wrongly taken.
///
/// ```
/// use meshcore::{ChannelKey, KeyRing};
///
/// let mut keys = KeyRing::with_public();
/// keys.add_hashtag("#test");
/// keys.add("ours", ChannelKey::from_hex("000102030405060708090a0b0c0d0e0f")?);
/// assert_eq!(keys.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["Public", "#test", "ours"]);
/// # Ok::<(), meshcore::ChannelKeyError>(())
/// ```
#[derive(Clone, Default)]
pub struct KeyRing {
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    name: Box<str>,
    hash: u8,
    key: ChannelKey,
    cipher: Cipher,
}

impl KeyRing {
    /// No keys.
    pub const fn new() -> KeyRing {
        KeyRing { entries: Vec::new() }
    }

    /// The public channel, named `Public`.
    pub fn with_public() -> KeyRing {
        let mut ring = KeyRing::new();
        ring.add("Public", ChannelKey::public());
        ring
    }

    /// Adds a key; one of the same name is replaced and the new one takes its place.
    pub fn add(&mut self, name: &str, key: ChannelKey) {
        let entry = Entry { name: name.into(), hash: key.hash(), cipher: key.cipher(), key };
        match self.entries.iter_mut().find(|known| *known.name == *name) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }

    /// Adds a channel that anyone can join by its name, under that name with `#`.
    pub fn add_hashtag(&mut self, name: &str) {
        let name = format!("#{}", name.strip_prefix('#').unwrap_or(name));
        self.add(&name, ChannelKey::hashtag(&name));
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and keys, in the order in which they are tried.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &ChannelKey)> {
        self.entries.iter().map(|entry| (&*entry.name, &entry.key))
    }

    /// The key with this name.
    pub fn get(&self, name: &str) -> Option<&ChannelKey> {
        self.entries.iter().find(|entry| *entry.name == *name).map(|entry| &entry.key)
    }

    /// Whether some key has this hash byte, so that a packet which cannot be decrypted is of another channel.
    pub fn has_hash(&self, channel_hash: u8) -> bool {
        self.entries.iter().any(|entry| entry.hash == channel_hash)
    }

    /// The text, if one of the keys opens it. Ciphertext that is not whole blocks is refused.
    pub fn decrypt_text(&self, payload: &GroupText<'_>) -> Option<ChannelMessage<'_>> {
        let (key_index, plaintext) = self.open(payload.channel_hash, payload.mac, payload.ciphertext)?;
        self.message(key_index, &plaintext)
    }

    /// The text again, by the key that opened it before ([`ChannelMessage::key_index`] of this very ring). Neither
    /// looks for the key nor checks the MAC, and so is several times as quick; with another key it gives noise.
    pub fn reopen_text(&self, key_index: usize, payload: &GroupText<'_>) -> Option<ChannelMessage<'_>> {
        let plaintext = self.entries.get(key_index)?.cipher.decrypt(payload.ciphertext)?;
        self.message(key_index, &plaintext)
    }

    fn message(&self, key_index: usize, plaintext: &[u8]) -> Option<ChannelMessage<'_>> {
        let content = TextContent::parse_group(plaintext)?;
        Some(ChannelMessage {
            channel: &self.entries[key_index].name,
            key_index,
            timestamp: content.timestamp,
            txt_type: content.txt_type,
            attempt: content.attempt,
            text_bytes: content.text.to_vec(),
        })
    }

    /// The data, if one of the keys opens it. Ciphertext that is not whole blocks is refused.
    pub fn decrypt_data(&self, payload: &GroupData<'_>) -> Option<ChannelData<'_>> {
        let (key_index, plaintext) = self.open(payload.channel_hash, payload.mac, payload.ciphertext)?;
        let ([type_low, type_high, len], data) = plaintext.split_first_chunk::<3>()?;
        Some(ChannelData {
            channel: &self.entries[key_index].name,
            key_index,
            data_type: u16::from_le_bytes([*type_low, *type_high]),
            len: *len,
            data: data[..data.len().min(usize::from(*len))].to_vec(),
        })
    }

    /// Looks through all keys, since comparing one byte of a few hundred costs less than one MAC.
    fn open(&self, channel_hash: u8, mac: [u8; 2], ciphertext: &[u8]) -> Option<(usize, Vec<u8>)> {
        let fitting = self.entries.iter().enumerate().filter(|(_, entry)| entry.hash == channel_hash);
        fitting
            .map(|(index, entry)| (index, entry.cipher.open(mac, ciphertext)))
            .find_map(|(index, plaintext)| Some((index, plaintext?)))
    }
}

impl std::fmt::Debug for KeyRing {
    /// Shows the names only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.iter().map(|entry| &entry.name)).finish()
    }
}
