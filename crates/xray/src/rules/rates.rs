//! Static thresholds on what is measured over some time.

use super::rule::{Finding, Look, Rule, Sum, Words};
use super::words;
use crate::{SeriesId, Severity};

/// Both must be over the threshold: the long window so that a burst is not told, the short one so that a single one that is in
/// the long window for a minute is not.
const WINDOWS_SECS: [u32; 2] = [10, 60];

/// Over how many seconds the cache is looked at, and how many lookups there must have been.
const CACHE_SECS: u32 = 300;
const CACHE_LOOKUPS: u64 = 10_000;

/// A process's bytes a second that the kernel has counted.
#[derive(Debug)]
pub(crate) struct KernelRate {
    pub(crate) counted: SeriesId,
    /// What jobs wrote that an operator has started; that much is wanted.
    pub(crate) wanted: Sum,
    pub(crate) limit: u64,
    /// What is wrong and what to do, with the figures to be added.
    pub(crate) title: &'static str,
    pub(crate) what: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) value: f64,
}

impl Rule for KernelRate {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let [short, long] = WINDOWS_SECS.map(|secs| {
            let wanted = self.wanted.rate(look.recent, secs)?;
            Some((look.recent.rate(self.counted, secs)? - wanted).max(0.0))
        });
        let limit = self.limit as f64;
        let found = Finding::above(long?, limit, Severity::Warning).only_if(short? > limit);
        if found.is_wrong() {
            self.value = found.value;
        }
        Some(found)
    }

    fn words(&self) -> Words {
        Words {
            title: self.title.to_owned(),
            reason: format!(
                "{} {} over the last minute; the threshold is {}",
                words::rate(self.value),
                self.what,
                words::rate(self.limit as f64)
            ),
            remedy: self.remedy.to_owned(),
        }
    }
}

/// How often a page was found in SQLite's cache.
#[derive(Debug)]
pub(crate) struct CacheHits {
    pub(crate) hits: SeriesId,
    pub(crate) misses: SeriesId,
    /// A share, 0 to 1.
    pub(crate) limit: f64,
    /// Per cent, and lookups.
    pub(crate) figures: (f64, u64),
}

impl Rule for CacheHits {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (hits, covered) = look.recent.grown(self.hits, CACHE_SECS)?;
        let (misses, _) = look.recent.grown(self.misses, CACHE_SECS)?;
        let lookups = hits.saturating_add(misses);
        if lookups < CACHE_LOOKUPS || covered + 10.0 < f64::from(CACHE_SECS) {
            return None;
        }
        let percent = 100.0 * hits as f64 / lookups as f64;
        let found = Finding::below(percent, 100.0 * self.limit, Severity::Warning);
        if found.is_wrong() {
            self.figures = (percent, lookups);
        }
        Some(found)
    }

    fn words(&self) -> Words {
        let (percent, lookups) = self.figures;
        Words {
            title: "pages are read from the disk that should be in the cache".to_owned(),
            reason: format!(
                "{percent:.0} % of {} page lookups within the last 5 min were answered by the cache; the threshold is {:.0} %",
                words::count(lookups as f64),
                100.0 * self.limit
            ),
            remedy: "See which job reads so much; if none does, give the database a larger cache.".to_owned(),
        }
    }
}
