//! The nodes that hops can mean, by the first bytes of their keys.

use meshcore::{NodeKey, Role};
use model::UnixMillis;
use std::collections::BTreeMap;
use std::ops::Range;

use super::{Hides, HopNode};
use crate::index::Index;

/// All nodes, and those of them that relay.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// In the order of keys.
    nodes: Vec<HopNode>,
    /// Places in `nodes`, rising, which is the order of keys too.
    relays: Vec<u32>,
    nodes_by_byte: ByFirstByte,
    relays_by_byte: ByFirstByte,
    is_any_hidden: bool,
}

/// Where in a list that is in the order of keys those with each first byte begin: a hop is looked up for every path that
/// is read, and most hops have one byte.
#[derive(Debug, Default)]
struct ByFirstByte {
    /// 256 beginnings and the end; empty for an empty list.
    starts: Vec<u32>,
}

impl ByFirstByte {
    /// Of the first bytes of a list, rising.
    fn new(bytes: impl ExactSizeIterator<Item = u8>) -> Self {
        let mut starts = vec![0; 257];
        for byte in bytes {
            starts[usize::from(byte) + 1] += 1;
        }
        for byte in 0..256 {
            starts[byte + 1] += starts[byte];
        }
        Self { starts }
    }

    fn range(&self, byte: u8) -> Range<usize> {
        match self.starts.get(usize::from(byte)..usize::from(byte) + 2) {
            Some([start, end]) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }
}

impl Candidates {
    /// Nodes by their adverts, and observers by what they say of themselves.
    pub(super) fn gather(index: &Index, hides: &Hides) -> Self {
        let mut nodes: BTreeMap<NodeKey, HopNode> = BTreeMap::new();
        for node in index.nodes.iter() {
            let location = node.location.filter(|place| place.is_in_range() && !place.is_zero());
            nodes.insert(
                node.key,
                HopNode {
                    key: node.key,
                    location,
                    first_heard: node.first_seen,
                    last_heard: node.last_seen,
                    adverts: node.advert_count,
                    relays: matches!(node.role, Role::Repeater | Role::Room),
                    is_hidden: false,
                },
            );
        }
        for entry in index.observers.iter() {
            let Some(key) = entry.node else { continue };
            let heard = entry.record.last_status.max(entry.last_packet).unwrap_or(entry.record.first_seen);
            let node = nodes.entry(key).or_insert(HopNode {
                key,
                location: None,
                first_heard: UnixMillis(i64::MAX),
                last_heard: UnixMillis(i64::MIN),
                adverts: 0,
                relays: false,
                is_hidden: false,
            });
            node.first_heard = node.first_heard.min(entry.record.first_seen);
            node.last_heard = node.last_heard.max(heard);
            node.relays = entry.record.can_relay.unwrap_or(node.relays);
        }
        let mut nodes: Vec<HopNode> = nodes.into_values().collect();
        for node in &mut nodes {
            node.is_hidden = hides(&node.key, index.nodes.get(&node.key));
        }
        let relays: Vec<u32> =
            (0..nodes.len() as u32).filter(|place| nodes[*place as usize].relays).collect();
        Self {
            nodes_by_byte: ByFirstByte::new(nodes.iter().map(|node| node.key.0[0])),
            relays_by_byte: ByFirstByte::new(relays.iter().map(|place| nodes[*place as usize].key.0[0])),
            is_any_hidden: nodes.iter().any(|node| node.is_hidden),
            nodes,
            relays,
        }
    }

    pub(super) fn nodes(&self) -> &[HopNode] {
        &self.nodes
    }

    /// The places of those that relay, rising.
    pub(super) fn relays(&self) -> &[u32] {
        &self.relays
    }

    pub(super) fn at(&self, place: u32) -> &HopNode {
        &self.nodes[place as usize]
    }

    pub(super) fn find(&self, key: &NodeKey) -> Option<u32> {
        let range = self.nodes_by_byte.range(key.0[0]);
        let found = self.nodes[range.clone()].binary_search_by(|node| node.key.cmp(key)).ok();
        found.map(|place| (range.start + place) as u32)
    }

    /// The places of the nodes that relay and whose keys begin with these bytes; none for no bytes.
    pub(super) fn of(&self, hop: &[u8]) -> &[u32] {
        let Some((first, rest)) = hop.split_first().filter(|_| hop.len() <= 32) else { return &[] };
        let relays = &self.relays[self.relays_by_byte.range(*first)];
        if rest.is_empty() {
            return relays;
        }
        let prefix = |place: &u32| &self.at(*place).key.0[1..hop.len()];
        let start = relays.partition_point(|place| prefix(place) < rest);
        let len = relays[start..].partition_point(|place| prefix(place) == rest);
        &relays[start..start + len]
    }

    /// How many of [`Self::of`] may be named.
    pub(super) fn shown(&self, hop: &[u8]) -> usize {
        let all = self.of(hop);
        if self.is_any_hidden {
            all.iter().filter(|place| !self.at(**place).is_hidden).count()
        } else {
            all.len()
        }
    }
}
