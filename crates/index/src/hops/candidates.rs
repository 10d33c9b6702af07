//! The nodes that hops can mean, by the first bytes of their keys.

use meshcore::{NodeKey, Role};
use model::UnixMillis;
use std::collections::BTreeMap;

use super::{Hides, HopNode};
use crate::index::Index;

/// All nodes, and those of them that relay.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// In the order of keys.
    nodes: Vec<HopNode>,
    /// Places in `nodes`, rising, which is the order of keys too.
    relays: Vec<u32>,
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
            let Ok(key) = entry.record.key.parse() else { continue };
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
        let relays = (0..nodes.len() as u32).filter(|place| nodes[*place as usize].relays).collect();
        Self { nodes, relays }
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
        self.nodes.binary_search_by(|node| node.key.cmp(key)).ok().map(|place| place as u32)
    }

    /// The places of the nodes that relay and whose keys begin with these bytes; none for no bytes.
    pub(super) fn of(&self, hop: &[u8]) -> &[u32] {
        if hop.is_empty() || hop.len() > 32 {
            return &[];
        }
        let prefix = |place: &u32| &self.at(*place).key.0[..hop.len()];
        let start = self.relays.partition_point(|place| prefix(place) < hop);
        let len = self.relays[start..].partition_point(|place| prefix(place) == hop);
        &self.relays[start..start + len]
    }
}
