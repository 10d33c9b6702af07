//! Messages for a subscriber: what may wait, what must be acknowledged, what is dropped.

use std::collections::VecDeque;

use bytes::BytesMut;

use crate::packet::ProtocolVersion;
use crate::packet::publish::{self, PublishOut};

/// What one subscriber may make us keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryLimits {
    /// The version its packets are written in.
    pub(crate) version: ProtocolVersion,
    /// The largest packet the peer accepts, in bytes.
    pub(crate) max_packet: usize,
    /// Deliveries of QoS 1 sent and not acknowledged, at most.
    pub(crate) window: usize,
    /// Bytes unsent, at most; beyond that messages are dropped and counted.
    pub(crate) max_bytes: usize,
}

impl Default for DeliveryLimits {
    /// For a peer that subscribes to nothing.
    fn default() -> Self {
        Self { version: ProtocolVersion::V3_1_1, max_packet: 0, window: 0, max_bytes: 0 }
    }
}

/// A message for a subscriber.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) properties: &'a [u8],
    pub(crate) retain: bool,
    /// QoS 1 instead of 0.
    pub(crate) acknowledged: bool,
}

/// What became of a [`Delivery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It will be written.
    Queued,
    /// The subscriber is too slow, or the packet too large for it.
    Dropped,
}

#[derive(Debug, Default)]
pub(super) struct Deliveries {
    limits: DeliveryLimits,
    last_packet_id: u16,
    unacknowledged: VecDeque<u16>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
}

/// A QoS 1 message that waits for the window to open. Copied, because the payload it came with holds on to a whole read buffer.
#[derive(Debug)]
struct Waiting {
    topic: Box<str>,
    payload: Box<[u8]>,
    properties: Box<[u8]>,
    retain: bool,
}

impl Deliveries {
    pub(super) fn new(limits: DeliveryLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Deliveries of QoS 1 that the peer has not acknowledged, sent or not.
    pub(super) fn outstanding(&self) -> usize {
        self.unacknowledged.len() + self.waiting.len()
    }

    pub(super) fn deliver(&mut self, delivery: &Delivery<'_>, out: &mut BytesMut) -> Delivered {
        let mut packet = PublishOut {
            topic: delivery.topic,
            payload: delivery.payload,
            properties: delivery.properties,
            retain: delivery.retain,
            // Any identifier will do to know the size.
            packet_id: delivery.acknowledged.then_some(1),
        };
        let size = publish::packet_size(&packet, self.limits.version);
        if size > self.limits.max_packet || out.len() + self.waiting_bytes + size > self.limits.max_bytes {
            return Delivered::Dropped;
        }
        if delivery.acknowledged {
            if self.unacknowledged.len() >= self.limits.window || !self.waiting.is_empty() {
                self.keep(delivery);
                return Delivered::Queued;
            }
            packet.packet_id = Some(self.next_packet_id());
        }
        publish::write(out, &packet, self.limits.version);
        Delivered::Queued
    }

    pub(super) fn acknowledged(&mut self, packet_id: u16, out: &mut BytesMut) -> bool {
        let Some(index) = self.unacknowledged.iter().position(|&id| id == packet_id) else { return false };
        self.unacknowledged.remove(index);
        while self.unacknowledged.len() < self.limits.window {
            let Some(next) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= next.size();
            let packet = PublishOut {
                topic: &next.topic,
                payload: &next.payload,
                properties: &next.properties,
                retain: next.retain,
                packet_id: Some(self.next_packet_id()),
            };
            publish::write(out, &packet, self.limits.version);
        }
        true
    }

    fn keep(&mut self, delivery: &Delivery<'_>) {
        let waiting = Waiting {
            topic: delivery.topic.into(),
            payload: delivery.payload.into(),
            properties: delivery.properties.into(),
            retain: delivery.retain,
        };
        self.waiting_bytes += waiting.size();
        self.waiting.push_back(waiting);
    }

    fn next_packet_id(&mut self) -> u16 {
        loop {
            self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
            // The window is far smaller than the 65,535 identifiers, so a free one is always near.
            if !self.unacknowledged.contains(&self.last_packet_id) {
                self.unacknowledged.push_back(self.last_packet_id);
                return self.last_packet_id;
            }
        }
    }
}

impl Waiting {
    /// What it costs: its texts and the places that hold them.
    fn size(&self) -> usize {
        size_of::<Self>() + self.topic.len() + self.payload.len() + self.properties.len()
    }
}
