//! What is wrong, and what was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It wears out the disk or wastes work.
    Warning,
    /// Packets are late or at risk.
    Critical,
}

/// The state of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Too little is known yet, or the process that writes does not answer.
    #[default]
    Unknown,
    /// Nothing is wrong.
    Ok,
    /// Something wears out the disk or wastes work.
    Warning,
    /// Packets are late or at risk.
    Critical,
}

/// What a flag is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A background job.
    Job,
    /// A write source.
    Source,
    /// A file.
    File,
    /// The process as a whole.
    Process,
    /// The path of packets.
    Ingest,
}

/// The culprit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// Its name, as jobs, write sources and files are called elsewhere in the API.
    pub name: String,
}

/// Something that is wrong now, with the reason in words and figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Flag {
    /// `<subject>.<rule>`, such as `retention.no_op`; there is at most one flag of an id at a time.
    pub id: String,
    /// Who it is about.
    pub subject: Subject,
    /// Which rule says so: `budget`, `no_op`, `stuck`, `duty_cycle`, `wait_inflicted`, `live_ratio`, `baseline`, `threshold`,
    /// `write_failing`.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in some words: "retention rewrites rows without changing them".
    pub title: String,
    /// Why this is said, with figures.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// The figure that broke the rule.
    pub value: f64,
    /// What it would have to be below (or above).
    pub limit: f64,
    /// The unit of both, for display: `B/s`, `rows/s`, `%`, `ms`, `ratio`.
    pub unit: String,
    /// Since when.
    pub since_ms: i64,
    /// Series in which it can be seen.
    pub series: Vec<String>,
}

/// The first sentence of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// The state of the whole.
    pub level: Level,
    /// What is wrong, or that nothing is, in a sentence.
    pub text: String,
}

/// What happened to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertChange {
    /// It came.
    Raised,
    /// It became critical, or its figure has doubled.
    Worsened,
    /// It went.
    Cleared,
    /// Somebody asked for a test.
    Test,
}

/// How a webhook took an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The name of the webhook.
    pub webhook: String,
    /// Whether it has taken it.
    pub delivered: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub error: Option<String>,
}

/// A change of state, kept for 90 days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// Grows with time.
    pub id: u64,
    /// When.
    pub at_ms: i64,
    /// What happened.
    pub change: AlertChange,
    /// The flag as it was then.
    pub flag: Flag,
    /// The figure when nothing was wrong: the median of the ten minutes before the flag was raised.
    pub before: Option<f64>,
    /// The figure at the event.
    pub after: f64,
    /// Whether `/api/alerts/{id}/black-box` has the seconds around it.
    pub black_box: bool,
    /// To whom it was told.
    pub deliveries: Vec<Delivery>,
}

/// What a webhook is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookKind {
    /// The event as JSON.
    #[default]
    Json,
    /// A message for an ntfy topic (<https://docs.ntfy.sh/publish/>).
    Ntfy,
}

/// A webhook, and how it does. The address is cut after the host, since the rest is often a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookState {
    /// As the configuration names it.
    pub name: String,
    /// What it is sent.
    pub kind: WebhookKind,
    /// Scheme and host.
    pub address: String,
    /// Events that it has taken.
    pub delivered: u64,
    /// Events that were given up after several tries.
    pub given_up: u64,
    /// Events that wait.
    pub waiting: u64,
    /// What went wrong the last time; null after a success.
    pub last_error: Option<String>,
}

/// The static thresholds that are in force.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Thresholds {
    /// Bytes a second written by a process (`write_bytes`).
    pub write_bytes_per_sec: u64,
    /// Bytes a second given up before they were written.
    pub cancelled_bytes_per_sec: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// The least share of page lookups that the cache should answer, 0 to 1.
    pub cache_hit_rate: f64,
}

impl Default for Thresholds {
    /// Those of CoreScope's page (contract §2.6).
    fn default() -> Self {
        Self {
            write_bytes_per_sec: 10 << 20,
            cancelled_bytes_per_sec: 1 << 20,
            wal_bytes: 100 << 20,
            cache_hit_rate: 0.9,
        }
    }
}

/// What is wrong, and what was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertsReport {
    /// The whole in a sentence.
    pub verdict: Verdict,
    /// What is wrong now, the worst first.
    pub active: Vec<Flag>,
    /// What has happened, newest first.
    pub events: Vec<AlertEvent>,
    /// Who is told.
    pub webhooks: Vec<WebhookState>,
    /// The static thresholds.
    pub thresholds: Thresholds,
}
