//! What the books say, as the API, `top`, the support bundle and serving processes pass it on. Plain data.
//!
//! Times are milliseconds since 1970 (`…_ms`), durations name their unit, rates are per second.

mod alerts;
mod history;
mod jobs;
mod ledger;

pub use alerts::{
    AlertChange, AlertEvent, AlertsReport, Delivery, Flag, Level, Severity, Subject, SubjectKind, Thresholds,
    Verdict, WebhookKind, WebhookState,
};
pub use history::{HistoryAnswer, SeriesInfo, SeriesKind, SeriesValues, Unit};
pub use jobs::{JobAction, JobReport, JobState, JobsReport, Progress};
pub use ledger::{
    CauseBytes, CauseRow, Device, EffectBytes, EffectRow, Ledger, MeterCost, ProcessLedger, Remainder, Stage,
    TableKind, TableRow, ThreadRow, Totals, Wear,
};
