//! How late the threads that serve requests are.

use crate::routes::health::EventLoopFigures;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often the lateness is measured: seldom enough to cost nothing.
const INTERVAL: Duration = Duration::from_millis(500);

/// Five minutes of measurements.
const SAMPLES: usize = 600;

/// The time that a timer came late is the time that a request would have waited for a thread.
pub(crate) struct LagMeter {
    late: Mutex<VecDeque<Duration>>,
}

impl LagMeter {
    pub(crate) fn new() -> Self {
        Self { late: Mutex::new(VecDeque::with_capacity(SAMPLES)) }
    }

    /// Measures for ever; ended by dropping the future.
    pub(crate) async fn run(&self) {
        loop {
            let due = Instant::now() + INTERVAL;
            tokio::time::sleep_until(due.into()).await;
            self.record(due.elapsed());
        }
    }

    pub(crate) fn figures(&self) -> EventLoopFigures {
        let late = self.late.lock();
        let Some(current) = late.back().copied() else { return EventLoopFigures::default() };
        let mut sorted: Vec<Duration> = late.iter().copied().collect();
        drop(late);
        sorted.sort_unstable();
        let at = |percent: usize| millis(sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]);
        EventLoopFigures {
            current_lag_ms: millis(current),
            max_lag_ms: at(100),
            p50_ms: at(50),
            p95_ms: at(95),
            p99_ms: at(99),
        }
    }

    fn record(&self, late: Duration) {
        let mut samples = self.late.lock();
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(late);
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_of_the_last_five_minutes_is_forgotten_after_them() {
        let meter = LagMeter::new();
        meter.record(Duration::from_millis(70));
        meter.record(Duration::from_millis(3));
        assert_eq!((meter.figures().max_lag_ms, meter.figures().current_lag_ms), (70.0, 3.0));
        for _ in 0..SAMPLES {
            meter.record(Duration::from_millis(1));
        }
        assert_eq!((meter.figures().max_lag_ms, meter.figures().p99_ms), (1.0, 1.0));
    }
}
