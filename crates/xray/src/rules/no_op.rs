//! Rows that are rewritten to the value that they had.

use super::rule::{Finding, Look, Rule, Words};
use super::words;
use crate::{SeriesId, Severity};

/// A short window, which speaks soon after the start, and a long one, for loops that are slow: seconds, and how many rows must
/// have been written for a share to mean something.
const WINDOWS: [(u32, u64); 2] = [(20, 200), (600, 1_000)];

/// In per cent: half of the rows for nothing is what somebody should know.
const LIMIT_PERCENT: f64 = 50.0;

/// How much of what a job writes changes nothing.
#[derive(Debug)]
pub(crate) struct NoOp {
    pub(crate) job: &'static str,
    pub(crate) changed: SeriesId,
    pub(crate) unchanged: SeriesId,
    pub(crate) episode: Option<Episode>,
}

/// Since a job began to work for nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Episode {
    began_ms: i64,
    now_ms: i64,
    /// The counters when it began.
    before: (u64, u64),
    /// The same now.
    now: (u64, u64),
}

impl Rule for NoOp {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let mut shown = Some(Finding::above(0.0, LIMIT_PERCENT, Severity::Warning));
        for (secs, least) in WINDOWS {
            // The long window costs some thousand additions, which a job that never worked for nothing is spared.
            if look.recent.last(self.unchanged) < least / 2 {
                continue;
            }
            let (changed, _) = look.recent.grown(self.changed, secs)?;
            let (unchanged, covered) = look.recent.grown(self.unchanged, secs)?;
            let written = changed + unchanged;
            let percent = if written > 0 { 100.0 * unchanged as f64 / written as f64 } else { 0.0 };
            let found = Finding::above(percent, LIMIT_PERCENT - 1e-9, Severity::Warning);
            let found = Finding { limit: LIMIT_PERCENT, ..found.only_if(written >= least) };
            if found.is_wrong() {
                self.note(look, (changed, unchanged), covered);
                return Some(found);
            }
            shown = Some(found);
        }
        shown
    }

    fn words(&self) -> Words {
        let job = self.job;
        let (changed, unchanged, secs) = self.episode.map_or((0, 0, 0.0), |episode| {
            let changed = episode.now.0.saturating_sub(episode.before.0);
            let unchanged = episode.now.1.saturating_sub(episode.before.1);
            (changed, unchanged, (episode.now_ms - episode.began_ms) as f64 / 1e3)
        });
        let rows = words::count((changed + unchanged) as f64);
        let span = words::span(secs);
        let reason = if changed == 0 {
            format!("{job} rewrote {rows} rows without changing one for {span}")
        } else {
            format!(
                "{job} wrote {rows} rows in {span}, and changed only {} of them",
                words::count(changed as f64)
            )
        };
        Words {
            title: format!("{job} rewrites rows without changing them"),
            reason,
            remedy: format!(
                "Pause {job}: what it writes is there already. Report it with the support bundle."
            ),
        }
    }

    fn forget(&mut self) {
        self.episode = None;
    }
}

impl NoOp {
    fn note(&mut self, look: &Look<'_>, grown: (u64, u64), covered: f64) {
        let now = (look.recent.last(self.changed), look.recent.last(self.unchanged));
        let began = Episode {
            began_ms: look.at_ms - (covered * 1e3) as i64,
            now_ms: look.at_ms,
            before: (now.0.saturating_sub(grown.0), now.1.saturating_sub(grown.1)),
            now,
        };
        // A counter that fell belongs to a process that was started anew.
        let going_on = self.episode.filter(|known| known.now.1 <= now.1 && known.now_ms <= look.at_ms);
        self.episode = Some(going_on.map_or(began, |known| Episode { now_ms: look.at_ms, now, ..known }));
    }
}
