//! How long things are kept and how they are written: `retention`, `db` and `storage`.

use super::error::Complaints;
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::time::Duration;
use storage::Durability;

/// CoreScope's section; days.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Retention {
    node_days: Option<i64>,
    observer_days: Option<i64>,
    packet_days: Option<i64>,
    metrics_days: Option<i64>,
    client_rx_days: Option<i64>,
}

/// How long each kind is kept; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetentionRules {
    /// A node not heard for so long is shown as inactive.
    pub(crate) nodes: Option<Duration>,
    /// The same for observers.
    pub(crate) observers: Option<Duration>,
    /// Packets and their observations, by the time when they were first heard.
    pub(crate) packets: Option<Duration>,
    /// Samples of observers' counters.
    pub(crate) metrics: Option<Duration>,
    /// What phones heard.
    pub(crate) client_receptions: Option<Duration>,
}

/// CoreScope's section about its database file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Db {
    vacuum_on_startup: Option<bool>,
    incremental_vacuum_pages: Option<i64>,
}

/// A section of our own: how packets are written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StorageSection {
    max_delay_sec: Option<f64>,
    durability: Option<String>,
}

/// CoreScope's section about packets in memory.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PacketStore {
    #[serde(rename = "maxMemoryMB")]
    max_memory_mb: Option<i64>,
}

/// What `db` and `storage` come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StorageSettings {
    /// A packet is committed at the latest this long after it came.
    pub(crate) max_delay: Duration,
    /// What an acknowledged packet survives.
    pub(crate) durability: Durability,
    /// Whether the file is rewritten without gaps before anything else happens.
    pub(crate) vacuum_on_startup: bool,
    /// Free pages given back to the file system after a run of retention, at most.
    pub(crate) incremental_vacuum_pages: u32,
}

/// Said instead of a number of days, it means for ever; CoreScope's convention.
const NEVER: i64 = -1;

/// A hundred years: beyond that somebody has mistaken the unit.
const MOST_DAYS: i64 = 36_500;

/// CoreScope's defaults.
const NODE_DAYS: i64 = 7;
const OBSERVER_DAYS: i64 = 14;
const METRICS_DAYS: i64 = 30;
const VACUUM_PAGES: u32 = 1_024;

/// A commit costs some pages however few rows it has, so waiting saves a quiet mesh's disk; viewers do not wait.
const MAX_DELAY_SECS: f64 = 5.0;

/// Below, each packet is a commit of its own; above, publishers take us for dead while they wait for the answer.
const DELAY_RANGE: RangeInclusive<f64> = 0.01..=30.0;

/// Below, nodes and observers alone may take more; above, nobody has so much.
const MEMORY_RANGE: RangeInclusive<i64> = 16..=1_048_576;

const SECS_PER_DAY: u64 = 86_400;

impl Retention {
    pub(crate) fn rules(&self) -> RetentionRules {
        RetentionRules {
            nodes: span(self.node_days, NODE_DAYS),
            observers: span(self.observer_days, OBSERVER_DAYS),
            packets: span(self.packet_days, NEVER),
            metrics: span(self.metrics_days, METRICS_DAYS),
            client_receptions: span(self.client_rx_days, NEVER),
        }
    }

    pub(super) fn check(&self, complaints: &mut Complaints<'_>) {
        for (key, days) in [
            ("retention.nodeDays", self.node_days),
            ("retention.observerDays", self.observer_days),
            ("retention.packetDays", self.packet_days),
            ("retention.metricsDays", self.metrics_days),
            ("retention.clientRxDays", self.client_rx_days),
        ] {
            if let Some(days) = days
                && !(NEVER..=MOST_DAYS).contains(&days)
            {
                complaints.add(
                    key,
                    format!("{days} is no number of days up to {MOST_DAYS}; {NEVER} keeps for ever"),
                );
            }
        }
    }
}

/// 0 is the default, as in CoreScope, whose program cannot tell it from a key that is not there.
fn span(days: Option<i64>, default: i64) -> Option<Duration> {
    let days = u64::try_from(days.filter(|days| *days != 0).unwrap_or(default)).ok()?;
    Some(Duration::from_secs(days.saturating_mul(SECS_PER_DAY)))
}

impl PacketStore {
    /// 0 is the default, as in CoreScope.
    pub(crate) fn max_memory_mb(&self) -> Option<u64> {
        u64::try_from(self.max_memory_mb.filter(|megabytes| MEMORY_RANGE.contains(megabytes))?).ok()
    }

    pub(super) fn check(&self, complaints: &mut Complaints<'_>) {
        if let Some(megabytes) = self.max_memory_mb
            && megabytes != 0
            && !MEMORY_RANGE.contains(&megabytes)
        {
            let (least, most) = (MEMORY_RANGE.start(), MEMORY_RANGE.end());
            let problem =
                format!("{megabytes} is outside {least} to {most} MB; 0 takes a share of the machine");
            complaints.add("packetStore.maxMemoryMB", problem);
        }
    }
}

impl Db {
    pub(super) fn check(&self, complaints: &mut Complaints<'_>) {
        if let Some(pages) = self.incremental_vacuum_pages
            && u32::try_from(pages).is_err()
        {
            complaints.add("db.incrementalVacuumPages", format!("{pages} is no number of pages"));
        }
    }
}

impl StorageSection {
    pub(crate) fn settings(&self, db: &Db) -> StorageSettings {
        let pages = db.incremental_vacuum_pages.and_then(|pages| u32::try_from(pages).ok());
        StorageSettings {
            max_delay: Duration::from_secs_f64(
                self.max_delay_sec.filter(|secs| DELAY_RANGE.contains(secs)).unwrap_or(MAX_DELAY_SECS),
            ),
            durability: self.durability.as_deref().and_then(durability).unwrap_or_default(),
            vacuum_on_startup: db.vacuum_on_startup.unwrap_or_default(),
            incremental_vacuum_pages: pages.unwrap_or(VACUUM_PAGES),
        }
    }

    pub(super) fn check(&self, complaints: &mut Complaints<'_>) {
        if let Some(secs) = self.max_delay_sec
            && !DELAY_RANGE.contains(&secs)
        {
            let (least, most) = (DELAY_RANGE.start(), DELAY_RANGE.end());
            complaints.add("storage.maxDelaySec", format!("{secs} is outside {least} to {most} seconds"));
        }
        if let Some(text) = &self.durability
            && durability(text).is_none()
        {
            complaints.add("storage.durability", "must be \"power-loss\" or \"process-end\"");
        }
    }
}

fn durability(text: &str) -> Option<Durability> {
    match text {
        "power-loss" => Some(Durability::PowerLoss),
        "process-end" => Some(Durability::ProcessEnd),
        _ => None,
    }
}

/// As the configuration writes it.
pub(super) fn durability_name(durability: Durability) -> &'static str {
    match durability {
        Durability::PowerLoss => "power-loss",
        Durability::ProcessEnd => "process-end",
    }
}
