//! Jobs that make ingest wait.

use super::rule::{Finding, Look, Rule, Words};
use super::words;
use crate::{SeriesId, Severity};

/// Milliseconds of a minute. The queue before the writer takes more than that; what is beyond comes near to losing packets.
const LIMIT_MS: f64 = 5_000.0;

/// For how long a job made ingest wait.
#[derive(Debug)]
pub(crate) struct WaitInflicted {
    pub(crate) job: &'static str,
    pub(crate) inflicted: SeriesId,
    pub(crate) waited_ms: f64,
}

impl Rule for WaitInflicted {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (micros, _) = look.recent.grown(self.inflicted, 60)?;
        let found = Finding::above(micros as f64 / 1e3, LIMIT_MS, Severity::Critical);
        if found.is_wrong() {
            self.waited_ms = found.value;
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let job = self.job;
        Words {
            title: format!("{job} makes ingest wait"),
            reason: format!(
                "{job} made ingest wait {} of the last minute",
                words::span(self.waited_ms / 1e3)
            ),
            remedy: format!("Pause {job}: packets are late while it holds the writer."),
        }
    }
}
