//! How much work one question may cause, so that nobody's question holds up the others'.

use std::fmt;
use std::time::Instant;

/// What a question may still cost. Long work takes it by mutable reference and calls [`Budget::spend`] as it goes on;
/// short work, which is bounded anyway, need not know of it.
///
/// ```
/// use index::{Budget, Limit};
/// use std::time::{Duration, Instant};
///
/// let mut budget = Budget::until(Instant::now() + Duration::from_secs(5)).with_rows(1_000);
/// budget.spend(1_000)?;
/// assert_eq!(budget.spend(1).map_err(|over| over.what), Err(Limit::Rows));
/// # Ok::<(), index::OverBudget>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// When an answer is of no use any more; none for work that nobody waits for.
    pub deadline: Option<Instant>,
    /// Rows that may still be looked at one by one.
    pub rows: u64,
    /// Rows until the clock is looked at again.
    until_clock: u64,
}

/// Looking at the clock takes as long as looking at some rows of a column, and this many rows take some microseconds to a
/// millisecond.
const ROWS_PER_LOOK_AT_THE_CLOCK: u64 = 1_024;

impl Budget {
    /// For work whose bounds lie elsewhere, and for tests.
    pub const UNLIMITED: Self = Self { deadline: None, rows: u64::MAX, until_clock: 0 };

    /// As many rows as the time allows.
    pub const fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::UNLIMITED }
    }

    /// The same time, and at most so many rows.
    #[must_use]
    pub const fn with_rows(mut self, rows: u64) -> Self {
        self.rows = rows;
        self
    }

    /// Takes `rows` from what is left; to be called before they are looked at, one by one or in portions. One row stands
    /// for about a microsecond of work or less; a row that costs more counts as several.
    ///
    /// # Errors
    /// When the rows or the time do not suffice. The clock is looked at by the first call and then once in about a
    /// thousand rows.
    pub fn spend(&mut self, rows: u64) -> Result<(), OverBudget> {
        self.rows = self.rows.checked_sub(rows).ok_or(OverBudget { what: Limit::Rows })?;
        if self.until_clock > rows {
            self.until_clock -= rows;
            return Ok(());
        }
        self.look_at_the_clock()
    }

    /// Between pieces of work that are not counted in rows.
    ///
    /// # Errors
    /// When the time is up.
    pub fn look_at_the_clock(&mut self) -> Result<(), OverBudget> {
        self.until_clock = ROWS_PER_LOOK_AT_THE_CLOCK;
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(OverBudget { what: Limit::Time });
        }
        Ok(())
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::UNLIMITED
    }
}

/// A question asked for more work than it may cause. What was found until then is let go: an answer is whole or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the question needs more {what} than one question may take")]
pub struct OverBudget {
    /// What did not suffice.
    pub what: Limit,
}

/// What a [`Budget`] limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Time until the deadline.
    Time,
    /// Rows looked at one by one.
    Rows,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Rows => "rows",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn rows_are_taken_until_none_is_left() {
        let mut budget = Budget::UNLIMITED.with_rows(10);
        assert_eq!(budget.spend(7), Ok(()));
        assert_eq!(budget.spend(4), Err(OverBudget { what: Limit::Rows }));
        assert_eq!(budget.spend(3), Ok(()));
        assert_eq!(budget.spend(1), Err(OverBudget { what: Limit::Rows }));
    }

    #[test]
    fn time_that_is_up_is_noticed_by_the_first_row_and_within_a_portion() {
        let past = Instant::now();
        assert_eq!(Budget::until(past).spend(1), Err(OverBudget { what: Limit::Time }));

        let mut budget = Budget::until(Instant::now() + Duration::from_millis(20));
        budget.spend(1).expect("twenty milliseconds are left");
        std::thread::sleep(Duration::from_millis(21));
        let noticed = (0..=ROWS_PER_LOOK_AT_THE_CLOCK).find_map(|_| budget.spend(1).err());
        assert_eq!(noticed, Some(OverBudget { what: Limit::Time }));
    }
}
