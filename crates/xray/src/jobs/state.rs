//! What is kept of a job, under a lock that is never held while anything waits.

use super::brake::Brake;
use crate::Progress;
use std::time::Duration;

/// What one step of a job has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Rows looked at.
    pub examined: u64,
    /// Rows that are now different from before, or gone.
    pub changed: u64,
    /// Rows that were written and are as before.
    pub unchanged: u64,
    /// Bytes that the step caused to be written.
    pub written_bytes: u64,
    /// How long it waited for the writer.
    pub suffered: Duration,
    /// How long ingest waited because of it.
    pub inflicted: Duration,
}

/// What the rules need to know of a job beyond its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobFigures {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether it is at work; a paused job is not.
    pub(crate) running: bool,
    /// When the run at hand began; `None` when there is none.
    pub(crate) began_ms: Option<i64>,
    /// How long the run at hand has been at work, or the last one was.
    pub(crate) took: Duration,
    /// How far the run at hand is.
    pub(crate) progress: Option<Progress>,
}

/// A span that is still open counts up to now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stopwatch {
    total: Duration,
    since: Option<Duration>,
}

impl Stopwatch {
    /// Begins to count.
    pub(crate) fn start(&mut self, now: Duration) {
        self.since.get_or_insert(now);
    }

    /// Ends counting.
    pub(crate) fn stop(&mut self, now: Duration) {
        self.total = self.read(now);
        self.since = None;
    }

    /// Counts a span that somebody else has measured.
    pub(crate) fn add(&mut self, span: Duration) {
        self.total = self.total.saturating_add(span);
    }

    /// All spans together.
    pub(crate) fn read(&self, now: Duration) -> Duration {
        self.total.saturating_add(self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since)))
    }

    /// Whether it counts.
    pub(crate) fn is_counting(&self) -> bool {
        self.since.is_some()
    }
}

/// The run at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// Milliseconds since 1970.
    pub(crate) began_ms: i64,
    /// What [`State::run`] read then.
    pub(crate) run_before: Duration,
    /// How far it is.
    pub(crate) progress: Option<Progress>,
}

/// The last run that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Milliseconds since 1970.
    pub(crate) began_ms: i64,
    /// How long it was at work.
    pub(crate) took: Duration,
}

/// A job's figures since the start, and what it is told to do.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Sums of all steps.
    pub(crate) steps: StepReport,
    /// Runs that have ended.
    pub(crate) runs: u64,
    /// Time at work, without that in which it was paused.
    pub(crate) run: Stopwatch,
    /// Time in which the brake held it.
    pub(crate) braked: Stopwatch,
    /// The run at hand.
    pub(crate) running: Option<Running>,
    /// The last one.
    pub(crate) ended: Option<Ended>,
    /// Why the last run ended early.
    pub(crate) error: Option<String>,
    /// When it is due, by the steady clock.
    pub(crate) due: Option<Duration>,
    /// Somebody wants it to run now.
    pub(crate) asked: bool,
    /// Somebody wants it to do nothing.
    pub(crate) paused: bool,
    /// The program ends.
    pub(crate) stopped: bool,
    /// `None` when it has no budget.
    pub(crate) brake: Option<Brake>,
}

impl State {
    /// Books a step.
    pub(crate) fn step(&mut self, now: Duration, report: StepReport) {
        let sums = &mut self.steps;
        sums.examined = sums.examined.saturating_add(report.examined);
        sums.changed = sums.changed.saturating_add(report.changed);
        sums.unchanged = sums.unchanged.saturating_add(report.unchanged);
        sums.written_bytes = sums.written_bytes.saturating_add(report.written_bytes);
        sums.suffered = sums.suffered.saturating_add(report.suffered);
        sums.inflicted = sums.inflicted.saturating_add(report.inflicted);
        if let Some(brake) = &mut self.brake {
            brake.book(now, report.written_bytes);
        }
    }

    /// A run begins.
    pub(crate) fn begin(&mut self, now: Duration, wall_ms: i64) {
        self.running = Some(Running { began_ms: wall_ms, run_before: self.run.read(now), progress: None });
        self.error = None;
        self.due = None;
        self.asked = false;
        self.run.start(now);
    }

    /// The run at hand ends.
    pub(crate) fn end(&mut self, now: Duration) {
        self.run.stop(now);
        self.braked.stop(now);
        if let Some(running) = self.running.take() {
            let took = self.run.read(now).saturating_sub(running.run_before);
            self.ended = Some(Ended { began_ms: running.began_ms, took });
            self.runs += 1;
        }
    }

    /// How long the run at hand has been at work.
    pub(crate) fn took(&self, now: Duration) -> Option<Duration> {
        self.running.map(|running| self.run.read(now).saturating_sub(running.run_before))
    }
}
