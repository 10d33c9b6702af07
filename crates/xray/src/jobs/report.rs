//! Jobs as series and as reports.

use super::handle::Core;
use super::state::State;
use crate::{JobReport, JobState, Recent, SeriesInfo, SeriesKind, Unit, info};
use std::time::Duration;

/// The series of a job, in the order in which [`Core::read`] fills them: the end of the name, the unit, what it is.
const SERIES: [(&str, Unit, &str); 8] = [
    ("examined", Unit::Rows, "rows that the job has looked at"),
    ("changed", Unit::Rows, "rows that the job has changed"),
    ("unchanged", Unit::Rows, "rows that the job has written and left as they were"),
    ("written", Unit::Bytes, "bytes that the job caused to be written"),
    ("run", Unit::Micros, "time that the job was at work"),
    ("suffered", Unit::Micros, "time that the job waited for the writer"),
    ("inflicted", Unit::Micros, "time that ingest waited because of the job"),
    ("braked", Unit::Micros, "time that the brake held the job back"),
];

/// Over how many seconds a job's rate is told.
const RATE_SECS: u32 = 30;

/// Over how many seconds its ratios are told.
const RATIO_SECS: u32 = 600;

/// The series of a job of this name.
pub(crate) fn series_of(job: &str) -> Vec<SeriesInfo> {
    let named = SERIES.iter();
    named.map(|(end, unit, help)| info(&name_of(job, end), SeriesKind::Counter, *unit, help)).collect()
}

/// The name of one of them.
pub(crate) fn name_of(job: &str, end: &str) -> String {
    format!("jobs.{job}.{end}")
}

impl Core {
    /// Fills its places of a sample.
    pub(crate) fn read(&self, places: &mut [u64]) {
        let state = self.state.lock();
        let now = self.clock.steady();
        let steps = &state.steps;
        let values = [
            steps.examined,
            steps.changed,
            steps.unchanged,
            steps.written_bytes,
            micros(state.run.read(now)),
            micros(steps.suffered),
            micros(steps.inflicted),
            micros(state.braked.read(now)),
        ];
        for (place, value) in places.iter_mut().zip(values) {
            *place = value;
        }
    }

    /// All that is known of it.
    pub(crate) fn report(&self, recent: &Recent) -> JobReport {
        let state = self.state.lock();
        let now = self.clock.steady();
        let took = state.took(now).or(state.ended.map(|ended| ended.took));
        let running = state.running;
        let due = state.due.filter(|_| running.is_none() && !state.paused);
        let until_due = due.map(|due| millis(due.saturating_sub(now)));
        let steps = state.steps;
        JobReport {
            name: self.plan.name.to_owned(),
            purpose: self.plan.purpose.to_owned(),
            state: job_state(&state),
            budget_bytes_per_sec: self.plan.budget_bytes_per_sec,
            interval_secs: self.plan.interval.map(|interval| interval.as_secs()),
            actions: self.plan.actions.to_vec(),
            runs: state.runs,
            started_ms: running.map(|run| run.began_ms).or(state.ended.map(|ended| ended.began_ms)),
            next_ms: until_due.map(|left| self.clock.wall_ms().saturating_add_unsigned(left)),
            took_ms: took.map(millis),
            progress: running.and_then(|running| running.progress),
            examined: steps.examined,
            changed: steps.changed,
            unchanged: steps.unchanged,
            written_bytes: steps.written_bytes,
            bytes_per_sec: self.rate(recent),
            no_op_ratio: self.no_op_ratio(recent),
            duty_cycle: self.duty_cycle(recent, took.unwrap_or_default()),
            suffered_ms: millis(steps.suffered),
            inflicted_ms: millis(steps.inflicted),
            braked_ms: millis(state.braked.read(now)),
            error: state.error.clone(),
        }
    }

    fn rate(&self, recent: &Recent) -> f64 {
        self.grown(recent, "written", RATE_SECS).map_or(0.0, |(bytes, secs)| per(bytes as f64, secs))
    }

    fn no_op_ratio(&self, recent: &Recent) -> Option<f64> {
        let (changed, _) = self.grown(recent, "changed", RATIO_SECS)?;
        let (unchanged, _) = self.grown(recent, "unchanged", RATIO_SECS)?;
        (changed + unchanged > 0).then(|| unchanged as f64 / (changed + unchanged) as f64)
    }

    fn duty_cycle(&self, recent: &Recent, took: Duration) -> f64 {
        let interval = self.plan.interval.filter(|interval| interval.as_secs() > u64::from(RATIO_SECS));
        let share = match interval {
            Some(interval) => per(took.as_secs_f64(), interval.as_secs_f64()),
            None => self
                .grown(recent, "run", RATIO_SECS)
                .map_or(0.0, |(micros, secs)| per(micros as f64 / 1e6, secs)),
        };
        share.clamp(0.0, 1.0)
    }

    fn grown(&self, recent: &Recent, end: &str, secs: u32) -> Option<(u64, f64)> {
        recent.grown(recent.catalogue().find(&name_of(self.plan.name, end))?, secs)
    }
}

fn job_state(state: &State) -> JobState {
    if state.paused {
        JobState::Paused
    } else if state.running.is_none() {
        JobState::Idle
    } else if state.braked.is_counting() {
        JobState::Braked
    } else {
        JobState::Running
    }
}

fn per(amount: f64, whole: f64) -> f64 {
    if whole > 0.0 { amount / whole } else { 0.0 }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
