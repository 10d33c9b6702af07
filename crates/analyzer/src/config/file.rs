//! The keys of `config.json` that this program itself acts on.

use super::error::ConfigError;
use super::sources::{LegacySource, MqttSource, OutsideBroker};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Types and defaults as the contract's table of keys has them; all keys may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConfigFile {
    pub(crate) port: Option<u16>,
    pub(crate) db_path: Option<PathBuf>,
    pub(crate) listen: Listen,
    pub(crate) mqtt: LegacySource,
    pub(crate) mqtt_sources: Vec<MqttSource>,
    pub(crate) channel_keys_path: Option<PathBuf>,
    pub(crate) channel_keys: BTreeMap<String, String>,
    pub(crate) hash_channels: Vec<String>,
    pub(crate) hash_regions: Vec<String>,
    pub(crate) observer_blacklist: Vec<String>,
    #[serde(rename = "observerIATAWhitelist")]
    pub(crate) observer_iata_whitelist: Vec<String>,
    pub(crate) validate_signatures: Option<bool>,
    pub(crate) metrics: Metrics,
    pub(crate) ingest_buffer_size: Option<usize>,
}

/// Where to listen; a section of our own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Listen {
    /// `0.0.0.0:3000` opens the page and the API to the network.
    pub(crate) http: Option<SocketAddr>,
    /// Address of the embedded MQTT broker, or `off`.
    pub(crate) mqtt: Option<String>,
    /// Who may log in to the embedded broker; when empty, anybody who can reach it.
    pub(crate) mqtt_users: Vec<MqttUser>,
}

/// A login of the embedded broker.
#[derive(Clone, Deserialize)]
pub(crate) struct MqttUser {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for MqttUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MqttUser").field("username", &self.username).field("password", &"****").finish()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metrics {
    pub(crate) sample_interval_sec: Option<u32>,
}

/// Neither the queue nor the memory behind it may be configured away.
const QUEUE_RANGE: std::ops::RangeInclusive<usize> = 100..=1_000_000;

impl ConfigFile {
    /// All outside brokers: `mqttSources`, else the older single `mqtt`.
    pub(crate) fn outside_brokers(&self) -> Vec<OutsideBroker> {
        let mut brokers: Vec<_> = self.mqtt_sources.iter().enumerate().map(|(i, s)| s.broker(i)).collect();
        if brokers.is_empty() {
            brokers.extend(self.mqtt.broker());
        }
        brokers
    }

    /// Refuses values that have the right type and no meaning.
    ///
    /// # Errors
    /// [`ConfigError::Value`] with the key.
    pub(super) fn check(&self, path: &Path) -> Result<(), ConfigError> {
        for (index, source) in self.mqtt_sources.iter().enumerate() {
            if source.broker.trim().is_empty() {
                return Err(ConfigError::value(
                    path,
                    format!("mqttSources[{index}].broker"),
                    "is missing or empty",
                ));
            }
        }
        if let Some(size) = self.ingest_buffer_size
            && !QUEUE_RANGE.contains(&size)
        {
            let problem = format!("{size} is outside {} to {}", QUEUE_RANGE.start(), QUEUE_RANGE.end());
            return Err(ConfigError::value(path, "ingestBufferSize", problem));
        }
        if self.metrics.sample_interval_sec == Some(0) {
            return Err(ConfigError::value(path, "metrics.sampleIntervalSec", "must be at least 1 second"));
        }
        if let Some(text) = &self.listen.mqtt {
            text.parse::<crate::cli::BrokerListen>()
                .map_err(|problem| ConfigError::value(path, "listen.mqtt", problem))?;
        }
        Ok(())
    }

    /// What works, but surely not as meant.
    pub(super) fn warnings(&self, path: &Path) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.mqtt.broker.is_some() && !self.mqtt_sources.is_empty() {
            warnings.push(format!("{}: `mqtt` is ignored because `mqttSources` is given", path.display()));
        }
        for (index, source) in self.mqtt_sources.iter().enumerate() {
            if source.reject_unauthorized == Some(false) {
                warnings.push(format!(
                    "{}: `mqttSources[{index}].rejectUnauthorized` has no effect: connections with TLS are not implemented yet",
                    path.display()
                ));
            }
        }
        warnings
    }
}
