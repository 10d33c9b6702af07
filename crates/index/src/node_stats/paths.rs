//! The ways that packets took over a node.

use hashbrown::HashMap;
use meshcore::{Hop, NodeKey};
use model::UnixMillis;
use smallvec::SmallVec;

use crate::hops::token::Token;
use crate::hops::{HopResolver, NodePlace, PacketsOf, PathReader, ReadHop, WAYS_READ};
use crate::index::Index;
use crate::view::TxRow;

/// The ways over a node, most taken first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodePaths {
    /// By number of packets; of equals the newest first, then by hops.
    pub paths: Vec<NodePath>,
    /// Packets that took any of them.
    pub packets: u64,
    /// Whether only the newest packets were looked at.
    pub bounded: bool,
}

/// One way.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePath {
    /// The hops in the order of the path, each as a node where that is known. Their hashes are those of the sample; other
    /// packets may have written the same way with hashes of another size.
    pub nodes: SmallVec<[Option<NodeKey>; 4]>,
    /// Packets that took it.
    pub packets: u32,
    /// When the newest of them was first seen.
    pub last_seen: UnixMillis,
    /// The newest of them by id.
    pub sample: TxRow,
}

/// What makes two ways the same: a node where it is known, else the hash as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Station {
    Node(NodePlace),
    Hash(Token),
}

/// Whether nodes may be named, asked once of each.
struct MayName<F> {
    of: F,
    known: Vec<Option<bool>>,
}

impl Index {
    /// The ways that the newest of these packets took over a node, by the word of the resolver; the way of a packet is that
    /// of its best observation. `may_name` says which nodes are known to whoever asks.
    pub fn node_paths(
        &self,
        key: &NodeKey,
        packets: &PacketsOf,
        resolver: &HopResolver,
        may_name: impl Fn(&NodeKey) -> bool,
    ) -> NodePaths {
        let bounded = packets.bounded || packets.len() > WAYS_READ as u64;
        let mut found = NodePaths { bounded, ..NodePaths::default() };
        let mut reader = PathReader::new(resolver);
        let Some(itself) = reader.place_of(key) else { return found };
        let mut may_name = MayName { of: may_name, known: vec![None; reader.places()] };
        let mut by_way: HashMap<SmallVec<[Station; 8]>, (u32, UnixMillis, TxRow)> = HashMap::new();
        for sample in packets.newest().take(WAYS_READ) {
            let best = self.view(sample).best();
            let read = reader.read(&best);
            if !read.iter().any(|hop| hop.likely() == Some(itself)) {
                continue;
            }
            let mut station = |(hash, hop): (Hop<'_>, ReadHop)| {
                // The node itself where it is likely, since that is why the path is here at all; others only where they
                // are sure.
                let itself = hop.likely().filter(|node| *node == itself);
                let node = itself.or_else(|| hop.named().filter(|node| may_name.allows(*node, &reader)));
                node.map_or(Station::Hash(Token::new(hash.bytes())), Station::Node)
            };
            let way = best.path().hops().zip(read).map(&mut station).collect();
            let time = self.transmissions.first_seen(sample.0);
            let path = by_way.entry(way).or_insert((0, time, sample));
            *path = (path.0 + 1, path.1.max(time), path.2);
            found.packets += 1;
        }
        let mut ways: Vec<_> = by_way.into_iter().collect();
        ways.sort_unstable_by(|(a_way, a), (b_way, b)| {
            (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a_way.cmp(b_way))
        });
        let node = |station: &Station| match station {
            Station::Node(place) => Some(reader.key(*place)),
            Station::Hash(_) => None,
        };
        let path = |(way, (packets, last_seen, sample)): (SmallVec<[Station; 8]>, _)| NodePath {
            nodes: way.iter().map(node).collect(),
            packets,
            last_seen,
            sample,
        };
        found.paths = ways.into_iter().map(path).collect();
        found
    }
}

impl<F: Fn(&NodeKey) -> bool> MayName<F> {
    fn allows(&mut self, node: NodePlace, reader: &PathReader) -> bool {
        *self.known[node.index()].get_or_insert_with(|| (self.of)(&reader.key(node)))
    }
}
