//! Double entry: every byte by who caused it and by where it went.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Bytes and operations within a window, by process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// Begin of the window.
    pub from_ms: i64,
    /// Its end.
    pub to_ms: i64,
    /// One for each process: `run`, or `ingest` and the `serve` that was asked.
    pub processes: Vec<ProcessLedger>,
    /// What this does to the medium.
    pub wear: Wear,
}

/// What one process has written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProcessLedger {
    /// `run`, `ingest` or `serve`.
    pub process: String,
    /// Seconds of the window for which there are figures.
    pub covered_secs: f64,
    /// By cause, the most first. Their bytes add up to `totals.counted_bytes`.
    pub causes: Vec<CauseRow>,
    /// By effect, the most first. Their bytes add up to the same.
    pub effects: Vec<EffectRow>,
    /// What is below the log: pages by the table or index to which they belong, the most first. The bytes in the log add up
    /// to those of the effect `wal`, those of checkpoints to those of the effect `database`.
    pub tables: Vec<TableRow>,
    /// The same bytes as others count them.
    pub totals: Totals,
    /// What is in `totals.wchar` and in no row; null where the kernel does not tell.
    pub remainder: Option<Remainder>,
    /// What became of an observation's bytes on their way to the medium.
    pub waterfall: Vec<Stage>,
    /// `wchar` by thread, the most first.
    pub threads: Vec<ThreadRow>,
    /// What these books cost.
    pub meter: MeterCost,
}

/// One cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CauseRow {
    /// The part of the program: `ingest`, `storage`, `upkeep`, `meter`, `log`.
    pub component: String,
    /// The background job, if it is one.
    pub job: Option<String>,
    /// The write source: `packets`, `observers`, `retention`, `checkpoint`, `history` and so on.
    pub cause: String,
    /// Bytes written.
    pub bytes: u64,
    /// Writes.
    pub operations: u64,
    /// Bytes a second.
    pub bytes_per_sec: f64,
    /// Share of all bytes, 0 to 1.
    pub share: f64,
    /// Where they went.
    pub effects: Vec<EffectBytes>,
}

/// What one cause did to one effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectBytes {
    /// `wal`, `database` and so on.
    pub effect: String,
    /// Bytes written.
    pub bytes: u64,
    /// Writes.
    pub operations: u64,
}

/// One effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EffectRow {
    /// `wal`, `database`, `journal`, `temporary`, `aside`, `backup`, `stats_file`, `history`, `alerts`, `log`.
    pub effect: String,
    /// Bytes written.
    pub bytes: u64,
    /// Writes.
    pub operations: u64,
    /// Times that it was forced to the medium.
    pub syncs: u64,
    /// Bytes a second.
    pub bytes_per_sec: f64,
    /// Share of all bytes, 0 to 1.
    pub share: f64,
}

/// What a row of the page map is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// SQLite's own: the schema, the map of pages, free pages, headers of the log.
    Internal,
    /// Pages whose owner is not known.
    #[default]
    Unknown,
}

/// The pages of one table or index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableRow {
    /// Its name in the schema, or what it is in parentheses: `(free pages)`.
    pub table: String,
    /// What it is.
    pub kind: TableKind,
    /// Bytes of its pages written to the log, frame headers included.
    pub wal_bytes: u64,
    /// Bytes of its pages copied into the database file.
    pub checkpoint_bytes: u64,
    /// The bytes in the log by cause, the most first.
    pub by_cause: Vec<CauseBytes>,
}

/// Bytes of one cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CauseBytes {
    /// The cause.
    pub cause: String,
    /// Bytes written.
    pub bytes: u64,
}

/// The same bytes as counted at different places. Those that the system does not tell are null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Counted by this program: the sum of the causes, and of the effects.
    pub counted_bytes: u64,
    /// Of these, by SQLite's file system.
    pub vfs_bytes: u64,
    /// Given to `write` and its like by all threads (`/proc/self/io` `wchar`).
    pub wchar_bytes: Option<u64>,
    /// Of these, by threads that serve sockets and write no file: sockets, and eight bytes for each time that one thread woke
    /// another.
    pub network_bytes: Option<u64>,
    /// Billed as written to storage (`write_bytes`), in whole pages or folios.
    pub write_bytes: Option<u64>,
    /// Of these, given up before they were written.
    pub cancelled_bytes: Option<u64>,
    /// Written by the device of the database, whoever caused it.
    pub device_bytes: Option<u64>,
    /// Why figures are null.
    pub reason: Option<String>,
}

/// What nobody has explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Remainder {
    /// `wchar` less sockets less what was counted; negative when more was counted than the kernel saw.
    pub bytes: i64,
    /// In per cent of `wchar` less sockets.
    pub percent: f64,
}

/// One stage of the waterfall.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// `received`, `bound`, `pages`, `wal`, `checkpoint`, `counted`, `wchar`, `write_bytes`, `device`.
    pub stage: String,
    /// Bytes; null where they are not known.
    pub bytes: Option<u64>,
    /// Bytes for each observation stored in the window; null when there were none.
    pub per_observation: Option<f64>,
    /// Ratio to the bytes of the stage `ratio_to`; null when either is not known or nothing.
    pub ratio: Option<f64>,
    /// The stage with which this one is compared: the one before, but for checkpoints, which come after the log, and what is
    /// counted, which is both and all other files.
    pub ratio_to: Option<String>,
    /// What it is, or why it is not known.
    pub note: String,
}

/// What one thread gave to `write`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThreadRow {
    /// Its name; threads of one name are one row.
    pub thread: String,
    /// Bytes that they gave to `write` and its like, those included that have ended.
    pub wchar_bytes: u64,
    /// Whether it serves sockets.
    pub network: bool,
}

/// What the books cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeterCost {
    /// Bytes that they wrote.
    pub bytes: u64,
    /// In per cent of all bytes counted.
    pub percent_of_bytes: f64,
    /// Processor time in microseconds; null where it is not known.
    pub cpu_micros: Option<u64>,
    /// In per cent of one core.
    pub percent_of_core: Option<f64>,
}

/// The medium that holds the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// The kernel's name, such as `mmcblk0`.
    pub name: String,
    /// What the maker calls it, where the kernel shows it.
    pub model: Option<String>,
    /// Bytes.
    pub bytes: Option<u64>,
    /// How much of its life is used up, in per cent, as an eMMC card tells it in steps of ten.
    pub life_used_percent: Option<u8>,
    /// What else its health register says.
    pub health: Option<String>,
}

/// What this does to the medium.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Wear {
    /// Bytes a day, projected from `over_secs`.
    pub bytes_per_day: f64,
    /// Bytes a year.
    pub bytes_per_year: f64,
    /// Seconds over which it was measured, at most a day.
    pub over_secs: u64,
    /// Which count `bytes_per_day` is: `counted`, the sum of the ledger, because `write_bytes` can be a hundred times too much
    /// where the kernel keeps files in large folios, and the device counts everybody.
    pub basis: String,
    /// The same by `write_bytes` less cancelled; null where the kernel does not tell.
    pub billed_bytes_per_day: Option<f64>,
    /// The same as the device counts it, whoever wrote; null where the system does not tell.
    pub device_bytes_per_day: Option<f64>,
    /// The medium; null where the system does not tell.
    pub device: Option<Device>,
    /// Why it is null.
    pub reason: Option<String>,
}
