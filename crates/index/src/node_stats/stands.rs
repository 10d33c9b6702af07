//! Where a node stands in the ways that packets took.

use meshcore::NodeKey;
use smallvec::SmallVec;

use crate::hops::{NodePlace, PathReader, ReadHop};
use crate::view::ObservationView;

/// One place of a node in a way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    /// The station before it, when it is known; `None` also for the sender.
    pub(super) before: Option<NodeKey>,
    /// Who is behind it.
    pub(super) after: After,
    /// As what it stands there.
    pub(super) part: Part,
}

/// Who is behind a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    /// The next hop; `None` when it is not known, or when there is none of whom that can be said.
    Hop(Option<NodeKey>),
    /// Whoever observed the copy.
    Observer,
}

/// What a node did for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It sent it.
    Sender,
    /// It relayed it.
    Relay,
    /// It observed it.
    Observer,
}

impl After {
    /// The station, when it is known.
    pub(super) fn station(self, copy: &ObservationView<'_>) -> Option<NodeKey> {
        match self {
            Self::Hop(hop) => hop,
            Self::Observer => copy.observer_node(),
        }
    }
}

/// Where a node stands in the way of a copy: nowhere, or once, but for those who also send or observe what they relay. The
/// node itself counts where it is more probable than not, the hops beside it where `known` says so.
///
/// A way are the sender, the hops and the observer. A direct packet is not heard from its last hop, nor are its hops those
/// that it has passed, so there only these count.
pub(super) fn stands(
    key: &NodeKey,
    copy: &ObservationView<'_>,
    reader: &mut PathReader,
    known: impl Fn(ReadHop) -> Option<NodePlace>,
) -> SmallVec<[Stand; 2]> {
    let hops = reader.read(copy);
    // Before anything was learned none is read.
    let count = copy.path().count();
    let is_ahead = copy.route().is_direct() && count > 0;
    let sender = copy.transmission().sender().filter(|_| !is_ahead);
    let itself = reader.place_of(key);
    let hop = |place: usize| hops.get(place).and_then(|hop| known(*hop)).map(|node| reader.key(node));
    let before = |place: usize| if place == 0 { sender } else { hop(place - 1) };
    let after = |place: usize| match place < count || is_ahead {
        true => After::Hop(hop(place)),
        false => After::Observer,
    };
    let mut found = SmallVec::new();
    if sender.as_ref() == Some(key) {
        found.push(Stand { before: None, after: after(0), part: Part::Sender });
    }
    let is_itself = |hop: ReadHop| hop.likely().is_some_and(|node| Some(node) == itself);
    for place in (0..hops.len()).filter(|place| is_itself(hops[*place])) {
        found.push(Stand { before: before(place), after: after(place + 1), part: Part::Relay });
    }
    if !is_ahead && copy.observer_node().as_ref() == Some(key) {
        found.push(Stand { before: before(count), after: After::Hop(None), part: Part::Observer });
    }
    found
}
