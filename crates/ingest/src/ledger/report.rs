//! The books as others read them.

use model::{SourceId, UnixMillis};
use serde::Serialize;

use super::{Books, Tally};
use crate::outcome::{Outcome, Remark};

/// What became of all messages since the start.
///
/// `received` = Σ `outcomes` = Σ `sources[].received` = Σ `observers[].received`. Remarks are not part of that sum: a
/// message may have several or none.
#[derive(Clone, Debug, Serialize)]
pub struct IngestReport {
    /// When counting began.
    pub since: UnixMillis,
    /// Messages received.
    pub received: u64,
    /// What became of them; outcomes that did not occur are left out.
    pub outcomes: Vec<Count>,
    /// What was odd about them; remarks that did not occur are left out.
    pub remarks: Vec<Count>,
    /// By source, in the order of the configuration.
    pub sources: Vec<SourceReport>,
    /// By observer, in order of first sight. The key "" stands for messages that name none, "others" for those of
    /// observers beyond the bound on rows.
    pub observers: Vec<ObserverReport>,
    /// The latest rejections, oldest first; at most 100.
    pub recent_rejections: Vec<Rejection>,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// [`Outcome::name`] or [`Remark::name`].
    pub name: &'static str,
    /// How often.
    pub count: u64,
}

/// The messages of one source.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// Its number.
    pub source: SourceId,
    /// Its name in the configuration.
    pub name: Box<str>,
    /// Messages received.
    pub received: u64,
    /// When the latest came; `None` before the first.
    pub last_message: Option<UnixMillis>,
    /// What became of them.
    pub outcomes: Vec<Count>,
    /// What was odd about them.
    pub remarks: Vec<Count>,
}

/// The messages of one observer.
#[derive(Clone, Debug, Serialize)]
pub struct ObserverReport {
    /// Its key, in capitals.
    pub key: Box<str>,
    /// Messages received.
    pub received: u64,
    /// When the latest came; `None` before the first.
    pub last_message: Option<UnixMillis>,
    /// What became of them.
    pub outcomes: Vec<Count>,
    /// What was odd about them.
    pub remarks: Vec<Count>,
    /// Those of the last 24 hours, and since the start, whose time without a zone could not be believed.
    pub naive_clock_24h: u64,
}

/// One message that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct Rejection {
    /// When it came.
    pub time: UnixMillis,
    /// From where.
    pub source: SourceId,
    /// Under which topic: without control characters, at most 160 bytes.
    pub topic: Box<str>,
    /// Why: [`Outcome::name`].
    pub reason: &'static str,
    /// More on that: without control characters, at most 160 bytes.
    pub detail: Box<str>,
}

impl IngestReport {
    /// How many messages came to this end.
    pub fn count(&self, outcome: Outcome) -> u64 {
        count_of(&self.outcomes, outcome.name())
    }

    /// How many messages drew this remark.
    pub fn remarked(&self, remark: Remark) -> u64 {
        count_of(&self.remarks, remark.name())
    }

    /// Whether the books add up: in all, by source and by observer.
    pub fn balances(&self) -> bool {
        let sum = |counts: &[Count]| counts.iter().map(|c| c.count).sum::<u64>();
        sum(&self.outcomes) == self.received
            && self.sources.iter().map(|s| s.received).sum::<u64>() == self.received
            && self.observers.iter().map(|o| o.received).sum::<u64>() == self.received
            && self.sources.iter().all(|s| sum(&s.outcomes) == s.received)
            && self.observers.iter().all(|o| sum(&o.outcomes) == o.received)
    }
}

fn count_of(counts: &[Count], name: &str) -> u64 {
    counts.iter().find(|c| c.name == name).map_or(0, |c| c.count)
}

impl Books {
    pub(super) fn report(&self) -> IngestReport {
        let mut total = Tally::default();
        for (_, _, tally) in &self.sources {
            total.add(tally);
        }
        let sources = self.sources.iter().map(|(source, name, tally)| SourceReport {
            source: *source,
            name: name.clone(),
            received: tally.received,
            last_message: tally.last_message(),
            outcomes: tally.outcome_counts(),
            remarks: tally.remark_counts(),
        });
        let now = UnixMillis::now();
        let rows = self.observers.iter().filter(|(_, tally)| tally.received > 0);
        let observers = rows.map(|(key, tally)| ObserverReport {
            key: key.clone(),
            received: tally.received,
            last_message: tally.last_message(),
            outcomes: tally.outcome_counts(),
            remarks: tally.remark_counts(),
            naive_clock_24h: tally.naive_clock.as_ref().map_or(0, |counts| counts.sum(now)),
        });
        IngestReport {
            since: self.since,
            received: self.received,
            outcomes: total.outcome_counts(),
            remarks: total.remark_counts(),
            sources: sources.collect(),
            observers: observers.collect(),
            recent_rejections: self.recent.iter().cloned().collect(),
        }
    }
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.received += other.received;
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, count)| *sum += count);
        self.remarks.iter_mut().zip(other.remarks).for_each(|(sum, count)| *sum += count);
    }

    fn last_message(&self) -> Option<UnixMillis> {
        (self.received > 0).then_some(self.last)
    }

    fn outcome_counts(&self) -> Vec<Count> {
        let counts = Outcome::ALL.iter().zip(self.outcomes);
        counts.filter(|(_, n)| *n > 0).map(|(o, count)| Count { name: o.name(), count }).collect()
    }

    fn remark_counts(&self) -> Vec<Count> {
        let counts = Remark::ALL.iter().zip(self.remarks);
        counts.filter(|(_, n)| *n > 0).map(|(r, count)| Count { name: r.name(), count }).collect()
    }
}
