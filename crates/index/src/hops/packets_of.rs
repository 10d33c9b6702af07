//! The packets that a node had to do with.

use meshcore::NodeKey;
use roaring::RoaringBitmap;

use crate::index::Index;
use crate::view::TxRow;

/// The packets that a node sent, as far as they say so, and those that it relayed by the word of the resolver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketsOf {
    pub(crate) rows: RoaringBitmap,
    bounded: bool,
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

    /// Whether there may be more: only the newest of the packets whose hops fit several nodes are looked at.
    pub fn is_bounded(&self) -> bool {
        self.bounded
    }

    /// The newest of them by id, newest first.
    pub fn newest(&self) -> impl Iterator<Item = TxRow> + '_ {
        self.rows.iter().rev().map(TxRow)
    }
}

impl Index {
    /// The packets that a node sent or relayed; `node=` of a packet query means these.
    pub fn packets_of(&self, key: &NodeKey) -> PacketsOf {
        let rows = self.nodes.get(key).map_or(&[][..], |node| &node.history.adverts);
        PacketsOf { rows: rows.iter().copied().collect(), bounded: false }
    }
}
