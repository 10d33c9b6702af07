//! The keys of `config.json` that this program itself acts on.

use super::alerts::{Alerts, address};
use super::error::Complaints;
use super::keeping::{Db, PacketStore, Retention, RetentionRules, StorageSection, StorageSettings};
use super::sources::{LegacySource, MqttSource, OutsideBroker};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

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
    pub(crate) alerts: Alerts,
    known_channels_url: Option<String>,
    known_channels_refresh_ms: Option<u64>,
    pub(super) retention: Retention,
    pub(super) db: Db,
    pub(super) storage: StorageSection,
    pub(super) packet_store: PacketStore,
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

/// Messages that may wait for ingest. Enough for a burst of a second at full speed; CoreScope's default.
const DEFAULT_QUEUE: usize = 50_000;

/// Neither the queue nor the memory behind it may be configured away.
const QUEUE_RANGE: std::ops::RangeInclusive<usize> = 100..=1_000_000;

/// How often the list of known channels is fetched.
const KNOWN_CHANNELS_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// A server of somebody else is not asked more often than that.
const KNOWN_CHANNELS_AT_MOST_EVERY: Duration = Duration::from_secs(60);

impl ConfigFile {
    /// Where the list of known channels is fetched, and how often; `None` for not at all.
    pub(crate) fn known_channels(&self) -> Option<(String, Duration)> {
        let url = self.known_channels_url.as_deref().map(str::trim).filter(|url| !url.is_empty())?;
        let every = self.known_channels_refresh_ms.filter(|ms| *ms > 0).map(Duration::from_millis);
        let every = every.unwrap_or(KNOWN_CHANNELS_EVERY).max(KNOWN_CHANNELS_AT_MOST_EVERY);
        Some((url.to_owned(), every))
    }

    /// All outside brokers: `mqttSources`, else the older single `mqtt`.
    pub(crate) fn outside_brokers(&self) -> Vec<OutsideBroker> {
        let mut brokers: Vec<_> = self.mqtt_sources.iter().enumerate().map(|(i, s)| s.broker(i)).collect();
        if brokers.is_empty() {
            brokers.extend(self.mqtt.broker());
        }
        brokers
    }

    /// Messages that may wait for ingest.
    pub(crate) fn queue_size(&self) -> usize {
        self.ingest_buffer_size.unwrap_or(DEFAULT_QUEUE)
    }

    /// How long things are kept.
    pub(crate) fn retention(&self) -> RetentionRules {
        self.retention.rules()
    }

    /// How packets are written.
    pub(crate) fn storage(&self) -> StorageSettings {
        self.storage.settings(&self.db)
    }

    /// What packets may take of memory, in mebibytes; `None` for a share of the machine.
    pub(crate) fn max_memory_mb(&self) -> Option<u64> {
        self.packet_store.max_memory_mb()
    }

    /// Refuses values that have the right type and no meaning.
    pub(super) fn check(&self, complaints: &mut Complaints<'_>) {
        for (index, source) in self.mqtt_sources.iter().enumerate() {
            source.check(&format!("mqttSources[{index}]"), complaints);
        }
        if let Some(size) = self.ingest_buffer_size
            && !QUEUE_RANGE.contains(&size)
        {
            let problem = format!("{size} is outside {} to {}", QUEUE_RANGE.start(), QUEUE_RANGE.end());
            complaints.add("ingestBufferSize", problem);
        }
        if self.metrics.sample_interval_sec == Some(0) {
            complaints.add("metrics.sampleIntervalSec", "must be at least 1 second");
        }
        if let Some(text) = &self.listen.mqtt
            && let Err(problem) = text.parse::<crate::cli::BrokerListen>()
        {
            complaints.add("listen.mqtt", problem);
        }
        if let Some((url, _)) = self.known_channels()
            && (address(&url).is_none() || url.contains('@'))
        {
            complaints.add(
                "knownChannelsUrl",
                "must be an address such as https://lists.example/channels.json, without a user",
            );
        }
        self.alerts.check(complaints);
        self.retention.check(complaints);
        self.db.check(complaints);
        self.storage.check(complaints);
        self.packet_store.check(complaints);
    }

    /// What works, but surely not as meant: a key and what is to be said about it.
    pub(super) fn remarks(&self) -> Vec<(String, String)> {
        let mut remarks = Vec::new();
        if self.mqtt.broker.is_some() && !self.mqtt_sources.is_empty() {
            remarks.push(("mqtt".to_owned(), "`mqtt` is ignored because `mqttSources` is given".to_owned()));
        }
        for (index, source) in self.mqtt_sources.iter().enumerate() {
            let key = format!("mqttSources[{index}].rejectUnauthorized");
            if let Err(error) = source.broker(index).url() {
                let key = format!("mqttSources[{index}].broker");
                remarks
                    .push((key, format!("the source `{}` is left out: {error}", source.broker(index).name)));
            }
            if source.reject_unauthorized == Some(false) {
                let text = format!("`{key}` has no effect: connections with TLS are not implemented yet");
                remarks.push((key, text));
            }
        }
        remarks
    }
}
