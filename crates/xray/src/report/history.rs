//! Figures over time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the values of a series are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesKind {
    /// It only grows; its values are per second, the mean over each step.
    Counter,
    /// It goes up and down; its values are the greatest within each step.
    Gauge,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Calls, requests, writes, `fsync`s.
    Operations,
    /// Rows of a table.
    Rows,
    /// Pages of the database.
    Pages,
    /// Messages of observers.
    Messages,
    /// Microseconds.
    Micros,
    /// Thousandths.
    Permille,
    /// Things, such as viewers.
    Count,
}

/// A series that the books keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeriesInfo {
    /// Such as `written.packets.wal`; never changes its meaning between releases.
    pub name: String,
    /// How to read its values.
    pub kind: SeriesKind,
    /// What is counted.
    pub unit: Unit,
    /// What it is, in a sentence.
    pub help: String,
}

/// The values of a series within a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesValues {
    /// Its name.
    pub name: String,
    /// How to read its values.
    pub kind: SeriesKind,
    /// What is counted.
    pub unit: Unit,
    /// One for each step; null where the process did not run or did not know.
    pub values: Vec<Option<f64>>,
}

/// Some series over one window, all with the same steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryAnswer {
    /// When the first step begins, in seconds since 1970; a multiple of `step_secs`.
    pub from_secs: i64,
    /// Seconds from one value to the next: 1, 10, 60 or a multiple of 60.
    pub step_secs: u32,
    /// In the order in which they were asked for.
    pub series: Vec<SeriesValues>,
}
