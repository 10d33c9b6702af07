//! The brokers of other people from which packets are taken.

use super::error::Complaints;
use mqtt::{BrokerUrl, MqttError, Qos, SessionKind, SourceProtocol};
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// An entry of `mqttSources`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MqttSource {
    pub(crate) name: Option<String>,
    pub(crate) broker: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) reject_unauthorized: Option<bool>,
    pub(crate) topics: Option<Vec<String>>,
    pub(crate) iata_filter: Vec<String>,
    pub(crate) connect_timeout_sec: Option<u64>,
    pub(crate) region: Option<String>,
    pub(crate) qos: Option<u8>,
    pub(crate) session: Option<String>,
    pub(crate) session_expiry_sec: Option<u64>,
    pub(crate) protocol: Option<String>,
    pub(crate) client_id: Option<String>,
}

/// The older form with a single broker: `"mqtt": {"broker": …, "topic": …}`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LegacySource {
    pub(crate) broker: Option<String>,
    pub(crate) topic: Option<String>,
}

/// What both forms come to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OutsideBroker {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) topics: Vec<String>,
    pub(crate) iata_filter: Vec<String>,
    pub(crate) connect_timeout_secs: u64,
    pub(crate) region: Option<String>,
    pub(crate) qos: Qos,
    pub(crate) session: SessionKind,
    pub(crate) protocol: SourceProtocol,
    /// `None`: made from the id of this installation.
    pub(crate) client_id: Option<String>,
}

/// What observers publish under, unless the configuration says otherwise.
const DEFAULT_TOPIC: &str = "meshcore/#";

/// CoreScope's default.
const DEFAULT_CONNECT_TIMEOUT_SECS: u64 = 30;

/// A broker that cannot be reached for minutes is tried again in any case.
const CONNECT_TIMEOUT_RANGE: RangeInclusive<u64> = 1..=600;

/// How long a broker keeps what comes while we are away, unless the configuration says otherwise: a restart or an update
/// takes minutes, and nobody wants a session to pile up for ever when a machine is given up.
const DEFAULT_SESSION_EXPIRY: Duration = Duration::from_secs(3_600);

/// MQTT 5 counts the seconds of a session in 32 bits.
const SESSION_EXPIRY_RANGE: RangeInclusive<u64> = 1..=u32::MAX as u64;

/// What a client id may have at most in the length field of MQTT.
const CLIENT_ID_BYTES: usize = 65_535;

impl MqttSource {
    /// With defaults filled in; `index` names a source that has no name.
    pub(super) fn broker(&self, index: usize) -> OutsideBroker {
        OutsideBroker {
            name: self.name.clone().unwrap_or_else(|| format!("source-{}", index + 1)),
            url: self.broker.trim().to_owned(),
            username: self.username.clone().filter(|name| !name.is_empty()),
            password: self.password.clone(),
            topics: self
                .topics
                .clone()
                .filter(|t| !t.is_empty())
                .unwrap_or_else(|| vec![DEFAULT_TOPIC.to_owned()]),
            iata_filter: self.iata_filter.clone(),
            connect_timeout_secs: self.connect_timeout_sec.unwrap_or(DEFAULT_CONNECT_TIMEOUT_SECS),
            region: self.region.clone(),
            qos: if self.qos == Some(0) { Qos::AtMostOnce } else { Qos::AtLeastOnce },
            session: self.session_kind(),
            protocol: self.protocol.as_deref().and_then(protocol).unwrap_or(SourceProtocol::Auto),
            client_id: self.client_id.clone().filter(|id| !id.is_empty()),
        }
    }

    fn session_kind(&self) -> SessionKind {
        if self.session.as_deref() == Some("clean") {
            return SessionKind::Clean;
        }
        let expiry = self.session_expiry_sec.map_or(DEFAULT_SESSION_EXPIRY, Duration::from_secs);
        SessionKind::Persistent { expiry }
    }

    /// Refuses values that have the right type and no meaning; `at` is the entry's own key.
    pub(super) fn check(&self, at: &str, complaints: &mut Complaints<'_>) {
        if self.broker.trim().is_empty() {
            complaints.add(format!("{at}.broker"), "is missing or empty");
        }
        if self.qos.is_some_and(|qos| qos > 1) {
            complaints.add(format!("{at}.qos"), "must be 0 or 1; QoS 2 brings nothing here");
        }
        if self.session.as_deref().is_some_and(|kind| !["persistent", "clean"].contains(&kind)) {
            complaints.add(format!("{at}.session"), "must be \"persistent\" or \"clean\"");
        }
        if self.protocol.as_deref().is_some_and(|name| protocol(name).is_none()) {
            complaints.add(format!("{at}.protocol"), "must be \"auto\", \"3.1.1\" or \"5\"");
        }
        let ranges = [
            ("connectTimeoutSec", self.connect_timeout_sec, CONNECT_TIMEOUT_RANGE),
            ("sessionExpirySec", self.session_expiry_sec, SESSION_EXPIRY_RANGE),
        ];
        for (key, value, range) in ranges {
            if let Some(value) = value.filter(|value| !range.contains(value)) {
                let (least, most) = (range.start(), range.end());
                complaints
                    .add(format!("{at}.{key}"), format!("{value} is outside {least} to {most} seconds"));
            }
        }
        if self.client_id.as_ref().is_some_and(|id| id.len() > CLIENT_ID_BYTES) {
            complaints.add(format!("{at}.clientId"), format!("is longer than {CLIENT_ID_BYTES} bytes"));
        }
        for (index, topic) in self.topics.iter().flatten().enumerate() {
            if !mqtt::filter_is_valid(topic) {
                complaints.add(format!("{at}.topics[{index}]"), "is no topic filter of MQTT");
            }
        }
    }
}

impl OutsideBroker {
    /// Where it is; the form that is shown masks the password.
    ///
    /// # Errors
    /// When its URL cannot be used; the message masks the password, too.
    pub(crate) fn url(&self) -> Result<BrokerUrl, MqttError> {
        BrokerUrl::parse(&self.url)
    }
}

fn protocol(name: &str) -> Option<SourceProtocol> {
    match name {
        "auto" => Some(SourceProtocol::Auto),
        "3.1.1" => Some(SourceProtocol::V3_1_1),
        "5" => Some(SourceProtocol::V5),
        _ => None,
    }
}

/// As the configuration writes it.
pub(super) fn protocol_name(protocol: SourceProtocol) -> &'static str {
    match protocol {
        SourceProtocol::Auto => "auto",
        SourceProtocol::V3_1_1 => "3.1.1",
        SourceProtocol::V5 => "5",
    }
}

impl LegacySource {
    pub(super) fn broker(&self) -> Option<OutsideBroker> {
        let url = self.broker.as_deref()?.trim();
        let source = MqttSource {
            name: Some("default".to_owned()),
            broker: url.to_owned(),
            topics: self.topic.clone().map(|topic| vec![topic]),
            ..MqttSource::default()
        };
        (!url.is_empty()).then(|| source.broker(0))
    }
}

// Neither may print its password, whatever prints the configuration.
impl std::fmt::Debug for MqttSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MqttSource").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OutsideBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideBroker").field("name", &self.name).finish_non_exhaustive()
    }
}
