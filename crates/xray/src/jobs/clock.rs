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

    type OnSecond = Box<dyn FnMut() + Send>;

    /// A clock that passes only when somebody waits or says so. At each full second it can do something, as a meter does.
    #[derive(Default)]
    pub(crate) struct FakeClock {
        now: Mutex<Duration>,
        on_second: Mutex<Option<OnSecond>>,
    }

    impl FakeClock {
        /// Has something done at each full second.
        pub(crate) fn on_second(&self, act: impl FnMut() + Send + 'static) {
            *self.on_second.lock() = Some(Box::new(act));
        }

        /// Lets time pass.
        pub(crate) fn pass(&self, time: Duration) {
            let end = self.steady() + time;
            while self.steady() < end {
                let second = Duration::from_secs(self.steady().as_secs() + 1);
                *self.now.lock() = second.min(end);
                if let Some(act) = self.on_second.lock().as_mut().filter(|_| second <= end) {
                    act();
                }
            }
        }
    }

    impl std::fmt::Debug for FakeClock {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "FakeClock({:?})", self.steady())
        }
    }

    impl Clock for FakeClock {
        fn steady(&self) -> Duration {
            *self.now.lock()
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
