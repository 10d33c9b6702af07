//! One received PUBLISH and the answer it is waiting for.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use crate::outbox::Outbox;

/// One PUBLISH received, from whichever side.
#[derive(Debug)]
pub struct Message {
    /// Where it came from: the number given in [`BrokerConfig::source`](crate::BrokerConfig) or [`SourceConfig::source`](crate::SourceConfig).
    pub source: u16,
    /// The topic: not empty, UTF-8, without wildcards and without NUL.
    pub topic: Arc<str>,
    /// The payload, any bytes. It shares the memory of the read it arrived in: keep a copy if it is to live for long.
    pub payload: Bytes,
    /// The quality of service it was sent with.
    pub qos: Qos,
    /// An outside broker sent this from its store of retained messages, so it says nothing about now. Always false for what was
    /// published to the embedded broker: that is happening now, whether or not the publisher asked to retain it.
    pub retained: bool,
    /// When its bytes were read from the socket.
    pub received: SystemTime,
    /// The publisher's answer, held until this is dropped or confirmed.
    pub ack: Ack,
}

/// How often a message may arrive, as MQTT promises it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Qos {
    /// QoS 0: at most once, never acknowledged.
    AtMostOnce = 0,
    /// QoS 1: at least once, acknowledged with PUBACK.
    AtLeastOnce = 1,
    /// QoS 2: exactly once. Only what 3.1.1 clients send to the embedded broker; it is never sent.
    ExactlyOnce = 2,
}

/// Answers the publisher when dropped or [confirmed](Ack::confirm): a PUBACK held until the message is durable.
///
/// Cheap to move and to send to another thread. Answers leave in the order in which the messages came, so one that is held holds
/// back those of later messages of the same connection. A message of QoS 0 has nothing to answer. While its thread is panicking a
/// drop counts as [`abandon`](Ack::abandon), so that a bug never acknowledges what it lost.
#[must_use = "dropping it acknowledges the message"]
#[derive(Debug)]
pub struct Ack {
    ticket: Option<Ticket>,
}

#[derive(Debug)]
struct Ticket {
    outbox: Arc<Outbox>,
    sequence: u64,
}

impl Ack {
    /// An answer nobody waits for: QoS 0, tests, messages that did not come by MQTT.
    pub fn none() -> Self {
        Self { ticket: None }
    }

    pub(crate) fn held(outbox: Arc<Outbox>, sequence: u64) -> Self {
        Self { ticket: Some(Ticket { outbox, sequence }) }
    }

    /// The message is safe: answer the publisher. The same as dropping this.
    pub fn confirm(self) {}

    /// The message is not safe and never will be: the publisher's connection is closed unanswered, so that it sends the message again.
    pub fn abandon(mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.outbox.abandon();
        }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        if std::thread::panicking() {
            ticket.outbox.abandon();
        } else {
            ticket.outbox.confirm(ticket.sequence);
        }
    }
}
