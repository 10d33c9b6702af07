//! Numbers that threads bump and the API reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows, since the process started. Wraps at 2⁶⁴, which nothing here reaches.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Starts at 0.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        // Relaxed: counters are read for display, and nobody infers the order of other memory from them.
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down: a queue's length, a file's size.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Starts at 0.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Replaces the value.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A fixed family of counters, one per label; the labels are known when it is made, so outside input cannot grow it.
///
/// ```
/// let drops = telemetry::LabelledCounters::new(&["too_long", "not_json"]);
/// assert!(drops.increment("not_json"));
/// assert!(!drops.increment("never heard of"));
/// assert_eq!(drops.snapshot().collect::<Vec<_>>(), [("too_long", 0), ("not_json", 1)]);
/// ```
#[derive(Debug)]
pub struct LabelledCounters {
    labels: &'static [&'static str],
    counters: Box<[Counter]>,
}

impl LabelledCounters {
    /// One counter for each label, all 0.
    pub fn new(labels: &'static [&'static str]) -> Self {
        Self { labels, counters: labels.iter().map(|_| Counter::new()).collect() }
    }

    /// Adds one to the counter of `label`; says whether there is such a label.
    pub fn increment(&self, label: &str) -> bool {
        let counter = self.counter(label);
        if let Some(counter) = counter {
            counter.increment();
        }
        counter.is_some()
    }

    /// The counter of `label`.
    pub fn counter(&self, label: &str) -> Option<&Counter> {
        let place = self.labels.iter().position(|known| *known == label)?;
        self.counters.get(place)
    }

    /// Label and count, in the order of the labels.
    pub fn snapshot(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.labels.iter().copied().zip(self.counters.iter().map(Counter::get))
    }

    /// Sum of all.
    pub fn total(&self) -> u64 {
        self.counters.iter().map(Counter::get).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_increment_is_lost_between_threads() {
        let counter = Counter::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| counter.increment()));
            }
        });
        assert_eq!(counter.get(), 40_000);
    }

    #[test]
    fn a_gauge_holds_the_last_value_set() {
        let gauge = Gauge::new();
        gauge.set(7);
        gauge.set(3);
        assert_eq!(gauge.get(), 3);
    }

    #[test]
    fn labelled_counters_add_up() {
        let family = LabelledCounters::new(&["a", "b"]);
        family.increment("a");
        family.increment("b");
        family.increment("b");
        assert_eq!(family.total(), 3);
        assert_eq!(family.counter("b").map(Counter::get), Some(2));
        assert!(family.counter("c").is_none());
    }
}
