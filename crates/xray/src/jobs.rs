//! Background jobs: who they are, what they have done, and the brake that keeps them within their budgets.
//!
//! Whoever does background work registers a [`Job`] and tells it of each step. The job answers whether to go on, and takes
//! its time to answer when the budget is used up or ingest waits. Nothing of this is ever asked of live ingest.

use crate::{JobAction, JobError, JobReport, Recent, Sources};
use clock::{Clock, SystemClock};
use handle::Core;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

mod brake;
mod clock;
mod handle;
mod report;
mod state;

#[cfg(test)]
mod tests;

pub use handle::{Job, Run, Wake};
pub use state::StepReport;

pub(crate) use state::JobFigures;

#[cfg(test)]
pub(crate) use clock::{Clock as JobClock, FakeClock};

/// What kind of work a job does, which decides with what it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It changes rows that are there. Its rows are compared with those of live ingest.
    Rewrites,
    /// It takes old rows or free pages away. They are as many as once came in, and may go all at once.
    Removes,
    /// It copies or reads whole files and pages.
    Copies,
}

/// A job as it is registered.
#[derive(Clone, Debug)]
pub struct JobPlan {
    /// Such as `retention`; the part between the dots of its series.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub purpose: &'static str,
    /// With what it can be compared.
    pub work: Work,
    /// Bytes a second that it may write over a minute; `None` when it cannot be put off and is never braked.
    pub budget_bytes_per_sec: Option<u64>,
    /// Between the begins of its runs; `None` when it runs only when an operator asks. Such a job may be braked for as long as
    /// it takes without being called wrong.
    pub interval: Option<Duration>,
    /// What may be done to it.
    pub actions: &'static [JobAction],
}

/// All background jobs of a process. Clones are the same jobs.
///
/// ```
/// use xray::{JobPlan, Jobs, StepReport, Wake, Work};
///
/// let jobs = Jobs::new(|| false);
/// let job = jobs.register(JobPlan {
///     name: "retention",
///     purpose: "removes old packets",
///     work: Work::Removes,
///     budget_bytes_per_sec: Some(1 << 20),
///     interval: Some(std::time::Duration::from_secs(86_400)),
///     actions: &[],
/// });
/// assert_eq!(job.wait(std::time::Duration::ZERO), Wake::Due);
/// let run = job.begin();
/// while run.go_on() {
///     run.step(StepReport { examined: 10, changed: 10, written_bytes: 4_120, ..StepReport::default() });
///     # break;
/// }
/// drop(run);
/// jobs.stop();
/// assert_eq!(job.wait(std::time::Duration::ZERO), Wake::Stop);
/// ```
#[derive(Clone, Debug)]
pub struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    ingest_waits: IngestWaits,
    cores: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    cores: Vec<Arc<Core>>,
    stopped: bool,
}

/// Says whether ingest waits for the writer.
#[derive(Clone)]
pub(crate) struct IngestWaits(Arc<dyn Fn() -> bool + Send + Sync>);

impl IngestWaits {
    /// Whether it does now.
    pub(crate) fn now(&self) -> bool {
        (self.0)()
    }
}

impl std::fmt::Debug for IngestWaits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IngestWaits")
    }
}

impl Jobs {
    /// None yet. `ingest_waits` says whether ingest waits for the writer at this moment; jobs with a budget then make room. It
    /// is asked between steps and must be quick.
    pub fn new(ingest_waits: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self::with_clock(Arc::new(SystemClock::default()), ingest_waits)
    }

    /// The same with a clock of its own, so that tests do not wait.
    pub(crate) fn with_clock(
        clock: Arc<dyn Clock>,
        ingest_waits: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let ingest_waits = IngestWaits(Arc::new(ingest_waits));
        Self { inner: Arc::new(Inner { clock, ingest_waits, cores: Mutex::default() }) }
    }

    /// Adds a job.
    ///
    /// # Panics
    /// When there is one of this name: a fault of the program.
    pub fn register(&self, plan: JobPlan) -> Job {
        let mut registered = self.inner.cores.lock();
        let taken = registered.cores.iter().any(|core| core.plan.name == plan.name);
        assert!(!taken, "job {} is registered twice", plan.name);
        let clock = Arc::clone(&self.inner.clock);
        let core = Arc::new(Core::new(plan, clock, self.inner.ingest_waits.clone(), registered.stopped));
        registered.cores.push(Arc::clone(&core));
        Job::of(core)
    }

    /// Adds the series of all jobs that are registered by now.
    pub fn series(&self, sources: &mut Sources) {
        for core in &self.inner.cores.lock().cores {
            let infos = report::series_of(core.plan.name);
            let core = Arc::clone(core);
            sources.group(&infos, move |places| core.read(places));
        }
    }

    /// What is known of each, in the order of their names.
    pub fn reports(&self, recent: &Recent) -> Vec<JobReport> {
        let cores = self.inner.cores.lock().cores.clone();
        let mut reports: Vec<_> = cores.iter().map(|core| core.report(recent)).collect();
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        reports
    }

    /// Pauses, resumes or starts a job, and says how it is then.
    ///
    /// # Errors
    /// When there is none of this name, or when this cannot be done to it.
    pub fn control(&self, name: &str, action: JobAction, recent: &Recent) -> Result<JobReport, JobError> {
        let found = self.inner.cores.lock().cores.iter().find(|core| core.plan.name == name).cloned();
        let core = found.ok_or_else(|| JobError::Unknown(name.to_owned()))?;
        core.control(action)?;
        Ok(core.report(recent))
    }

    /// Ends all waiting: every job is told to stop, now and from now on.
    pub fn stop(&self) {
        let mut registered = self.inner.cores.lock();
        registered.stopped = true;
        for core in &registered.cores {
            core.stop();
        }
    }

    /// What was registered by now.
    pub(crate) fn plans(&self) -> Vec<JobPlan> {
        self.inner.cores.lock().cores.iter().map(|core| core.plan.clone()).collect()
    }

    /// Visits the jobs in the order of their registration.
    pub(crate) fn visit(&self, mut each: impl FnMut(JobFigures)) {
        for core in &self.inner.cores.lock().cores {
            each(core.figures());
        }
    }
}
