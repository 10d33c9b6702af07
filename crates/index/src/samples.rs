//! The newest samples of each observer's noise floor and battery, so that the summary of all observers needs no disk.
//!
//! The rest of a sample is history that storage answers from, one observer at a time. These two values of all observers
//! at once would be thousands of seeks there, while here they are 16 bytes a sample.

use model::{ObserverId, ObserverMetrics, UnixMillis};

use crate::index::Index;

/// Samples kept of each observer: a day at one in five minutes is 288, and a little for what came late. At 2,000 observers
/// they take 10 MB.
pub const SAMPLES_KEPT: usize = 300;

/// What an observer said of itself at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObserverSample {
    /// Its arrival, rounded to the sampling interval.
    pub time: UnixMillis,
    /// In dBm.
    pub noise_floor: Option<f32>,
    /// Battery voltage in millivolts.
    pub battery_mv: Option<u32>,
}

/// The newest [`SAMPLES_KEPT`] samples of one observer, rising by time.
#[derive(Clone, Default)]
pub(crate) struct Samples {
    rows: Vec<PackedSample>,
}

/// Absent values as ones that no sample has.
#[derive(Clone, Copy)]
struct PackedSample {
    time: i64,
    /// NaN for none.
    noise_floor: f32,
    /// The greatest number for none.
    battery_mv: u32,
}

impl Samples {
    /// Takes in a sample; one of the same time takes its place. What is kept depends on the samples and not on their
    /// order: of all that ever came, the newest.
    pub(crate) fn note(&mut self, new: &ObserverMetrics) {
        let row = PackedSample {
            time: new.time.0,
            noise_floor: new.noise_floor.unwrap_or(f32::NAN),
            battery_mv: new.battery_mv.unwrap_or(u32::MAX),
        };
        match self.rows.binary_search_by_key(&row.time, |kept| kept.time) {
            Ok(place) => self.rows[place] = row,
            Err(0) if self.rows.len() >= SAMPLES_KEPT => {}
            Err(place) => {
                self.rows.insert(place, row);
                if self.rows.len() > SAMPLES_KEPT {
                    self.rows.remove(0);
                }
            }
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = ObserverSample> + ExactSizeIterator + '_ {
        self.rows.iter().map(|row| ObserverSample {
            time: UnixMillis(row.time),
            noise_floor: Some(row.noise_floor).filter(|dbm| dbm.is_finite()),
            battery_mv: Some(row.battery_mv).filter(|millivolts| *millivolts != u32::MAX),
        })
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<PackedSample>()
    }
}

impl Index {
    /// The newest samples of an observer, rising by time: all of them when they are fewer than [`SAMPLES_KEPT`].
    pub fn observer_samples(
        &self,
        observer: ObserverId,
    ) -> impl DoubleEndedIterator<Item = ObserverSample> + '_ {
        self.observers.get(observer).into_iter().flat_map(|entry| entry.samples.iter())
    }

    /// Whether samples of the observer since this time may have been left out here, so that only storage has them all.
    pub fn samples_begin_after(&self, observer: ObserverId, since: UnixMillis) -> bool {
        self.observers.get(observer).is_some_and(|entry| {
            let mut samples = entry.samples.iter();
            samples.len() >= SAMPLES_KEPT && samples.next().is_some_and(|oldest| oldest.time > since)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: i64, noise_floor: f32) -> ObserverMetrics {
        ObserverMetrics {
            observer: ObserverId(0),
            time: UnixMillis(time),
            noise_floor: Some(noise_floor),
            tx_air_secs: None,
            rx_air_secs: None,
            recv_errors: None,
            battery_mv: None,
            packets_sent: None,
            packets_recv: None,
        }
    }

    #[test]
    fn the_newest_are_kept_in_whatever_order_they_come() {
        let mut forward = Samples::default();
        let mut shuffled = Samples::default();
        (0..1000).for_each(|time| forward.note(&sample(time, -(time as f32))));
        (0..1000).map(|i| i * 389 % 1000).for_each(|time| shuffled.note(&sample(time, -(time as f32))));
        let kept: Vec<ObserverSample> = forward.iter().collect();
        assert_eq!(shuffled.iter().collect::<Vec<_>>(), kept);
        assert_eq!(kept.len(), SAMPLES_KEPT);
        assert_eq!((kept[0].time, kept[0].noise_floor), (UnixMillis(700), Some(-700.0)));
    }

    #[test]
    fn a_sample_of_the_same_time_takes_the_place_of_the_one_before() {
        let mut samples = Samples::default();
        samples.note(&sample(5, -100.0));
        samples.note(&sample(5, f32::NAN));
        assert_eq!(samples.iter().map(|sample| sample.noise_floor).collect::<Vec<_>>(), [None]);
    }
}
