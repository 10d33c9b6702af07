//! The last twenty minutes, second by second, in memory that is reserved at once.

use crate::{Catalogue, SeriesId, SeriesKind};
use std::sync::Arc;

/// Ten minutes before an event and ten after it, and a few seconds to write them down.
const SECONDS: usize = 1_230;

/// Samples of the last twenty minutes. A counter that falls (the process that is followed has been restarted) counts as not
/// having grown.
#[derive(Debug)]
pub struct Recent {
    catalogue: Arc<Catalogue>,
    /// Samples one behind the other, each as long as the catalogue.
    values: Vec<u64>,
    times: Vec<i64>,
    /// Samples ever pushed.
    pushed: usize,
}

impl Recent {
    /// Nothing yet.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        let width = catalogue.infos().len();
        Self { values: vec![0; width * SECONDS], times: vec![0; SECONDS], pushed: 0, catalogue }
    }

    /// What is in a sample.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// Adds a sample, taken at `at_ms`; times that do not grow (a clock was set back) begin anew.
    pub fn push(&mut self, at_ms: i64, sample: &[u64]) {
        if self.newest_ms().is_some_and(|newest| at_ms <= newest) {
            self.pushed = 0;
        }
        let width = self.catalogue.infos().len();
        let place = self.pushed % SECONDS;
        self.values[place * width..(place + 1) * width].copy_from_slice(sample);
        self.times[place] = at_ms;
        self.pushed += 1;
    }

    /// When the newest sample was taken.
    pub fn newest_ms(&self) -> Option<i64> {
        (self.pushed > 0).then(|| self.times[(self.pushed - 1) % SECONDS])
    }

    /// The newest value; 0 before the first sample.
    pub fn last(&self, id: SeriesId) -> u64 {
        if self.pushed == 0 { 0 } else { self.value(0, id) }
    }

    /// By how much a counter has grown over the last `secs` seconds, or over what there is, and in how many seconds. `None`
    /// before the second sample.
    pub fn grown(&self, id: SeriesId, secs: u32) -> Option<(u64, f64)> {
        let base = self.base(secs)?;
        // Step by step, because a counter that falls starts anew.
        let grown = (0..base).map(|age| self.value(age, id).saturating_sub(self.value(age + 1, id))).sum();
        Some((grown, self.seconds(base)))
    }

    /// By how much each counter has grown over the last `secs` seconds, or over what there is, in the order of the catalogue
    /// (gauges are given as 0), and in how many seconds.
    pub fn all_grown(&self, secs: u32) -> (Vec<u64>, f64) {
        let infos = self.catalogue.infos();
        let mut grown = vec![0; infos.len()];
        let Some(base) = self.base(secs) else { return (grown, 0.0) };
        for age in (0..base).rev() {
            let (older, newer) = (self.sample(age + 1), self.sample(age));
            let steps = older.iter().zip(newer).map(|(older, newer)| newer.saturating_sub(*older));
            grown.iter_mut().zip(steps).for_each(|(sum, step)| *sum += step);
        }
        let gauges = grown.iter_mut().zip(infos).filter(|(_, info)| info.kind == SeriesKind::Gauge);
        gauges.for_each(|(sum, _)| *sum = 0);
        (grown, self.seconds(base))
    }

    /// A counter's mean a second over the last `secs` seconds.
    pub fn rate(&self, id: SeriesId, secs: u32) -> Option<f64> {
        self.grown(id, secs).filter(|(_, secs)| *secs > 0.0).map(|(grown, secs)| grown as f64 / secs)
    }

    /// The greatest value of a gauge over the last `secs` seconds.
    pub fn greatest(&self, id: SeriesId, secs: u32) -> Option<u64> {
        let oldest = self.base(secs).or_else(|| (self.pushed > 0).then_some(0))?;
        (0..=oldest).map(|age| self.value(age, id)).max()
    }

    /// Over how many of the last `secs` seconds there are samples.
    pub fn covered(&self, secs: u32) -> f64 {
        self.base(secs).map_or(0.0, |base| self.seconds(base))
    }

    /// Visits the samples from the oldest to the newest: when it was taken, and its values.
    pub fn samples(&self) -> impl Iterator<Item = (i64, &[u64])> {
        (0..self.pushed.min(SECONDS)).rev().map(|age| (self.time(age), self.sample(age)))
    }

    /// How a series is read.
    pub fn kind(&self, id: SeriesId) -> SeriesKind {
        self.catalogue.info(id).kind
    }

    /// The sample with which the newest is compared, as its age in samples: the newest that is `secs` old, or the oldest.
    fn base(&self, secs: u32) -> Option<usize> {
        let kept = self.pushed.min(SECONDS);
        let newest = self.newest_ms()?;
        let wanted = newest - i64::from(secs) * 1_000;
        // Samples are about a second apart, so the search begins near where it ends; half a second is given for the jitter.
        let found = (1..kept).find(|age| self.time(*age) <= wanted + 500);
        found.or_else(|| (kept > 1).then(|| kept - 1))
    }

    fn seconds(&self, base: usize) -> f64 {
        (self.time(0) - self.time(base)) as f64 / 1_000.0
    }

    fn time(&self, age: usize) -> i64 {
        self.times[(self.pushed - 1 - age) % SECONDS]
    }

    fn sample(&self, age: usize) -> &[u64] {
        let (place, width) = ((self.pushed - 1 - age) % SECONDS, self.catalogue.infos().len());
        &self.values[place * width..(place + 1) * width]
    }

    fn value(&self, age: usize, id: SeriesId) -> u64 {
        self.sample(age)[id.place()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Unit, info};

    fn recent() -> Recent {
        let infos = vec![
            info("a", SeriesKind::Counter, Unit::Bytes, ""),
            info("b", SeriesKind::Gauge, Unit::Bytes, ""),
        ];
        Recent::new(Arc::new(Catalogue::new(infos)))
    }

    const A: SeriesId = SeriesId(0);
    const B: SeriesId = SeriesId(1);

    #[test]
    fn rates_are_over_the_window_or_over_what_there_is() {
        let mut recent = recent();
        assert_eq!((recent.grown(A, 10), recent.last(A)), (None, 0));
        for second in 0..=5_000 {
            recent.push(second * 1_000 + (second % 3), &[second as u64 * 7, second as u64 % 100]);
            if second == 4 {
                assert_eq!(recent.grown(A, 30).map(|(grown, _)| grown), Some(28));
            }
        }
        assert_eq!(recent.grown(A, 10).map(|(grown, _)| grown), Some(70));
        assert!((recent.rate(A, 600).unwrap() - 7.0).abs() < 0.01);
        assert_eq!(recent.greatest(B, 200), Some(99));
        assert_eq!(recent.samples().count(), SECONDS);
        assert_eq!(recent.samples().last().map(|(_, values)| values[0]), Some(35_000));
    }

    #[test]
    fn a_counter_that_falls_starts_anew_and_a_clock_that_is_set_back_forgets() {
        let mut recent = recent();
        for (at, value) in [(0, 100), (1_000, 150), (2_000, 10), (3_000, 40)] {
            recent.push(at, &[value, 0]);
        }
        assert_eq!(recent.grown(A, 60), Some((80, 3.0)));
        assert_eq!(recent.all_grown(60), (vec![80, 0], 3.0));
        recent.push(500, &[50, 0]);
        assert_eq!(recent.grown(A, 60), None);
        assert_eq!(recent.last(A), 50);
    }
}
