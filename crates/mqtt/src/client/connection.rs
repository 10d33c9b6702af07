//! Opens a connection to a broker: TCP, CONNECT, CONNACK.

use std::time::Duration;

use mqtt_protocol_core::mqtt::packet::{
    MaximumPacketSize, Property, ReceiveMaximum, SessionExpiryInterval, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::source_config::SessionKind;
use crate::error::MqttError;
use crate::outbox::Outbox;
use crate::packet::frames::{FrameBuffer, Frames};
use crate::packet::{PINGREQ, ProtocolVersion, kind, reason_in_words};
use crate::transport::{Transport, tune};
use crate::url::{BrokerUrl, Credentials};

/// Room in a packet beside its payload: topic, properties, header. A topic alone may have 64 KiB.
const PACKET_OVERHEAD: usize = 128 << 10;

/// How to introduce ourselves.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) url: BrokerUrl,
    /// The broker for messages, its password masked.
    pub(super) broker: String,
    pub(super) client_id: String,
    pub(super) credentials: Option<Credentials>,
    pub(super) version: ProtocolVersion,
    pub(super) session: SessionKind,
    /// Seconds; 0 = none.
    pub(super) keep_alive: u16,
    pub(super) receive_maximum: u16,
    pub(super) max_payload: usize,
}

/// A broker that has let us in.
#[derive(Debug)]
pub(super) struct Connected<R, W> {
    pub(super) reading: R,
    pub(super) writing: W,
    pub(super) buffer: FrameBuffer,
    /// Packets that came right behind the CONNACK.
    pub(super) frames: Frames,
    /// As the broker wants it; zero = none.
    pub(super) keep_alive: Duration,
}

/// Why there is no connection, and whether another version of MQTT might change that.
#[derive(Debug)]
pub(super) struct ConnectFailure {
    pub(super) error: MqttError,
    pub(super) try_other_version: bool,
    /// It may be the client identifier, or what goes with it, that the broker does not want.
    pub(super) try_without_session: bool,
}

type TcpConnected = Connected<<TcpStream as Transport>::Read, <TcpStream as Transport>::Write>;

/// Connects and introduces ourselves, within `limit`.
pub(super) async fn connect(login: &Login, limit: Duration) -> Result<TcpConnected, ConnectFailure> {
    let attempt = async {
        let address = (login.url.host(), login.url.port());
        let connect_failed = |cause| MqttError::Connect { broker: login.broker.clone(), cause };
        let stream = TcpStream::connect(address).await.map_err(connect_failed)?;
        // Without these options the connection works, only worse.
        let _ = tune(&stream);
        let (reading, writing) = stream.split();
        introduce(login, reading, writing).await
    };
    match timeout(limit, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Err(MqttError::Timeout { broker: login.broker.clone(), waited: limit }.into()),
    }
}

/// Queues a ping each half keep-alive; never ends. A broker that is then silent for the whole of it is gone.
pub(super) async fn ping(outbox: &Outbox, keep_alive: Duration) {
    if keep_alive.is_zero() {
        return std::future::pending().await;
    }
    loop {
        sleep(keep_alive / 2).await;
        outbox.push(&PINGREQ);
    }
}

async fn introduce<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    login: &Login,
    mut reading: R,
    mut writing: W,
) -> Result<Connected<R, W>, ConnectFailure> {
    let lost = |reason: String| MqttError::Lost { broker: login.broker.clone(), reason };
    let packet = encode(login).map_err(|_| MqttError::Setting {
        setting: "client_id",
        problem: "or the login is too long for MQTT".to_owned(),
    })?;
    writing.write_all(&packet).await.map_err(|error| lost(error.to_string()))?;
    let mut buffer = FrameBuffer::new(login.max_payload.saturating_add(PACKET_OVERHEAD));
    loop {
        match buffer.fill(&mut reading).await {
            Ok(0) => {
                let error = lost("closed by the broker before it answered".to_owned());
                // Some brokers do just that when they do not know the version.
                return Err(ConnectFailure { error, try_other_version: true, try_without_session: false });
            }
            Ok(_) => {}
            Err(error) => {
                let error = lost(error.to_string());
                return Err(ConnectFailure { error, try_other_version: true, try_without_session: false });
            }
        }
        let protocol = |problem: String| MqttError::Protocol { broker: login.broker.clone(), problem };
        // The first byte is enough to know that a web server is at the other end.
        if buffer.first_byte().is_some_and(|byte| byte != kind::CONNACK << 4) {
            return Err(protocol("it does not answer with CONNACK".to_owned()).into());
        }
        let mut frames = buffer.take().map_err(|violation| protocol(violation.to_string()))?;
        let Some(first) = frames.next() else { continue };
        let keep_alive = read_connack(frames.body(first), login)?;
        return Ok(Connected { reading, writing, buffer, frames, keep_alive });
    }
}

fn encode(login: &Login) -> Result<Vec<u8>, result_code::MqttError> {
    let clean = login.session == SessionKind::Clean;
    match login.version {
        ProtocolVersion::V3_1_1 => {
            let mut builder = v3_1_1::Connect::builder()
                .client_id(login.client_id.as_str())?
                .clean_session(clean)
                .keep_alive(login.keep_alive);
            if let Some(credentials) = &login.credentials {
                builder = builder
                    .user_name(credentials.username.as_str())?
                    .password(credentials.password.as_str())?;
            }
            Ok(builder.build()?.to_continuous_buffer())
        }
        ProtocolVersion::V5 => {
            let max_packet = login.max_payload.saturating_add(PACKET_OVERHEAD);
            let mut properties: Vec<Property> = vec![
                ReceiveMaximum::new(login.receive_maximum)?.into(),
                MaximumPacketSize::new(u32::try_from(max_packet).unwrap_or(u32::MAX))?.into(),
            ];
            if let SessionKind::Persistent { expiry } = login.session {
                let seconds = u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX);
                properties.push(SessionExpiryInterval::new(seconds)?.into());
            }
            let mut builder = v5_0::Connect::builder()
                .client_id(login.client_id.as_str())?
                .clean_start(clean)
                .keep_alive(login.keep_alive)
                .props(properties);
            if let Some(credentials) = &login.credentials {
                builder = builder
                    .user_name(credentials.username.as_str())?
                    .password(credentials.password.as_str())?;
            }
            Ok(builder.build()?.to_continuous_buffer())
        }
    }
}

/// The keep-alive to use, if the broker lets us in.
fn read_connack(body: &[u8], login: &Login) -> Result<Duration, ConnectFailure> {
    let wanted = Duration::from_secs(login.keep_alive.into());
    let refused = |reason: String, try_other_version, try_without_session| ConnectFailure {
        error: MqttError::Refused { broker: login.broker.clone(), what: "the connection".to_owned(), reason },
        try_other_version,
        try_without_session,
    };
    let malformed =
        || MqttError::Protocol { broker: login.broker.clone(), problem: "malformed CONNACK".into() };
    match (login.version, body) {
        (ProtocolVersion::V3_1_1, [_, 0]) => Ok(wanted),
        // A broker that does not know version 5 answers like this, too.
        (_, [_, code]) => Err(refused(return_code_in_words(*code), *code == 1, [2, 5].contains(code))),
        (ProtocolVersion::V5, [_, 0, ..]) => {
            let (packet, _) = v5_0::Connack::parse(body).map_err(|_| malformed())?;
            let ours = packet.props().iter().find_map(|property| match property {
                Property::ServerKeepAlive(seconds) => Some(Duration::from_secs(seconds.val().into())),
                _ => None,
            });
            Ok(ours.unwrap_or(wanted))
        }
        (ProtocolVersion::V5, [_, code, ..]) => {
            let of_identity = [0x83, 0x85, 0x87].contains(code);
            Err(refused(reason_in_words(*code), *code == 0x84, of_identity))
        }
        _ => Err(malformed().into()),
    }
}

/// Return codes of 3.1.1 (specification 3.1.1, table 3.1).
fn return_code_in_words(code: u8) -> String {
    match code {
        1 => "it does not speak this version of MQTT".to_owned(),
        2 => "it does not accept the client id".to_owned(),
        3 => "server unavailable".to_owned(),
        4 => "bad user name or password".to_owned(),
        5 => "not authorized".to_owned(),
        other => format!("return code {other}"),
    }
}

impl From<MqttError> for ConnectFailure {
    fn from(error: MqttError) -> Self {
        Self { error, try_other_version: false, try_without_session: false }
    }
}
