//! The rules by which something is called wrong, looked at once a second.
//!
//! A rule looks at the series of the last minutes and at the jobs; it raises a flag when it has been broken for some seconds
//! on end, and takes it back when it has been kept for a minute. Words are made only when somebody is told, so that a second
//! in which nothing changes costs some sums.

use crate::jobs::JobFigures;
use crate::{
    AlertChange, Baselines, Catalogue, Flag, Jobs, Level, Recent, Severity, Thresholds, Usual, Verdict,
};
use entry::Entry;
use rule::Look;

pub(crate) use rule::Sum;

mod budget;
mod duty_cycle;
mod entry;
mod gauges;
mod live_ratio;
mod no_op;
mod rates;
mod rule;
mod set;
mod stuck;
mod unusual;
mod wait_inflicted;
pub(crate) mod words;

#[cfg(test)]
mod scenario;
#[cfg(test)]
mod tests;

/// Seconds of samples before anything is said of the whole.
const VERDICT_SECS: f64 = 10.0;

/// Over how many seconds the verdict says how much is written.
const VERDICT_WINDOW_SECS: u32 = 60;

/// A flag that was raised, has worsened or was cleared.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which of these.
    pub change: AlertChange,
    /// The flag; when it was cleared, as it was last.
    pub flag: Flag,
    /// The median of its figure over the ten minutes before it was raised; `None` when it was wrong from the start.
    pub before: Option<f64>,
    /// The figure now.
    pub after: f64,
}

/// All rules, with what they have to keep from one second to the next.
#[derive(Debug)]
pub struct Watch {
    entries: Vec<Entry>,
    /// Bytes by cause.
    written: Vec<(String, Sum)>,
    baselines: Baselines,
    thresholds: Thresholds,
    // Both are kept so that a second allocates nothing.
    jobs: Vec<JobFigures>,
    changes: Vec<Change>,
}

impl Watch {
    /// Rules for the series of a catalogue and for the jobs that are registered by now. A rule whose series are not there is
    /// left out.
    pub fn new(catalogue: &Catalogue, jobs: &Jobs, thresholds: Thresholds, baselines: Baselines) -> Self {
        let plans = jobs.plans();
        let entries = set::rules(catalogue, &plans, thresholds, &baselines);
        let causes = baselines.causes().map(str::to_owned);
        let written = causes.map(|cause| (cause.clone(), Sum::written_by(catalogue, &cause))).collect();
        Self {
            entries,
            written,
            baselines,
            thresholds,
            jobs: Vec::with_capacity(plans.len()),
            changes: Vec::new(),
        }
    }

    /// Looks at everything after a sample was pushed, and says what has changed by that.
    pub fn evaluate(&mut self, at_ms: i64, recent: &Recent, jobs: &Jobs) -> &[Change] {
        self.jobs.clear();
        jobs.visit(|figures| self.jobs.push(figures));
        self.changes.clear();
        let look = Look { at_ms, recent, jobs: &self.jobs, baselines: &self.baselines };
        for entry in &mut self.entries {
            self.changes.extend(entry.step(&look));
        }
        let entries = &self.entries;
        self.baselines.tick(at_ms, recent, |cause| {
            entries.iter().any(|entry| entry.is_active() && entry.subject().name == cause)
        });
        &self.changes
    }

    /// What is wrong now, the worst first, and of the equally bad the oldest first.
    pub fn active(&self) -> Vec<Flag> {
        let mut flags: Vec<_> = self.entries.iter().filter_map(Entry::flag).collect();
        flags.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.since_ms.cmp(&b.since_ms)));
        flags
    }

    /// The whole in a sentence.
    pub fn verdict(&self, recent: &Recent) -> Verdict {
        let flags = self.active();
        let Some(worst) = flags.first() else { return self.nothing_wrong(recent) };
        let level = match worst.severity {
            Severity::Warning => Level::Warning,
            Severity::Critical => Level::Critical,
        };
        // Several rules that catch the same culprit are one thing to see to.
        let mut culprits: Vec<_> =
            flags.iter().map(|flag| (flag.subject.kind as u8, &flag.subject.name)).collect();
        culprits.sort_unstable();
        culprits.dedup();
        let others = match culprits.len() - 1 {
            0 => ".".to_owned(),
            1 => "; one other is flagged, too.".to_owned(),
            others => format!("; {others} others are flagged, too."),
        };
        Verdict { level, text: format!("{}{others}", worst.title) }
    }

    /// What a cause usually writes at this hour of the week.
    pub fn usual(&self, cause: &str, at_ms: i64) -> Option<Usual> {
        self.baselines.usual(cause, at_ms)
    }

    /// The static thresholds that are in force.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    fn nothing_wrong(&self, recent: &Recent) -> Verdict {
        let covered = recent.covered(VERDICT_WINDOW_SECS);
        if covered < VERDICT_SECS {
            return Verdict {
                level: Level::Unknown,
                text: format!("Too early to tell: measuring for {covered:.0} s."),
            };
        }
        let grown = |sum: &Sum| sum.grown(recent, VERDICT_WINDOW_SECS).map_or(0, |(bytes, _)| bytes);
        let total: u64 = self.written.iter().map(|(_, sum)| grown(sum)).sum();
        let most =
            self.written.iter().map(|(cause, sum)| (grown(sum), cause)).max_by_key(|(bytes, _)| *bytes);
        let rate = words::rate(total as f64 / covered);
        let text = match most.filter(|_| total > 0) {
            Some((bytes, cause)) => {
                let share = 100.0 * bytes as f64 / total as f64;
                format!("Nothing is wrong: {rate} written over the last minute, {share:.0} % of it {cause}.")
            }
            None => "Nothing is wrong: nothing was written over the last minute.".to_owned(),
        };
        Verdict { level: Level::Ok, text }
    }
}
