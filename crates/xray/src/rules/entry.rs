//! A rule with its flag: when it is raised, when it has worsened, when it is cleared.

use super::Change;
use super::rule::{Finding, Look, Profile, Rule};
use crate::{AlertChange, Flag, Severity, Subject};

/// For how long a rule must be kept before its flag is cleared.
const CLEAR_MS: i64 = 60_000;

/// Between two events of a flag that only say that its figure has doubled: windows fill for a minute after a thing has begun.
const WORSENED_MS: i64 = 60_000;

/// Figures that are kept of when nothing was wrong: one every ten seconds, for ten minutes.
const PAST: usize = 60;
const PAST_STEP_MS: i64 = 10_000;

/// A rule with its flag.
#[derive(Debug)]
pub(crate) struct Entry {
    profile: Profile,
    rule: Box<dyn Rule>,
    state: State,
    past: Past,
}

/// Whether a flag is up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// The rule has been broken since then, or is worse than was told.
    wrong_since_ms: Option<i64>,
    /// The flag is up, and the rule has been kept since then.
    kept_since_ms: Option<i64>,
    raised: Option<Raised>,
}

#[derive(Clone, Copy, Debug)]
struct Raised {
    since_ms: i64,
    told_ms: i64,
    severity: Severity,
    /// When it was told last.
    excess: f64,
    /// What was wrong when something was.
    last: Finding,
}

impl Entry {
    /// Nothing is wrong yet.
    pub(crate) fn new(profile: Profile, rule: Box<dyn Rule>) -> Self {
        Self { profile, rule, state: State::default(), past: Past::default() }
    }

    /// Looks at a second.
    pub(crate) fn step(&mut self, look: &Look<'_>) -> Option<Change> {
        let found = self.rule.look(look);
        let raised = self.state.raised;
        let change = self.state.step(look.at_ms, self.profile.hold_secs, found.as_ref());
        match (found, self.state.raised) {
            (Some(found), None) if !found.is_wrong() => self.past.push(look.at_ms, found.value),
            _ => {}
        }
        let quiet = self.state.raised.is_none() && self.state.wrong_since_ms.is_none();
        let change = change.and_then(|change| {
            let flag = if change == AlertChange::Cleared { raised } else { self.state.raised };
            let flag = self.flag_of(flag?);
            let after = found.map_or(flag.value, |found| found.value);
            Some(Change { change, before: self.past.median(), after, flag })
        });
        if quiet {
            self.rule.forget();
        }
        change
    }

    /// What is wrong now.
    pub(crate) fn flag(&self) -> Option<Flag> {
        self.state.raised.map(|raised| self.flag_of(raised))
    }

    /// Whether the flag is up.
    pub(crate) fn is_active(&self) -> bool {
        self.state.raised.is_some()
    }

    /// Whom it is about.
    pub(crate) fn subject(&self) -> &Subject {
        &self.profile.subject
    }

    fn flag_of(&self, raised: Raised) -> Flag {
        let profile = &self.profile;
        let words = self.rule.words();
        Flag {
            id: format!("{}.{}", profile.subject.name, profile.rule),
            subject: profile.subject.clone(),
            rule: profile.rule.to_owned(),
            severity: raised.severity,
            title: words.title,
            reason: words.reason,
            remedy: words.remedy,
            value: raised.last.value,
            limit: raised.last.limit,
            unit: profile.unit.to_owned(),
            since_ms: raised.since_ms,
            series: profile.series.clone(),
        }
    }
}

impl State {
    /// A second has passed, and this was found.
    pub(crate) fn step(
        &mut self,
        at_ms: i64,
        hold_secs: u32,
        found: Option<&Finding>,
    ) -> Option<AlertChange> {
        let hold_ms = i64::from(hold_secs) * 1_000;
        let wrong = found.and_then(|found| Some((found, found.severity?)));
        match (self.raised, wrong) {
            (None, None) => self.wrong_since_ms = None,
            (None, Some((found, severity))) => {
                let since_ms = since(&mut self.wrong_since_ms, at_ms);
                if at_ms - since_ms >= hold_ms {
                    let (excess, last) = (found.excess, *found);
                    self.raised = Some(Raised { since_ms, told_ms: at_ms, severity, excess, last });
                    self.wrong_since_ms = None;
                    self.kept_since_ms = None;
                    return Some(AlertChange::Raised);
                }
            }
            (Some(_), None) => {
                self.wrong_since_ms = None;
                if at_ms - since(&mut self.kept_since_ms, at_ms) >= CLEAR_MS {
                    *self = Self::default();
                    return Some(AlertChange::Cleared);
                }
            }
            (Some(raised), Some((found, severity))) => {
                self.kept_since_ms = None;
                return self.still_wrong(at_ms, hold_ms, raised, found, severity);
            }
        }
        None
    }

    fn still_wrong(
        &mut self,
        at_ms: i64,
        hold_ms: i64,
        raised: Raised,
        found: &Finding,
        severity: Severity,
    ) -> Option<AlertChange> {
        let mut raised = Raised { last: *found, ..raised };
        let doubled = found.excess >= 2.0 * raised.excess && at_ms - raised.told_ms >= WORSENED_MS;
        let mut change = None;
        if severity > raised.severity || doubled {
            if at_ms - since(&mut self.wrong_since_ms, at_ms) >= hold_ms {
                let worst = severity.max(raised.severity);
                raised = Raised { told_ms: at_ms, severity: worst, excess: found.excess, ..raised };
                self.wrong_since_ms = None;
                change = Some(AlertChange::Worsened);
            }
        } else {
            self.wrong_since_ms = None;
        }
        self.raised = Some(raised);
        change
    }
}

/// When something began, which is now if it had not; a clock that was set back begins anew.
fn since(place: &mut Option<i64>, at_ms: i64) -> i64 {
    let since = place.filter(|since| *since <= at_ms).unwrap_or(at_ms);
    *place = Some(since);
    since
}

/// The figures of the last ten minutes in which nothing was wrong.
#[derive(Clone, Copy, Debug)]
struct Past {
    values: [f64; PAST],
    pushed: usize,
    newest_ms: i64,
}

impl Default for Past {
    fn default() -> Self {
        Self { values: [0.0; PAST], pushed: 0, newest_ms: i64::MIN }
    }
}

impl Past {
    fn push(&mut self, at_ms: i64, value: f64) {
        if at_ms.saturating_sub(self.newest_ms) >= PAST_STEP_MS || at_ms < self.newest_ms {
            self.values[self.pushed % PAST] = value;
            self.pushed += 1;
            self.newest_ms = at_ms;
        }
    }

    fn median(&self) -> Option<f64> {
        let mut values = self.values;
        let known = &mut values[..self.pushed.min(PAST)];
        known.sort_by(f64::total_cmp);
        known.get(known.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_flag_is_raised_once_and_then_cleared_before_it_is_raised_again(
            values in prop::collection::vec((0_u32..4, 1_u32..40), 1..200),
            hold in 0_u32..15,
        ) {
            let mut state = State::default();
            let (mut at_ms, mut up) = (0, false);
            for (value, secs) in values {
                for _ in 0..secs {
                    at_ms += 1_000;
                    let severity = if value == 3 { Severity::Critical } else { Severity::Warning };
                    let found = Finding::above(f64::from(value), 1.0, severity);
                    match state.step(at_ms, hold, Some(&found)) {
                        Some(AlertChange::Raised) => { prop_assert!(!up); up = true }
                        Some(AlertChange::Cleared) => { prop_assert!(up); up = false }
                        Some(_) => prop_assert!(up),
                        None => {}
                    }
                    prop_assert_eq!(up, state.raised.is_some());
                }
            }
        }
    }

    fn changes(values: impl IntoIterator<Item = (f64, Severity)>) -> Vec<(usize, AlertChange)> {
        let mut state = State::default();
        let steps = values.into_iter().enumerate();
        let step = |(second, (value, severity))| {
            let found = Finding::above(value, 1.0, severity);
            Some((second, state.step(second as i64 * 1_000, 10, Some(&found))?))
        };
        steps.filter_map(step).collect()
    }

    #[test]
    fn a_short_excess_is_not_told_and_a_long_one_once() {
        let short = (0..300).map(|second| (if second % 20 < 9 { 2.0 } else { 0.0 }, Severity::Warning));
        assert_eq!(changes(short), []);
        let long = (0..300).map(|second| (if second < 100 { 2.0 } else { 0.0 }, Severity::Warning));
        assert_eq!(changes(long), [(10, AlertChange::Raised), (160, AlertChange::Cleared)]);
    }

    #[test]
    fn a_figure_that_doubles_and_a_warning_that_becomes_critical_are_told_again() {
        let doubled = (0..300).map(|second| (if second < 100 { 2.0 } else { 4.1 }, Severity::Warning));
        assert_eq!(changes(doubled), [(10, AlertChange::Raised), (110, AlertChange::Worsened)]);
        let filling = (0..300).map(|second| (if second < 12 { 2.0 } else { 4.1 }, Severity::Warning));
        assert_eq!(changes(filling), [(10, AlertChange::Raised), (80, AlertChange::Worsened)]);
        let critical = (0..300).map(|second| {
            (2.0, if (50..90).contains(&second) { Severity::Critical } else { Severity::Warning })
        });
        assert_eq!(changes(critical), [(10, AlertChange::Raised), (60, AlertChange::Worsened)]);
    }
}
