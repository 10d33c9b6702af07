//! The brokers of other people from which packets are taken.

use serde::Deserialize;

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
}

/// What observers publish under, unless the configuration says otherwise.
const DEFAULT_TOPIC: &str = "meshcore/#";

/// CoreScope's default.
const DEFAULT_CONNECT_TIMEOUT_SECS: u64 = 30;

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
        }
    }
}

impl LegacySource {
    pub(super) fn broker(&self) -> Option<OutsideBroker> {
        let url = self.broker.as_deref()?.trim();
        (!url.is_empty()).then(|| OutsideBroker {
            name: "default".to_owned(),
            url: url.to_owned(),
            username: None,
            password: None,
            topics: vec![self.topic.clone().unwrap_or_else(|| DEFAULT_TOPIC.to_owned())],
            iata_filter: Vec::new(),
            connect_timeout_secs: DEFAULT_CONNECT_TIMEOUT_SECS,
            region: None,
        })
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
