//! Means that do not depend on the order in which values come.

/// Sums of whole numbers: exact, so that any order of the same values gives the same mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    sum: i64,
    /// Of squares, for the deviation.
    squares: i64,
    count: u32,
}

impl Mean {
    /// Takes in a value, if there is one.
    pub fn add(&mut self, value: Option<i64>) {
        if let Some(value) = value {
            self.sum += value;
            self.squares += value * value;
            self.count += 1;
        }
    }

    /// Takes in all that another has.
    pub fn merge(&mut self, other: Mean) {
        self.sum += other.sum;
        self.squares += other.squares;
        self.count += other.count;
    }

    /// How many values there were.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / f64::from(self.count))
    }

    /// The deviation of the whole population; `None` without values.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        let variance = self.squares as f64 / f64::from(self.count) - mean * mean;
        // Rounding may take equal values a hair below zero.
        Some(variance.max(0.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_those_of_the_values_that_are_there() {
        let mut mean = Mean::default();
        assert_eq!((mean.mean(), mean.deviation()), (None, None));
        [Some(2), None, Some(4), Some(4), Some(4), Some(5), Some(5), Some(7), Some(9)]
            .into_iter()
            .for_each(|value| mean.add(value));
        assert_eq!((mean.count(), mean.mean(), mean.deviation()), (8, Some(5.0), Some(2.0)));
        let mut twice = mean;
        twice.merge(mean);
        assert_eq!((twice.count(), twice.mean(), twice.deviation()), (16, Some(5.0), Some(2.0)));
    }
}
