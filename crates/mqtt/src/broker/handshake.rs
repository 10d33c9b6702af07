//! From a TCP connection to a client, or to a refusal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::time::timeout;

use super::hub::{Client, Full, Hub};
use super::stats::{CloseReason, RefuseReason};
use crate::outbox::{DeliveryLimits, Outbox};
use crate::packet::connect::{self, Connect, ConnectError, Granted, Will};
use crate::packet::frames::{FrameBuffer, Frames};
use crate::packet::{ProtocolVersion, kind};
use crate::topic::topic_is_valid;

/// How long a newcomer waits for the client whose identifier it took: long enough that a will is published before the newcomer's first message.
const TAKEOVER_PATIENCE: Duration = Duration::from_secs(2);
/// Longest client identifier, in bytes. Observers use 23; a UUID or a host name with a prefix fits easily.
const MAX_CLIENT_ID: usize = 256;

/// A client that has been let in.
pub(super) struct Admitted {
    pub(super) registration: Registration,
    pub(super) will: Option<Will>,
    /// How long it may be silent.
    pub(super) silence: Option<Duration>,
}

/// A client's entry in the hub; dropping it removes the client, whatever happened.
pub(super) struct Registration {
    hub: Arc<Hub>,
    pub(super) client: Arc<Client>,
    pub(super) reason: CloseReason,
}

/// A connection that does not become a client.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: RefuseReason,
    /// The CONNACK that says so, if the peer would understand one.
    pub(super) answer: Option<Vec<u8>>,
}

/// Reads up to the end of the CONNECT; what came after it in the same packets is still in the frames.
pub(super) async fn read_connect<R: AsyncRead + Unpin>(
    socket: &mut R,
    buffer: &mut FrameBuffer,
) -> Result<(Connect, Frames, usize), Refusal> {
    let mut bytes_read = 0;
    loop {
        match buffer.fill(socket).await {
            Ok(0) | Err(_) => return Err(Refusal::silent(RefuseReason::Gone)),
            Ok(count) => bytes_read += count,
        }
        // A wrong first byte is enough to know; an HTTP request or a TLS greeting need not wait for the time limit.
        if buffer.first_byte().is_some_and(|byte| byte != kind::CONNECT << 4) {
            return Err(Refusal::silent(RefuseReason::NotMqtt));
        }
        let mut frames = buffer.take().map_err(|_| Refusal::silent(RefuseReason::NotMqtt))?;
        if let Some(first) = frames.next() {
            let connect = connect::read(first.first_byte, frames.body(first)).map_err(Refusal::from)?;
            return Ok((connect, frames, bytes_read));
        }
    }
}

/// Checks a CONNECT and lets the client in. The accepting CONNACK is in its outbox then.
pub(super) async fn admit(hub: &Arc<Hub>, connect: Connect, peer: SocketAddr) -> Result<Admitted, Refusal> {
    let config = &hub.config;
    let version = connect.version;
    let refuse = |reason, code_v3, code_v5| Refusal {
        reason,
        answer: Some(connect::refuse(version, code_v3, code_v5)),
    };
    if !config.allows(connect.username.as_deref(), connect.password.as_deref()) {
        // 3.1.1 has two codes; 5 is what mosquitto sends and what clients explain best.
        return Err(refuse(RefuseReason::BadLogin, 5, 0x86));
    }
    let needs_id = version == ProtocolVersion::V3_1_1 && !connect.clean;
    if connect.client_id.len() > MAX_CLIENT_ID || (connect.client_id.is_empty() && needs_id) {
        return Err(refuse(RefuseReason::ClientId, 2, 0x85));
    }
    if let Some(will) = &connect.will
        && (!topic_is_valid(&will.topic) || will.topic.len() > config.max_topic)
    {
        // 3.1.1 has no return code for this, so it gets the least wrong one.
        return Err(refuse(RefuseReason::Will, 5, 0x90));
    }

    let number = hub.next_number();
    let assigned = connect.client_id.is_empty().then(|| format!("auto-{number}"));
    let id: Arc<str> = assigned.as_deref().unwrap_or(&connect.client_id).into();
    let outbox = Arc::new(Outbox::new(DeliveryLimits {
        version,
        max_packet: connect.max_packet,
        window: usize::from(connect.receive_maximum.min(config.subscriber_window)),
        max_bytes: config.subscriber_buffer,
    }));
    let username = connect.username.as_deref().map(Arc::from);
    let client = Arc::new(Client::new(number, id, peer, username, version, outbox));
    let old = hub.enter(&client).map_err(|Full| refuse(RefuseReason::Full, 3, 0x88))?;
    let registration = Registration { hub: Arc::clone(hub), client, reason: CloseReason::Lost };
    if let Some(old) = old {
        old.wait_until_gone(TAKEOVER_PATIENCE).await;
    }

    let keep_alive = granted_keep_alive(hub, &connect);
    let granted = Granted {
        receive_maximum: config.max_in_flight,
        max_packet: config.max_packet(),
        assigned_client_id: assigned.as_deref(),
        keep_alive: (keep_alive != connect.keep_alive).then_some(keep_alive),
        no_session: connect.wants_session,
    };
    registration.client.outbox.push(&connect::accept(version, &granted));
    // One and a half times (specification 3.1.1, section 3.1.2.10).
    let silence = (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1500));
    Ok(Admitted { registration, will: connect.will, silence })
}

fn granted_keep_alive(hub: &Hub, connect: &Connect) -> u16 {
    let most = hub.config.max_keep_alive_seconds();
    match connect.version {
        ProtocolVersion::V3_1_1 => connect.keep_alive,
        ProtocolVersion::V5 if connect.keep_alive == 0 => most,
        ProtocolVersion::V5 => connect.keep_alive.min(most),
    }
}

/// Waits for a CONNECT no longer than allowed.
pub(super) async fn read_connect_in_time<R: AsyncRead + Unpin>(
    socket: &mut R,
    buffer: &mut FrameBuffer,
    limit: Duration,
) -> Result<(Connect, Frames, usize), Refusal> {
    timeout(limit, read_connect(socket, buffer))
        .await
        .unwrap_or_else(|_| Err(Refusal::silent(RefuseReason::Timeout)))
}

impl Refusal {
    pub(super) fn silent(reason: RefuseReason) -> Self {
        Self { reason, answer: None }
    }
}

impl From<ConnectError> for Refusal {
    fn from(error: ConnectError) -> Self {
        let v5 = |reason, code| Self { reason, answer: Some(connect::refuse(ProtocolVersion::V5, 1, code)) };
        match error {
            ConnectError::NotConnect => Self::silent(RefuseReason::NotMqtt),
            // A version newer than 5 would look for the reason code of 5; an older one for the return code of 3.1.1.
            ConnectError::Version(level) if level > 5 => v5(RefuseReason::Version, 0x84),
            ConnectError::Version(_) => Self {
                reason: RefuseReason::Version,
                answer: Some(connect::refuse(ProtocolVersion::V3_1_1, 1, 0x84)),
            },
            ConnectError::WillQos => v5(RefuseReason::Will, 0x9B),
            ConnectError::AuthenticationMethod => v5(RefuseReason::BadLogin, 0x8C),
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.leave(&self.client, self.reason);
    }
}
