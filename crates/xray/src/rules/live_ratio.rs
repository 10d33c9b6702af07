//! Rows that are rewritten compared with packets that arrive (contract §2.6).

use super::rule::{Finding, Look, Rule, Sum, Words};
use super::words;
use crate::{SeriesId, Severity};

/// A job should not rewrite more than ten rows for each new packet.
const RATIO: f64 = 10.0;

/// Before so many packets there is no live rate to speak of, and nobody should be warned of a start.
const LEAST_TRANSMISSIONS: u64 = 100;

const WINDOW_SECS: u32 = 30;

/// How many rows a job rewrites.
#[derive(Debug)]
pub(crate) struct LiveRatio {
    pub(crate) job: &'static str,
    pub(crate) rows: Sum,
    pub(crate) live: SeriesId,
    /// Rows and live packets a second.
    pub(crate) figures: (f64, f64),
}

impl Rule for LiveRatio {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let rows = self.rows.rate(look.recent, WINDOW_SECS)?;
        let live = look.recent.rate(self.live, WINDOW_SECS)?;
        let found = Finding::above(rows, RATIO * live.max(1.0), Severity::Warning);
        let found = found.only_if(look.recent.last(self.live) >= LEAST_TRANSMISSIONS);
        if found.is_wrong() {
            self.figures = (rows, live);
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let (job, (rows, live)) = (self.job, self.figures);
        Words {
            title: format!("{job} rewrites far more rows than packets arrive"),
            reason: format!(
                "{job} wrote {} rows a second over the last {WINDOW_SECS} s, while {} new packets a second arrived",
                words::count(rows),
                words::count(live)
            ),
            remedy: format!("Pause {job} if you did not ask for it."),
        }
    }
}
