//! Settings of the embedded broker.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::error::MqttError;

/// Room in a packet beside its payload: the topic, the properties of MQTT 5 and the header, in bytes.
const PACKET_OVERHEAD: usize = 4 << 10;

/// Settings of a [`Broker`](crate::Broker). Take the [`Default`] and change what differs.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where to listen. Default 127.0.0.1:1883; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The number that [`Message::source`](crate::Message) carries. Default 0.
    pub source: u16,
    /// Who may connect. Default nobody is named, and then everybody may, with or without a login.
    pub users: Vec<User>,
    /// Largest payload, in bytes; a packet may be 4 KiB larger. A client that sends more is closed. Default 256 KiB.
    pub max_payload: usize,
    /// Longest topic or topic filter, in bytes. Default 1,024.
    pub max_topic: usize,
    /// Clients connected at once; 128 more may be in their handshake. Default 1,000.
    pub max_clients: usize,
    /// Time from the TCP connection to a complete CONNECT. Default 10 s.
    pub handshake_timeout: Duration,
    /// Longest keep-alive a client of MQTT 5 may have; longer ones, and none, are replaced by this. A 3.1.1 client cannot be told, so its
    /// own is used, and one without any is left to TCP keep-alive. Default 10 min.
    pub max_keep_alive: Duration,
    /// A client that accepts no byte for this long is closed. Default 30 s.
    pub write_timeout: Duration,
    /// Messages of one client that wait for their acknowledgement; its socket is not read beyond that. Also the receive maximum of MQTT 5. Default
    /// 10,000: with a commit every 5 s one client still sends 2,000 messages a second.
    pub max_in_flight: u16,
    /// Topics with a retained message. Default 10,000.
    pub max_retained: usize,
    /// Topics and payloads of retained messages, in bytes. Default 16 MiB.
    pub max_retained_bytes: usize,
    /// Subscriptions of one client. Default 50.
    pub max_subscriptions: usize,
    /// Bytes that may wait for one subscriber; what does not fit is dropped for that subscriber, and counted. Default 4 MiB.
    pub subscriber_buffer: usize,
    /// Messages of QoS 1 sent to one subscriber and not acknowledged by it, at most. Default 1,000.
    pub subscriber_window: u16,
    /// Time that [`Broker::shutdown`](crate::Broker::shutdown) waits for acknowledgements that are held. Default 10 s.
    pub shutdown_grace: Duration,
}

/// Somebody who may connect. Its `Debug` form masks the password.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The user name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            source: 0,
            users: Vec::new(),
            max_payload: 256 << 10,
            max_topic: 1024,
            max_clients: 1000,
            handshake_timeout: Duration::from_secs(10),
            max_keep_alive: Duration::from_secs(600),
            write_timeout: Duration::from_secs(30),
            max_in_flight: 10_000,
            max_retained: 10_000,
            max_retained_bytes: 16 << 20,
            max_subscriptions: 50,
            subscriber_buffer: 4 << 20,
            subscriber_window: 1000,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

impl BrokerConfig {
    /// Largest packet accepted, in bytes.
    pub(crate) fn max_packet(&self) -> usize {
        self.max_payload.saturating_add(PACKET_OVERHEAD)
    }

    /// The longest keep-alive in whole seconds.
    pub(crate) fn max_keep_alive_seconds(&self) -> u16 {
        u16::try_from(self.max_keep_alive.as_secs()).unwrap_or(u16::MAX)
    }

    pub(crate) fn check(&self) -> Result<(), MqttError> {
        let refuse =
            |setting, problem: &str| Err(MqttError::Setting { setting, problem: problem.to_owned() });
        if self.max_clients == 0 {
            return refuse("max_clients", "must be at least 1");
        }
        if self.max_in_flight == 0 {
            return refuse("max_in_flight", "must be at least 1");
        }
        if self.max_topic == 0 {
            return refuse("max_topic", "must be at least 1");
        }
        if self.max_keep_alive < Duration::from_secs(1) {
            return refuse("max_keep_alive", "must be at least 1 s");
        }
        if self.max_payload > 128 << 20 {
            return refuse("max_payload", "must be at most 128 MiB");
        }
        if self.users.iter().any(|user| user.name.is_empty()) {
            return refuse("users", "a user name is empty");
        }
        Ok(())
    }

    /// Whether a login is good. Without users every login is.
    pub(crate) fn allows(&self, username: Option<&str>, password: Option<&[u8]>) -> bool {
        if self.users.is_empty() {
            return true;
        }
        let (Some(username), Some(password)) = (username, password) else { return false };
        let mut allowed = false;
        for user in &self.users {
            // Every user is compared in full, so that the time taken tells nothing.
            let name_matches = same_bytes(user.name.as_bytes(), username.as_bytes());
            allowed |= name_matches & same_bytes(user.password.as_bytes(), password);
        }
        allowed
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("password", &"****").finish()
    }
}

/// Equality in a time that depends on the lengths alone.
fn same_bytes(ours: &[u8], theirs: &[u8]) -> bool {
    let mut difference = ours.len() ^ theirs.len();
    for (index, &byte) in theirs.iter().enumerate() {
        difference |= usize::from(byte ^ ours.get(index).copied().unwrap_or(0));
    }
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_user_with_the_right_password_is_allowed() {
        let user = |name: &str, password: &str| User { name: name.into(), password: password.into() };
        let config =
            BrokerConfig { users: vec![user("ana", "one"), user("bo", "two")], ..Default::default() };
        assert!(config.allows(Some("ana"), Some(b"one")));
        assert!(config.allows(Some("bo"), Some(b"two")));
        for (name, password) in [("ana", "two"), ("ana", ""), ("ana", "one\0"), ("", ""), ("eve", "one")] {
            assert!(!config.allows(Some(name), Some(password.as_bytes())), "{name} {password:?}");
        }
        assert!(!config.allows(Some("ana"), None));
        assert!(!config.allows(None, None));
        assert!(BrokerConfig::default().allows(None, None));
        assert!(!format!("{config:?}").contains("two"));
    }
}
