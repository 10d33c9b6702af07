//! Questions of a serving process to the ingest process, and the answers among its news.

use super::wire::{Ask, Reply};
use feed::Asker;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

/// The other end answers at once, but for a test of webhooks, which waits for other servers.
const PATIENCE: Duration = Duration::from_secs(15);

/// The way to ask; there is one only while the feed is connected.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    asker: Mutex<Option<Asker>>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, SyncSender<Reply>>>,
}

impl Asks {
    /// From now on questions go there; `None` when the feed has ended, and then nobody waits for an answer any more.
    pub(crate) fn connect(&self, asker: Option<Asker>) {
        *self.asker.lock() = asker;
        self.waiting.lock().clear();
    }

    /// Asks and waits for the answer; `None` when there is none.
    pub(crate) fn ask(&self, ask: &Ask) -> Option<Reply> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = sync_channel(1);
        self.waiting.lock().insert(number, answer);
        let question = serde_json::to_vec(ask).ok()?;
        let asked = self.asker.lock().as_mut().is_some_and(|asker| asker.ask(number, question).is_ok());
        let reply = if asked { answered.recv_timeout(PATIENCE).ok() } else { None };
        self.waiting.lock().remove(&number);
        reply
    }

    /// Hands on an answer; one that nobody waits for any more is dropped.
    pub(crate) fn answer(&self, number: u64, answer: &[u8]) {
        let Some(waiting) = self.waiting.lock().remove(&number) else { return };
        match serde_json::from_slice(answer) {
            Ok(reply) => {
                // Whoever asked may have lost patience.
                let _ = waiting.send(reply);
            }
            Err(error) => tracing::warn!(%error, "an answer of the ingest process cannot be read"),
        }
    }
}
