//! Budgets from first principles: what live ingest, a job and the checkpoint may write. They hold from the first second on, and
//! for a loop that has run since the start.

use super::rule::{Finding, Look, Rule, Sum, Words};
use super::words;
use crate::{Progress, SeriesId, Severity};
use std::time::Duration;

/// Over how many seconds live causes are looked at: six groups of ingest, which is committed every five seconds at the latest.
const LIVE_SECS: u32 = 30;

/// What arrived this long before the end of the window may be in its bytes: some groups late, when the writer has much to do.
const ARRIVED_SECS: u32 = 45;

/// Bytes that an observation may cost. Measured: 300 at 100 observations a second, 900 at 5, and 2,400 when each is committed
/// at once so that it can be acknowledged (README, "written to disk").
const BYTES_PER_OBSERVATION: f64 = 4_096.0;

/// Bytes a second that are allowed however little arrives: a commit every five seconds writes a page of each table and index
/// that it touches, and there are about forty of these.
const ALLOWANCE_BYTES_PER_SEC: f64 = 32_768.0;

/// Over how many seconds a job's budget is reckoned.
const JOB_SECS: u32 = 60;

/// The brake lets a job end the step at hand, and the largest is about a megabyte.
const STEP_BYTES: f64 = 1_048_576.0;

/// A tenth more than the budget is not worth a word.
const TOLERANCE: f64 = 1.1;

/// Over how many seconds the brake must have held a job for most of the time, and how many of them must be known.
const BRAKED_SECS: u32 = 20;
const BRAKED_KNOWN_SECS: f64 = 10.0;

/// A braked run that ends within an hour is only slow.
const NEAR_END: Duration = Duration::from_secs(3_600);

/// Over how many seconds checkpoints are looked at.
const CHECKPOINT_SECS: u32 = 300;

/// A checkpoint copies a page at most once for each time that it was written to the log; half as much again is given for what
/// was in the log before, and so much for the largest log that one checkpoint leaves behind.
const CHECKPOINT_RATIO: f64 = 1.5;
const CHECKPOINT_BYTES: f64 = 64.0 * 1_048_576.0;

/// What a cause of live ingest may write for what has arrived.
#[derive(Debug)]
pub(crate) struct LiveBudget {
    pub(crate) cause: &'static str,
    pub(crate) written: Sum,
    /// What arrived, and what it is called.
    pub(crate) arrived: Sum,
    pub(crate) arrived_as: &'static str,
    pub(crate) figures: LiveFigures,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LiveFigures {
    bytes_per_sec: f64,
    limit_per_sec: f64,
    arrived_per_sec: f64,
    secs: f64,
}

impl Rule for LiveBudget {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (bytes, secs) = self.written.grown(look.recent, LIVE_SECS)?;
        let (arrived, arrived_secs) = self.arrived.grown(look.recent, ARRIVED_SECS)?;
        // The allowance of a whole window from the start: the first group may be a large one.
        let allowance = ALLOWANCE_BYTES_PER_SEC * f64::from(LIVE_SECS).max(secs);
        let limit = (arrived as f64 * BYTES_PER_OBSERVATION + allowance) / secs;
        let found = Finding::above(bytes as f64 / secs, limit, Severity::Warning);
        if found.is_wrong() {
            let arrived_per_sec = arrived as f64 / arrived_secs;
            self.figures =
                LiveFigures { bytes_per_sec: found.value, limit_per_sec: limit, arrived_per_sec, secs };
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let LiveFigures { bytes_per_sec, limit_per_sec, arrived_per_sec, secs } = self.figures;
        let (cause, things) = (self.cause, self.arrived_as);
        Words {
            title: format!("{cause} writes more than the packets that arrive can explain"),
            reason: format!(
                "{cause} wrote {} over the last {} for {} {things} a second; 4 KB for each of them and 32 KB/s are {}",
                words::rate(bytes_per_sec),
                words::span(secs),
                words::count(arrived_per_sec),
                words::rate(limit_per_sec),
            ),
            remedy: "Look in the table of pages which table or index is written, and report it with the support bundle."
                .to_owned(),
        }
    }
}

/// What a job may write.
#[derive(Debug)]
pub(crate) struct JobBudget {
    pub(crate) job: &'static str,
    pub(crate) budget: u64,
    pub(crate) written: Sum,
    pub(crate) braked: SeriesId,
    /// An operator started it, so that being braked is what its budget is for.
    pub(crate) is_asked_for: bool,
    pub(crate) figures: JobFigure,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum JobFigure {
    #[default]
    Nothing,
    /// Bytes within so many seconds.
    Over { bytes: f64, secs: f64 },
    /// It would write so much a second; the brake held it for this share of the time.
    Braked { would_per_sec: f64, share: f64 },
}

impl Rule for JobBudget {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (bytes, secs) = self.written.grown(look.recent, JOB_SECS)?;
        let (bytes, budget) = (bytes as f64, self.budget as f64);
        if bytes > budget * f64::from(JOB_SECS) * TOLERANCE + STEP_BYTES {
            self.figures = JobFigure::Over { bytes, secs };
            return Some(Finding::above(bytes / secs, budget, Severity::Warning));
        }
        let wants = Finding::above(self.would_write(look, bytes)?, budget, Severity::Warning);
        let (micros, braked_secs) = look.recent.grown(self.braked, BRAKED_SECS)?;
        let share = micros as f64 / 1e6 / braked_secs.max(1.0);
        let job = look.job(self.job)?;
        let is_held = job.running && braked_secs >= BRAKED_KNOWN_SECS && share > 0.5;
        let found = wants.only_if(is_held && !self.is_asked_for && !is_near_its_end(job.progress, job.took));
        if found.is_wrong() {
            self.figures = JobFigure::Braked { would_per_sec: found.value, share };
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let (job, budget) = (self.job, words::rate(self.budget as f64));
        let pause = format!("Pause {job} if it can wait; if it has no reason to write so much, report it.");
        match self.figures {
            JobFigure::Over { bytes, secs } => Words {
                title: format!("{job} writes more than its budget"),
                reason: format!(
                    "{job} wrote {} within {}; its budget is {budget}",
                    words::bytes(bytes),
                    words::span(secs)
                ),
                remedy: pause,
            },
            JobFigure::Braked { would_per_sec, share } => Words {
                title: format!("{job} wants to write more than its budget and is braked"),
                reason: format!(
                    "{job} would write {} if it were let; its budget is {budget}, and the brake has held it for {:.0} % of the \
                     last {BRAKED_SECS} s",
                    words::rate(would_per_sec),
                    share.min(1.0) * 100.0
                ),
                remedy: pause,
            },
            JobFigure::Nothing => Words { title: String::new(), reason: String::new(), remedy: pause },
        }
    }
}

impl JobBudget {
    /// What the job would write in a second if the brake did not hold it.
    fn would_write(&self, look: &Look<'_>, bytes: f64) -> Option<f64> {
        let (micros, secs) = look.recent.grown(self.braked, JOB_SECS)?;
        Some(bytes / (secs - micros as f64 / 1e6).max(1.0))
    }
}

fn is_near_its_end(progress: Option<Progress>, took: Duration) -> bool {
    let Some(Progress { done, total }) = progress.filter(|progress| progress.done > 0) else { return false };
    let left = total.saturating_sub(done) as f64 / done as f64 * took.as_secs_f64();
    left < NEAR_END.as_secs_f64()
}

/// What checkpoints may copy for what was written to the log.
#[derive(Debug)]
pub(crate) struct CheckpointBudget {
    pub(crate) copied: Sum,
    pub(crate) log: Sum,
    pub(crate) log_size: Option<SeriesId>,
    pub(crate) figures: (f64, f64),
}

impl Rule for CheckpointBudget {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (copied, secs) = self.copied.grown(look.recent, CHECKPOINT_SECS)?;
        let (logged, _) = self.log.grown(look.recent, CHECKPOINT_SECS)?;
        let found_in_it =
            self.log_size.and_then(|size| look.recent.greatest(size, CHECKPOINT_SECS)).unwrap_or(0);
        let limit = CHECKPOINT_RATIO * logged as f64 + CHECKPOINT_BYTES + found_in_it as f64;
        let found = Finding::above(copied as f64 / secs, limit / secs, Severity::Warning);
        if found.is_wrong() {
            self.figures = (copied as f64, logged as f64);
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let (copied, logged) = self.figures;
        Words {
            title: "checkpoints copy more than was written".to_owned(),
            reason: format!(
                "checkpoints copied {} within the last 5 min, in which {} were written to the log",
                words::bytes(copied),
                words::bytes(logged)
            ),
            remedy: "Report it with the support bundle: pages are copied that have not changed.".to_owned(),
        }
    }
}
