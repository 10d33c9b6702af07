//! What an answer must not show.

use meshcore::NodeKey;
use model::ObserverId;

use crate::view::{ObservationView, TransmissionView};

/// Observers and nodes that are not shown, as whoever asks has decided. What only such observers heard, and the adverts of
/// such nodes, are as if they were not there; of other packets, what such observers heard is left out.
///
/// Ids and keys mean the same in an index and in the segments of storage that belong to it, so one value is good for both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    observers: Vec<ObserverId>,
    nodes: Vec<NodeKey>,
}

impl Hidden {
    /// These, in any order.
    pub fn new(mut observers: Vec<ObserverId>, mut nodes: Vec<NodeKey>) -> Self {
        observers.sort_unstable();
        nodes.sort_unstable();
        Self { observers, nodes }
    }

    /// Whether everything is shown.
    pub fn is_empty(&self) -> bool {
        self.observers.is_empty() && self.nodes.is_empty()
    }

    /// Whether the observer is hidden.
    pub fn hides_observer(&self, observer: ObserverId) -> bool {
        self.observers.binary_search(&observer).is_ok()
    }

    /// Whether the node is hidden.
    pub fn hides_node(&self, node: &NodeKey) -> bool {
        self.nodes.binary_search(node).is_ok()
    }

    /// The observations of a packet that are shown, in the order in which they arrived; none of a hidden node's advert.
    pub fn heard<'v>(&self, packet: &TransmissionView<'v>) -> impl Iterator<Item = ObservationView<'v>> {
        let shown = !packet.node().is_some_and(|node| self.hides_node(&node.key));
        let observations = shown.then(|| packet.observations()).into_iter().flatten();
        observations.filter(|heard| !self.hides_observer(heard.observer().id))
    }

    /// The observation with the most hops of those that are shown; of several, the one that arrived first. `None` when the
    /// packet is not shown at all.
    pub fn best<'v>(&self, packet: &TransmissionView<'v>) -> Option<ObservationView<'v>> {
        let best = packet.best();
        if self.is_empty() {
            return Some(best);
        }
        let mut shown = self.heard(packet).peekable();
        shown.peek()?;
        if !self.hides_observer(best.observer().id) {
            return Some(best);
        }
        shown.reduce(|best, next| if next.path().count() > best.path().count() { next } else { best })
    }

    pub(crate) fn observers(&self) -> &[ObserverId] {
        &self.observers
    }

    pub(crate) fn nodes(&self) -> &[NodeKey] {
        &self.nodes
    }
}
