//! How many in the last few minutes, in constant memory and time.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Slices of a window: the count is exact to 1/60 of it (5 s of 5 minutes).
const SLICES: usize = 60;

/// Counts events of a sliding window, 5 minutes by default. 300 bytes, however many events there are.
///
/// ```
/// let messages = telemetry::RateWindow::default();
/// messages.record(3);
/// assert_eq!(messages.count(), 3);
/// ```
#[derive(Debug)]
pub struct RateWindow {
    start: Instant,
    slice: Duration,
    slices: Mutex<Slices>,
}

#[derive(Debug)]
struct Slices {
    counts: [u32; SLICES],
    total: u64,
    /// Number of the newest slice since `start`; its place is the remainder by `SLICES`.
    newest: u64,
}

impl Default for RateWindow {
    fn default() -> Self {
        Self::new(Duration::from_secs(300))
    }
}

impl RateWindow {
    /// A window of the given length, which is at least 60 ms.
    pub fn new(window: Duration) -> Self {
        let slice = (window / SLICES as u32).max(Duration::from_millis(1));
        let slices = Slices { counts: [0; SLICES], total: 0, newest: 0 };
        Self { start: Instant::now(), slice, slices: Mutex::new(slices) }
    }

    /// Counts `n` events, now.
    pub fn record(&self, n: u32) {
        self.record_at(self.start.elapsed(), n);
    }

    /// Events of the window that ends now.
    pub fn count(&self) -> u64 {
        self.count_at(self.start.elapsed())
    }

    /// Length of the window.
    pub fn window(&self) -> Duration {
        self.slice * SLICES as u32
    }

    fn record_at(&self, since_start: Duration, n: u32) {
        let mut slices = self.slices.lock();
        slices.advance_to(self.slice_number(since_start));
        let place = (slices.newest % SLICES as u64) as usize;
        let room = u32::MAX - slices.counts[place];
        let counted = n.min(room);
        slices.counts[place] += counted;
        slices.total += u64::from(counted);
    }

    fn count_at(&self, since_start: Duration) -> u64 {
        let mut slices = self.slices.lock();
        slices.advance_to(self.slice_number(since_start));
        slices.total
    }

    fn slice_number(&self, since_start: Duration) -> u64 {
        u64::try_from(since_start.as_nanos() / self.slice.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Slices {
    /// Forgets what fell out of the window. A number of the past (another thread was quicker) changes nothing.
    fn advance_to(&mut self, number: u64) {
        let steps = number.saturating_sub(self.newest).min(SLICES as u64);
        for step in 1..=steps {
            let place = ((self.newest + step) % SLICES as u64) as usize;
            self.total -= u64::from(self.counts[place]);
            self.counts[place] = 0;
        }
        self.newest = self.newest.max(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn events_leave_when_the_window_has_passed() {
        let window = RateWindow::new(secs(300));
        window.record_at(secs(0), 5);
        window.record_at(secs(299), 1);
        assert_eq!(window.count_at(secs(299)), 6);
        assert_eq!(window.count_at(secs(300)), 1);
        assert_eq!(window.count_at(secs(10_000)), 0);
    }

    #[test]
    fn a_time_of_the_past_is_counted_as_now() {
        let window = RateWindow::new(secs(300));
        window.record_at(secs(400), 1);
        window.record_at(secs(100), 1);
        assert_eq!(window.count_at(secs(400)), 2);
    }

    #[test]
    fn a_full_slice_does_not_overflow() {
        let window = RateWindow::new(secs(300));
        window.record_at(secs(1), u32::MAX);
        window.record_at(secs(1), 10);
        assert_eq!(window.count_at(secs(1)), u64::from(u32::MAX));
    }

    proptest! {
        #[test]
        fn the_count_equals_a_naive_scan(gaps in proptest::collection::vec((0u64..40, 0u32..10), 0..200)) {
            let window = RateWindow::new(secs(300));
            let mut events = Vec::new();
            let mut now = 0;
            for (gap, n) in gaps {
                now += gap;
                window.record_at(secs(now), n);
                events.push((now / 5, u64::from(n)));
                let newest = now / 5;
                let expected: u64 = events.iter().filter(|(slice, _)| slice + 60 > newest).map(|(_, n)| n).sum();
                prop_assert_eq!(window.count_at(secs(now)), expected);
            }
        }
    }
}
