//! PUBLISH: the packet that is nearly all of the traffic. Read in place, written into the buffer it leaves from.

use std::ops::Range;

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::{Properties, PropertiesParse, Property};

use super::{ProtocolVersion, Violation, kind, put_length, read_length};
use crate::message::Qos;

/// The parts of a received PUBLISH, as positions in its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// Present and not zero when `qos` is not 0.
    pub(crate) packet_id: Option<u16>,
    /// Not yet checked to be a valid topic.
    pub(crate) topic: Range<usize>,
    /// The properties of MQTT 5 without their length, valid; empty in 3.1.1.
    pub(crate) properties: Range<usize>,
    pub(crate) payload: Range<usize>,
}

/// A PUBLISH to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublishOut<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    /// Properties of MQTT 5 without their length; left out for a 3.1.1 peer.
    pub(crate) properties: &'a [u8],
    pub(crate) retain: bool,
    /// The packet identifier makes it QoS 1; none makes it QoS 0.
    pub(crate) packet_id: Option<u16>,
}

/// Reads a PUBLISH whose first byte and body are given.
pub(crate) fn read(first_byte: u8, body: &[u8], version: ProtocolVersion) -> Result<Publish, Violation> {
    let qos = match (first_byte >> 1) & 3 {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        2 => Qos::ExactlyOnce,
        _ => return Err(Violation::Malformed("PUBLISH with QoS 3")),
    };
    let Some(&[high, low]) = body.get(..2) else {
        return Err(Violation::Malformed("PUBLISH without a topic"));
    };
    let topic = 2..2 + usize::from(u16::from_be_bytes([high, low]));
    let mut position = topic.end;
    if position > body.len() {
        return Err(Violation::Malformed("the topic is longer than its packet"));
    }
    let mut packet_id = None;
    if qos != Qos::AtMostOnce {
        let Some(&[high, low]) = body.get(position..position + 2) else {
            return Err(Violation::Malformed("PUBLISH without a packet identifier"));
        };
        let id = u16::from_be_bytes([high, low]);
        if id == 0 {
            return Err(Violation::Protocol("packet identifier 0"));
        }
        packet_id = Some(id);
        position += 2;
    }
    let mut properties = position..position;
    if version == ProtocolVersion::V5 {
        let Some((length, length_bytes)) = read_length(&body[position..])? else {
            return Err(Violation::Malformed("PUBLISH without properties"));
        };
        properties = position + length_bytes..position + length_bytes + length;
        if properties.end > body.len() {
            return Err(Violation::Malformed("the properties are longer than their packet"));
        }
        if length > 0 {
            check_properties(&body[position..properties.end])?;
        }
        position = properties.end;
    }
    let retain = first_byte & 1 != 0;
    Ok(Publish { qos, retain, packet_id, topic, properties, payload: position..body.len() })
}

/// Appends a PUBLISH to `out`. The topic must be at most 65,535 bytes long and the whole below 256 MiB.
pub(crate) fn write(out: &mut BytesMut, publish: &PublishOut<'_>, version: ProtocolVersion) {
    let length = body_length(publish, version);
    out.reserve(length + 5);
    let qos_bit = u8::from(publish.packet_id.is_some()) << 1;
    out.extend_from_slice(&[kind::PUBLISH << 4 | qos_bit | u8::from(publish.retain)]);
    put_length(out, length);
    out.extend_from_slice(&(publish.topic.len() as u16).to_be_bytes());
    out.extend_from_slice(publish.topic.as_bytes());
    if let Some(id) = publish.packet_id {
        out.extend_from_slice(&id.to_be_bytes());
    }
    if version == ProtocolVersion::V5 {
        put_length(out, publish.properties.len());
        out.extend_from_slice(publish.properties);
    }
    out.extend_from_slice(publish.payload);
}

/// Size of the whole packet that [`write`] would make, at most: the header is taken as five bytes.
pub(crate) fn packet_size(publish: &PublishOut<'_>, version: ProtocolVersion) -> usize {
    body_length(publish, version) + 5
}

fn body_length(publish: &PublishOut<'_>, version: ProtocolVersion) -> usize {
    let properties = match version {
        ProtocolVersion::V3_1_1 => 0,
        ProtocolVersion::V5 => length_size(publish.properties.len()) + publish.properties.len(),
    };
    2 + publish.topic.len()
        + 2 * usize::from(publish.packet_id.is_some())
        + properties
        + publish.payload.len()
}

fn length_size(length: usize) -> usize {
    match length {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// `bytes` are the properties with their length. Neither side of this crate offers topic aliases or subscription identifiers.
fn check_properties(bytes: &[u8]) -> Result<(), Violation> {
    let (properties, _) = Properties::parse(bytes).map_err(Violation::from_codec)?;
    for property in &properties {
        match property {
            Property::PayloadFormatIndicator(_)
            | Property::MessageExpiryInterval(_)
            | Property::ContentType(_)
            | Property::ResponseTopic(_)
            | Property::CorrelationData(_)
            | Property::UserProperty(_) => {}
            Property::TopicAlias(_) => return Err(Violation::TopicAlias),
            Property::SubscriptionIdentifier(_) => return Err(Violation::SubscriptionIdentifier),
            _ => return Err(Violation::Protocol("a property that PUBLISH must not have")),
        }
    }
    Ok(())
}
