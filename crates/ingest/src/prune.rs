//! Nodes that an operator takes off the list, done by the one thread that decides.

use index::Index;
use meshcore::NodeKey;
use model::{Change, PrunedNode, UnixMillis};
use tokio::sync::{mpsc, oneshot};

use crate::engine::OnDurable;
use crate::submit::IngestError;

/// Requests that may wait; further callers wait for room.
const MAX_WAITING: usize = 16;

/// Hands nodes to be taken off the list to the ingest thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PruneHandle {
    requests: mpsc::Sender<PruneRequest>,
}

/// Nodes to be taken off the list, and whoever waits for it.
#[derive(Debug)]
pub struct PruneRequest {
    keys: Vec<NodeKey>,
    answer: oneshot::Sender<u64>,
}

impl PruneHandle {
    pub(crate) fn new() -> (PruneHandle, mpsc::Receiver<PruneRequest>) {
        let (requests, receiver) = mpsc::channel(MAX_WAITING);
        (PruneHandle { requests }, receiver)
    }

    /// Takes nodes off the list; says how many that were on it are gone, once that is durable. Blocks until then.
    ///
    /// # Errors
    /// When ingest has stopped, or could not make it durable.
    pub fn prune(&self, keys: Vec<NodeKey>) -> Result<u64, IngestError> {
        let (answer, answered) = oneshot::channel();
        let request = PruneRequest { keys, answer };
        self.requests.blocking_send(request).map_err(|_| IngestError::Stopped)?;
        answered.blocking_recv().map_err(|_| IngestError::NotDurable)
    }
}

impl PruneRequest {
    /// Takes them off in the index; gives the changes, and the answer for when they are durable.
    pub(crate) fn decide(self, index: &mut Index) -> (Vec<Change>, OnDurable) {
        let now = UnixMillis::now();
        let mut changes = Vec::new();
        for key in self.keys {
            let Some(node) = index.node(&key).filter(|node| !node.is_pruned()) else { continue };
            // An observer's clock may be a minute ahead, and then its adverts are from the future.
            let change = Change::Pruned(PrunedNode { key, time: now.max(node.last_seen) });
            match index.apply(&change) {
                Ok(()) => changes.push(change),
                Err(error) => tracing::error!(%error, "the index refused to take a node off the list"),
            }
        }
        let (answer, pruned) = (self.answer, changes.len() as u64);
        let answer: OnDurable = Box::new(move || {
            // Whoever asked may have gone away.
            let _ = answer.send(pruned);
        });
        (changes, answer)
    }
}
