//! What can be asked of the packets.

use std::sync::Arc;

use filter::Filter;
use meshcore::{NodeKey, PacketHash, PayloadType, Route};
use model::{ObserverId, UnixMillis};

use crate::channels::ChannelRef;
use crate::cursor::Cursor;
use crate::hidden::Hidden;

/// Which transmissions, in which order, and which page of them.
///
/// All filters that are set must hold. A filter for something that does not exist finds nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketQuery {
    /// The most rows of the page.
    pub limit: usize,
    /// Rows to leave out before the page, counted from the cursor if there is one.
    pub offset: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// Which end comes first.
    pub order: Order,
    /// What the rows are ordered by; a cursor's own sort goes before it.
    pub sort: Sort,
    /// Only this type.
    pub payload_type: Option<PayloadType>,
    /// Only those whose first copy had this route.
    pub route: Option<Route>,
    /// Only those heard by any of these; empty for all.
    pub observers: Vec<ObserverId>,
    /// Only those heard by an observer of any of these regions (in either case); nothing when no observer is there.
    pub regions: Option<Vec<String>>,
    /// Only packets of this node: see [`crate::Index::packets_of`].
    pub node: Option<NodeKey>,
    /// Only packets of any of these nodes; empty for all.
    pub nodes: Vec<NodeKey>,
    /// Only packets of this channel: its texts, unless `payload_type` asks for GRP_DATA.
    pub channel: Option<ChannelRef>,
    /// Only texts to channels that a key opens.
    pub readable_texts: bool,
    /// Only this one.
    pub hash: Option<PacketHash>,
    /// Only those first seen after this time.
    pub since: Option<UnixMillis>,
    /// Only those first seen before this time.
    pub until: Option<UnixMillis>,
    /// Only adverts of any of these nodes; nothing when the list is empty.
    pub area_nodes: Option<Vec<NodeKey>>,
    /// Only those that pass this filter.
    pub filter: Option<Arc<Filter>>,
    /// What is not shown, and so neither found nor counted.
    pub hidden: Arc<Hidden>,
    /// What ages in the filter are counted from.
    pub now: UnixMillis,
}

impl PacketQuery {
    /// The same page of all packets.
    pub(crate) fn without_filters(&self) -> Self {
        Self {
            limit: self.limit,
            offset: self.offset,
            cursor: self.cursor,
            order: self.order,
            sort: self.sort,
            now: self.now,
            ..Self::default()
        }
    }
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The newest.
    #[default]
    Descending,
    /// The oldest.
    Ascending,
}

/// What transmissions are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Their ids, which is the order in which they became known.
    #[default]
    Id,
    /// Their latest observations; of equal times, their ids. A transmission that is heard again while pages are read
    /// moves, so that later pages may lack it (descending) or show it again (ascending).
    Latest,
}
