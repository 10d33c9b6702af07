//! What waits to be written to one socket, and the answers its peer is owed.
//!
//! One mutex, held for nanoseconds, never across an await: the connection's own task, the thread that commits, and every publisher
//! that forwards to this peer meet here. A writer task empties it; many small packets leave in one write.

mod deliveries;
mod writer;

use std::collections::VecDeque;

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use deliveries::{Delivered, Delivery, DeliveryLimits};
pub(crate) use writer::{WriteEnd, Writer};

use crate::message::Qos;
use crate::packet::{answer, kind};
use deliveries::Deliveries;

/// Output buffers above this are given back to the allocator once written.
const KEPT_CAPACITY: usize = 256 << 10;

/// The outgoing side of one connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Woken when there is something to write, or nothing ever again.
    filled: Notify,
    /// Woken when the connection's owner may go on.
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    bytes: BytesMut,
    owed: VecDeque<Owed>,
    /// Sequence number of the first entry of `owed`.
    first_owed: u64,
    waiting: Option<Room>,
    closing: bool,
    abandoned: bool,
    deliveries: Deliveries,
}

/// An answer owed to the peer. They leave in the order of the messages, as MQTT demands (specification 3.1.1, section 4.6).
#[derive(Debug)]
struct Owed {
    packet_id: u16,
    kind: u8,
    confirmed: bool,
}

/// How much may be outstanding before the connection's owner waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Answers owed, at most.
    pub(crate) answers: usize,
    /// Bytes waiting to be written, at most.
    pub(crate) bytes: usize,
    /// Deliveries that the peer has not acknowledged, at most.
    pub(crate) deliveries: usize,
}

/// What the writer finds.
pub(crate) enum Taken {
    /// There are bytes to write.
    Bytes,
    /// Wait for more.
    Nothing,
    /// Everything is written and nothing more will come.
    Finished,
    /// A message was abandoned: close without answering.
    Abandoned,
}

impl Outbox {
    pub(crate) fn new(deliveries: DeliveryLimits) -> Self {
        let state = State { deliveries: Deliveries::new(deliveries), ..State::default() };
        Self { state: Mutex::new(state), filled: Notify::new(), room: Notify::new() }
    }

    /// Queues whole packets to be written.
    pub(crate) fn push(&self, packets: &[u8]) {
        self.push_with(|out| out.extend_from_slice(packets));
    }

    /// Queues whole packets that `write` appends to the output; returns the bytes waiting then.
    pub(crate) fn push_with(&self, write: impl FnOnce(&mut BytesMut)) -> usize {
        let mut state = self.state.lock();
        let was_empty = state.bytes.is_empty();
        write(&mut state.bytes);
        let waiting = state.bytes.len();
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
        waiting
    }

    /// Notes that a message of this peer awaits its answer. Returns the number to confirm it by, and how many are now outstanding.
    pub(crate) fn owe(&self, packet_id: u16, qos: Qos) -> (u64, usize) {
        let kind = if qos == Qos::ExactlyOnce { kind::PUBREC } else { kind::PUBACK };
        let mut state = self.state.lock();
        let sequence = state.first_owed + state.owed.len() as u64;
        state.owed.push_back(Owed { packet_id, kind, confirmed: false });
        (sequence, state.owed.len())
    }

    /// The message with this number is safe; its answer leaves as soon as those before it have.
    pub(crate) fn confirm(&self, sequence: u64) {
        let mut state = self.state.lock();
        let was_empty = state.bytes.is_empty();
        let Some(index) = sequence.checked_sub(state.first_owed) else { return };
        let Some(owed) = state.owed.get_mut(index as usize) else { return };
        owed.confirmed = true;
        while let Some(owed) = state.owed.pop_front_if(|owed| owed.confirmed) {
            state.bytes.extend_from_slice(&answer(owed.kind, owed.packet_id));
            state.first_owed += 1;
        }
        let wake_owner = state.take_satisfied_wait();
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
        if wake_owner {
            self.room.notify_one();
        }
    }

    /// A message will never be safe: the connection must end without answering it.
    pub(crate) fn abandon(&self) {
        self.state.lock().abandoned = true;
        self.filled.notify_one();
        self.room.notify_one();
    }

    /// Answers owed and not yet confirmed.
    pub(crate) fn owed(&self) -> usize {
        self.state.lock().owed.len()
    }

    /// Deliveries of QoS 1 that the peer has not acknowledged.
    pub(crate) fn unacknowledged_deliveries(&self) -> usize {
        self.state.lock().deliveries.outstanding()
    }

    /// Waits until no more than `room` is outstanding, or until nothing will change any more because the outbox is closed or its
    /// connection must end. For one owner alone.
    pub(crate) async fn wait_for(&self, room: Room) {
        loop {
            {
                let mut state = self.state.lock();
                if state.fits(room) || state.closing || state.abandoned {
                    state.waiting = None;
                    return;
                }
                state.waiting = Some(room.with_a_margin());
            }
            self.room.notified().await;
        }
    }

    /// Takes no more packets: the writer ends when all is written.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.filled.notify_one();
        self.room.notify_one();
    }

    /// Sends a message to the peer, which is a subscriber, or keeps it until the peer has acknowledged earlier ones.
    pub(crate) fn deliver(&self, delivery: &Delivery<'_>) -> Delivered {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.closing {
            return Delivered::Dropped;
        }
        let was_empty = state.bytes.is_empty();
        let delivered = state.deliveries.deliver(delivery, &mut state.bytes);
        let filled = was_empty && !state.bytes.is_empty();
        drop(guard);
        if filled {
            self.filled.notify_one();
        }
        delivered
    }

    /// The peer acknowledged a delivery; sends what waited for that. False if it had acknowledged nothing of ours.
    pub(crate) fn delivery_acknowledged(&self, packet_id: u16) -> bool {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let was_empty = state.bytes.is_empty();
        let known = state.deliveries.acknowledged(packet_id, &mut state.bytes);
        let filled = was_empty && !state.bytes.is_empty();
        let wake_owner = state.take_satisfied_wait();
        drop(guard);
        if filled {
            self.filled.notify_one();
        }
        if wake_owner {
            self.room.notify_one();
        }
        known
    }

    /// Swaps the waiting bytes into `buffer`, which must be empty.
    fn take(&self, buffer: &mut BytesMut) -> Taken {
        let mut state = self.state.lock();
        if state.abandoned {
            return Taken::Abandoned;
        }
        if state.bytes.is_empty() {
            return if state.closing { Taken::Finished } else { Taken::Nothing };
        }
        if buffer.capacity() > KEPT_CAPACITY {
            *buffer = BytesMut::new();
        }
        std::mem::swap(&mut state.bytes, buffer);
        let wake_owner = state.take_satisfied_wait();
        drop(state);
        if wake_owner {
            self.room.notify_one();
        }
        Taken::Bytes
    }
}

impl Room {
    /// Nothing to wait for; to be restricted.
    pub(crate) const UNLIMITED: Self =
        Self { answers: usize::MAX, bytes: usize::MAX, deliveries: usize::MAX };
    /// Every message answered.
    pub(crate) const ALL_ANSWERED: Self = Self { answers: 0, ..Self::UNLIMITED };

    /// An eighth less than this: a waiting owner is woken then, so that it is not woken for every single answer.
    fn with_a_margin(self) -> Self {
        let less = |most: usize| most - most / 8;
        Self { answers: less(self.answers), bytes: less(self.bytes), deliveries: less(self.deliveries) }
    }
}

impl State {
    fn fits(&self, room: Room) -> bool {
        self.owed.len() <= room.answers
            && self.bytes.len() <= room.bytes
            && self.deliveries.outstanding() <= room.deliveries
    }

    fn take_satisfied_wait(&mut self) -> bool {
        match self.waiting {
            Some(room) if self.fits(room) => {
                self.waiting = None;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
