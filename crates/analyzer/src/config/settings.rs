//! What a configuration comes to, setting by setting, for a person to read. No secret is among it.

use super::Loaded;
use super::alerts::{address, kind_name};
use super::keeping::durability_name;
use super::keys::{KEYS, Keys, Meaning};
use super::sources::{OutsideBroker, protocol_name};
use super::take::is_secret;
use super::tree::{Kind, Node};
use mqtt::{Qos, SessionKind};
use serde_json::Value;
use std::time::Duration;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its key, such as `retention.nodeDays`.
    pub(crate) key: String,
    /// What it is.
    pub(crate) value: String,
    /// Who says so: a line of a file, a variable of the environment, or nobody.
    pub(crate) origin: String,
}

/// Shown instead of a secret.
const MASK: &str = "****";

/// Longer values, such as themes and polygons, are cut: they are passed on as they stand.
const MOST_CHARS: usize = 72;

/// The environment variables that stand for a key.
const STAND_IN: &[(&str, &str)] = &[
    ("channelKeysPath", "CHANNEL_KEYS_PATH"),
    ("corsAllowedOrigins", "CORS_ALLOWED_ORIGINS"),
    ("dbPath", "DB_PATH"),
    ("mqtt.broker", "MQTT_BROKER"),
    ("mqtt.topic", "MQTT_TOPIC"),
];

impl Loaded {
    /// All settings that have an effect, in the order of the table of keys.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        self.section("", KEYS, &mut settings);
        let variable = "CORESCOPE_INGESTOR_STATS";
        let given = self.environment.get(variable).is_some();
        settings.push(Setting {
            key: "(stats file)".to_owned(),
            value: self.stats_file.display().to_string(),
            origin: if given { format!("environment {variable}") } else { "default".to_owned() },
        });
        settings
    }

    fn section(&self, above: &str, keys: Keys, settings: &mut Vec<Setting>) {
        for (name, meaning) in keys {
            let key = format!("{above}{name}");
            match meaning {
                Meaning::NoEffect(_) => {}
                Meaning::Used | Meaning::Named(_) => settings.push(self.setting(key)),
                Meaning::Section(below) => self.section(&format!("{key}."), below, settings),
                Meaning::Sections(below) => {
                    let count = self.find(&key).map_or(0, |node| match &node.kind {
                        Kind::Array(items) => items.len(),
                        Kind::Scalar(_) | Kind::Object(_) => 0,
                    });
                    if count == 0 {
                        settings.push(self.setting(key.clone()));
                    }
                    for index in 0..count {
                        self.section(&format!("{key}[{index}]."), below, settings);
                    }
                }
            }
        }
    }

    fn setting(&self, key: String) -> Setting {
        let origin = self.origin(&key);
        let wrong = |error: &super::ConfigError| {
            self.find(&key).is_some_and(|node| error.key() == Some(node.path.as_str()))
        };
        let value = if self.errors.iter().any(wrong) {
            // What somebody wrote in a wrong place may be anything, a secret among it.
            "wrong, see below".to_owned()
        } else if is_secret(&key) {
            self.masked(&key)
        } else {
            self.effective(&key).unwrap_or_else(|| self.find(&key).map_or_else(not_set, shown))
        };
        Setting { key, value, origin }
    }

    fn find(&self, key: &str) -> Option<&Node> {
        self.tree.as_ref()?.find(key)
    }

    fn origin(&self, key: &str) -> String {
        let variable = STAND_IN.iter().find(|(stands_for, _)| *stands_for == key).map(|(_, name)| *name);
        let in_file = self.find(key);
        if let Some(name) = variable.filter(|name| self.environment.get(name).is_some())
            // The file goes first for the path of the database only.
            && (key != "dbPath" || in_file.is_none())
        {
            return format!("environment {name}");
        }
        match (&self.path, in_file) {
            (Some(path), Some(node)) => format!("{}:{}", path.display(), node.place.line),
            _ => "default".to_owned(),
        }
    }

    /// The names of channels are no secrets; their keys are.
    fn masked(&self, key: &str) -> String {
        let Some(node) = self.find(key) else { return not_set() };
        match (&node.kind, key) {
            (Kind::Object(members), "channelKeys") => {
                let names: Vec<_> = members.iter().map(|member| format!("{}={MASK}", member.name)).collect();
                names.join(", ")
            }
            (Kind::Scalar(Value::String(name)), key) if key.ends_with(".username") => name.clone(),
            (Kind::Scalar(Value::String(url)), key)
                if key.starts_with("alerts.") && key.ends_with(".url") =>
            {
                address(url).map_or_else(|| MASK.to_owned(), |address| format!("{address}/{MASK}"))
            }
            _ => MASK.to_owned(),
        }
    }

    /// Where what is in effect is not what the file says, or the file says nothing and a default holds.
    fn effective(&self, key: &str) -> Option<String> {
        if let Some((index, name)) = within_list(key, "mqttSources[") {
            return self
                .file
                .mqtt_sources
                .get(index)
                .and_then(|source| of_source(&source.broker(index), name));
        }
        if let Some((index, name)) = within_list(key, "alerts.webhooks[") {
            let hooks = self.file.alerts.webhooks().hooks;
            return hooks.get(index).and_then(|hook| match name {
                "kind" => Some(kind_name(hook.kind).to_owned()),
                "name" => Some(hook.name.clone()),
                _ => None,
            });
        }
        let (file, api) = (&self.file, &self.api);
        let thresholds = file.alerts.thresholds();
        let (retention, storage) = (file.retention(), file.storage());
        let defaults = ingest::IngestConfig::default();
        let (limits, health) = (&api.list_limits, &api.health_thresholds);
        Some(match key {
            "alerts.instance" => file.alerts.webhooks().instance,
            "alerts.thresholds.cacheHitPercent" => percent(thresholds.cache_hit_rate),
            "alerts.thresholds.cancelledMBPerSec" => mebibytes(thresholds.cancelled_bytes_per_sec),
            "alerts.thresholds.walMB" => mebibytes(thresholds.wal_bytes),
            "alerts.thresholds.writeMBPerSec" => mebibytes(thresholds.write_bytes_per_sec),
            "batteryThresholds.critical" => api.battery_thresholds.critical.to_string(),
            "batteryThresholds.low" => api.battery_thresholds.low.to_string(),
            "channelKeysPath" => {
                let path = super::channel_keys::key_file(file, self.path.as_deref());
                path.map_or_else(not_set, |path| path.display().to_string())
            }
            "corsAllowedOrigins" => list(&api.cors_allowed_origins),
            "dbPath" => file.db_path.as_ref().map_or_else(not_set, |path| path.display().to_string()),
            "db.incrementalVacuumPages" => storage.incremental_vacuum_pages.to_string(),
            "db.vacuumOnStartup" => storage.vacuum_on_startup.to_string(),
            "foreignAdverts.mode" => format!("{:?}", api.foreign_adverts.mode).to_lowercase(),
            "healthThresholds.infraDegradedHours" => health.infra_degraded_hours.to_string(),
            "healthThresholds.infraSilentHours" => health.infra_silent_hours.to_string(),
            "healthThresholds.nodeDegradedHours" => health.node_degraded_hours.to_string(),
            "healthThresholds.nodeSilentHours" => health.node_silent_hours.to_string(),
            "healthThresholds.observerOnlineMinutes" => health.observer_online_minutes.to_string(),
            "healthThresholds.observerStaleMinutes" => health.observer_stale_minutes.to_string(),
            "healthThresholds.relayActiveHours" => health.relay_active_hours.to_string(),
            "ingestBufferSize" => file.queue_size().to_string(),
            "listLimits.bulkHealthMax" => limits.bulk_health_max.to_string(),
            "listLimits.channelMessagesMax" => limits.channel_messages_max.to_string(),
            "listLimits.nodesMax" => limits.nodes_max.to_string(),
            "listLimits.packetsMax" => limits.packets_max.to_string(),
            "liveMap.maxNodes" => api.live_map.max_nodes.to_string(),
            "liveMap.propagationBufferMs" => api.live_map.propagation_buffer_ms.to_string(),
            "mapDefaults.center" => format!("{:?}", api.map_defaults.center),
            "mapDefaults.zoom" => api.map_defaults.zoom.to_string(),
            "metrics.sampleIntervalSec" => {
                file.metrics.sample_interval_sec.unwrap_or(defaults.metrics_interval_secs).to_string()
            }
            "mqtt.broker" => file.mqtt.broker().as_ref().map_or_else(not_set, url),
            "mqtt.topic" => file.mqtt.broker().map_or_else(not_set, |broker| list(&broker.topics)),
            "packetStore.maxMemoryMB" => {
                file.max_memory_mb().map_or_else(|| "half of the machine's".to_owned(), |mb| mb.to_string())
            }
            "retention.metricsDays" => days(retention.metrics),
            "retention.nodeDays" => days(retention.nodes),
            "retention.observerDays" => days(retention.observers),
            "retention.packetDays" => days(retention.packets),
            "storage.durability" => durability_name(storage.durability).to_owned(),
            "storage.maxDelaySec" => storage.max_delay.as_secs_f64().to_string(),
            "timestamps.allowCustomFormat" => api.timestamps.allow_custom_format.to_string(),
            "timestamps.defaultMode" => api.timestamps.default_mode.clone(),
            "timestamps.formatPreset" => api.timestamps.format_preset.clone(),
            "timestamps.timezone" => api.timestamps.timezone.clone(),
            "validateSignatures" => {
                file.validate_signatures.unwrap_or(defaults.validate_signatures).to_string()
            }
            "webSocket.maxClients" => api.web_socket.max_clients.to_string(),
            "webSocket.maxClientsPerAddress" => api.web_socket.max_clients_per_address.to_string(),
            _ => return None,
        })
    }
}

/// The number of an entry and the key within it.
fn within_list<'k>(key: &'k str, list: &str) -> Option<(usize, &'k str)> {
    let (index, name) = key.strip_prefix(list)?.split_once("].")?;
    Some((index.parse().ok()?, name))
}

fn of_source(broker: &OutsideBroker, name: &str) -> Option<String> {
    Some(match name {
        "broker" => url(broker),
        "clientId" => {
            broker.client_id.clone().unwrap_or_else(|| "made from the id of this installation".to_owned())
        }
        "connectTimeoutSec" => broker.connect_timeout_secs.to_string(),
        "name" => broker.name.clone(),
        "protocol" => protocol_name(broker.protocol).to_owned(),
        "qos" => if broker.qos == Qos::AtMostOnce { "0" } else { "1" }.to_owned(),
        "session" => match broker.session {
            SessionKind::Clean => "clean".to_owned(),
            SessionKind::Persistent { .. } => "persistent".to_owned(),
        },
        "sessionExpirySec" => match broker.session {
            SessionKind::Clean => "none, because the session is clean".to_owned(),
            SessionKind::Persistent { expiry } => expiry.as_secs().to_string(),
        },
        "topics" => list(&broker.topics),
        _ => return None,
    })
}

fn url(broker: &OutsideBroker) -> String {
    broker.url().map_or_else(|error| format!("cannot be used: {error}"), |url| url.to_string())
}

fn days(span: Option<Duration>) -> String {
    span.map_or_else(|| "for ever".to_owned(), |span| (span.as_secs() / 86_400).to_string())
}

fn mebibytes(bytes: u64) -> String {
    (bytes as f64 / 1_048_576.0).to_string()
}

/// To a thousandth, because a share that was a per cent once is no longer a round number.
fn percent(share: f64) -> String {
    ((share * 100_000.0).round() / 1_000.0).to_string()
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn not_set() -> String {
    "not set".to_owned()
}

fn shown(node: &Node) -> String {
    let text = match node.to_value() {
        Value::String(text) => text,
        value => value.to_string(),
    };
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
