//! What a cause writes compared with what it usually writes at this hour of the week.

use super::rule::{Finding, Look, Rule, Sum, Words};
use super::words;
use crate::{Severity, Usual};

/// Whether a cause writes more than it usually does.
#[derive(Debug)]
pub(crate) struct Unusual {
    pub(crate) cause: String,
    pub(crate) written: Sum,
    /// Seconds over which its mean is taken.
    pub(crate) window_secs: u32,
    /// What is usual, looked up once an hour.
    pub(crate) usual: Option<(i64, Option<Usual>)>,
    pub(crate) figures: Option<(f64, Usual)>,
}

impl Rule for Unusual {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let hour = look.at_ms.div_euclid(3_600_000);
        let known = self.usual.filter(|(of, _)| *of == hour);
        let (_, usual) = known.unwrap_or_else(|| (hour, look.baselines.usual(&self.cause, look.at_ms)));
        self.usual = Some((hour, usual));
        let (bytes, covered) = self.written.grown(look.recent, self.window_secs)?;
        // A part of a window would make a large thing of the first burst.
        if covered + 1.0 < f64::from(self.window_secs) {
            return None;
        }
        let usual = usual?;
        let found = Finding::above(bytes as f64 / covered, usual.limit(), Severity::Warning);
        if found.is_wrong() {
            self.figures = Some((found.value, usual));
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let cause = &self.cause;
        let reason = self.figures.map(|(value, usual)| {
            format!(
                "{cause} wrote {} over the last {}; at this hour of the week it is {} (median of {} hours)",
                words::rate(value),
                words::span(f64::from(self.window_secs)),
                words::rate(usual.median),
                usual.hours
            )
        });
        Words {
            title: format!("{cause} writes more than it usually does"),
            reason: reason.unwrap_or_default(),
            remedy: "See in the history since when, and what else has changed then: new observers, another region, a job."
                .to_owned(),
        }
    }
}
