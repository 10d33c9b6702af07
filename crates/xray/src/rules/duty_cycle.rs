//! Jobs that run all the time.

use super::rule::{Finding, Look, Rule, Words};
use super::words;
use crate::{SeriesId, Severity};
use std::time::Duration;

/// In per cent: a job should rest more than it works.
const LIMIT_PERCENT: f64 = 50.0;

/// Over how many seconds the share of short intervals is reckoned.
const SHARE_SECS: u32 = 600;

/// A share of less than this means nothing.
const SHARE_KNOWN_SECS: f64 = 60.0;

/// How much of its interval a job takes.
#[derive(Debug)]
pub(crate) struct DutyCycle {
    pub(crate) job: &'static str,
    pub(crate) interval: Duration,
    pub(crate) run: SeriesId,
    /// How long a run took, or the share of all runs in per cent.
    pub(crate) figures: (Duration, f64),
}

impl Rule for DutyCycle {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let job = look.job(self.job)?;
        let took = if job.began_ms.is_some() { job.took } else { Duration::ZERO };
        let of_run = 100.0 * took.as_secs_f64() / self.interval.as_secs_f64().max(1e-3);
        let percent = of_run.max(self.share(look).unwrap_or(0.0));
        let found = Finding::above(percent, LIMIT_PERCENT, Severity::Warning);
        if found.is_wrong() {
            self.figures = (took, percent);
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let (job, (took, percent)) = (self.job, self.figures);
        let interval = words::span(self.interval.as_secs_f64());
        let (title, reason) = if took > self.interval {
            let took = words::span(took.as_secs_f64());
            (
                format!("{job} runs longer than its interval"),
                format!("{job} has run for {took} and is meant to begin anew every {interval}"),
            )
        } else {
            (
                format!("{job} is at work most of the time"),
                format!("{job} is at work for {percent:.0} % of its interval of {interval}"),
            )
        };
        Words {
            title,
            reason,
            remedy: format!("Look at what {job} has to do and at its budget; pause it if it can wait."),
        }
    }
}

impl DutyCycle {
    /// The share of the last ten minutes, when these hold two intervals at least.
    fn share(&self, look: &Look<'_>) -> Option<f64> {
        let (micros, secs) = look.recent.grown(self.run, SHARE_SECS)?;
        let is_known = secs >= SHARE_KNOWN_SECS && secs >= 2.0 * self.interval.as_secs_f64();
        is_known.then(|| micros as f64 / 1e4 / secs)
    }
}
