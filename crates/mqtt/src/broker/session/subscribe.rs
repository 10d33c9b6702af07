//! SUBSCRIBE and UNSUBSCRIBE.

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::Qos as CodecQos;
use mqtt_protocol_core::mqtt::packet::{Property, RetainHandling, SubEntry, SubOpts, v3_1_1, v5_0};
use tokio::io::AsyncRead;

use super::Session;
use crate::broker::hub::Subscribed;
use crate::broker::subscriptions::{MAX_FILTER_LEVELS, Options};
use crate::message::Qos;
use crate::outbox::Room;
use crate::packet::{ProtocolVersion, Violation, kind, put_length};
use crate::topic::filter_is_valid;

/// Retained messages wait for the subscriber to read when this much is unwritten: a quarter of its buffer by default, so that live messages still fit.
const RETAINED_UNWRITTEN: usize = 1 << 20;

/// Answers of SUBACK and UNSUBACK in MQTT 5 (specification 5.0, table 2-6). 3.1.1 knows only 0x80 for all failures.
mod code {
    pub(super) const NO_SUBSCRIPTION: u8 = 0x11;
    pub(super) const FAILURE: u8 = 0x80;
    pub(super) const FILTER_INVALID: u8 = 0x8F;
    pub(super) const QUOTA_EXCEEDED: u8 = 0x97;
    pub(super) const SHARED_NOT_SUPPORTED: u8 = 0x9E;
}

impl<R: AsyncRead + Unpin> Session<R> {
    pub(super) async fn subscribe(&mut self, body: &[u8]) -> Result<(), Violation> {
        let (packet_id, entries) = read_subscribe(body, self.client.version)?;
        let mut codes = Vec::with_capacity(entries.len());
        let mut wanted = Vec::new();
        for entry in &entries {
            let options = Options {
                qos: if entry.sub_opts().qos() == CodecQos::AtMostOnce {
                    Qos::AtMostOnce
                } else {
                    Qos::AtLeastOnce
                },
                no_local: entry.sub_opts().nl(),
                retain_as_published: entry.sub_opts().rap(),
            };
            match self.subscribe_one(entry.topic_filter(), options) {
                Ok(subscribed) => {
                    codes.push(options.qos as u8);
                    if wants_retained(entry.sub_opts(), subscribed) {
                        wanted.push((entry.topic_filter(), options.qos));
                    }
                }
                Err(code) => codes.push(code),
            }
        }
        self.answer_filters(kind::SUBACK, packet_id, &codes);
        for (filter, qos) in wanted {
            self.send_retained(filter, qos).await;
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, body: &[u8]) -> Result<(), Violation> {
        let version = self.client.version;
        let (packet_id, filters) = match version {
            ProtocolVersion::V3_1_1 => {
                let (packet, _) = v3_1_1::Unsubscribe::parse(body).map_err(Violation::from_codec)?;
                (packet.packet_id(), packet.entries().clone())
            }
            ProtocolVersion::V5 => {
                let (packet, _) = v5_0::Unsubscribe::parse(body).map_err(Violation::from_codec)?;
                (packet.packet_id(), packet.entries().clone())
            }
        };
        check_packet_id(packet_id)?;
        let ended = filters.iter().map(|filter| self.hub.unsubscribe(&self.client, filter.as_str()));
        let codes: Vec<u8> = ended.map(|ended| if ended { 0 } else { code::NO_SUBSCRIPTION }).collect();
        match version {
            // Its UNSUBACK has no codes.
            ProtocolVersion::V3_1_1 => self.say(&crate::packet::answer(kind::UNSUBACK, packet_id)),
            ProtocolVersion::V5 => self.answer_filters(kind::UNSUBACK, packet_id, &codes),
        }
        Ok(())
    }

    fn subscribe_one(&mut self, filter: &str, options: Options) -> Result<Subscribed, u8> {
        let failure = |code_v5: u8| match self.client.version {
            ProtocolVersion::V3_1_1 => code::FAILURE,
            ProtocolVersion::V5 => code_v5,
        };
        let levels = filter.split('/').count();
        if !filter_is_valid(filter) || filter.len() > self.hub.config.max_topic || levels > MAX_FILTER_LEVELS
        {
            return Err(failure(code::FILTER_INVALID));
        }
        if self.client.version == ProtocolVersion::V5 && filter.starts_with("$share/") {
            return Err(code::SHARED_NOT_SUPPORTED);
        }
        match self.hub.subscribe(&self.client, filter, options) {
            Subscribed::TooMany => Err(failure(code::QUOTA_EXCEEDED)),
            subscribed => Ok(subscribed),
        }
    }

    async fn send_retained(&mut self, filter: &str, granted: Qos) {
        for retained in self.hub.retained(filter) {
            let bytes = RETAINED_UNWRITTEN.min(self.hub.config.subscriber_buffer / 4);
            let room = Room { bytes, ..Room::UNLIMITED };
            self.client.outbox.wait_for(room).await;
            self.hub.deliver_retained(&self.client, &retained, granted);
        }
    }

    /// SUBACK, or the UNSUBACK of MQTT 5.
    fn answer_filters(&mut self, kind: u8, packet_id: u16, codes: &[u8]) {
        let no_properties: &[u8] = match self.client.version {
            ProtocolVersion::V3_1_1 => &[],
            ProtocolVersion::V5 => &[0],
        };
        let mut packet = BytesMut::with_capacity(codes.len() + 8);
        packet.extend_from_slice(&[kind << 4]);
        put_length(&mut packet, 2 + no_properties.len() + codes.len());
        packet.extend_from_slice(&packet_id.to_be_bytes());
        packet.extend_from_slice(no_properties);
        packet.extend_from_slice(codes);
        self.say(&packet);
    }
}

fn read_subscribe(body: &[u8], version: ProtocolVersion) -> Result<(u16, Vec<SubEntry>), Violation> {
    let (packet_id, entries) = match version {
        ProtocolVersion::V3_1_1 => {
            let (packet, _) = v3_1_1::Subscribe::parse(body).map_err(Violation::from_codec)?;
            // Above the QoS these bits are reserved; the decoder takes them for the options of MQTT 5.
            if packet.entries().iter().any(|entry| entry.sub_opts().to_buffer()[0] & !3 != 0) {
                return Err(Violation::Malformed("reserved bits in SUBSCRIBE"));
            }
            (packet.packet_id(), packet.entries().clone())
        }
        ProtocolVersion::V5 => {
            let (packet, _) = v5_0::Subscribe::parse(body).map_err(Violation::from_codec)?;
            if packet.props().iter().any(|p| matches!(p, Property::SubscriptionIdentifier(_))) {
                return Err(Violation::SubscriptionIdentifier);
            }
            (packet.packet_id(), packet.entries().clone())
        }
    };
    check_packet_id(packet_id)?;
    Ok((packet_id, entries))
}

fn check_packet_id(packet_id: u16) -> Result<(), Violation> {
    if packet_id == 0 { Err(Violation::Protocol("packet identifier 0")) } else { Ok(()) }
}

fn wants_retained(options: &SubOpts, subscribed: Subscribed) -> bool {
    match options.rh() {
        RetainHandling::SendRetained => true,
        RetainHandling::SendRetainedIfNotExists => subscribed == Subscribed::New,
        RetainHandling::DoNotSendRetained => false,
    }
}
