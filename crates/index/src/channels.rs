//! The channels: which group packets belong to each, and which of them was heard last.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use model::UnixMillis;
use roaring::RoaringBitmap;

use crate::observations::ObservationRow;

/// What an observer of a channel takes, supposing B-tree nodes to be two thirds full.
const HEARD_BYTES: usize = (size_of::<HeardTexts>() + 2) * 3 / 2;

/// Which channel is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelRef {
    /// One whose key we hold, by the key's name. A name that no channel has means the one with `#` before it.
    Name(String),
    /// All packets with this channel hash, whether a key opens them or not.
    HashByte(u8),
    /// The packets with this channel hash that no key opens.
    Encrypted(u8),
}

/// `enc_HH`, as in paths of the API, for those that no key opens; `HH` for a hash; else the name.
impl fmt::Display for ChannelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChannelRef::Name(name) => f.write_str(name),
            ChannelRef::HashByte(hash) => write!(f, "{hash:02X}"),
            ChannelRef::Encrypted(hash) => write!(f, "enc_{hash:02X}"),
        }
    }
}

/// The channels with packets.
#[derive(Default)]
pub(crate) struct ChannelTable {
    channels: Vec<Channel>,
    by_name: HashMap<Box<str>, u32>,
    encrypted: BTreeMap<u8, u32>,
    /// All packets with a channel hash.
    by_hash: BTreeMap<u8, RoaringBitmap>,
}

/// The packets of one channel. Two keys of the same name are one channel.
pub(crate) struct Channel {
    pub(crate) identity: ChannelRef,
    /// The place in the key ring of the key that opens it.
    pub(crate) key: Option<usize>,
    /// Channel hash of the packet heard first.
    pub(crate) hash_byte: u8,
    /// GRP_TXT and GRP_DATA.
    pub(crate) packets: RoaringBitmap,
    /// GRP_TXT alone.
    pub(crate) texts: RoaringBitmap,
    /// The text with the greatest latest observation, and that time; of equal times the greater row.
    pub(crate) last_text: Option<(UnixMillis, u32)>,
    /// What each observer heard of the texts.
    pub(crate) heard: BTreeMap<u16, HeardTexts>,
}

/// The texts of a channel that one observer heard.
#[derive(Clone, Copy)]
pub(crate) struct HeardTexts {
    /// Copies of them.
    pub(crate) observations: u32,
    /// The greatest time of an observation, and the row of its packet; of equal times the greater row.
    pub(crate) last: (UnixMillis, u32),
}

/// How a packet was found to belong to a channel.
pub(crate) struct Membership<'a> {
    pub(crate) hash_byte: u8,
    /// Name of the key that opens it, and its place in the key ring.
    pub(crate) key: Option<(&'a str, usize)>,
}

impl ChannelTable {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Channel> {
        self.channels.iter()
    }

    /// A channel that exists.
    pub(crate) fn at(&self, place: u32) -> &Channel {
        &self.channels[place as usize]
    }

    pub(crate) fn find(&self, channel: &ChannelRef) -> Option<&Channel> {
        let place = match channel {
            ChannelRef::Name(name) => match self.by_name.get(name.as_str()) {
                Some(place) => Some(place),
                None => self.by_name.get(format!("#{name}").as_str()),
            },
            ChannelRef::Encrypted(hash) => self.encrypted.get(hash),
            ChannelRef::HashByte(_) => None,
        };
        place.map(|place| &self.channels[*place as usize])
    }

    /// All packets of a channel.
    pub(crate) fn packets(&self, channel: &ChannelRef) -> Option<&RoaringBitmap> {
        match channel {
            ChannelRef::HashByte(hash) => self.by_hash.get(hash),
            _ => self.find(channel).map(|channel| &channel.packets),
        }
    }

    /// Takes in a packet heard for the first time and returns its channel's place.
    pub(crate) fn hear(&mut self, row: u32, is_text: bool, membership: &Membership<'_>) -> u32 {
        let hash_byte = membership.hash_byte;
        let place = self.place(membership);
        let channel = &mut self.channels[place as usize];
        channel.packets.insert(row);
        if is_text {
            channel.texts.insert(row);
        }
        self.by_hash.entry(hash_byte).or_default().insert(row);
        place
    }

    /// Takes note of an observation of a text, which is its `latest` or not.
    pub(crate) fn note_text(&mut self, place: u32, latest: UnixMillis, seen: &ObservationRow) {
        let channel = &mut self.channels[place as usize];
        channel.last_text = channel.last_text.max(Some((latest, seen.transmission)));
        let own = (seen.time, seen.transmission);
        let heard = channel.heard.entry(seen.observer).or_insert(HeardTexts { observations: 0, last: own });
        heard.observations = heard.observations.saturating_add(1);
        heard.last = heard.last.max(own);
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let sets = |channel: &Channel| {
            crate::memory::bitmap_bytes(&channel.packets) + crate::memory::bitmap_bytes(&channel.texts)
        };
        let channels: usize =
            self.channels.iter().map(|channel| sets(channel) + 64 + channel.heard.len() * HEARD_BYTES).sum();
        let hashes: usize = self.by_hash.values().map(crate::memory::bitmap_bytes).sum();
        channels + hashes + self.channels.capacity() * size_of::<Channel>()
    }

    fn place(&mut self, membership: &Membership<'_>) -> u32 {
        let known = match membership.key {
            Some((name, _)) => self.by_name.get(name),
            None => self.encrypted.get(&membership.hash_byte),
        };
        if let Some(place) = known {
            return *place;
        }
        let place = self.channels.len() as u32;
        let identity = match membership.key {
            Some((name, _)) => {
                self.by_name.insert(name.into(), place);
                ChannelRef::Name(name.into())
            }
            None => {
                self.encrypted.insert(membership.hash_byte, place);
                ChannelRef::Encrypted(membership.hash_byte)
            }
        };
        self.channels.push(Channel {
            identity,
            key: membership.key.map(|(_, place)| place),
            hash_byte: membership.hash_byte,
            packets: RoaringBitmap::new(),
            texts: RoaringBitmap::new(),
            last_text: None,
            heard: BTreeMap::new(),
        });
        place
    }
}
