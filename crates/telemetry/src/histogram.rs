//! Percentiles over the newest durations.

use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;

/// How many of the newest durations count. The incumbent's `writer_perf` uses the same window, so figures compare.
const WINDOW: usize = 1024;

/// Percentiles of the last 1,024 durations. 4 KB, reserved at once; recording is a store under a short lock.
#[derive(Debug)]
pub struct Histogram(Mutex<Ring>);

/// What a [`Histogram`] says at one moment. All zero while nothing was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Durations recorded since the start, not only those in the window.
    pub count: u64,
    /// Half of the window's durations are at most this.
    pub p50: Duration,
    /// 95 of 100 are at most this.
    pub p95: Duration,
    /// 99 of 100 are at most this.
    pub p99: Duration,
    /// The longest of the window.
    pub max: Duration,
}

#[derive(Debug)]
struct Ring {
    /// Microseconds; 71 minutes fit, and what is longer is as good as 71 minutes.
    micros: Box<[u32; WINDOW]>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty one.
    pub fn new() -> Self {
        Self(Mutex::new(Ring { micros: Box::new([0; WINDOW]), count: 0 }))
    }

    /// Adds one duration, to the microsecond.
    pub fn record(&self, duration: Duration) {
        let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let mut ring = self.0.lock();
        let place = (ring.count % WINDOW as u64) as usize;
        ring.micros[place] = micros;
        ring.count += 1;
    }

    /// Percentiles by nearest rank: index `round(p · (n − 1))` of the sorted window.
    pub fn summary(&self) -> Summary {
        let (mut sorted, count) = {
            let ring = self.0.lock();
            (*ring.micros, ring.count)
        };
        let filled = usize::try_from(count).unwrap_or(WINDOW).min(WINDOW);
        let window = &mut sorted[..filled];
        window.sort_unstable();
        let rank = |percent: usize| {
            let index = (percent * filled.saturating_sub(1) + 50) / 100;
            window.get(index).map_or(Duration::ZERO, |micros| Duration::from_micros(u64::from(*micros)))
        };
        Summary { count, p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_histogram_says_zero() {
        assert_eq!(Histogram::new().summary(), Summary::default());
    }

    #[test]
    fn one_sample_is_every_percentile() {
        let histogram = Histogram::new();
        histogram.record(Duration::from_micros(1_500));
        let summary = histogram.summary();
        assert_eq!((summary.count, summary.p50, summary.max), (1, summary.p99, Duration::from_micros(1_500)));
    }

    #[test]
    fn old_samples_leave_the_window_but_stay_in_the_count() {
        let histogram = Histogram::new();
        histogram.record(Duration::from_secs(60));
        for _ in 0..WINDOW {
            histogram.record(Duration::from_millis(2));
        }
        let summary = histogram.summary();
        assert_eq!(summary.max, Duration::from_millis(2));
        assert_eq!(summary.count, WINDOW as u64 + 1);
    }

    #[test]
    fn a_duration_beyond_the_range_is_the_longest_one() {
        let histogram = Histogram::new();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.summary().max, Duration::from_micros(u64::from(u32::MAX)));
    }

    proptest::proptest! {
        #[test]
        fn percentiles_are_samples_in_ascending_order(samples in proptest::collection::vec(0u32..1_000_000, 1..3_000)) {
            let histogram = Histogram::new();
            for micros in &samples {
                histogram.record(Duration::from_micros(u64::from(*micros)));
            }
            let summary = histogram.summary();
            let window = &samples[samples.len().saturating_sub(WINDOW)..];
            proptest::prop_assert!(summary.p50 <= summary.p95 && summary.p95 <= summary.p99 && summary.p99 <= summary.max);
            proptest::prop_assert_eq!(summary.max.as_micros(), u128::from(*window.iter().max().unwrap()));
            proptest::prop_assert!(window.iter().any(|m| u128::from(*m) == summary.p50.as_micros()));
        }
    }
}
