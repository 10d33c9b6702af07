//! CONNECT as the broker reads it, one form for both versions, and the CONNACK it answers.

use bytes::Bytes;
use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, MaximumPacketSize, MaximumQos, Properties, Property, ReceiveMaximum,
    ServerKeepAlive, SessionExpiryInterval, SharedSubscriptionAvailable, SubscriptionIdentifierAvailable,
    v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code;

use super::{ProtocolVersion, kind, put_length};
use crate::message::Qos;

/// Where the connect flags are, in the body of a CONNECT: after the name "MQTT" and the level.
const FLAGS_OFFSET: usize = 7;
/// A receive maximum nobody stated (specification 5.0, section 3.1.2.11.3).
const DEFAULT_RECEIVE_MAXIMUM: u16 = u16::MAX;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) version: ProtocolVersion,
    pub(crate) client_id: String,
    pub(crate) clean: bool,
    /// Seconds; 0 = none.
    pub(crate) keep_alive: u16,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
    pub(crate) will: Option<Will>,
    /// Deliveries of QoS 1 it accepts before it acknowledges one.
    pub(crate) receive_maximum: u16,
    /// Largest packet it accepts, in bytes.
    pub(crate) max_packet: usize,
    /// It asked that the session should outlive the connection.
    pub(crate) wants_session: bool,
}

/// What to publish if the client vanishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    /// Not yet checked to be a valid topic.
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) properties: Bytes,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
}

/// Why a CONNECT cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// Not a CONNECT, or not a valid one: close without an answer.
    NotConnect,
    /// A version that is not spoken here.
    Version(u8),
    /// A will of QoS 2 from a client of MQTT 5.
    WillQos,
    /// It wants to authenticate in a way that is not offered.
    AuthenticationMethod,
}

/// What the broker grants, for the CONNACK of MQTT 5.
#[derive(Debug)]
pub(crate) struct Granted<'a> {
    pub(crate) receive_maximum: u16,
    pub(crate) max_packet: usize,
    /// The identifier the broker made up for the client.
    pub(crate) assigned_client_id: Option<&'a str>,
    /// Seconds, if not what the client asked for.
    pub(crate) keep_alive: Option<u16>,
    /// The client asked for a session that outlives the connection; tell it that there is none.
    pub(crate) no_session: bool,
}

/// Reads a CONNECT whose first byte and body are given.
pub(crate) fn read(first_byte: u8, body: &[u8]) -> Result<Connect, ConnectError> {
    if first_byte != kind::CONNECT << 4 {
        return Err(ConnectError::NotConnect);
    }
    match body {
        [0, 4, b'M', b'Q', b'T', b'T', 4, ..] => read_v3(body),
        [0, 4, b'M', b'Q', b'T', b'T', 5, ..] => read_v5(body),
        [0, 4, b'M', b'Q', b'T', b'T', level, ..] => Err(ConnectError::Version(*level)),
        [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', level, ..] => Err(ConnectError::Version(*level)),
        _ => Err(ConnectError::NotConnect),
    }
}

/// An accepting CONNACK without a present session.
pub(crate) fn accept(version: ProtocolVersion, granted: &Granted<'_>) -> Vec<u8> {
    match version {
        ProtocolVersion::V3_1_1 => vec![kind::CONNACK << 4, 2, 0, 0],
        ProtocolVersion::V5 => connack_v5(0, &granted.properties()),
    }
}

/// A refusing CONNACK: the return code for 3.1.1 (and older), the reason code for 5.
pub(crate) fn refuse(version: ProtocolVersion, code_v3: u8, code_v5: u8) -> Vec<u8> {
    match version {
        ProtocolVersion::V3_1_1 => vec![kind::CONNACK << 4, 2, 0, code_v3],
        ProtocolVersion::V5 => connack_v5(code_v5, &Properties::new()),
    }
}

impl Granted<'_> {
    fn properties(&self) -> Properties {
        let mut properties = Properties::new();
        // Each value below is one that its property allows; one that is not would merely not be announced.
        let mut add = |property: Result<Property, result_code::MqttError>| properties.extend(property.ok());
        add(ReceiveMaximum::new(self.receive_maximum).map(Property::from));
        add(MaximumQos::new(1).map(Property::from));
        add(MaximumPacketSize::new(u32::try_from(self.max_packet).unwrap_or(u32::MAX)).map(Property::from));
        add(SubscriptionIdentifierAvailable::new(0).map(Property::from));
        add(SharedSubscriptionAvailable::new(0).map(Property::from));
        if let Some(id) = self.assigned_client_id {
            add(AssignedClientIdentifier::new(id).map(Property::from));
        }
        if let Some(seconds) = self.keep_alive {
            add(ServerKeepAlive::new(seconds).map(Property::from));
        }
        if self.no_session {
            add(SessionExpiryInterval::new(0).map(Property::from));
        }
        properties
    }
}

fn connack_v5(reason_code: u8, properties: &Properties) -> Vec<u8> {
    let mut body = bytes::BytesMut::new();
    let properties: Vec<u8> = properties.iter().flat_map(Property::to_continuous_buffer).collect();
    put_length(&mut body, properties.len());
    body.extend_from_slice(&properties);
    let mut packet = bytes::BytesMut::new();
    packet.extend_from_slice(&[kind::CONNACK << 4]);
    put_length(&mut packet, 2 + body.len());
    packet.extend_from_slice(&[0, reason_code]);
    packet.extend_from_slice(&body);
    packet.to_vec()
}

fn read_v3(body: &[u8]) -> Result<Connect, ConnectError> {
    let connect = parse_whole(v3_1_1::Connect::parse(body), body)?;
    check_flags(body)?;
    let will = connect.will_topic().map(|topic| Will {
        topic: topic.to_owned(),
        payload: Bytes::copy_from_slice(connect.will_payload().unwrap_or_default()),
        properties: Bytes::new(),
        qos: will_qos(body),
        retain: connect.will_retain(),
    });
    Ok(Connect {
        version: ProtocolVersion::V3_1_1,
        client_id: connect.client_id().to_owned(),
        clean: connect.clean_session(),
        keep_alive: connect.keep_alive(),
        username: connect.user_name().map(str::to_owned),
        password: connect.password().map(<[u8]>::to_vec),
        will,
        receive_maximum: DEFAULT_RECEIVE_MAXIMUM,
        max_packet: usize::MAX,
        wants_session: !connect.clean_session(),
    })
}

fn read_v5(body: &[u8]) -> Result<Connect, ConnectError> {
    let connect = parse_whole(v5_0::Connect::parse(body), body)?;
    check_flags(body)?;
    let will = connect.will_topic().map(|topic| Will {
        topic: topic.to_owned(),
        payload: Bytes::copy_from_slice(connect.will_payload().unwrap_or_default()),
        properties: will_properties(connect.will_props()),
        qos: will_qos(body),
        retain: connect.will_retain(),
    });
    if will.as_ref().is_some_and(|will| will.qos == Qos::ExactlyOnce) {
        return Err(ConnectError::WillQos);
    }
    let mut read = Connect {
        version: ProtocolVersion::V5,
        client_id: connect.client_id().to_owned(),
        clean: connect.clean_start(),
        keep_alive: connect.keep_alive(),
        username: connect.user_name().map(str::to_owned),
        password: connect.password().map(<[u8]>::to_vec),
        will,
        receive_maximum: DEFAULT_RECEIVE_MAXIMUM,
        max_packet: usize::MAX,
        wants_session: false,
    };
    for property in connect.props() {
        match property {
            Property::ReceiveMaximum(maximum) => read.receive_maximum = maximum.val().max(1),
            Property::MaximumPacketSize(size) => read.max_packet = size.val() as usize,
            Property::SessionExpiryInterval(seconds) => read.wants_session = seconds.val() > 0,
            Property::AuthenticationMethod(_) => return Err(ConnectError::AuthenticationMethod),
            _ => {}
        }
    }
    Ok(read)
}

fn parse_whole<T>(
    parsed: Result<(T, usize), result_code::MqttError>,
    body: &[u8],
) -> Result<T, ConnectError> {
    match parsed {
        Ok((packet, consumed)) if consumed == body.len() => Ok(packet),
        _ => Err(ConnectError::NotConnect),
    }
}

/// What the decoder does not check: the reserved flag, and will flags that contradict each other.
fn check_flags(body: &[u8]) -> Result<(), ConnectError> {
    let flags = body.get(FLAGS_OFFSET).copied().unwrap_or(0xFF);
    let reserved = flags & 0x01 != 0;
    let has_will = flags & 0x04 != 0;
    let will_details = flags & 0x38;
    if reserved || (!has_will && will_details != 0) || flags & 0x18 == 0x18 {
        return Err(ConnectError::NotConnect);
    }
    Ok(())
}

fn will_qos(body: &[u8]) -> Qos {
    match body.get(FLAGS_OFFSET).map(|flags| (flags >> 3) & 3) {
        Some(0) | None => Qos::AtMostOnce,
        Some(1) => Qos::AtLeastOnce,
        Some(_) => Qos::ExactlyOnce,
    }
}

/// Those that travel with the message. The delay is not one: without a lasting session a will is due at once.
fn will_properties(properties: &Properties) -> Bytes {
    let travels = |property: &&Property| !matches!(property, Property::WillDelayInterval(_));
    properties.iter().filter(travels).flat_map(Property::to_continuous_buffer).collect::<Vec<u8>>().into()
}
