//! Settings of a subscription to an outside broker.

use std::time::Duration;

use super::backoff::random;
use crate::error::MqttError;
use crate::message::Qos;
use crate::topic::filter_is_valid;
use crate::url::{BrokerUrl, Credentials};

/// Settings of a [`Source`](crate::Source). Make one with [`new`](Self::new) and change what differs.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// What the operator calls it.
    pub name: String,
    /// Where the broker is. A login in the URL is used unless `username` is set.
    pub url: BrokerUrl,
    /// The user name, if the broker wants one.
    pub username: Option<String>,
    /// The password for it.
    pub password: Option<Secret>,
    /// Topic filters. Default `#`.
    pub topics: Vec<String>,
    /// The client identifier. Empty = one is made up at start, and then the session is clean whatever `session` says. Default empty.
    pub client_id: String,
    /// Quality of service of the subscriptions, 0 or 1 (2 counts as 1). Default 1.
    pub qos: Qos,
    /// Whether the broker shall keep messages while we are away. Default [`SessionKind::Clean`].
    pub session: SessionKind,
    /// The version to speak. Default [`SourceProtocol::Auto`].
    pub protocol: SourceProtocol,
    /// A ping goes out each half of this, and a broker from which nothing comes for all of it is given up. Whole seconds; 0 = no pings.
    /// Default 60 s.
    pub keep_alive: Duration,
    /// Time for the TCP connection and the broker's answer together. Default 10 s.
    pub connect_timeout: Duration,
    /// First pause after a lost connection or a failed attempt. Default 1 s.
    pub reconnect_min: Duration,
    /// Longest pause. Default 30 s.
    pub reconnect_max: Duration,
    /// Messages of QoS 1 received and not yet confirmed, at most. MQTT 5 brokers are told; others are not read beyond it. Default
    /// 10,000.
    pub max_in_flight: u16,
    /// Largest payload, in bytes; a broker that sends more is disconnected. Default 1 MiB.
    pub max_payload: usize,
    /// Time that [`Source::shutdown`](crate::Source::shutdown) waits for acknowledgements that are held. Default 10 s.
    pub shutdown_grace: Duration,
    /// The number that [`Message::source`](crate::Message) carries. Default 0.
    pub source: u16,
}

/// Whether a broker shall keep a session while the client is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// No: what is published while we are away is missed.
    Clean,
    /// Yes: subscriptions stay, messages of QoS 1 are kept, and what was not confirmed is sent again. MQTT 5 brokers are asked to keep it for
    /// `expiry`; others keep it as long as they like.
    Persistent {
        /// How long, in whole seconds.
        expiry: Duration,
    },
}

/// Which version of MQTT to speak to an outside broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceProtocol {
    /// Version 5, and 3.1.1 if the broker does not understand that. With 5 the broker is told how many messages it may send before the first is
    /// confirmed; with 3.1.1 that is its own setting, which limits the rate when confirmations are slow.
    Auto,
    /// Only 3.1.1.
    V3_1_1,
    /// Only 5.
    V5,
}

/// A password that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl SourceConfig {
    /// The defaults for a broker.
    ///
    /// # Errors
    /// [`MqttError::BadUrl`] or [`MqttError::TransportNotSupported`].
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, MqttError> {
        Ok(Self {
            name: name.into(),
            url: BrokerUrl::parse(url)?,
            username: None,
            password: None,
            topics: vec!["#".to_owned()],
            client_id: String::new(),
            qos: Qos::AtLeastOnce,
            session: SessionKind::Clean,
            protocol: SourceProtocol::Auto,
            keep_alive: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(30),
            max_in_flight: 10_000,
            max_payload: 1 << 20,
            shutdown_grace: Duration::from_secs(10),
            source: 0,
        })
    }

    /// Whether it can work.
    ///
    /// # Errors
    /// [`MqttError::Setting`] with the field that cannot.
    pub fn check(&self) -> Result<(), MqttError> {
        let refuse = |setting, problem: String| Err(MqttError::Setting { setting, problem });
        if self.topics.is_empty() {
            return refuse("topics", "no topic filter is given".to_owned());
        }
        if let Some(topic) = self.topics.iter().find(|topic| !filter_is_valid(topic)) {
            return refuse("topics", format!("{topic:?} is not a valid topic filter"));
        }
        if self.max_in_flight == 0 {
            return refuse("max_in_flight", "must be at least 1".to_owned());
        }
        if self.client_id.len() > usize::from(u16::MAX) {
            return refuse("client_id", "is longer than MQTT allows".to_owned());
        }
        if self.keep_alive.as_secs() > u64::from(u16::MAX) {
            return refuse("keep_alive", "must be at most 65535 s".to_owned());
        }
        Ok(())
    }

    /// A client identifier for one connection.
    pub(super) fn passing_id() -> String {
        format!("source-{:016x}", random())
    }

    /// The login to use.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        match &self.username {
            Some(username) => {
                let password = self.password.as_ref().map(|secret| secret.0.clone()).unwrap_or_default();
                Some(Credentials { username: username.clone(), password })
            }
            None => self.url.credentials().cloned(),
        }
    }

    /// The broker as the operator sees it: with the user name and a masked password.
    pub(super) fn masked_broker(&self) -> String {
        match self.credentials() {
            Some(credentials) => self.url.clone().with_credentials(credentials).to_string(),
            None => self.url.to_string(),
        }
    }

    /// The identifier and the session to really use.
    pub(super) fn identity(&self) -> (String, SessionKind) {
        if self.client_id.is_empty() {
            // 23 characters at most: more than that a 3.1.1 broker need not accept.
            (Self::passing_id(), SessionKind::Clean)
        } else {
            (self.client_id.clone(), self.session)
        }
    }
}

impl From<String> for Secret {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl From<&str> for Secret {
    fn from(password: &str) -> Self {
        Self(password.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_shown_nowhere() {
        let mut config = SourceConfig::new("city", "mqtt://other:verysecret@broker.example").unwrap();
        assert_eq!(config.masked_broker(), "mqtt://other:****@broker.example:1883");
        config.username = Some("ana".into());
        config.password = Some("topsecret".into());
        assert_eq!(config.masked_broker(), "mqtt://ana:****@broker.example:1883");
        let shown = format!("{config:?}");
        assert!(!shown.contains("topsecret") && !shown.contains("verysecret"), "{shown}");
    }

    #[test]
    fn a_setting_that_cannot_work_is_named() {
        let mut config = SourceConfig::new("city", "broker.example").unwrap();
        config.check().unwrap();
        config.topics = vec!["a/#/b".into()];
        assert_eq!(config.check().unwrap_err().to_string(), "topics: \"a/#/b\" is not a valid topic filter");
    }
}
