//! How long a job has to wait to stay within its budget.

use std::time::Duration;

/// The seconds for which the bytes are kept, the present one included: two windows of a minute.
const SECONDS: usize = 121;

/// Windows, in seconds, over each of which no more is written than the budget allows, and one step.
const WINDOWS_SECS: [u64; 2] = [60, 120];

/// The bytes of a job over the last two minutes.
///
/// Three rules: up to half of a minute's budget may be written at once, so that small jobs are done in no time. Beyond that
/// the next step begins no sooner than the budget has paid for the last one, so that the disk is not kept busy in bursts. And no
/// step begins while the budget of the last minute, or that of the last two, is used up.
#[derive(Debug)]
pub(crate) struct Brake {
    budget: u64,
    /// By second, modulo their number.
    bytes: [u64; SECONDS],
    newest_secs: u64,
    /// When a step was let go last; it is paid from then on, since it took its time, too.
    let_go: Duration,
    not_before: Duration,
}

impl Brake {
    /// Of so many bytes a second.
    pub(crate) fn new(budget: u64) -> Self {
        let (let_go, not_before) = (Duration::ZERO, Duration::ZERO);
        Self { budget: budget.max(1), bytes: [0; SECONDS], newest_secs: 0, let_go, not_before }
    }

    /// A step has ended now.
    pub(crate) fn book(&mut self, now: Duration, bytes: u64) {
        self.advance(now);
        let place = self.newest_secs as usize % SECONDS;
        self.bytes[place] = self.bytes[place].saturating_add(bytes);
        if self.sum(WINDOWS_SECS[0], 0) > self.budget.saturating_mul(WINDOWS_SECS[0] / 2) {
            self.not_before = self.not_before.max(self.let_go).saturating_add(self.needs(bytes));
        }
    }

    /// How long to wait before the next step; nothing when it may begin, and then it is taken to begin now.
    pub(crate) fn wait(&mut self, now: Duration) -> Duration {
        self.advance(now);
        let windows = WINDOWS_SECS.iter().map(|window| self.until_within(*window));
        let free_secs = windows.max().unwrap_or(0);
        let free = if free_secs == 0 { now } else { Duration::from_secs(self.newest_secs + free_secs) };
        let wait = free.max(self.not_before).saturating_sub(now);
        if wait.is_zero() {
            self.let_go = now;
        }
        wait
    }

    /// How many seconds have to go before the bytes of a window are less than its budget.
    fn until_within(&self, window: u64) -> u64 {
        let allowed = self.budget.saturating_mul(window);
        (0..=window).find(|gone| self.sum(window, *gone) < allowed).unwrap_or(window + 1)
    }

    /// The bytes of the present second and of so many before it, less the oldest `gone` of these.
    fn sum(&self, window: u64, gone: u64) -> u64 {
        let oldest = self.newest_secs.saturating_sub(window - gone);
        let seconds = (oldest..=self.newest_secs).map(|second| self.bytes[second as usize % SECONDS]);
        seconds.fold(0, u64::saturating_add)
    }

    fn needs(&self, bytes: u64) -> Duration {
        Duration::from_micros(bytes.saturating_mul(1_000_000) / self.budget)
    }

    fn advance(&mut self, now: Duration) {
        let now = now.as_secs();
        if now >= self.newest_secs.saturating_add(SECONDS as u64) {
            self.bytes = [0; SECONDS];
        } else {
            for second in self.newest_secs + 1..=now {
                self.bytes[second as usize % SECONDS] = 0;
            }
        }
        self.newest_secs = self.newest_secs.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs steps of so many bytes, each taking so many milliseconds, and says when each ended.
    fn run(budget: u64, steps: &[(u64, u64)]) -> Vec<(Duration, u64)> {
        let mut brake = Brake::new(budget);
        let mut now = Duration::from_millis(300);
        let mut ended = Vec::new();
        for (bytes, millis) in steps {
            for _ in 0..1_000 {
                let wait = brake.wait(now);
                if wait.is_zero() {
                    break;
                }
                now += wait;
            }
            now += Duration::from_millis(*millis);
            brake.book(now, *bytes);
            ended.push((now, *bytes));
        }
        ended
    }

    #[test]
    fn a_small_job_is_not_held_back() {
        let ended = run(1_000, &[(10_000, 0), (10_000, 0), (9_000, 0)]);
        assert_eq!(ended[2].0, Duration::from_millis(300));
    }

    #[test]
    fn a_job_that_never_ends_comes_to_write_its_budget_evenly() {
        let ended = run(1_000, &vec![(500, 1); 2_000]);
        let (last, _) = ended[1_999];
        assert!(last >= Duration::from_secs(969), "the first half minute's worth is free: {last:?}");
        assert!(last < Duration::from_secs(1_020), "and nothing is held back longer than that: {last:?}");
        let pauses = ended.windows(2).skip(500).map(|two| two[1].0 - two[0].0);
        assert!(pauses.max().unwrap() < Duration::from_secs(2));
    }

    #[test]
    fn a_step_larger_than_all_windows_is_paid_off() {
        let ended = run(1_000, &[(600_000, 0), (1, 0)]);
        assert!(ended[1].0 >= Duration::from_secs(600));
    }

    proptest! {
        #[test]
        fn no_two_minutes_have_more_than_their_budget_and_one_step(
            budget in 1_u64..100_000,
            steps in prop::collection::vec((0_u64..3_000_000, 0_u64..5_000), 1..300),
        ) {
            let ended = run(budget, &steps);
            for (index, (end, _)) in ended.iter().enumerate() {
                let begin = end.saturating_sub(Duration::from_secs(120));
                let within = ended[..=index].iter().filter(|(at, _)| *at > begin);
                let bytes: u64 = within.clone().map(|(_, bytes)| bytes).sum();
                let greatest = within.map(|(_, bytes)| *bytes).max().unwrap_or(0);
                prop_assert!(bytes <= 120 * budget + greatest);
            }
        }
    }
}
