//! The plain data that passes through [`super::Services`].

use model::{TransmissionId, UnixMillis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How far the history is loaded into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadStatus {
    /// All of it.
    Ready,
    /// Not yet; the newest comes first.
    Loading {
        /// Rows loaded so far.
        rows: u64,
    },
}

/// Where every message that was received has ended. Each `received` equals the sum of its outcomes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IngestReport {
    /// When counting began, RFC 3339.
    #[serde(
        serialize_with = "crate::render::time::serialize_millis",
        deserialize_with = "crate::render::time::deserialize_millis"
    )]
    #[schema(value_type = String)]
    pub since: UnixMillis,
    /// Messages received from all sources since then.
    pub received: u64,
    /// The ends of those messages; those that did not occur are left out.
    pub outcomes: Vec<Count>,
    /// What was odd about them. A message may have several remarks or none, so these do not add up to anything.
    pub remarks: Vec<Count>,
    /// The same by source.
    pub sources: Vec<SourceAccount>,
    /// The same by observer. The id "" stands for messages that name none, "others" for observers beyond the bound.
    pub observers: Vec<ObserverAccount>,
    /// The newest rejections, newest first; bounded.
    pub recent_rejections: Vec<RecentRejection>,
}

/// How often something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// Its name, such as `stored_observation`, `duplicate` or `rejected_not_json`.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// The account of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceAccount {
    /// The name of the source.
    pub name: String,
    /// Messages received from it.
    pub received: u64,
    /// When the newest came, RFC 3339; null before the first.
    #[serde(
        serialize_with = "crate::render::time::serialize_optional_millis",
        deserialize_with = "crate::render::time::deserialize_optional_millis",
        default
    )]
    #[schema(value_type = Option<String>)]
    pub last_message: Option<UnixMillis>,
    /// Their ends.
    pub outcomes: Vec<Count>,
    /// What was odd about them.
    pub remarks: Vec<Count>,
}

/// The account of one observer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObserverAccount {
    /// The id under which it publishes.
    pub observer_id: String,
    /// Its name; filled in from the index when it is null.
    pub observer_name: Option<String>,
    /// Messages received from it.
    pub received: u64,
    /// When the newest came, RFC 3339; null before the first.
    #[serde(
        serialize_with = "crate::render::time::serialize_optional_millis",
        deserialize_with = "crate::render::time::deserialize_optional_millis",
        default
    )]
    #[schema(value_type = Option<String>)]
    pub last_message: Option<UnixMillis>,
    /// Their ends.
    pub outcomes: Vec<Count>,
    /// What was odd about them.
    pub remarks: Vec<Count>,
    /// Those of the last 24 hours, and since the start, whose time without a zone could not be believed.
    #[serde(default)]
    pub naive_clock_24h: u64,
}

/// One message that was rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecentRejection {
    /// When it came, RFC 3339.
    #[serde(
        serialize_with = "crate::render::time::serialize_millis",
        deserialize_with = "crate::render::time::deserialize_millis"
    )]
    #[schema(value_type = String)]
    pub time: UnixMillis,
    /// The name of the source.
    pub source: String,
    /// The MQTT topic, cut to a readable length.
    pub topic: String,
    /// The name of the outcome.
    pub reason: String,
    /// What was wrong, with field and offset where there are any.
    pub detail: String,
}

/// The state of one broker connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MqttSourceRow {
    /// The name of the source.
    pub name: String,
    /// The broker's address; user and password masked.
    pub broker: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// Newest connection, seconds since 1970; 0 when never.
    pub last_connect_unix: i64,
    /// Newest loss of connection, seconds since 1970; 0 when never.
    pub last_disconnect_unix: i64,
    /// Newest message, seconds since 1970; 0 when never.
    pub last_packet_unix: i64,
    /// Connections made.
    pub connect_count: u64,
    /// Connections lost.
    pub disconnect_count: u64,
    /// Messages received.
    pub packets_total: u64,
    /// Messages received in the last five minutes.
    pub packets_last5m: u64,
    /// What ended the newest attempt; absent while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_error: Option<String>,
    /// When messages last came in; absent before the first.
    #[serde(skip)]
    pub liveness: Option<SourceLiveness>,
}

/// The newest signs of life of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceLiveness {
    /// Newest message of any kind, seconds since 1970.
    pub last_receipt_unix: i64,
    /// Newest message that could be used, seconds since 1970.
    pub last_message_unix: i64,
}

/// What wrote how many rows since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WriteSourcesSnapshot {
    /// Counters by name since the start: `tx_inserted`, `obs_inserted` and so on.
    pub sources: BTreeMap<String, u64>,
    /// When the counters were read, RFC 3339.
    #[serde(
        rename = "sampleAt",
        serialize_with = "crate::render::time::serialize_optional_secs",
        deserialize_with = "crate::render::time::deserialize_optional_millis"
    )]
    #[schema(value_type = String)]
    pub sample_at: Option<UnixMillis>,
    /// Waiting for and holding the write connection, by component; absent while nothing is measured.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    #[schema(required = false)]
    pub writer_perf: BTreeMap<String, WriterPerf>,
    /// What reached the file system since the start, by who caused it and by kind of file; absent while nothing is
    /// counted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    #[schema(required = false)]
    pub io: BTreeMap<String, BTreeMap<String, FileIo>>,
    /// How quickly the counters grow, by the same names; absent before the second reading.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    #[schema(required = false)]
    pub rates: BTreeMap<String, SourceRate>,
    /// True when the process that writes has been silent for longer than five seconds, so that all of this is of the past.
    #[serde(default)]
    pub stale: bool,
    /// How long ago the counters were read, in milliseconds.
    #[serde(default)]
    pub age_ms: u64,
    /// Why it is stale, or why there is nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub reason: Option<String>,
}

/// How quickly one write source writes, and whether that is usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceRate {
    /// A second, over the window.
    pub per_sec: f64,
    /// The window, in milliseconds; the same for all clients.
    pub window_ms: u64,
    /// The cause of which it is the sign, as the ledger calls it; null for counters that are not a cause of their own.
    pub cause: Option<String>,
    /// Bytes a second that are usual for it at this hour of the week; null until that is known.
    pub usual_bytes_per_sec: Option<f64>,
    /// Bytes a second that it causes; null likewise.
    pub bytes_per_sec: Option<f64>,
    /// Their share of all bytes, 0 to 1; null likewise.
    pub share_of_bytes: Option<f64>,
    /// The reason of the flag that it has; null when it has none.
    pub flag: Option<String>,
}

/// Reads and writes of one kind of file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileIo {
    /// Bytes written.
    pub written_bytes: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Reads.
    pub reads: u64,
    /// Times that it was forced to the medium.
    pub syncs: u64,
}

/// How long a component waited for the write connection and held it. Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are percentiles, named after what they are")]
pub struct WriterPerf {
    /// Transactions measured.
    pub count: u64,
    /// Waits of more than 100 ms.
    pub contention_total: u64,
    pub wait_ms_p50: f64,
    pub wait_ms_p95: f64,
    pub wait_ms_p99: f64,
    pub wait_ms_max: f64,
    pub hold_ms_p50: f64,
    pub hold_ms_p95: f64,
    pub hold_ms_p99: f64,
    pub hold_ms_max: f64,
}

/// Sizes of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbFigures {
    /// Bytes of the database file.
    pub db_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Pages that are free for re-use.
    pub freelist_pages: u64,
    /// Pages of the database.
    pub page_count: u64,
    /// Bytes of a page.
    pub page_size: u64,
    /// `PRAGMA cache_size` of the write connection: pages, or KiB when negative.
    pub cache_size: i64,
    /// Page cache hits of the write connection.
    pub cache_hits: u64,
    /// Page cache misses of the write connection.
    pub cache_misses: u64,
    /// Frames in the write-ahead log.
    pub wal_frames: u64,
    /// Frames copied into the database since the start.
    pub wal_checkpointed: u64,
    /// Of the frames in the log, those not yet in the database.
    pub frames_pending: u64,
    /// Pages that the write connection has handed to the log.
    pub cache_writes: u64,
    /// Of these, before the commit, because the cache was full.
    pub cache_spills: u64,
    /// Checkpoints since the start.
    pub checkpoints: u64,
    /// The newest of them.
    pub last_checkpoint: Option<CheckpointResult>,
}

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointResult {
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it also emptied the log.
    pub truncating: bool,
    /// Whether a reader or a transaction was in its way.
    pub busy: bool,
    /// Frames in the log.
    pub log_frames: u64,
    /// Of these, in the database afterwards.
    pub copied_frames: u64,
    /// How long it took.
    pub took_ms: u64,
}

/// Disk traffic, per second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IoRates {
    /// The process that serves.
    #[serde(flatten)]
    pub process: ProcessIo,
    /// The process that receives and writes; absent when it is the same one, or when it is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ingestor: Option<ProcessIo>,
    /// Whether the figures of `ingestor` are of now; absent when it is the same process.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ingestor_status: Option<Freshness>,
}

/// How old the figures of another process are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// True when it has been silent for longer than five seconds.
    pub stale: bool,
    /// How long ago it last said something, in milliseconds; null when it never has.
    pub age_ms: Option<u64>,
    /// Why it is stale; null when it is not.
    pub reason: Option<String>,
}

/// Rates per second over `windowMs`; never negative.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessIo {
    /// Bytes read from the disk.
    pub read_bytes_per_sec: f64,
    /// Bytes written to the disk.
    pub write_bytes_per_sec: f64,
    /// Bytes whose writing was spared because their file was cut or deleted first.
    pub cancelled_write_bytes_per_sec: f64,
    /// Read system calls.
    pub syscalls_read: f64,
    /// Write system calls.
    pub syscalls_write: f64,
    /// False where the system does not tell; then all of this is zero, and `reason` says why.
    pub available: bool,
    /// Why it is not available.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// Milliseconds over which the rates were taken, the same for every client; 0 before the second reading.
    pub window_ms: u64,
    /// When the newer reading was taken, RFC 3339; absent before the first.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::render::time::serialize_optional_millis",
        deserialize_with = "crate::render::time::deserialize_optional_millis",
        default
    )]
    #[schema(value_type = String, required = false)]
    pub sampled_at: Option<UnixMillis>,
}

/// A submission that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmittedPacket {
    /// The transmission that it made or joined.
    pub transmission: TransmissionId,
}

/// Why a submission was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The packet cannot be stored; the text says why.
    #[error("{0}")]
    Refused(String),
    /// Ingest has stopped or is too far behind.
    #[error("ingest is not taking packets")]
    Unavailable,
}
