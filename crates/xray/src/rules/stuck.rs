//! Runs that do not get closer to their ends.

use super::rule::{Finding, Look, Rule, Words};
use super::words;
use crate::jobs::JobFigures;
use crate::{Progress, Severity};

/// A run that has not done anything for so long does not get on.
const STILL_MS: f64 = 300_000.0;

/// A run that would need longer than this at its present pace does not get to its end.
const TOO_LONG_MS: f64 = 86_400_000.0;

/// The pace is known after so long, and is that since then.
const PACE_MS: i64 = 600_000;

/// Whether a run gets closer to its end.
#[derive(Debug)]
pub(crate) struct Stuck {
    pub(crate) job: &'static str,
    pub(crate) seen: Option<Seen>,
    pub(crate) figures: Figures,
}

/// How far a run was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    began_ms: i64,
    /// When it was known to have grown last, and to what.
    grown_ms: i64,
    done: u64,
    /// Where the pace is reckoned from.
    base_ms: i64,
    base_done: u64,
    /// The base to come.
    next: (i64, u64),
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    progress: (u64, u64),
    still_ms: f64,
    /// At its present pace; `None` when it does not get on at all.
    needs_ms: Option<f64>,
}

impl Rule for Stuck {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let job = look.job(self.job)?;
        let (Some(progress), Some(began_ms)) = (job.progress, job.began_ms) else {
            self.seen = None;
            return None;
        };
        let seen = self.follow(look.at_ms, job, progress, began_ms);
        let still_ms = (look.at_ms - seen.grown_ms) as f64;
        let still = Finding::above(still_ms, STILL_MS, Severity::Warning);
        let needs = needs_ms(look.at_ms, &seen, progress);
        let slow = needs.map(|needs| Finding::above(needs, TOO_LONG_MS, Severity::Warning));
        let found = slow.filter(|slow| slow.is_wrong() && !still.is_wrong()).unwrap_or(still);
        if found.is_wrong() {
            let needs_ms = needs.filter(|_| !still.is_wrong());
            self.figures = Figures { progress: (progress.done, progress.total), still_ms, needs_ms };
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let Figures { progress: (done, total), still_ms, needs_ms } = self.figures;
        let (job, done, total) = (self.job, words::count(done as f64), words::count(total as f64));
        let reason = match needs_ms {
            Some(needs) => {
                format!(
                    "{job} has done {done} of {total} and needs {} more at its pace",
                    words::span(needs / 1e3)
                )
            }
            None => {
                format!("{job} is at {done} of {total}, and has been for {}", words::span(still_ms / 1e3))
            }
        };
        Words {
            title: format!("{job} is not getting closer to its end"),
            reason,
            remedy: format!(
                "Pause {job} or start the program anew, and look in the log for what it waits for."
            ),
        }
    }

    fn forget(&mut self) {
        self.figures = Figures::default();
    }
}

impl Stuck {
    fn follow(&mut self, at_ms: i64, job: &JobFigures, progress: Progress, began_ms: i64) -> Seen {
        let done = progress.done;
        let anew =
            Seen { began_ms, grown_ms: at_ms, done, base_ms: at_ms, base_done: done, next: (at_ms, done) };
        let known =
            self.seen.filter(|seen| seen.began_ms == began_ms && seen.grown_ms <= at_ms && seen.done <= done);
        let mut seen = known.unwrap_or(anew);
        if done > seen.done || !job.running {
            // A run that is paused is not to blame for standing still.
            seen.grown_ms = at_ms;
        }
        seen.done = done;
        if !job.running {
            (seen.base_ms, seen.base_done, seen.next) = (at_ms, done, (at_ms, done));
        }
        if at_ms - seen.next.0 >= PACE_MS {
            (seen.base_ms, seen.base_done) = seen.next;
            seen.next = (at_ms, done);
        }
        self.seen = Some(seen);
        seen
    }
}

/// What is left at the pace of the last ten to twenty minutes; `None` while that is not known.
fn needs_ms(at_ms: i64, seen: &Seen, progress: Progress) -> Option<f64> {
    let (span, done) = (at_ms - seen.base_ms, progress.done.saturating_sub(seen.base_done));
    let left = progress.total.saturating_sub(progress.done) as f64;
    (span >= PACE_MS && done > 0).then(|| left / done as f64 * span as f64)
}
