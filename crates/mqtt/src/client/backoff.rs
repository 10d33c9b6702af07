//! Pauses between attempts to connect.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Doubles from the shortest pause to the longest, each a quarter more or less, so that a restarted broker does not meet all its clients at once.
#[derive(Debug)]
pub(super) struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest: longest.max(shortest), next: shortest }
    }

    /// The connection was good: the next pause is the shortest again.
    pub(super) fn reset(&mut self) {
        self.next = self.shortest;
    }

    pub(super) fn next_pause(&mut self) -> Duration {
        self.next_pause_with(random())
    }

    fn next_pause_with(&mut self, random: u64) -> Duration {
        let base = self.next;
        self.next = (base * 2).min(self.longest);
        let jittered = base.mul_f64(0.75 + (random % 1000) as f64 / 2000.0);
        jittered.clamp(self.shortest, self.longest)
    }
}

/// A number nobody can guess, without a dependency: the keys of the standard library's hash maps come from the operating system.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_stay_within_bounds() {
        let (shortest, longest) = (Duration::from_secs(1), Duration::from_secs(30));
        for random in [0, 500, 999] {
            let mut backoff = Backoff::new(shortest, longest);
            let pauses: Vec<Duration> = (0..10).map(|_| backoff.next_pause_with(random)).collect();
            assert!(pauses.iter().all(|&pause| pause >= shortest && pause <= longest), "{pauses:?}");
            assert!(pauses.is_sorted(), "{pauses:?}");
            assert!(pauses[9] >= longest.mul_f64(0.75));
            backoff.reset();
            assert!(backoff.next_pause_with(random) <= shortest.mul_f64(1.25));
        }
        assert_ne!(random(), random());
    }
}
