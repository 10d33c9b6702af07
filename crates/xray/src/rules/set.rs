//! Which rules there are.

use super::budget::{CheckpointBudget, JobBudget, JobFigure, LiveBudget, LiveFigures};
use super::duty_cycle::DutyCycle;
use super::entry::Entry;
use super::gauges::{Behind, DiskFree, LogSize, WriteFailing};
use super::live_ratio::LiveRatio;
use super::no_op::NoOp;
use super::rates::{CacheHits, KernelRate};
use super::rule::{Profile, Rule, Sum, subject};
use super::stuck::{Figures, Stuck};
use super::unusual::Unusual;
use super::wait_inflicted::WaitInflicted;
use crate::{Baselines, Catalogue, JobPlan, SeriesId, SubjectKind, Thresholds, Work};
use std::time::Duration;

/// For how many seconds a rate must be wrong.
const HOLD_RATE: u32 = 10;

/// For how many seconds a rate over ten and sixty seconds must be wrong: a burst is in the short one for ten.
const HOLD_KERNEL: u32 = 20;

/// For how many seconds the share of the cache must be wrong: after the start the whole history is read once.
const HOLD_CACHE: u32 = 60;

/// For how many seconds a cause must write more than usually.
const HOLD_UNUSUAL: u32 = 60;

/// For how many seconds what packets depend on must be wrong.
const HOLD_INGEST: u32 = 5;

/// Over how many seconds a cause of live ingest is compared with what is usual.
const LIVE_SECS: u32 = 60;

/// The same for all other causes: they come in bursts, and no burst has a mean over twenty minutes that is more than three
/// times that over its hour.
const BURST_SECS: u32 = 1_200;

/// The causes of live ingest, with what makes them write. Of packets it is observations stored, since a duplicate is not
/// written. Of the rest it is messages, because a loop that upserts would raise the number of its own rows.
const LIVE: [(&str, &[&str], &str); 5] = [
    ("packets", &["rows.obs_inserted", "rows.tx_inserted"], "observations"),
    ("observers", &["ingest.received"], "messages"),
    ("metrics", &["ingest.received"], "messages"),
    ("nodes", &["ingest.received"], "messages"),
    ("dropped", &["ingest.received"], "messages"),
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
            self.add(SubjectKind::Source, cause, "budget", "B/s", HOLD_RATE, series, rule);
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
            self.about_job(job, "budget", "B/s", HOLD_RATE, named(&["written", "braked"]), rule);
        }
        let rule = NoOp { job, changed, unchanged, episode: None };
        self.about_job(job, "no_op", "%", HOLD_RATE, named(&["unchanged", "changed"]), rule);
        let rule = Stuck { job, seen: None, figures: Figures::default() };
        self.about_job(job, "stuck", "ms", 0, named(&["examined", "run"]), rule);
        if let Some(interval) = plan.interval {
            let rule = DutyCycle { job, interval, run, figures: (Duration::ZERO, 0.0) };
            self.about_job(job, "duty_cycle", "%", HOLD_RATE, named(&["run"]), rule);
        }
        let rule = WaitInflicted { job, inflicted, waited_ms: 0.0 };
        self.about_job(job, "wait_inflicted", "ms", 2, named(&["inflicted"]), rule);
        let live = self.catalogue.find("rows.tx_inserted").filter(|_| plan.work == Work::Rewrites);
        if let Some(live) = live {
            let rows =
                Sum::of(self.catalogue, &[&format!("jobs.{job}.changed"), &format!("jobs.{job}.unchanged")]);
            let mut series = rows.names(self.catalogue);
            series.push("rows.tx_inserted".to_owned());
            let rule = LiveRatio { job, rows, live, figures: (0.0, 0.0) };
            self.about_job(job, "live_ratio", "rows/s", HOLD_RATE, series, rule);
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
        let rule = CheckpointBudget { copied, log, log_size, figures: (0.0, 0.0) };
        self.add(SubjectKind::Source, "checkpoint", "budget", "B/s", HOLD_RATE, series, rule);
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
            self.threshold(
                SubjectKind::Process,
                "write_bytes",
                "B/s",
                HOLD_KERNEL,
                "process.write_bytes",
                rule,
            );
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
            self.threshold(SubjectKind::Process, "cancelled_write_bytes", "B/s", HOLD_KERNEL, series, rule);
        }
        let cache = self.catalogue.find("cache.hits").zip(self.catalogue.find("cache.misses"));
        if let Some((hits, misses)) = cache {
            let rule = CacheHits { hits, misses, limit: thresholds.cache_hit_rate, figures: (0.0, 0) };
            self.threshold(SubjectKind::Process, "page_cache", "%", HOLD_CACHE, "cache.misses", rule);
        }
    }

    fn gauges(&mut self, thresholds: Thresholds) {
        if let Some(size) = self.catalogue.find("wal.bytes") {
            let rule = LogSize { size, limit: thresholds.wal_bytes, value: 0.0 };
            self.threshold(SubjectKind::File, "wal", "B", HOLD_RATE, "wal.bytes", rule);
        }
        if let Some(free) = self.catalogue.find("disk.free") {
            let rule = DiskFree { free, is_known: false, value: 0.0 };
            self.threshold(SubjectKind::File, "disk", "B", HOLD_RATE, "disk.free", rule);
        }
        if let Some(failing) = self.catalogue.find("write.failing") {
            let series = vec!["write.failing".to_owned()];
            let rule = WriteFailing { failing };
            self.add(SubjectKind::Ingest, "ingest", "write_failing", "", HOLD_INGEST, series, rule);
        }
        if let Some(queue) = self.catalogue.find("queue.rows") {
            let series = vec!["queue.rows".to_owned()];
            self.add(
                SubjectKind::Ingest,
                "ingest",
                "behind",
                "rows",
                HOLD_RATE,
                series,
                Behind { queue, rows: 0.0 },
            );
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
            self.add(kind, cause, "baseline", "B/s", HOLD_UNUSUAL, series, rule);
        }
    }

    fn of_job(&self, job: &str, end: &str) -> Option<SeriesId> {
        self.catalogue.find(&format!("jobs.{job}.{end}"))
    }

    fn about_job(
        &mut self,
        job: &str,
        rule: &'static str,
        unit: &'static str,
        hold_secs: u32,
        series: Vec<String>,
        of: impl Rule + 'static,
    ) {
        self.add(SubjectKind::Job, job, rule, unit, hold_secs, series, of);
    }

    fn threshold(
        &mut self,
        kind: SubjectKind,
        name: &str,
        unit: &'static str,
        hold_secs: u32,
        series: &str,
        of: impl Rule + 'static,
    ) {
        self.add(kind, name, "threshold", unit, hold_secs, vec![series.to_owned()], of);
    }

    #[expect(clippy::too_many_arguments, reason = "a row of a table; a struct would only repeat `Profile`")]
    fn add(
        &mut self,
        kind: SubjectKind,
        name: &str,
        rule: &'static str,
        unit: &'static str,
        hold_secs: u32,
        series: Vec<String>,
        of: impl Rule + 'static,
    ) {
        let profile = Profile { subject: subject(kind, name), rule, unit, hold_secs, series };
        self.entries.push(Entry::new(profile, Box::new(of)));
    }
}
