//! Who stands beside a node on the ways of its packets.

use hashbrown::HashMap;
use meshcore::NodeKey;
use model::UnixMillis;
use smallvec::SmallVec;

use crate::hops::{HopResolver, PacketsOf, PathReader, WAYS_READ};
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
///
/// A way are the sender, the hops and the observer as far as they are known. A direct packet is not heard from its last hop,
/// nor are its hops those that it has passed, so there only these count.
fn beside(key: &NodeKey, copy: &ObservationView<'_>, reader: &mut PathReader) -> SmallVec<[NodeKey; 4]> {
    let hops = reader.read(copy);
    let is_ahead = copy.route().is_direct() && !copy.path().is_empty();
    let (sender, observer) = match is_ahead {
        true => (None, None),
        false => (copy.transmission().sender(), copy.observer_node()),
    };
    let hop = |place: usize| hops.get(place)?.likely().map(|node| reader.key(node));
    let itself = reader.place_of(key);
    let mut found = SmallVec::new();
    for place in 0..hops.len() {
        if hops[place].likely().is_some_and(|node| Some(node) == itself) {
            let before = if place == 0 { sender } else { hop(place - 1) };
            let after = if place + 1 == hops.len() { observer } else { hop(place + 1) };
            found.extend([before, after].into_iter().flatten());
        }
    }
    let first = if hops.is_empty() { observer } else { hop(0) };
    found.extend(first.filter(|_| sender.as_ref() == Some(key)));
    let last = if hops.is_empty() { sender } else { hop(hops.len() - 1) };
    found.extend(last.filter(|_| observer.as_ref() == Some(key)));
    found.retain(|beside| beside != key);
    found.sort_unstable();
    found.dedup();
    found
}
