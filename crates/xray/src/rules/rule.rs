//! What a rule is.

use crate::jobs::JobFigures;
use crate::{Baselines, Catalogue, Recent, SeriesId, Severity, Subject, SubjectKind};

/// What a rule sees of a second.
pub(crate) struct Look<'a> {
    pub(crate) at_ms: i64,
    pub(crate) recent: &'a Recent,
    pub(crate) jobs: &'a [JobFigures],
    pub(crate) baselines: &'a Baselines,
}

impl Look<'_> {
    /// A job's own figures.
    pub(crate) fn job(&self, name: &str) -> Option<&JobFigures> {
        self.jobs.iter().find(|job| job.name == name)
    }
}

/// One rule about one subject.
pub(crate) trait Rule: Send + Sync + std::fmt::Debug {
    /// Looks at a second; `None` when there is nothing to measure. Keeps the figures of what is wrong, for the words.
    fn look(&mut self, look: &Look<'_>) -> Option<Finding>;

    /// Says what was wrong when it was last found so.
    fn words(&self) -> Words;

    /// There is no flag any more, so whatever was kept of the last one is of no use.
    fn forget(&mut self) {}
}

/// Between two looks of a rule with a long window: what is in a thousand samples does not change within seconds.
const SELDOM_MS: i64 = 10_000;

/// A rule that looks every ten seconds, and says the same in between.
#[derive(Debug)]
pub(crate) struct Seldom<R> {
    rule: R,
    looked_ms: i64,
    found: Option<Finding>,
}

impl<R> Seldom<R> {
    /// Looks at the first second, and then every tenth.
    pub(crate) fn of(rule: R) -> Self {
        Self { rule, looked_ms: i64::MIN, found: None }
    }
}

impl<R: Rule> Rule for Seldom<R> {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        if look.at_ms.saturating_sub(self.looked_ms) >= SELDOM_MS || look.at_ms < self.looked_ms {
            self.looked_ms = look.at_ms;
            self.found = self.rule.look(look);
        }
        self.found
    }

    fn words(&self) -> Words {
        self.rule.words()
    }

    fn forget(&mut self) {
        self.rule.forget();
    }
}

/// What is known of a rule without looking.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) subject: Subject,
    pub(crate) rule: &'static str,
    pub(crate) unit: &'static str,
    /// For how many seconds it must be broken before anybody is told.
    pub(crate) hold_secs: u32,
    pub(crate) series: Vec<String>,
}

/// What a rule has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Finding {
    /// `None` when nothing is wrong.
    pub(crate) severity: Option<Severity>,
    pub(crate) value: f64,
    pub(crate) limit: f64,
    /// How many times over the limit, or under it, it is.
    pub(crate) excess: f64,
}

impl Finding {
    /// A figure that must not be above its limit.
    pub(crate) fn above(value: f64, limit: f64, severity: Severity) -> Self {
        let severity = Some(severity).filter(|_| value > limit);
        Self { severity, value, limit, excess: value / limit.max(f64::MIN_POSITIVE) }
    }

    /// A figure that must not be below its limit.
    pub(crate) fn below(value: f64, limit: f64, severity: Severity) -> Self {
        let severity = Some(severity).filter(|_| value < limit);
        Self { severity, value, limit, excess: limit / value.max(f64::MIN_POSITIVE) }
    }

    /// The figure is all right for another reason.
    pub(crate) fn excused(self) -> Self {
        Self { severity: None, ..self }
    }

    /// Only when a condition holds, too.
    pub(crate) fn only_if(self, condition: bool) -> Self {
        if condition { self } else { self.excused() }
    }

    /// Whether something is wrong.
    pub(crate) fn is_wrong(&self) -> bool {
        self.severity.is_some()
    }
}

/// What is wrong, in words.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

/// Several counters read as one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum(Vec<SeriesId>);

impl Sum {
    /// Of those that there are.
    pub(crate) fn of(catalogue: &Catalogue, names: &[&str]) -> Self {
        Self(names.iter().filter_map(|name| catalogue.find(name)).collect())
    }

    /// Of all bytes that a cause wrote.
    pub(crate) fn written_by(catalogue: &Catalogue, cause: &str) -> Self {
        Self(catalogue.under(&format!("written.{cause}.")).map(|(id, _)| id).collect())
    }

    /// Of all bytes that were written to a kind of file.
    pub(crate) fn written_to(catalogue: &Catalogue, file: &str) -> Self {
        let all = catalogue.under("written.");
        let ended = all.filter(|(_, rest)| rest.rsplit_once('.').is_some_and(|(_, last)| last == file));
        Self(ended.map(|(id, _)| id).collect())
    }

    /// Whether there is nothing to add up.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// See [`Recent::grown`]. Nothing has grown when there are no series.
    pub(crate) fn grown(&self, recent: &Recent, secs: u32) -> Option<(u64, f64)> {
        let mut sum = (0_u64, recent.covered(secs));
        for id in &self.0 {
            sum.0 = sum.0.saturating_add(recent.grown(*id, secs)?.0);
        }
        Some(sum).filter(|(_, secs)| *secs > 0.0)
    }

    /// A second's mean.
    pub(crate) fn rate(&self, recent: &Recent, secs: u32) -> Option<f64> {
        self.grown(recent, secs).map(|(grown, secs)| grown as f64 / secs)
    }

    /// The names, for the page.
    pub(crate) fn names(&self, catalogue: &Catalogue) -> Vec<String> {
        self.0.iter().map(|id| catalogue.info(*id).name.clone()).collect()
    }
}

/// A subject by its kind and name.
pub(crate) fn subject(kind: SubjectKind, name: &str) -> Subject {
    Subject { kind, name: name.to_owned() }
}
