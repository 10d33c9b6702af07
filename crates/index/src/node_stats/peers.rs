//! Who stands beside a node on the ways of its packets.

use hashbrown::HashMap;
use meshcore::NodeKey;
use model::UnixMillis;
use smallvec::SmallVec;

use super::stands::stands;
use crate::hops::{HopResolver, PacketsOf, PathReader, ReadHop, WAYS_READ};
use crate::index::Index;
use crate::view::ObservationView;

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

/// Those who stood beside a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePeers {
    /// By number of packets, most first; of equals by key.
    pub peers: Vec<Peer>,
    /// Whether only the newest packets were looked at.
    pub bounded: bool,
}

impl Index {
    /// Those who stood beside a node on the ways of the newest of these packets, by the word of the resolver. The way of a
    /// packet is that of its best observation.
    pub fn node_peers(&self, key: &NodeKey, packets: &PacketsOf, resolver: &HopResolver) -> NodePeers {
        let mut reader = PathReader::new(resolver);
        let mut peers: HashMap<NodeKey, Peer> = HashMap::new();
        for row in packets.newest().take(WAYS_READ) {
            for beside in beside(key, &self.view(row).best(), &mut reader) {
                let time = self.transmissions.first_seen(row.0);
                let peer = peers.entry(beside).or_insert(Peer { key: beside, packets: 0, last: time });
                peer.packets += 1;
                peer.last = peer.last.max(time);
            }
        }
        let mut peers: Vec<Peer> = peers.into_values().collect();
        peers.sort_unstable_by(|a, b| b.packets.cmp(&a.packets).then_with(|| a.key.cmp(&b.key)));
        NodePeers { peers, bounded: packets.bounded || packets.len() > WAYS_READ as u64 }
    }
}

/// The one or two who stand beside the node on the way of a copy; nobody twice.
fn beside(key: &NodeKey, copy: &ObservationView<'_>, reader: &mut PathReader) -> SmallVec<[NodeKey; 4]> {
    let stands = stands(key, copy, reader, ReadHop::likely);
    let mut found: SmallVec<[NodeKey; 4]> =
        stands.iter().flat_map(|stand| [stand.before, stand.after.station(copy)]).flatten().collect();
    found.retain(|beside| beside != key);
    found.sort_unstable();
    found.dedup();
    found
}
