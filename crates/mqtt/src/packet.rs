//! MQTT packets on the wire: framing and PUBLISH by our own code, which never copies a payload; the rest by `mqtt-protocol-core`.
//!
//! Its codec is used, its connection state machine is not, though it is fast enough. That one keeps the identifiers of unanswered messages
//! as a set, so it cannot keep answers in order when another thread confirms them; it closes a 3.1.1 connection that has too many of them, where we want to stop
//! reading; and every answer would have to go through the connection's lock with an allocation or two. Its decoders accept some bytes
//! that the specification refuses (packet identifier 0, wildcards in a topic, reserved flags of CONNECT), which are checked here.

pub(crate) mod connect;
pub(crate) mod frames;
pub(crate) mod publish;

use std::fmt;

use mqtt_protocol_core::mqtt::result_code;

/// The versions of the protocol that both sides speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    /// MQTT 3.1.1, protocol level 4.
    V3_1_1,
    /// MQTT 5.0, protocol level 5.
    V5,
}

/// What a peer did that ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// The bytes are not a packet.
    Malformed(&'static str),
    /// A packet that is not allowed here.
    Protocol(&'static str),
    /// A packet larger than the limit; its size in bytes.
    TooLarge(usize),
    /// A topic with wildcards, without a character, or too long.
    TopicInvalid(&'static str),
    /// A topic alias, which we never allowed.
    TopicAlias,
    /// QoS 2 from a client that was told that 1 is the most.
    QosNotSupported,
    /// A subscription identifier, which we said is not available.
    SubscriptionIdentifier,
}

/// Packet types, the upper half of a packet's first byte.
pub(crate) mod kind {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const CONNACK: u8 = 2;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const PUBREC: u8 = 5;
    pub(crate) const PUBREL: u8 = 6;
    pub(crate) const PUBCOMP: u8 = 7;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const UNSUBSCRIBE: u8 = 10;
    pub(crate) const UNSUBACK: u8 = 11;
    pub(crate) const PINGREQ: u8 = 12;
    pub(crate) const PINGRESP: u8 = 13;
    pub(crate) const DISCONNECT: u8 = 14;
}

/// A whole PINGREQ.
pub(crate) const PINGREQ: [u8; 2] = [kind::PINGREQ << 4, 0];
/// A whole PINGRESP.
pub(crate) const PINGRESP: [u8; 2] = [kind::PINGRESP << 4, 0];
/// A whole DISCONNECT that says "normal": the only form of 3.1.1, and the short form of 5.
pub(crate) const DISCONNECT: [u8; 2] = [kind::DISCONNECT << 4, 0];

/// A DISCONNECT of MQTT 5 with a reason code.
pub(crate) fn disconnect_with_reason(reason_code: u8) -> [u8; 3] {
    [kind::DISCONNECT << 4, 1, reason_code]
}

/// PUBACK, PUBREC or PUBCOMP that says "success"; the short form is the same in 3.1.1 and 5.
pub(crate) fn answer(kind: u8, packet_id: u16) -> [u8; 4] {
    let [high, low] = packet_id.to_be_bytes();
    [kind << 4, 2, high, low]
}

/// The packet identifier at the start of the body of PUBACK, PUBREC, PUBREL and PUBCOMP.
pub(crate) fn answered_packet_id(body: &[u8], version: ProtocolVersion) -> Result<u16, Violation> {
    let too_long = version == ProtocolVersion::V3_1_1 && body.len() > 2;
    match body {
        &[high, low, ..] if !too_long => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Violation::Malformed("an acknowledgement has the wrong length")),
    }
}

/// Checks the lower half of a packet's first byte; PUBLISH checks its own.
pub(crate) fn check_flags(first_byte: u8) -> Result<(), Violation> {
    let expected = match first_byte >> 4 {
        kind::PUBLISH => return Ok(()),
        kind::PUBREL | kind::SUBSCRIBE | kind::UNSUBSCRIBE => 2,
        _ => 0,
    };
    if first_byte & 0x0F == expected { Ok(()) } else { Err(Violation::Malformed("reserved flags are set")) }
}

/// Appends a length as MQTT writes it: seven bits a byte, the lowest first. `length` must be at most 268,435,455.
pub(crate) fn put_length(out: &mut bytes::BytesMut, length: usize) {
    let mut rest = length;
    loop {
        let low = (rest & 0x7F) as u8;
        rest >>= 7;
        out.extend_from_slice(&[if rest > 0 { low | 0x80 } else { low }]);
        if rest == 0 {
            return;
        }
    }
}

/// Reads such a length from the start of `bytes`: the value and how many bytes it took; `None` = more bytes are needed.
pub(crate) fn read_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Violation> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 { Err(Violation::Malformed("a length has more than four bytes")) } else { Ok(None) }
}

impl Violation {
    /// The reason code of MQTT 5 (specification 5.0, table 2-6).
    pub(crate) fn reason_code(self) -> u8 {
        match self {
            Self::Malformed(_) => 0x81,
            Self::Protocol(_) => 0x82,
            Self::TopicInvalid(_) => 0x90,
            Self::TopicAlias => 0x94,
            Self::TooLarge(_) => 0x95,
            Self::QosNotSupported => 0x9B,
            Self::SubscriptionIdentifier => 0xA1,
        }
    }

    /// What the packet decoder of `mqtt-protocol-core` found.
    pub(crate) fn from_codec(error: result_code::MqttError) -> Self {
        match error {
            result_code::MqttError::ProtocolError => {
                Self::Protocol("a property or option is not allowed here")
            }
            _ => Self::Malformed("the packet's fields do not fit its length"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed packet: {what}"),
            Self::Protocol(what) => write!(f, "protocol error: {what}"),
            Self::TooLarge(size) => write!(f, "packet too large: {size} bytes"),
            Self::TopicInvalid(what) => write!(f, "invalid topic: {what}"),
            Self::TopicAlias => f.write_str("topic alias used, none was offered"),
            Self::QosNotSupported => f.write_str("QoS 2 used, at most 1 was offered"),
            Self::SubscriptionIdentifier => f.write_str("subscription identifier used, none was offered"),
        }
    }
}

/// The reason code of a CONNACK, SUBACK or DISCONNECT of MQTT 5, in words.
pub(crate) fn reason_in_words(code: u8) -> String {
    match result_code::MqttError::try_from(code) {
        Ok(result_code::MqttError::BadUserNameOrPassword) => "bad user name or password".to_owned(),
        Ok(result_code::MqttError::NotAuthorized) => "not authorized".to_owned(),
        Ok(result_code::MqttError::ServerUnavailable) => "server unavailable".to_owned(),
        Ok(result_code::MqttError::ServerShuttingDown) => "server shutting down".to_owned(),
        Ok(result_code::MqttError::SessionTakenOver) => "another client took over this client id".to_owned(),
        Ok(known) => format!("{known} (0x{code:02x})"),
        Err(_) => format!("reason code 0x{code:02x}"),
    }
}

#[cfg(test)]
mod tests;
