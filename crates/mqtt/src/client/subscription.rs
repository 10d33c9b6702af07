//! One connection of a source: subscribes, turns PUBLISH into messages, sends acknowledgements back when they are confirmed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use mqtt_protocol_core::mqtt::packet::{Qos as CodecQos, SubEntry, SubOpts, v3_1_1, v5_0};
use tokio::io::AsyncRead;
use tokio::time::timeout;

use super::connection::Login;
use super::source_config::SourceConfig;
use super::status::StatusBoard;
use crate::error::MqttError;
use crate::message::{Ack, Message, Qos};
use crate::outbox::{Outbox, Room};
use crate::packet::frames::{Frame, FrameBuffer, Frames};
use crate::packet::{ProtocolVersion, Violation, check_flags, kind, publish, reason_in_words};
use crate::queue::{MessageSender, Queued};
use crate::topic::TopicCache;

/// The only SUBSCRIBE of a connection.
const SUBSCRIBE_ID: u16 = 1;

/// The reading side of one connection to an outside broker.
pub(super) struct Subscription<'a, R> {
    pub(super) config: &'a SourceConfig,
    pub(super) login: &'a Login,
    pub(super) status: &'a StatusBoard,
    pub(super) outbox: Arc<Outbox>,
    pub(super) socket: R,
    pub(super) buffer: FrameBuffer,
    pub(super) frames: Frames,
    pub(super) queue: MessageSender,
    pub(super) batch: Vec<Queued>,
    pub(super) topics: TopicCache,
    pub(super) keep_alive: Duration,
    pub(super) outstanding: usize,
    pub(super) received: SystemTime,
}

/// Why it is over.
#[derive(Debug)]
pub(super) enum SubscriptionEnd {
    /// The connection failed, for this reason.
    Failed(MqttError),
    /// We were told to stop, or nobody takes messages any more.
    Stopped,
}

impl<R: AsyncRead + Unpin> Subscription<'_, R> {
    /// Receives until the connection is over. Can be cancelled; [`flush`](Self::flush) then moves what was read to the queue.
    pub(super) async fn run(&mut self) -> SubscriptionEnd {
        match self.subscribe_packet() {
            Some(packet) => self.outbox.push(&packet),
            None => {
                let problem = "is too long for MQTT".to_owned();
                return SubscriptionEnd::Failed(MqttError::Setting { setting: "topics", problem });
            }
        }
        loop {
            if let Err(end) = self.process().await {
                return end;
            }
            let read = self.buffer.fill(&mut self.socket);
            let read = if self.keep_alive.is_zero() {
                read.await
            } else {
                match timeout(self.keep_alive, read).await {
                    Ok(read) => read,
                    Err(_) => return self.lost("it did not answer a ping in time".to_owned()),
                }
            };
            let count = match read {
                Ok(0) => return self.lost("closed by the broker".to_owned()),
                Ok(count) => count,
                Err(error) => return self.lost(error.to_string()),
            };
            self.received = SystemTime::now();
            match self.buffer.take() {
                Ok(frames) => self.frames = frames,
                Err(violation) => return self.violated(violation),
            }
            self.status.received(0, count as u64, self.received);
        }
    }

    /// Moves messages that are read to the queue, waiting for room there.
    pub(super) async fn flush(&mut self) -> Result<(), SubscriptionEnd> {
        self.queue.send_all(&mut self.batch).await.map_err(|_| SubscriptionEnd::Stopped)
    }

    async fn process(&mut self) -> Result<(), SubscriptionEnd> {
        let bytes = self.frames.bytes().clone();
        let limit = usize::from(self.config.max_in_flight);
        let mut result = Ok(());
        let mut messages = 0;
        while let Some(frame) = self.frames.next() {
            if self.outstanding >= limit && frame.first_byte >> 4 == kind::PUBLISH {
                self.status.received(std::mem::take(&mut messages), 0, self.received);
                self.flush().await?;
                self.outbox.wait_for(Room { answers: limit - 1, ..Room::UNLIMITED }).await;
                self.outstanding = self.outbox.owed();
            }
            result = self.handle(frame, &bytes);
            if result.is_err() {
                break;
            }
            messages += u64::from(frame.first_byte >> 4 == kind::PUBLISH);
        }
        self.status.received(messages, 0, self.received);
        self.flush().await?;
        result
    }

    fn handle(&mut self, frame: Frame, bytes: &Bytes) -> Result<(), SubscriptionEnd> {
        check_flags(frame.first_byte).map_err(|violation| self.violated(violation))?;
        let body = &bytes[frame.start..frame.end];
        match frame.first_byte >> 4 {
            kind::PUBLISH => self.receive(frame, bytes).map_err(|violation| self.violated(violation)),
            kind::SUBACK => self.subscribed(body),
            kind::PINGRESP | kind::UNSUBACK => Ok(()),
            kind::DISCONNECT if self.login.version == ProtocolVersion::V5 => {
                let reason =
                    body.first().map_or_else(String::new, |&code| format!(": {}", reason_in_words(code)));
                Err(self.lost(format!("closed by the broker{reason}")))
            }
            _ => Err(self.violated(Violation::Protocol("a packet that brokers do not send now"))),
        }
    }

    fn receive(&mut self, frame: Frame, bytes: &Bytes) -> Result<(), Violation> {
        let body = &bytes[frame.start..frame.end];
        let publish = publish::read(frame.first_byte, body, self.login.version)?;
        let topic = self.topics.get(&body[publish.topic.clone()]);
        let topic = topic.ok_or(Violation::TopicInvalid("not UTF-8, empty, or with a wildcard"))?;
        let mut ack = Ack::none();
        if let Some(packet_id) = publish.packet_id {
            if publish.qos == Qos::ExactlyOnce {
                return Err(Violation::Protocol("QoS 2 on a subscription of QoS 1"));
            }
            let (sequence, outstanding) = self.outbox.owe(packet_id, publish.qos);
            self.outstanding = outstanding;
            ack = Ack::held(Arc::clone(&self.outbox), sequence);
        }
        let payload = frame.start + publish.payload.start..frame.start + publish.payload.end;
        self.batch.push(Queued::new(Message {
            source: self.config.source,
            topic,
            payload: bytes.slice(payload),
            qos: publish.qos,
            retained: publish.retain,
            received: self.received,
            ack,
        }));
        Ok(())
    }

    fn subscribed(&self, body: &[u8]) -> Result<(), SubscriptionEnd> {
        let Some(codes) = suback_codes(body, self.login.version) else {
            return Err(self.violated(Violation::Malformed("SUBACK")));
        };
        let refused = self.config.topics.iter().zip(&codes).find(|(_, code)| **code >= 0x80);
        match refused {
            None => self.status.subscribed(),
            Some((filter, &code)) => {
                let reason = match self.login.version {
                    ProtocolVersion::V3_1_1 => "not allowed".to_owned(),
                    ProtocolVersion::V5 => reason_in_words(code),
                };
                let what = format!("the subscription to {filter:?}");
                let error = MqttError::Refused { broker: self.login.broker.clone(), what, reason };
                tracing::warn!(source = self.config.name, %error, "mqtt subscription refused");
                self.status.problem(error.to_string());
            }
        }
        Ok(())
    }

    fn subscribe_packet(&self) -> Option<Vec<u8>> {
        let qos =
            if self.config.qos == Qos::AtMostOnce { CodecQos::AtMostOnce } else { CodecQos::AtLeastOnce };
        let entries: Result<Vec<SubEntry>, _> = self
            .config
            .topics
            .iter()
            .map(|filter| SubEntry::new(filter.as_str(), SubOpts::new().set_qos(qos)))
            .collect();
        let entries = entries.ok()?;
        Some(match self.login.version {
            ProtocolVersion::V3_1_1 => {
                let packet = v3_1_1::Subscribe::builder().packet_id(SUBSCRIBE_ID).entries(entries).build();
                packet.ok()?.to_continuous_buffer()
            }
            ProtocolVersion::V5 => {
                let packet = v5_0::Subscribe::builder().packet_id(SUBSCRIBE_ID).entries(entries).build();
                packet.ok()?.to_continuous_buffer()
            }
        })
    }

    fn lost(&self, reason: String) -> SubscriptionEnd {
        SubscriptionEnd::Failed(MqttError::Lost { broker: self.login.broker.clone(), reason })
    }

    fn violated(&self, violation: Violation) -> SubscriptionEnd {
        let problem = violation.to_string();
        SubscriptionEnd::Failed(MqttError::Protocol { broker: self.login.broker.clone(), problem })
    }
}

/// The answers of a SUBACK, one a filter.
fn suback_codes(body: &[u8], version: ProtocolVersion) -> Option<Vec<u8>> {
    let after_id = body.get(2..)?;
    Some(match version {
        ProtocolVersion::V3_1_1 => after_id.to_vec(),
        ProtocolVersion::V5 => {
            let (length, length_bytes) = crate::packet::read_length(after_id).ok()??;
            after_id.get(length_bytes + length..)?.to_vec()
        }
    })
}
