//! Time, and waiting for it.

use parking_lot::{Condvar, MutexGuard};
use std::time::{Duration, Instant};

use super::state::State;

/// What time it is, and a way to let it pass. Tests have a clock that jumps.
pub(crate) trait Clock: Send + Sync + std::fmt::Debug {
    /// Since some moment before the first job was registered; never goes back.
    fn steady(&self) -> Duration;

    /// Milliseconds since 1970.
    fn wall_ms(&self) -> i64;

    /// Returns when the signal came or so much time has passed, or for no reason at all.
    fn wait(&self, signal: &Condvar, state: &mut MutexGuard<'_, State>, at_most: Duration);
}

/// That of the system.
#[derive(Debug)]
pub(crate) struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn steady(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall_ms(&self) -> i64 {
        model::UnixMillis::now().0
    }

    fn wait(&self, signal: &Condvar, state: &mut MutexGuard<'_, State>, at_most: Duration) {
        signal.wait_for(state, at_most);
    }
}

#[cfg(test)]
pub(crate) use fake::FakeClock;

#[cfg(test)]
mod fake {
    use super::*;
    use parking_lot::Mutex;

    /// A clock that passes only when somebody waits or says so.
    #[derive(Debug, Default)]
    pub(crate) struct FakeClock(Mutex<Duration>);

    impl FakeClock {
        /// Lets time pass.
        pub(crate) fn pass(&self, time: Duration) {
            *self.0.lock() += time;
        }
    }

    impl Clock for FakeClock {
        fn steady(&self) -> Duration {
            *self.0.lock()
        }

        fn wall_ms(&self) -> i64 {
            1_700_000_000_000 + self.steady().as_millis() as i64
        }

        fn wait(&self, _: &Condvar, state: &mut MutexGuard<'_, State>, at_most: Duration) {
            // The lock is let go as a real wait lets it go.
            MutexGuard::unlocked(state, || self.pass(at_most));
        }
    }
}
