//! The reading side of one client: its packets, in order, each answered or turned into a message.

mod subscribe;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::time::timeout;

use super::hub::{Client, Hub, Publication};
use super::stats::CloseReason;
use super::subscriptions::Match;
use crate::message::{Ack, Message, Qos};
use crate::outbox::Room;
use crate::packet::connect::Will;
use crate::packet::frames::{Frame, FrameBuffer, Frames};
use crate::packet::{
    PINGRESP, ProtocolVersion, Violation, answer, answered_packet_id, check_flags, kind, publish,
};
use crate::queue::{MessageSender, Queued};
use crate::topic::TopicCache;

/// A client that makes us say more than this without reading it is not read either.
const MAX_UNWRITTEN: usize = 1 << 20;
/// Reads after which others get a turn, however much this client sends: 1 MiB.
const READS_PER_TURN: u32 = 16;

/// The reading side of one client.
pub(super) struct Session<R> {
    hub: Arc<Hub>,
    client: Arc<Client>,
    socket: R,
    buffer: FrameBuffer,
    frames: Frames,
    queue: MessageSender,
    /// Read, answered to the subscribers, not yet in the queue.
    batch: Vec<Queued>,
    topics: TopicCache,
    matches: Vec<Match>,
    /// QoS 2 messages received and not yet released; only 3.1.1 clients have any.
    unreleased: HashSet<u16>,
    silence: Option<Duration>,
    outstanding: usize,
    unwritten: usize,
    counts: [u64; 3],
    received: SystemTime,
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// DISCONNECT.
    Goodbye,
    /// DISCONNECT of MQTT 5 that asks for the will.
    GoodbyeWithWill,
    /// The client did something it must not.
    Violation(Violation),
    /// Anything else.
    Other(CloseReason),
}

impl<R: AsyncRead + Unpin> Session<R> {
    /// `frames` are packets that came right behind the CONNECT.
    pub(super) fn new(
        hub: Arc<Hub>,
        client: Arc<Client>,
        socket: R,
        buffer: FrameBuffer,
        frames: Frames,
        queue: MessageSender,
        silence: Option<Duration>,
    ) -> Self {
        Self {
            hub,
            client,
            socket,
            buffer,
            frames,
            queue,
            batch: Vec::new(),
            topics: TopicCache::default(),
            matches: Vec::new(),
            unreleased: HashSet::new(),
            silence,
            outstanding: 0,
            unwritten: 0,
            counts: [0; 3],
            received: SystemTime::now(),
        }
    }

    /// Serves the client until its connection is over. Can be cancelled; [`flush`](Self::flush) then moves what was read to the queue.
    pub(super) async fn run(&mut self) -> End {
        let mut reads = 0;
        loop {
            if let Err(end) = self.process().await {
                return end;
            }
            let read = self.buffer.fill(&mut self.socket);
            let read = match self.silence {
                Some(limit) => match timeout(limit, read).await {
                    Ok(read) => read,
                    Err(_) => return End::Other(CloseReason::KeepAlive),
                },
                None => read.await,
            };
            match read {
                Ok(0) | Err(_) => return End::Other(CloseReason::Lost),
                Ok(count) => self.client.count_read(count),
            }
            self.received = SystemTime::now();
            match self.buffer.take() {
                Ok(frames) => self.frames = frames,
                Err(violation) => return End::Violation(violation),
            }
            reads += 1;
            if reads % READS_PER_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Moves messages that are read to the queue, waiting for room there.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        let count: u64 = self.counts.iter().sum();
        if count > 0 {
            self.client.count_messages(count, self.received);
            self.hub.counters.count_messages(std::mem::take(&mut self.counts));
        }
        // The queue is closed only when the program is going down.
        self.queue.send_all(&mut self.batch).await.map_err(|_| End::Other(CloseReason::Shutdown))
    }

    /// Publishes the will.
    pub(super) async fn publish_will(&mut self, will: Will) {
        let topic: Arc<str> = will.topic.into();
        let properties = 0..will.properties.len();
        self.accept(Accepted {
            topic,
            qos: will.qos,
            retain: will.retain,
            properties: &will.properties[properties],
            payload: will.payload,
            ack: Ack::none(),
        });
        // If the queue is closed, nobody is left to tell.
        let _ = self.flush().await;
    }

    /// Gives the socket back, for the last bytes of a connection that is over.
    pub(super) fn into_socket(self) -> R {
        self.socket
    }

    /// Handles the packets read so far.
    async fn process(&mut self) -> Result<(), End> {
        let bytes = self.frames.bytes().clone();
        let mut result = Ok(());
        while let Some(frame) = self.frames.next() {
            if self.outstanding >= usize::from(self.hub.config.max_in_flight) && is_acknowledged(frame) {
                self.flush().await?;
                let answers = usize::from(self.hub.config.max_in_flight) - 1;
                self.client.outbox.wait_for(Room { answers, ..Room::UNLIMITED }).await;
                self.outstanding = self.client.outbox.owed();
            }
            result = self.handle(frame, &bytes).await;
            if result.is_err() {
                break;
            }
            if self.unwritten > MAX_UNWRITTEN {
                self.client.outbox.wait_for(Room { bytes: MAX_UNWRITTEN, ..Room::UNLIMITED }).await;
                self.unwritten = 0;
            }
        }
        // What came before the end, whatever it was, was sent properly.
        self.flush().await?;
        result
    }

    async fn handle(&mut self, frame: Frame, bytes: &Bytes) -> Result<(), End> {
        check_flags(frame.first_byte).map_err(End::Violation)?;
        let body = &bytes[frame.start..frame.end];
        let outcome = match frame.first_byte >> 4 {
            kind::PUBLISH => self.receive(frame, bytes),
            kind::PUBACK => self.delivery_acknowledged(body),
            kind::PUBREL => self.release(body),
            kind::SUBSCRIBE => self.subscribe(body).await,
            kind::UNSUBSCRIBE => self.unsubscribe(body),
            kind::PINGREQ => {
                self.say(&PINGRESP);
                Ok(())
            }
            kind::DISCONNECT => return Err(self.goodbye(body)),
            kind::CONNECT => Err(Violation::Protocol("a second CONNECT")),
            kind::PUBREC => Err(Violation::Protocol("an answer to a QoS 2 message, and none was sent")),
            _ => Err(Violation::Protocol("a packet that only servers send")),
        };
        outcome.map_err(End::Violation)
    }

    fn receive(&mut self, frame: Frame, bytes: &Bytes) -> Result<(), Violation> {
        let body = &bytes[frame.start..frame.end];
        let publish = publish::read(frame.first_byte, body, self.client.version)?;
        let topic = self.topic(&body[publish.topic.clone()])?;
        let mut ack = Ack::none();
        if let Some(packet_id) = publish.packet_id {
            let exactly_once = publish.qos == Qos::ExactlyOnce;
            if exactly_once && self.client.version == ProtocolVersion::V5 {
                return Err(Violation::QosNotSupported);
            }
            let (sequence, outstanding) = self.client.outbox.owe(packet_id, publish.qos);
            self.outstanding = outstanding;
            ack = Ack::held(Arc::clone(&self.client.outbox), sequence);
            if exactly_once && !self.unreleased.insert(packet_id) {
                // Sent again before it was released: answered again, right behind the first, and not taken twice.
                ack.confirm();
                return Ok(());
            }
        }
        let in_bytes = |part: Range<usize>| frame.start + part.start..frame.start + part.end;
        self.accept(Accepted {
            topic,
            qos: publish.qos,
            retain: publish.retain,
            properties: &body[publish.properties],
            payload: bytes.slice(in_bytes(publish.payload)),
            ack,
        });
        Ok(())
    }

    fn topic(&mut self, bytes: &[u8]) -> Result<Arc<str>, Violation> {
        if bytes.is_empty() {
            return Err(Violation::TopicInvalid("it is empty"));
        }
        if bytes.len() > self.hub.config.max_topic {
            return Err(Violation::TopicInvalid("it is longer than the limit"));
        }
        self.topics.get(bytes).ok_or_else(|| match std::str::from_utf8(bytes) {
            Ok(_) => Violation::TopicInvalid("it contains a wildcard or NUL"),
            Err(_) => Violation::Malformed("the topic is not UTF-8"),
        })
    }

    fn accept(&mut self, accepted: Accepted<'_>) {
        let publication = Publication {
            from: self.client.number,
            topic: &accepted.topic,
            payload: &accepted.payload,
            properties: accepted.properties,
            qos: accepted.qos,
            retain: accepted.retain,
        };
        self.hub.publish(&publication, &mut self.matches);
        self.counts[accepted.qos as usize] += 1;
        self.batch.push(Queued::new(Message {
            source: self.hub.config.source,
            topic: accepted.topic,
            payload: accepted.payload,
            qos: accepted.qos,
            retained: false,
            received: self.received,
            ack: accepted.ack,
        }));
    }

    fn delivery_acknowledged(&mut self, body: &[u8]) -> Result<(), Violation> {
        let packet_id = answered_packet_id(body, self.client.version)?;
        // An unknown identifier is one we gave up on; mosquitto, too, lets that pass.
        self.client.outbox.delivery_acknowledged(packet_id);
        Ok(())
    }

    fn release(&mut self, body: &[u8]) -> Result<(), Violation> {
        let packet_id = answered_packet_id(body, self.client.version)?;
        self.unreleased.remove(&packet_id);
        self.say(&answer(kind::PUBCOMP, packet_id));
        Ok(())
    }

    fn goodbye(&self, body: &[u8]) -> End {
        match (self.client.version, body) {
            (_, []) | (ProtocolVersion::V5, [0, ..]) => End::Goodbye,
            (ProtocolVersion::V3_1_1, _) => End::Violation(Violation::Malformed("DISCONNECT with a body")),
            // 4 asks for the will; any other code is an error of the client, and then the will is due as well.
            (ProtocolVersion::V5, _) => End::GoodbyeWithWill,
        }
    }

    fn say(&mut self, packet: &[u8]) {
        self.unwritten = self.client.outbox.push_with(|out| out.extend_from_slice(packet));
    }
}

/// A message that is in order, before it is counted, forwarded and queued.
struct Accepted<'a> {
    topic: Arc<str>,
    qos: Qos,
    retain: bool,
    properties: &'a [u8],
    payload: Bytes,
    ack: Ack,
}

/// Whether a frame is a PUBLISH that will be answered.
fn is_acknowledged(frame: Frame) -> bool {
    frame.first_byte >> 4 == kind::PUBLISH && frame.first_byte & 0b0110 != 0
}

impl End {
    pub(super) fn reason(self) -> CloseReason {
        match self {
            Self::Goodbye | Self::GoodbyeWithWill => CloseReason::Disconnected,
            Self::Violation(violation) => violation.into(),
            Self::Other(reason) => reason,
        }
    }

    /// Whether the client's will is to be published. Not when the broker stops: that says nothing about the client.
    pub(super) fn is_unexpected(self) -> bool {
        !matches!(self, Self::Goodbye | Self::Other(CloseReason::Shutdown))
    }

    /// What a client of MQTT 5 is told, if there is anything to tell.
    pub(super) fn reason_code(self) -> Option<u8> {
        match self {
            Self::Violation(violation) => Some(violation.reason_code()),
            Self::Other(CloseReason::KeepAlive) => Some(0x8D),
            Self::Other(CloseReason::TakenOver) => Some(0x8E),
            Self::Other(CloseReason::Shutdown) => Some(0x8B),
            Self::Other(CloseReason::NotKept) => Some(0x83),
            _ => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            other => f.write_str(other.reason().label()),
        }
    }
}
