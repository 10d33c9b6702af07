//! Which rules there are.

use super::budget::{CheckpointBudget, JobBudget, JobFigure, LiveBudget, LiveFigures};
use super::duty_cycle::DutyCycle;
use super::entry::Entry;
use super::gauges::{Behind, DiskFree, LogSize, WriteFailing};
use super::live_ratio::LiveRatio;
use super::no_op::NoOp;
use super::rates::{CacheHits, KernelRate};
use super::rule::{Profile, Rule, Seldom, Sum, subject};
use super::stuck::{Figures, Stuck};
use super::unusual::Unusual;
use super::wait_inflicted::WaitInflicted;
use crate::{Baselines, Catalogue, JobPlan, SeriesId, SubjectKind, Thresholds, Work};
use std::time::Duration;

/// A rule as it is shown: its name, the unit of its figures, and for how many seconds it must be broken.
struct Kind(&'static str, &'static str, u32);

/// Rates are over half a minute and more, and ten seconds are enough to tell.
const BUDGET: Kind = Kind("budget", "B/s", 10);
const NO_OP: Kind = Kind("no_op", "%", 10);
/// It has its minutes already.
const STUCK: Kind = Kind("stuck", "ms", 0);
const DUTY_CYCLE: Kind = Kind("duty_cycle", "%", 10);
/// Packets depend on it.
const WAIT_INFLICTED: Kind = Kind("wait_inflicted", "ms", 2);
const LIVE_RATIO: Kind = Kind("live_ratio", "rows/s", 10);
const BASELINE: Kind = Kind("baseline", "B/s", 60);
/// Rates over ten and sixty seconds: a single burst is in the short one for ten.
const RATE_THRESHOLD: Kind = Kind("threshold", "B/s", 20);
/// After the start the whole history is read once, which may be in the window for a minute.
const SHARE_THRESHOLD: Kind = Kind("threshold", "%", 60);
const BYTES_THRESHOLD: Kind = Kind("threshold", "B", 10);
const ROWS_THRESHOLD: Kind = Kind("threshold", "rows", 10);
const WRITE_FAILING: Kind = Kind("write_failing", "", 5);

/// Over how many seconds a cause of live ingest is compared with what is usual.
const LIVE_SECS: u32 = 60;

/// The same for all other causes: they come in bursts, and no burst has a mean over twenty minutes that is more than three
/// times that over its hour.
const BURST_SECS: u32 = 1_200;

/// The causes of live ingest, with what makes them write. Of packets it is observations stored, since a duplicate is not
/// written. Of the rest it is messages, because a loop that upserts would raise the number of its own rows.
const LIVE: [(&str, &[&str], &str); 6] = [
    ("packets", &["rows.obs_inserted", "rows.tx_inserted"], "observations"),
    ("observers", &["ingest.received"], "messages"),
    ("metrics", &["ingest.received"], "messages"),
    ("nodes", &["ingest.received"], "messages"),
    ("dropped", &["ingest.received"], "messages"),
    ("coverage", &["ingest.received"], "messages"),
];

/// All rules whose series there are.
pub(crate) fn rules(
    catalogue: &Catalogue,
    plans: &[JobPlan],
    thresholds: Thresholds,
    baselines: &Baselines,
) -> Vec<Entry> {
    let mut set = Set { catalogue, entries: Vec::new() };
    set.live();
    for plan in plans {
        set.job(plan);
    }
    set.checkpoint();
    set.kernel(plans, thresholds);
    set.gauges(thresholds);
    set.unusual(plans, baselines);
    set.entries
}

struct Set<'a> {
    catalogue: &'a Catalogue,
    entries: Vec<Entry>,
}

impl Set<'_> {
    fn live(&mut self) {
        for (cause, names, arrived_as) in LIVE {
            let written = Sum::written_by(self.catalogue, cause);
            let arrived = Sum::of(self.catalogue, names);
            if written.is_empty() || arrived.is_empty() {
                continue;
            }
            let mut series = written.names(self.catalogue);
            series.extend(arrived.names(self.catalogue));
            let rule = LiveBudget { cause, written, arrived, arrived_as, figures: LiveFigures::default() };
            self.add(SubjectKind::Source, cause, BUDGET, series, rule);
        }
    }

    fn job(&mut self, plan: &JobPlan) {
        let job = plan.name;
        let ids = ["changed", "unchanged", "written", "run", "inflicted", "braked"]
            .map(|end| self.of_job(job, end));
        let [Some(changed), Some(unchanged), Some(written), Some(run), Some(inflicted), Some(braked)] = ids
        else {
            return;
        };
        let written = Sum::of(self.catalogue, &[&self.catalogue.info(written).name]);
        let named = |ends: &[&str]| ends.iter().map(|end| format!("jobs.{job}.{end}")).collect::<Vec<_>>();
        if let Some(budget) = plan.budget_bytes_per_sec {
            let is_asked_for = plan.interval.is_none();
            let rule =
                JobBudget { job, budget, written, braked, is_asked_for, figures: JobFigure::default() };
            self.about_job(job, BUDGET, named(&["written", "braked"]), rule);
        }
        let rule = NoOp { job, changed, unchanged, episode: None };
        self.about_job(job, NO_OP, named(&["unchanged", "changed"]), rule);
        let rule = Stuck { job, seen: None, figures: Figures::default() };
        self.about_job(job, STUCK, named(&["examined", "run"]), rule);
        if let Some(interval) = plan.interval {
            let rule = Seldom::of(DutyCycle { job, interval, run, figures: (Duration::ZERO, 0.0) });
            self.about_job(job, DUTY_CYCLE, named(&["run"]), rule);
        }
        let rule = WaitInflicted { job, inflicted, waited_ms: 0.0 };
        self.about_job(job, WAIT_INFLICTED, named(&["inflicted"]), rule);
        let live = self.catalogue.find("rows.tx_inserted").filter(|_| plan.work == Work::Rewrites);
        if let Some(live) = live {
            let rows =
                Sum::of(self.catalogue, &[&format!("jobs.{job}.changed"), &format!("jobs.{job}.unchanged")]);
            let mut series = rows.names(self.catalogue);
            series.push("rows.tx_inserted".to_owned());
            let rule = LiveRatio { job, rows, live, figures: (0.0, 0.0) };
            self.about_job(job, LIVE_RATIO, series, rule);
        }
    }

    fn checkpoint(&mut self) {
        let copied = Sum::written_by(self.catalogue, "checkpoint");
        let log = Sum::written_to(self.catalogue, "wal");
        if copied.is_empty() || log.is_empty() {
            return;
        }
        let series = copied.names(self.catalogue);
        let log_size = self.catalogue.find("wal.bytes");
        let rule = Seldom::of(CheckpointBudget { copied, log, log_size, figures: (0.0, 0.0) });
        self.add(SubjectKind::Source, "checkpoint", BUDGET, series, rule);
    }

    fn kernel(&mut self, plans: &[JobPlan], thresholds: Thresholds) {
        let asked_for = plans.iter().filter(|plan| plan.interval.is_none());
        let names: Vec<_> = asked_for.map(|plan| format!("jobs.{}.written", plan.name)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        if let Some(counted) = self.catalogue.find("process.write_bytes") {
            let rule = KernelRate {
                counted,
                wanted: Sum::of(self.catalogue, &names),
                limit: thresholds.write_bytes_per_sec,
                title: "the process writes more than it should",
                what: "were written by the process",
                remedy: "See in the ledger who writes, and pause it if it is a job.",
                value: 0.0,
            };
            self.threshold(SubjectKind::Process, "write_bytes", RATE_THRESHOLD, "process.write_bytes", rule);
        }
        if let Some(counted) = self.catalogue.find("process.cancelled_write_bytes") {
            let rule = KernelRate {
                counted,
                wanted: Sum::default(),
                limit: thresholds.cancelled_bytes_per_sec,
                title: "much is written and given up before it reaches the disk",
                what: "were given up by the process",
                remedy: "See in the ledger who writes files that are cut or removed at once.",
                value: 0.0,
            };
            let series = "process.cancelled_write_bytes";
            self.threshold(SubjectKind::Process, "cancelled_write_bytes", RATE_THRESHOLD, series, rule);
        }
        let cache = self.catalogue.find("cache.hits").zip(self.catalogue.find("cache.misses"));
        if let Some((hits, misses)) = cache {
            let rule =
                Seldom::of(CacheHits { hits, misses, limit: thresholds.cache_hit_rate, figures: (0.0, 0) });
            self.threshold(SubjectKind::Process, "page_cache", SHARE_THRESHOLD, "cache.misses", rule);
        }
    }

    fn gauges(&mut self, thresholds: Thresholds) {
        if let Some(size) = self.catalogue.find("wal.bytes") {
            let rule = LogSize { size, limit: thresholds.wal_bytes, value: 0.0 };
            self.threshold(SubjectKind::File, "wal", BYTES_THRESHOLD, "wal.bytes", rule);
        }
        if let Some(free) = self.catalogue.find("disk.free") {
            let rule = DiskFree { free, is_known: false, value: 0.0 };
            self.threshold(SubjectKind::File, "disk", BYTES_THRESHOLD, "disk.free", rule);
        }
        if let Some(failing) = self.catalogue.find("write.failing") {
            let series = vec!["write.failing".to_owned()];
            let rule = WriteFailing { failing };
            self.add(SubjectKind::Ingest, "ingest", WRITE_FAILING, series, rule);
        }
        if let Some(queue) = self.catalogue.find("queue.rows") {
            let series = vec!["queue.rows".to_owned()];
            self.add(SubjectKind::Ingest, "queue", ROWS_THRESHOLD, series, Behind { queue, rows: 0.0 });
        }
    }

    fn unusual(&mut self, plans: &[JobPlan], baselines: &Baselines) {
        // What an operator asks for is never usual.
        let is_asked_for =
            |cause: &str| plans.iter().any(|plan| plan.name == cause && plan.interval.is_none());
        for cause in baselines.causes().filter(|cause| !is_asked_for(cause)) {
            let written = Sum::written_by(self.catalogue, cause);
            let is_live = LIVE.iter().any(|(live, _, _)| *live == cause);
            let kind = match plans.iter().any(|plan| plan.name == cause) {
                true => SubjectKind::Job,
                false => SubjectKind::Source,
            };
            let series = written.names(self.catalogue);
            let window_secs = if is_live { LIVE_SECS } else { BURST_SECS };
            let rule = Unusual { cause: cause.to_owned(), written, window_secs, usual: None, figures: None };
            if is_live {
                self.add(kind, cause, BASELINE, series, rule);
            } else {
                self.add(kind, cause, BASELINE, series, Seldom::of(rule));
            }
        }
    }

    fn of_job(&self, job: &str, end: &str) -> Option<SeriesId> {
        self.catalogue.find(&format!("jobs.{job}.{end}"))
    }

    fn about_job(&mut self, job: &str, as_shown: Kind, series: Vec<String>, of: impl Rule + 'static) {
        self.add(SubjectKind::Job, job, as_shown, series, of);
    }

    fn threshold(
        &mut self,
        kind: SubjectKind,
        name: &str,
        as_shown: Kind,
        series: &str,
        of: impl Rule + 'static,
    ) {
        self.add(kind, name, as_shown, vec![series.to_owned()], of);
    }

    fn add(
        &mut self,
        kind: SubjectKind,
        name: &str,
        as_shown: Kind,
        series: Vec<String>,
        of: impl Rule + 'static,
    ) {
        let Kind(rule, unit, hold_secs) = as_shown;
        let profile = Profile { subject: subject(kind, name), rule, unit, hold_secs, series };
        self.entries.push(Entry::new(profile, Box::new(of)));
    }
}
