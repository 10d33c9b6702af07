//! The packets that a node had to do with.

use meshcore::NodeKey;
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use super::token::Token;
use super::{HopResolver, NodePlace, PathReader};
use crate::index::Index;
use crate::query::PacketQuery;
use crate::view::{TransmissionView, TxRow};

/// Packets with an ambiguous hop that are read at most, the newest: reading one takes some microseconds.
const MAX_READ: usize = 1_000;

/// As many again may be read of those that are found, and all in two milliseconds.
pub(crate) const WAYS_READ: usize = 250;

/// Ways of a packet that are read for it at most.
const MAX_WAYS: usize = 4;

/// The packets that a node sent, as far as they say so, and those whose paths name it by the word of the resolver; or a part
/// of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketsOf {
    pub(crate) rows: RoaringBitmap,
    pub(crate) bounded: bool,
}

impl PacketsOf {
    /// How many.
    pub fn len(&self) -> u64 {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether there may be more: of the packets whose hops fit several nodes only the newest thousand are looked at.
    pub fn is_bounded(&self) -> bool {
        self.bounded
    }

    /// The newest of them by id, newest first.
    pub fn newest(&self) -> impl Iterator<Item = TxRow> + '_ {
        self.rows.iter().rev().map(TxRow)
    }

    /// Whether this packet is one of them.
    pub fn contains(&self, row: TxRow) -> bool {
        self.rows.contains(row.0)
    }
}

impl Index {
    /// The packets that a node sent or that name it as a hop; `node` of a packet query means these.
    ///
    /// Where a hash fits no other node, the packets that name it are taken as they are; for the others the paths of the newest
    /// packets are resolved.
    pub fn packets_of(&self, key: &NodeKey) -> PacketsOf {
        self.packets_naming(key, &self.hops(), MAX_READ)
    }

    /// The same with fewer paths read, for those who go on to read the ways of what they get.
    pub fn some_packets_of(&self, key: &NodeKey) -> PacketsOf {
        self.packets_naming(key, &self.hops(), WAYS_READ)
    }

    /// The same of several nodes, which together cost little more than one: each has its part of the paths that are read.
    pub(crate) fn packets_of_each(&self, keys: &[NodeKey]) -> Vec<PacketsOf> {
        let resolver = self.hops();
        let most = MAX_READ / keys.len().max(1);
        keys.iter().map(|key| self.packets_naming(key, &resolver, most)).collect()
    }

    /// Whether packets that may be of the nodes of a query are not looked at: see [`PacketsOf::is_bounded`].
    pub(crate) fn leaves_out(&self, query: &PacketQuery) -> bool {
        let is_bounded = |keys: &[NodeKey]| {
            let most = MAX_READ / keys.len().max(1);
            keys.iter().any(|key| self.known_and_ambiguous(key, &self.hops())[1].len() > most as u64)
        };
        is_bounded(query.node.as_slice()) || is_bounded(&query.nodes)
    }

    /// The packets of which a copy names a hash of one to three bytes, passed or ahead, newest first by id.
    pub fn packets_with_hop(&self, hop: &[u8]) -> impl Iterator<Item = TxRow> + '_ {
        let rows = (1..=3).contains(&hop.len()).then(|| self.hop_book.posting(Token::new(hop))).flatten();
        rows.into_iter().flat_map(|rows| rows.iter().rev()).map(TxRow)
    }

    fn packets_naming(&self, key: &NodeKey, resolver: &HopResolver, most: usize) -> PacketsOf {
        let [rows, ambiguous] = self.known_and_ambiguous(key, resolver);
        let mut packets = PacketsOf { rows, bounded: ambiguous.len() > most as u64 };
        let mut reader = PathReader::new(resolver);
        let newest = ambiguous.iter().rev().take(most);
        let Some(place) = reader.place_of(key) else { return packets };
        let named: Vec<u32> = newest.filter(|row| self.names(*row, key, place, &mut reader)).collect();
        packets.rows.extend(named);
        packets
    }

    /// The packets that are this node's, and those of which only their paths can tell.
    fn known_and_ambiguous(&self, key: &NodeKey, resolver: &HopResolver) -> [RoaringBitmap; 2] {
        let adverts = self.nodes.get(key).map_or(&[][..], |node| &node.history.adverts);
        let [mut known, mut ambiguous] = self.packets_with_hash_of(key, resolver);
        known.extend(adverts);
        ambiguous -= &known;
        [known, ambiguous]
    }

    /// The packets whose paths name a hash that is as good as only this node's, and those with one that may be another's.
    pub(crate) fn packets_with_hash_of(&self, key: &NodeKey, resolver: &HopResolver) -> [RoaringBitmap; 2] {
        let [mut sure, mut ambiguous] = [RoaringBitmap::new(), RoaringBitmap::new()];
        if !resolver.node(key).is_some_and(|node| node.relays) {
            return [sure, ambiguous];
        }
        for hop in (1..=3).map(|size| &key.0[..size]) {
            let Some(rows) = self.hop_book.posting(Token::new(hop)) else { continue };
            match resolver.share_behind(hop, key) {
                share if share >= SURE_ALONE => sure |= rows,
                share if share > 0.0 => ambiguous |= rows,
                _ => {}
            }
        }
        [sure, ambiguous]
    }

    /// Whether a copy of the packet went over the node, more probably than not. Of copies that went the same way only the first
    /// is read: who heard it tells of its last hop only.
    fn names(&self, row: u32, key: &NodeKey, place: NodePlace, reader: &mut PathReader) -> bool {
        let mut ways: SmallVec<[u32; MAX_WAYS]> = SmallVec::new();
        for seen in (TransmissionView { index: self, row }).observations() {
            let way = seen.way();
            if ways.contains(&way) || !seen.path().hops().any(|hop| hop.matches(key)) {
                continue;
            }
            if reader.read(&seen).iter().any(|hop| hop.likely() == Some(place)) {
                return true;
            }
            ways.push(way);
            if ways.len() == MAX_WAYS {
                break;
            }
        }
        false
    }
}

/// A hash of which a node has this share of all relaying is taken to mean it without a look at the paths.
const SURE_ALONE: f32 = 0.97;
