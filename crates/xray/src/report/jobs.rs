//! Background jobs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its time, or to be asked.
    Idle,
    /// It is at work.
    Running,
    /// It is at work, and the brake holds it back because it is over its budget or ingest waits.
    Braked,
    /// Somebody has paused it.
    Paused,
}

/// What can be done to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobAction {
    /// Do no more, from the next step on.
    Pause,
    /// Go on.
    Resume,
    /// Do not wait for its time.
    Run,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Done so far, in the job's own unit.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// A background job: what it may write, what it has done, and whom it kept waiting. Figures are since the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobReport {
    /// Such as `retention`.
    pub name: String,
    /// What it does, in a sentence.
    pub purpose: String,
    /// What it is doing.
    pub state: JobState,
    /// Bytes a second that it may write over a minute; null when it has no budget because it cannot be put off.
    pub budget_bytes_per_sec: Option<u64>,
    /// Seconds between the begins of its runs; null when it runs only when asked.
    pub interval_secs: Option<u64>,
    /// What may be done to it.
    pub actions: Vec<JobAction>,
    /// Runs that have ended.
    pub runs: u64,
    /// When the run at hand, or else the last one, began.
    pub started_ms: Option<i64>,
    /// When it is due next.
    pub next_ms: Option<i64>,
    /// How long the last run took, or the run at hand has taken so far.
    pub took_ms: Option<u64>,
    /// How far the run at hand is; null when that is not known.
    pub progress: Option<Progress>,
    /// Rows looked at.
    pub examined: u64,
    /// Rows that are now different from before.
    pub changed: u64,
    /// Rows that were written and are as before.
    pub unchanged: u64,
    /// Bytes that it caused to be written.
    pub written_bytes: u64,
    /// The same in a second, over the last 30.
    pub bytes_per_sec: f64,
    /// Share of the written rows that were not changed by that, over the last ten minutes; null when it wrote none.
    pub no_op_ratio: Option<f64>,
    /// Share of the last ten minutes (or of its interval, if that is longer) in which it ran.
    pub duty_cycle: f64,
    /// How long it waited for the writer.
    pub suffered_ms: u64,
    /// How long it made ingest wait.
    pub inflicted_ms: u64,
    /// How long the brake held it back.
    pub braked_ms: u64,
    /// Why the last run ended early, or what keeps the job from its work now; null when nothing does.
    pub error: Option<String>,
}

/// All jobs of the process that writes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobsReport {
    /// By name.
    pub jobs: Vec<JobReport>,
}
