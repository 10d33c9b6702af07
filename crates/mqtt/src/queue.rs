//! The bounded queue between the sockets and the program. When it is full the sockets are not read; nothing is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc};

use crate::message::{Ack, Message};

/// Payload bytes that may wait in a [`queue`]: 64 MiB, so that a full queue of the largest payloads cannot exhaust a small machine.
const DEFAULT_MAX_BYTES: usize = 64 << 20;

/// Nobody reads the queue any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message queue is closed")]
pub struct QueueClosed;

/// The end that brokers and sources put messages into. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MessageSender {
    channel: mpsc::Sender<Queued>,
    bytes: Arc<ByteGauge>,
}

/// The end that the program takes messages from.
///
/// Messages still inside when this is dropped are [abandoned](Ack::abandon), never acknowledged.
#[derive(Debug)]
pub struct MessageReceiver {
    channel: mpsc::Receiver<Queued>,
    bytes: Arc<ByteGauge>,
    scratch: Vec<Queued>,
}

/// A message on its way. Unlike a [`Message`], dropping it abandons instead of acknowledging: nobody has taken it yet.
#[derive(Debug)]
pub(crate) struct Queued(Option<Message>);

#[derive(Debug)]
struct ByteGauge {
    waiting: AtomicUsize,
    limit: usize,
    room: Notify,
}

/// A queue for `capacity` messages and 64 MiB of payloads, whichever is reached first.
pub fn queue(capacity: usize) -> (MessageSender, MessageReceiver) {
    queue_with_limit(capacity, DEFAULT_MAX_BYTES)
}

/// A queue for `capacity` messages and about `max_bytes` of payloads: senders wait while more than that is inside, so it can be exceeded
/// by one read of each connection.
pub fn queue_with_limit(capacity: usize, max_bytes: usize) -> (MessageSender, MessageReceiver) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let bytes =
        Arc::new(ByteGauge { waiting: AtomicUsize::new(0), limit: max_bytes.max(1), room: Notify::new() });
    let sender = MessageSender { channel: sender, bytes: Arc::clone(&bytes) };
    (sender, MessageReceiver { channel: receiver, bytes, scratch: Vec::new() })
}

impl MessageSender {
    /// Puts one message in, waiting for room.
    ///
    /// # Errors
    /// [`QueueClosed`] when the receiver is gone; the message is then abandoned.
    pub async fn send(&self, message: Message) -> Result<(), QueueClosed> {
        self.send_all(&mut vec![Queued(Some(message))]).await
    }

    /// Puts one message in from a thread that may block, waiting for room by count (not by bytes).
    ///
    /// # Errors
    /// [`QueueClosed`] when the receiver is gone; the message is then abandoned.
    ///
    /// # Panics
    /// When called on a thread that runs asynchronous tasks.
    pub fn blocking_send(&self, message: Message) -> Result<(), QueueClosed> {
        self.bytes.waiting.fetch_add(message.payload.len(), Ordering::Relaxed);
        self.channel.blocking_send(Queued(Some(message))).map_err(|_| QueueClosed)
    }

    /// Messages waiting to be received.
    pub fn depth(&self) -> usize {
        self.channel.max_capacity() - self.channel.capacity()
    }

    /// Payload bytes waiting to be received.
    pub fn depth_bytes(&self) -> usize {
        self.bytes.waiting.load(Ordering::Relaxed)
    }

    /// Moves the whole batch in, a part at a time. If this is cancelled, what was not moved is still in `batch`.
    pub(crate) async fn send_all(&self, batch: &mut Vec<Queued>) -> Result<(), QueueClosed> {
        // Asking for the whole capacity at once would let the queue run empty before each refill.
        let part = (self.channel.max_capacity() / 4).max(1);
        while !batch.is_empty() {
            self.bytes.wait_for_room().await;
            let count = batch.len().min(part);
            let permits = self.channel.reserve_many(count).await.map_err(|_| QueueClosed)?;
            let payloads = batch[..count].iter().map(Queued::payload_len).sum();
            self.bytes.waiting.fetch_add(payloads, Ordering::Relaxed);
            for (permit, message) in permits.zip(batch.drain(..count)) {
                permit.send(message);
            }
        }
        Ok(())
    }
}

impl MessageReceiver {
    /// Waits for at least one message, then appends up to `limit` to `out` and returns how many; 0 = all senders are gone.
    ///
    /// # Panics
    /// When called on a thread that runs asynchronous tasks.
    pub fn blocking_recv_many(&mut self, out: &mut Vec<Message>, limit: usize) -> usize {
        let count = self.channel.blocking_recv_many(&mut self.scratch, limit.max(1));
        self.unpack(out);
        count
    }

    /// Like [`blocking_recv_many`](Self::blocking_recv_many), for asynchronous tasks. Loses nothing when cancelled.
    pub async fn recv_many(&mut self, out: &mut Vec<Message>, limit: usize) -> usize {
        let count = self.channel.recv_many(&mut self.scratch, limit.max(1)).await;
        self.unpack(out);
        count
    }

    /// Appends what is there now, up to `limit`, and returns how many; 0 = nothing now, or nothing ever again.
    pub fn try_recv_many(&mut self, out: &mut Vec<Message>, limit: usize) -> usize {
        while self.scratch.len() < limit.max(1) {
            let Ok(message) = self.channel.try_recv() else { break };
            self.scratch.push(message);
        }
        let count = self.scratch.len();
        self.unpack(out);
        count
    }

    /// Waits for one message; `None` = all senders are gone.
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.channel.recv().await?.into_message();
        self.bytes.release(message.payload.len());
        Some(message)
    }

    /// Messages waiting to be received.
    pub fn depth(&self) -> usize {
        self.channel.len()
    }

    fn unpack(&mut self, out: &mut Vec<Message>) {
        let first = out.len();
        out.extend(self.scratch.drain(..).map(Queued::into_message));
        self.bytes.release(out[first..].iter().map(|message| message.payload.len()).sum());
    }
}

impl Queued {
    pub(crate) fn new(message: Message) -> Self {
        Self(Some(message))
    }

    fn payload_len(&self) -> usize {
        self.0.as_ref().map_or(0, |message| message.payload.len())
    }

    fn into_message(mut self) -> Message {
        self.0.take().expect("a queued message is taken once, by value")
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if let Some(message) = self.0.take() {
            Ack::abandon(message.ack);
        }
    }
}

impl ByteGauge {
    async fn wait_for_room(&self) {
        while self.waiting.load(Ordering::Relaxed) >= self.limit {
            let notified = self.room.notified();
            tokio::pin!(notified);
            // Registered before the second look, so a release in between is not missed.
            notified.as_mut().enable();
            if self.waiting.load(Ordering::SeqCst) < self.limit {
                return;
            }
            notified.await;
        }
    }

    fn release(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let before = self.waiting.fetch_sub(bytes, Ordering::SeqCst);
        if before >= self.limit && before - bytes < self.limit {
            self.room.notify_waiters();
        }
    }
}
