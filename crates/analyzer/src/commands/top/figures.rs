//! What is shown, in words; the same on the screen and on paper.

use super::fetch::{LEDGER_SECS, Snapshot};
use crate::commands::units;
use xray::{CauseRow, JobReport, JobState, Level, Severity};

/// What is said where a figure is not known.
const UNKNOWN: &str = "–";

/// Heads of the two tables.
pub(super) const CAUSE_HEADS: [&str; 5] = ["CAUSE", "PART", "BYTES/S", "SHARE", "WRITES"];
pub(super) const JOB_HEADS: [&str; 6] =
    ["JOB", "STATE", "BYTES/S", "BUDGET", "WITHOUT CHANGE", "INGEST WAITED"];

/// The level as a word, so that no colour is needed to see it, and the sentence.
pub(super) fn verdict(snapshot: &Snapshot) -> (Level, String) {
    let verdict = &snapshot.alerts.verdict;
    (verdict.level, format!("{}: {}", word(verdict.level), clean(&verdict.text)))
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Unknown => "UNKNOWN",
        Level::Ok => "OK",
        Level::Warning => "WARNING",
        Level::Critical => "CRITICAL",
    }
}

/// Each flag with its reason and what to do.
pub(super) fn flags(snapshot: &Snapshot) -> Vec<(Severity, String)> {
    let each = snapshot.alerts.active.iter().map(|flag| {
        let mark = match flag.severity {
            Severity::Warning => "!",
            Severity::Critical => "!!",
        };
        (flag.severity, clean(&format!("{mark} {}: {}. To do: {}", flag.id, flag.reason, flag.remedy)))
    });
    each.collect()
}

/// Three lines of figures.
pub(super) fn key_figures(snapshot: &Snapshot) -> [String; 3] {
    let figures = Figures(snapshot);
    [
        format!(
            "written {}  billed {}  cancelled {}  device {}",
            figures.rate(figures.written_per_sec()),
            figures.rate(figures.per_sec("process.write_bytes")),
            figures.rate(figures.per_sec("process.cancelled_write_bytes")),
            figures.rate(figures.per_sec("device.written")),
        ),
        format!(
            "messages {}/s  observations {}/s  queue {}  commit p99 {}  viewers {}",
            decimal(figures.per_sec("ingest.received")),
            decimal(figures.per_sec("rows.obs_inserted")),
            figures.count("queue.rows"),
            figures.millis("commit.p99"),
            figures.count("live.viewers"),
        ),
        format!(
            "database {}  log {} ({} pages to copy)  cache {}  memory {}",
            figures.bytes("db.bytes"),
            figures.bytes("wal.bytes"),
            figures.count("wal.pending"),
            percent(figures.cache_hit_rate()),
            figures.bytes("memory.resident"),
        ),
    ]
}

/// What is above the trend.
pub(super) fn trend_title(trend: &[u64], shown: usize) -> String {
    let shown = &trend[trend.len().saturating_sub(shown)..];
    match shown.iter().max() {
        Some(most) => format!("written, last {} s, at most {}/s", shown.len(), units::bytes(*most)),
        None => "written: no history yet".to_owned(),
    }
}

/// Rows of the table of causes, the most first; with the process where there are several.
pub(super) fn causes(snapshot: &Snapshot) -> Vec<[String; 5]> {
    let processes = &snapshot.ledger.processes;
    let several = processes.len() > 1;
    let rows = processes.iter().flat_map(|process| process.causes.iter().map(move |row| (process, row)));
    let mut rows: Vec<_> = rows.filter(|(_, row)| row.bytes > 0).collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.bytes));
    let each = rows.into_iter().map(|(process, row)| {
        let part = if several { format!("{} of {}", part(row), process.process) } else { part(row) };
        [
            clean(&row.cause),
            clean(&part),
            units::bytes(row.bytes_per_sec as u64),
            percent(Some(row.share)),
            units::count(row.operations),
        ]
    });
    each.collect()
}

fn part(row: &CauseRow) -> String {
    match &row.job {
        Some(job) => format!("job {job}"),
        None => row.component.clone(),
    }
}

/// The title of that table.
pub(super) fn causes_title() -> String {
    format!("who writes, last {LEDGER_SECS} s")
}

/// Rows of the table of jobs.
pub(super) fn jobs(snapshot: &Snapshot) -> Vec<[String; 6]> {
    snapshot.jobs.jobs.iter().map(job).collect()
}

fn job(job: &JobReport) -> [String; 6] {
    let state = match job.state {
        JobState::Idle => "idle",
        JobState::Running => "running",
        JobState::Braked => "braked",
        JobState::Paused => "paused",
    };
    let done = job
        .progress
        .filter(|progress| progress.total > 0)
        .map(|progress| format!(" {}", percent(Some(progress.done as f64 / progress.total as f64))));
    [
        clean(&job.name),
        format!("{state}{}", done.unwrap_or_default()),
        units::bytes(job.bytes_per_sec as u64),
        job.budget_bytes_per_sec.map_or_else(|| "none".to_owned(), units::bytes),
        percent(job.no_op_ratio),
        format!("{:.1} s", job.inflicted_ms as f64 / 1_000.0),
    ]
}

/// `3 h 12 min`.
pub(super) fn uptime(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The series by name.
struct Figures<'a>(&'a Snapshot);

impl Figures<'_> {
    fn value(&self, name: &str) -> Option<u64> {
        self.0.series.iter().find(|one| one.name == name).map(|one| one.value)
    }

    fn per_sec(&self, name: &str) -> Option<f64> {
        self.0.series.iter().find(|one| one.name == name)?.per_sec
    }

    fn written_per_sec(&self) -> Option<f64> {
        let written = self.0.series.iter().filter(|one| one.name.starts_with("written."));
        written.filter_map(|one| one.per_sec).reduce(|a, b| a + b)
    }

    fn cache_hit_rate(&self) -> Option<f64> {
        let (hits, misses) = (self.value("cache.hits")?, self.value("cache.misses")?);
        (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64)
    }

    fn rate(&self, per_sec: Option<f64>) -> String {
        per_sec.map_or_else(|| UNKNOWN.to_owned(), |rate| format!("{}/s", units::bytes(rate as u64)))
    }

    fn bytes(&self, name: &str) -> String {
        self.value(name).map_or_else(|| UNKNOWN.to_owned(), units::bytes)
    }

    fn count(&self, name: &str) -> String {
        self.value(name).map_or_else(|| UNKNOWN.to_owned(), units::count)
    }

    fn millis(&self, name: &str) -> String {
        let micros = self.value(name);
        micros.map_or_else(|| UNKNOWN.to_owned(), |micros| format!("{:.1} ms", micros as f64 / 1_000.0))
    }
}

fn decimal(number: Option<f64>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), |number| format!("{number:.1}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{:.0} %", share * 100.0))
}

/// Texts of another process go to a terminal, which control characters would command.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
