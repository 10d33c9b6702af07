//! A machine of tests: series, jobs and a clock of its own, and the rules looking on second by second.

use super::{Change, Watch};
use crate::jobs::{FakeClock, JobClock as _};
use crate::{
    AlertChange, Baselines, Flag, Job, JobAction, JobPlan, Jobs, Recent, SeriesKind, Sources, Thresholds,
    Unit, Verdict, Work, info,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Budget of the job `rewrite`.
pub(super) const REWRITE_BUDGET: u64 = 256 << 10;

const COUNTERS: &[&str] = &[
    "written.packets.wal",
    "written.observers.wal",
    "written.nodes.wal",
    "written.rewrite.wal",
    "written.retention.wal",
    "written.backup.backup",
    "written.checkpoint.database",
    "rows.obs_inserted",
    "rows.tx_inserted",
    "rows.observer_upserts",
    "ingest.received",
    "process.write_bytes",
    "process.cancelled_write_bytes",
    "cache.hits",
    "cache.misses",
];

const GAUGES: &[&str] = &["wal.bytes", "disk.free", "queue.rows", "write.failing"];

/// The machine.
pub(super) struct Scenario {
    pub(super) clock: Arc<FakeClock>,
    pub(super) jobs: Jobs,
    rewrite: Job,
    retention: Job,
    backup: Job,
    core: Arc<Mutex<Core>>,
}

type Traffic = Box<dyn FnMut(u64, &mut Values) + Send>;

struct Core {
    second: u64,
    values: Arc<Mutex<Values>>,
    sources: Sources,
    recent: Recent,
    watch: Watch,
    traffic: Option<Traffic>,
    changes: Vec<(u64, Change)>,
}

/// The series that are not those of jobs.
#[derive(Debug)]
pub(super) struct Values(pub(super) Vec<u64>);

impl Values {
    pub(super) fn add(&mut self, name: &str, amount: u64) {
        *self.place(name) += amount;
    }

    pub(super) fn set(&mut self, name: &str, value: u64) {
        *self.place(name) = value;
    }

    fn place(&mut self, name: &str) -> &mut u64 {
        let place = COUNTERS.iter().chain(GAUGES).position(|known| *known == name);
        &mut self.0[place.unwrap_or_else(|| panic!("there is no series {name}"))]
    }

    /// Live ingest, committed every five seconds at 300 bytes an observation and some pages.
    pub(super) fn live(&mut self, second: u64, observations: u64) {
        self.add("ingest.received", observations + observations / 5 + 1);
        if second.is_multiple_of(5) {
            self.add("rows.obs_inserted", observations * 5);
            self.add("rows.tx_inserted", observations / 2);
            self.written("packets", observations * 5 * 300 + 6 * 4_120);
            self.written("observers", 3 * 4_120);
        }
    }

    /// Bytes of a cause in the log, seen by the kernel, too.
    pub(super) fn written(&mut self, cause: &str, bytes: u64) {
        self.add(&format!("written.{cause}.wal"), bytes);
        self.add("process.write_bytes", bytes);
    }
}

impl Scenario {
    pub(super) fn new() -> Self {
        Self::with_baselines(Baselines::in_memory)
    }

    pub(super) fn with_baselines(baselines: impl FnOnce(&crate::Catalogue) -> Baselines) -> Self {
        let clock = Arc::new(FakeClock::default());
        let jobs = Jobs::with_clock(Arc::clone(&clock) as _, || false);
        let minute = Some(Duration::from_secs(60));
        let day = Some(Duration::from_secs(86_400));
        let rewrite = jobs.register(plan("rewrite", Work::Rewrites, Some(REWRITE_BUDGET), minute));
        let retention = jobs.register(plan("retention", Work::Removes, Some(1 << 20), day));
        let backup = jobs.register(plan("backup", Work::Copies, Some(8 << 20), None));
        let mut sources = Sources::default();
        let values = Arc::new(Mutex::new(Values(vec![0; COUNTERS.len() + GAUGES.len()])));
        let counters = COUNTERS.iter().map(|name| info(name, SeriesKind::Counter, Unit::Bytes, ""));
        let gauges = GAUGES.iter().map(|name| info(name, SeriesKind::Gauge, Unit::Bytes, ""));
        let infos: Vec<_> = counters.chain(gauges).collect();
        let read = Arc::clone(&values);
        sources.group(&infos, move |places| places.copy_from_slice(&read.lock().0));
        jobs.series(&mut sources);
        let catalogue = Arc::new(sources.catalogue().clone());
        let watch = Watch::new(&catalogue, &jobs, Thresholds::default(), baselines(&catalogue));
        let recent = Recent::new(catalogue);
        let changes = Vec::new();
        let core = Core { second: 0, values, sources, recent, watch, traffic: None, changes };
        let core = Arc::new(Mutex::new(core));
        let (ticking, of) = (Arc::clone(&core), jobs.clone());
        clock.on_second(move || ticking.lock().tick(&of));
        Self { clock, jobs, rewrite, retention, backup, core }
    }

    /// What happens each second from now on.
    pub(super) fn each_second(&self, traffic: impl FnMut(u64, &mut Values) + Send + 'static) {
        self.core.lock().traffic = Some(Box::new(traffic));
    }

    /// What happens at once.
    pub(super) fn now(&self, act: impl FnOnce(&mut Values)) {
        act(&mut self.core.lock().values.lock());
    }

    pub(super) fn pass(&self, secs: u64) {
        self.clock.pass(Duration::from_secs(secs));
    }

    /// A minute of quiet traffic, so that rates have settled.
    pub(super) fn settled(self) -> Self {
        self.each_second(|second, values| values.live(second, 10));
        self.pass(60);
        assert_eq!(self.told(), [""; 0]);
        self
    }

    /// Runs a job until that second: steps of so long, each followed by what it reports.
    pub(super) fn work(&self, job: &str, until: u64, millis: u64, mut step: impl FnMut(&crate::Run)) {
        let job = match job {
            "rewrite" => &self.rewrite,
            "retention" => &self.retention,
            _ => &self.backup,
        };
        let run = job.begin();
        while self.clock.steady() < Duration::from_secs(until) && run.go_on() {
            self.clock.pass(Duration::from_millis(millis));
            step(&run);
        }
    }

    pub(super) fn control(&self, job: &str, action: JobAction) {
        self.jobs.control(job, action, &self.core.lock().recent).unwrap();
    }

    /// What was told, such as `12 raised rewrite.no_op`.
    pub(super) fn told(&self) -> Vec<String> {
        let core = self.core.lock();
        let told = |(second, change): &(u64, Change)| {
            let what = match change.change {
                AlertChange::Raised => "raised",
                AlertChange::Worsened => "worsened",
                AlertChange::Cleared => "cleared",
                AlertChange::Test => "test",
            };
            format!("{second} {what} {}", change.flag.id)
        };
        core.changes.iter().map(told).collect()
    }

    /// When a flag was raised first, and the flag.
    pub(super) fn raised(&self, id: &str) -> Option<(u64, Flag)> {
        let core = self.core.lock();
        let mut raised = core.changes.iter().filter(|(_, change)| change.change == AlertChange::Raised);
        raised.find(|(_, change)| change.flag.id == id).map(|(second, change)| (*second, change.flag.clone()))
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        self.core.lock().changes.iter().map(|(_, change)| change.clone()).collect()
    }

    pub(super) fn active(&self) -> Vec<String> {
        self.core.lock().watch.active().into_iter().map(|flag| flag.id).collect()
    }

    /// The reason of a flag that is up.
    pub(super) fn reason(&self, id: &str) -> String {
        self.flag(id).reason
    }

    /// Its title.
    pub(super) fn title(&self, id: &str) -> String {
        self.flag(id).title
    }

    pub(super) fn rewrite(&self) -> &Job {
        &self.rewrite
    }

    pub(super) fn retention(&self) -> &Job {
        &self.retention
    }

    pub(super) fn values(&self) -> Arc<Mutex<Values>> {
        Arc::clone(&self.core.lock().values)
    }

    fn flag(&self, id: &str) -> Flag {
        let flags = self.core.lock().watch.active();
        flags
            .into_iter()
            .find(|flag| flag.id == id)
            .unwrap_or_else(|| panic!("{id} is not up: {:?}", self.told()))
    }

    pub(super) fn verdict(&self) -> Verdict {
        let core = self.core.lock();
        core.watch.verdict(&core.recent)
    }
}

impl Core {
    fn tick(&mut self, jobs: &Jobs) {
        self.second += 1;
        if let Some(traffic) = &mut self.traffic {
            traffic(self.second, &mut self.values.lock());
        }
        let mut sample = vec![0; self.sources.catalogue().infos().len()];
        self.sources.read(&mut sample);
        let at_ms = 1_700_000_000_000 + self.second as i64 * 1_000;
        self.recent.push(at_ms, &sample);
        let changes = self.watch.evaluate(at_ms, &self.recent, jobs);
        self.changes.extend(changes.iter().map(|change| (self.second, change.clone())));
    }
}

fn plan(name: &'static str, work: Work, budget: Option<u64>, interval: Option<Duration>) -> JobPlan {
    JobPlan {
        name,
        purpose: "",
        work,
        budget_bytes_per_sec: budget,
        interval,
        actions: &[JobAction::Pause, JobAction::Resume, JobAction::Run],
    }
}
