//! Who stands beside a node on the ways of its packets.

use hashbrown::HashMap;
use meshcore::NodeKey;
use model::UnixMillis;
use smallvec::SmallVec;

use super::LOOKED_AT;
use crate::hops::{HopChoice, HopResolver, PacketsOf, PathReader};
use crate::index::Index;
use crate::view::{ObservationView, TxRow};

/// A node that stood beside another on the way of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub key: NodeKey,
    /// On the way of how many packets.
    pub packets: u32,
    /// When the newest of them was first seen.
    pub last: UnixMillis,
}

impl Index {
    /// Those who stood beside a node on the ways of the newest of these packets, by the word of the resolver: most packets
    /// first, of equals by key. The way of a packet is that of its best observation.
    pub fn node_peers(&self, key: &NodeKey, packets: &PacketsOf, resolver: &HopResolver) -> Vec<Peer> {
        let mut reader = PathReader::new(resolver);
        let mut peers: HashMap<NodeKey, Peer> = HashMap::new();
        for row in packets.newest().take(LOOKED_AT) {
            for beside in self.beside(key, row, &mut reader) {
                let time = self.transmissions.first_seen(row.0);
                let peer = peers.entry(beside).or_insert(Peer { key: beside, packets: 0, last: time });
                peer.packets += 1;
                peer.last = peer.last.max(time);
            }
        }
        let mut peers: Vec<Peer> = peers.into_values().collect();
        peers.sort_unstable_by(|a, b| b.packets.cmp(&a.packets).then_with(|| a.key.cmp(&b.key)));
        peers
    }

    /// The one or two who stand beside the node; nobody twice.
    fn beside(&self, key: &NodeKey, row: TxRow, reader: &mut PathReader) -> SmallVec<[NodeKey; 4]> {
        let way = stations(self.view(row).best(), reader);
        let mut found = SmallVec::new();
        for place in (0..way.len()).filter(|place| way[*place].as_ref() == Some(key)) {
            let before = place.checked_sub(1).and_then(|before| way[before]);
            let after = way.get(place + 1).copied().flatten();
            found.extend([before, after].into_iter().flatten().filter(|beside| beside != key));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Sender, hops and observer of a copy as far as they are known. A direct packet is not heard from its last hop, nor are
/// its hops those that it has passed, so there only these count.
fn stations(copy: ObservationView<'_>, reader: &mut PathReader) -> SmallVec<[Option<NodeKey>; 8]> {
    let hops = reader.read(&copy);
    let hops = hops.into_iter().map(HopChoice::likely);
    if copy.route().is_direct() && !copy.path().is_empty() {
        return hops.collect();
    }
    std::iter::once(copy.transmission().sender()).chain(hops).chain([copy.observer_node()]).collect()
}
