//! The handle by which a job's own code tells what it does and asks whether to go on.

use super::brake::Brake;
use super::clock::Clock;
use super::state::{Ended, JobFigures, State, StepReport};
use super::{IngestWaits, JobPlan};
use crate::{JobAction, JobError, Progress};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Duration;

/// How often a job that makes room for ingest looks whether it may go on: less than one of its steps takes.
const YIELD_SLICE: Duration = Duration::from_millis(20);

/// For how long a job makes room for ingest before a step, at most. An ingest that waits for longer does not wait for this job,
/// and a job that is never let in never ends.
const YIELD_AT_MOST: Duration = Duration::from_secs(1);

/// Waiting for a signal that does not come is done in spans of an hour, which no clock refuses.
const LONG: Duration = Duration::from_secs(3_600);

/// Why a job's thread was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Its time has come.
    Due,
    /// Somebody asked for it.
    Asked,
    /// The program ends.
    Stop,
}

/// A job, for the code that does its work.
#[derive(Clone, Debug)]
pub struct Job {
    core: Arc<Core>,
}

/// A run of a job; it ends when this is dropped.
#[derive(Debug)]
pub struct Run {
    core: Arc<Core>,
}

/// A job as its registry and its handles share it.
#[derive(Debug)]
pub(crate) struct Core {
    /// What was registered.
    pub(crate) plan: JobPlan,
    /// Its time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Its figures.
    pub(crate) state: Mutex<State>,
    ingest_waits: IngestWaits,
    signal: Condvar,
}

impl Job {
    pub(crate) fn of(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Waits until so much time has passed, until somebody asks for a run, or until the program ends. A job that is paused stays
    /// here. [`Duration::MAX`] waits until it is asked.
    pub fn wait(&self, at_most: Duration) -> Wake {
        let core = &*self.core;
        let mut state = core.state.lock();
        let due = core.clock.steady().saturating_add(at_most);
        state.due = Some(due).filter(|due| *due < Duration::MAX);
        loop {
            let now = core.clock.steady();
            if state.stopped {
                return Wake::Stop;
            }
            if state.asked && !state.paused {
                return Wake::Asked;
            }
            if now >= due && !state.paused {
                return Wake::Due;
            }
            let left = if state.paused { LONG } else { due.saturating_sub(now).min(LONG) };
            core.clock.wait(&core.signal, &mut state, left);
        }
    }

    /// Asks for a run, as an operator may; one that is at work is followed by another.
    pub fn ask(&self) {
        self.core.state.lock().asked = true;
        self.core.signal.notify_all();
    }

    /// Begins a run.
    pub fn begin(&self) -> Run {
        let core = &*self.core;
        core.state.lock().begin(core.clock.steady(), core.clock.wall_ms());
        Run { core: Arc::clone(&self.core) }
    }

    /// Books work that has been done already and took so long: for jobs that are not loops of ours, such as a checkpoint. It
    /// counts as a run.
    pub fn observed(&self, report: StepReport, took: Duration) {
        let core = &*self.core;
        let mut state = core.state.lock();
        state.step(core.clock.steady(), report);
        state.run.add(took);
        state.runs += 1;
        let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        state.ended = Some(Ended { began_ms: core.clock.wall_ms().saturating_sub(took_ms), took });
    }

    /// What keeps it from its work at present, for jobs that are not loops of ours; `None` when nothing does any more.
    pub fn hindered(&self, why: Option<String>) {
        self.core.state.lock().error = why;
    }
}

impl Run {
    /// Books a step.
    pub fn step(&self, report: StepReport) {
        self.core.state.lock().step(self.core.clock.steady(), report);
    }

    /// Says how far the run is, in a unit of the job's own.
    pub fn progress(&self, done: u64, total: u64) {
        if let Some(running) = &mut self.core.state.lock().running {
            running.progress = Some(Progress { done, total });
        }
    }

    /// The run ends early; the text says why.
    pub fn failed(&self, text: impl Into<String>) {
        self.core.state.lock().error = Some(text.into());
    }

    /// To be asked before each step: whether to go on. Takes its time while the job is paused, over its budget or in the way of
    /// ingest; says no when the program ends.
    pub fn go_on(&self) -> bool {
        let core = &*self.core;
        let mut state = core.state.lock();
        let mut yielded = Duration::ZERO;
        let go_on = loop {
            let now = core.clock.steady();
            if state.stopped {
                break false;
            }
            if state.paused {
                state.braked.stop(now);
                state.run.stop(now);
                core.clock.wait(&core.signal, &mut state, LONG);
                continue;
            }
            state.run.start(now);
            let Some(brake) = &mut state.brake else { break true };
            let mut wait = brake.wait(now);
            if wait.is_zero() && yielded < YIELD_AT_MOST && core.ingest_waits.now() {
                wait = YIELD_SLICE;
                yielded += YIELD_SLICE;
            }
            if wait.is_zero() {
                break true;
            }
            state.braked.start(now);
            core.clock.wait(&core.signal, &mut state, wait);
        };
        state.braked.stop(core.clock.steady());
        go_on
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.core.state.lock().end(self.core.clock.steady());
    }
}

impl Core {
    /// A job that has not run yet.
    pub(crate) fn new(
        plan: JobPlan,
        clock: Arc<dyn Clock>,
        ingest_waits: IngestWaits,
        stopped: bool,
    ) -> Self {
        let state = State { brake: plan.budget_bytes_per_sec.map(Brake::new), stopped, ..State::default() };
        Self { plan, clock, state: Mutex::new(state), ingest_waits, signal: Condvar::new() }
    }

    /// Wakes it for the last time.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.signal.notify_all();
    }

    /// Does what an operator asks for.
    pub(crate) fn control(&self, action: JobAction) -> Result<(), JobError> {
        let refused = |reason: &str| {
            let job = self.plan.name.to_owned();
            let action = match action {
                JobAction::Pause => "pause".to_owned(),
                JobAction::Resume => "resume".to_owned(),
                JobAction::Run => "run".to_owned(),
            };
            Err(JobError::Refused { job, action, reason: reason.to_owned() })
        };
        if !self.plan.actions.contains(&action) {
            return refused("the program needs it done in its own time");
        }
        let mut state = self.state.lock();
        match action {
            JobAction::Pause => state.paused = true,
            JobAction::Resume => state.paused = false,
            JobAction::Run if state.running.is_some() => return refused("it is running"),
            JobAction::Run if state.paused => return refused("it is paused; resume it first"),
            JobAction::Run => state.asked = true,
        }
        drop(state);
        self.signal.notify_all();
        Ok(())
    }

    /// For the rules.
    pub(crate) fn figures(&self) -> JobFigures {
        let state = self.state.lock();
        let ended = state.ended.map_or(Duration::ZERO, |ended| ended.took);
        JobFigures {
            name: self.plan.name,
            running: state.running.is_some() && state.run.is_counting(),
            began_ms: state.running.map(|running| running.began_ms),
            took: state.took(self.clock.steady()).unwrap_or(ended),
            progress: state.running.and_then(|running| running.progress),
        }
    }
}
