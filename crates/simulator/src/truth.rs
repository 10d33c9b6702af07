//! What really happened, for judging what an analyzer makes of the messages.

use std::collections::{HashMap, VecDeque};

use meshcore::{NodeKey, PacketHash};
use model::UnixMillis;

use crate::air::Copy;
use crate::world::{NodeIndex, World};

/// How one packet truly travelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Its content hash. A TRACE has another one at each hop, so it counts as several packets.
    pub hash: PacketHash,
    /// Who sent it.
    pub origin: NodeKey,
    /// When.
    pub sent: UnixMillis,
    /// The copies that observers passed on, in the order in which they were heard along each way.
    pub copies: Vec<TrueCopy>,
}

/// One copy of a packet as an observer heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueCopy {
    /// Who heard it.
    pub observer: NodeKey,
    /// When, by a clock that is right.
    pub heard: UnixMillis,
    /// The repeaters that it had passed, in order. In a flood these are the hops of its path; of a direct packet they are
    /// those that are gone from its path.
    pub passed: Vec<NodeKey>,
}

/// The latest packets, bounded.
pub(crate) struct TruthLog {
    keep: usize,
    packets: HashMap<PacketHash, Entry>,
    order: VecDeque<PacketHash>,
}

struct Entry {
    origin: NodeIndex,
    sent: UnixMillis,
    copies: Vec<(NodeIndex, UnixMillis, Box<[NodeIndex]>)>,
}

impl TruthLog {
    pub(crate) fn new(keep: usize) -> TruthLog {
        TruthLog { keep, packets: HashMap::new(), order: VecDeque::new() }
    }

    pub(crate) fn note(
        &mut self,
        hash: PacketHash,
        origin: NodeIndex,
        sent: UnixMillis,
        observer: NodeIndex,
        copy: Copy,
    ) {
        if !self.packets.contains_key(&hash) {
            if self.order.len() >= self.keep
                && let Some(oldest) = self.order.pop_front()
            {
                self.packets.remove(&oldest);
            }
            self.order.push_back(hash);
        }
        let entry = self.packets.entry(hash).or_insert_with(|| Entry { origin, sent, copies: Vec::new() });
        entry.copies.push((observer, sent.plus_ms(copy.after_ms), copy.passed.into()));
    }

    pub(crate) fn get(&self, world: &World, hash: PacketHash) -> Option<Truth> {
        let Entry { origin, sent, copies } = self.packets.get(&hash)?;
        let key = |node: &NodeIndex| world.node(*node).key;
        let copies = copies.iter().map(|(observer, heard, passed)| TrueCopy {
            observer: key(observer),
            heard: *heard,
            passed: passed.iter().map(key).collect(),
        });
        Some(Truth { hash, origin: key(origin), sent: *sent, copies: copies.collect() })
    }

    pub(crate) fn all<'t>(&'t self, world: &'t World) -> impl Iterator<Item = Truth> + 't {
        self.order.iter().filter_map(|hash| self.get(world, *hash))
    }
}
