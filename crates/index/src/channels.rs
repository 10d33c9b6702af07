//! The channels: which group packets belong to each, and which of them was heard last.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use model::{TransmissionId, UnixMillis};
use roaring::RoaringBitmap;

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
    /// Texts that have no row any more and are in storage.
    pub(crate) cold_texts: u64,
    /// The text with the greatest latest observation, and that time; of equal times the greater id. It may be in storage.
    pub(crate) last_text: Option<(UnixMillis, TransmissionId)>,
    /// What each observer heard of the texts.
    pub(crate) heard: BTreeMap<u16, HeardTexts>,
}

/// The texts of a channel that one observer heard.
#[derive(Clone, Copy)]
pub(crate) struct HeardTexts {
    /// Copies of them.
    pub(crate) observations: u32,
    /// The greatest time of an observation, and its packet; of equal times the greater id.
    pub(crate) last: (UnixMillis, TransmissionId),
}

/// A copy of a text to a channel.
#[derive(Clone, Copy)]
pub(crate) struct TextCopy {
    pub(crate) packet: TransmissionId,
    pub(crate) observer: u16,
    pub(crate) time: UnixMillis,
    /// The greatest time of an observation of the packet, as far as it is known.
    pub(crate) latest: UnixMillis,
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

    /// Takes note of an observation of a text.
    pub(crate) fn note_text(&mut self, place: u32, copy: &TextCopy) {
        let channel = &mut self.channels[place as usize];
        channel.last_text = channel.last_text.max(Some((copy.latest, copy.packet)));
        let own = (copy.time, copy.packet);
        let heard = channel.heard.entry(copy.observer).or_insert(HeardTexts { observations: 0, last: own });
        heard.observations = heard.observations.saturating_add(1);
        heard.last = heard.last.max(own);
    }

    /// The same channels in the same places, of which nothing was heard.
    pub(crate) fn without_packets(&self) -> Self {
        let channel =
            |channel: &Channel| Channel::new(channel.identity.clone(), channel.key, channel.hash_byte);
        Self {
            channels: self.channels.iter().map(channel).collect(),
            by_name: self.by_name.clone(),
            encrypted: self.encrypted.clone(),
            by_hash: BTreeMap::new(),
        }
    }

    /// Takes over what all texts add up to from a table of the same channels, some of whose texts have no row here.
    pub(crate) fn take_sums_of(&mut self, other: &mut Self) {
        for (channel, other) in self.channels.iter_mut().zip(&mut other.channels) {
            channel.cold_texts = other.text_count() - channel.texts.len();
            channel.last_text = other.last_text;
            channel.heard = std::mem::take(&mut other.heard);
        }
    }

    /// Takes note that storage has no longer a text that has no row, of which these observers made an observation each.
    pub(crate) fn forget_cold(&mut self, membership: &Membership<'_>, observers: impl Iterator<Item = u16>) {
        let Some(place) = self.known_place(membership) else { return };
        let channel = &mut self.channels[place as usize];
        channel.cold_texts = channel.cold_texts.saturating_sub(1);
        for observer in observers {
            if let Some(heard) = channel.heard.get_mut(&observer) {
                heard.observations = heard.observations.saturating_sub(1);
                if heard.observations == 0 {
                    channel.heard.remove(&observer);
                }
            }
        }
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
        if let Some(place) = self.known_place(membership) {
            return place;
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
        let key = membership.key.map(|(_, place)| place);
        self.channels.push(Channel::new(identity, key, membership.hash_byte));
        place
    }

    fn known_place(&self, membership: &Membership<'_>) -> Option<u32> {
        match membership.key {
            Some((name, _)) => self.by_name.get(name).copied(),
            None => self.encrypted.get(&membership.hash_byte).copied(),
        }
    }
}

impl Channel {
    fn new(identity: ChannelRef, key: Option<usize>, hash_byte: u8) -> Self {
        Self {
            identity,
            key,
            hash_byte,
            packets: RoaringBitmap::new(),
            texts: RoaringBitmap::new(),
            cold_texts: 0,
            last_text: None,
            heard: BTreeMap::new(),
        }
    }

    /// Different texts, also those that only storage has.
    pub(crate) fn text_count(&self) -> u64 {
        self.texts.len() + self.cold_texts
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.identity, ChannelRef::Encrypted(_))
    }
}
