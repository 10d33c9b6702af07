//! How wrong the clock of a node is.

use meshcore::NodeKey;
use model::{ObserverId, UnixMillis};
use smallvec::SmallVec;

use super::newest::FirstTimes;
use super::{Clocks, drift, median, time_sent};
use crate::view::TxRow;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The samples that say how the clock is now: at most so many, and none older than an hour before the newest.
const RECENT: usize = 5;

/// A clock that is wrong by more than this is not right.
const GOOD_UP_TO_MS: i64 = HOUR_MS;

/// A clock that is wrong by more than this has no part in means, medians and drift.
const COUNTED_UP_TO_MS: i64 = DAY_MS;

/// What the adverts of a node tell of its clock.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeClock {
    /// One for each advert, in the order of time; never empty.
    pub samples: Vec<ClockSample>,
    /// How many of the newest samples are recent: at least one.
    pub recent: usize,
    /// What is to be made of it.
    pub severity: ClockSeverity,
    /// Milliseconds by which it is ahead, as a mean over samples that are within a day of the true time; over all when none is.
    pub mean_ms: f64,
    /// The median of the same.
    pub median_ms: i64,
    /// The median of the recent samples that are right; of all recent ones when none is.
    pub recent_median_ms: i64,
    /// Seconds that it gains a day; 0 when that cannot be told.
    pub drift_per_day_secs: f64,
    /// Observers that heard the adverts, each counted for each advert.
    pub readings: usize,
    /// Those of them whose own clocks could be compared with others.
    pub calibrated: usize,
}

/// What one advert tells of its sender's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// The advert.
    pub row: TxRow,
    /// When it was sent by its sender's clock, in Unix seconds.
    pub sent_secs: u32,
    /// When it was heard, by the clocks of observers as far as they agree.
    pub heard: UnixMillis,
    /// Milliseconds by which the sender's clock is ahead: the median over observers, each corrected by its own offset.
    pub skew_ms: i64,
}

/// What one observer tells of the clock of an advert's sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Who.
    pub observer: ObserverId,
    /// Milliseconds by which the sender's clock is ahead of the observer's.
    pub raw_ms: i64,
    /// Milliseconds by which the observer's clock is ahead of the others'; `None` when it could not be compared.
    pub offset_ms: Option<i64>,
}

/// What is to be made of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSeverity {
    /// Less than five minutes wrong.
    Ok,
    /// Less than an hour.
    Warning,
    /// Less than thirty days: it runs, but was set wrong.
    Critical,
    /// Less than a year.
    Absurd,
    /// It says anything, or a time a year off: there is no clock that keeps the time.
    NoClock,
    /// Right at one time and wrong at another.
    Bimodal,
}

impl ClockReading {
    /// Milliseconds by which the sender's clock is ahead, as far as the observer's clock is known.
    pub fn corrected_ms(&self) -> i64 {
        self.raw_ms + self.offset_ms.unwrap_or_default()
    }
}

impl ClockSample {
    /// Whether the clock was right: at most an hour off.
    pub fn is_good(&self) -> bool {
        self.skew_ms.abs() <= GOOD_UP_TO_MS
    }
}

impl NodeClock {
    /// The samples that say how the clock is now.
    pub fn recent_samples(&self) -> &[ClockSample] {
        &self.samples[self.samples.len() - self.recent..]
    }

    /// How many of them are right, as a share of 1.
    pub fn good_fraction(&self) -> f64 {
        good_fraction(self.recent_samples())
    }
}

impl Clocks<'_> {
    /// What the newest of a node's adverts tell of its clock, at most so many. `None` when there are none, or only such as say
    /// a time at which no clock was ever set.
    pub fn of_node(&self, key: &NodeKey, most_adverts: usize) -> Option<NodeClock> {
        let adverts = &self.index.nodes.get(key)?.history.adverts;
        let (mut readings, mut calibrated) = (0, 0);
        let mut samples = Vec::with_capacity(adverts.len().min(most_adverts));
        let (mut room, mut corrected) = (FirstTimes::new(), Vec::new());
        for row in adverts.iter().rev().take(most_adverts) {
            let Some((sent_secs, heard)) = self.heard(*row, &mut room) else { continue };
            readings += heard.len();
            corrected.clear();
            corrected.extend(self.readings_of(sent_secs, heard).map(|reading| {
                calibrated += usize::from(reading.offset_ms.is_some());
                reading.corrected_ms()
            }));
            let Some(skew_ms) = median(&mut corrected) else { continue };
            let heard = UnixMillis(i64::from(sent_secs) * 1000 - skew_ms);
            samples.push(ClockSample { row: TxRow(*row), sent_secs, heard, skew_ms });
        }
        samples.sort_unstable_by_key(|sample| (sample.heard, sample.row));
        let newest = samples.last()?.heard;
        let is_recent = |sample: &&ClockSample| newest.0 - sample.heard.0 <= HOUR_MS;
        let recent = samples.iter().rev().take(RECENT).take_while(is_recent).count();
        let counted: Vec<(i64, i64)> = counted(&samples);
        let mut skews: Vec<i64> = counted.iter().map(|(_, skew)| *skew).collect();
        let now = &samples[samples.len() - recent..];
        Some(NodeClock {
            severity: severity(now),
            mean_ms: skews.iter().sum::<i64>() as f64 / skews.len() as f64,
            median_ms: median(&mut skews)?,
            recent_median_ms: recent_median(now)?,
            drift_per_day_secs: drift::seconds_per_day(&counted),
            recent,
            samples,
            readings,
            calibrated,
        })
    }

    /// What each observer of an advert tells of its sender's clock, in no order; empty for what is no advert.
    pub fn readings(&self, advert: TxRow) -> SmallVec<[ClockReading; 16]> {
        let mut room = FirstTimes::new();
        let heard = self.heard(advert.0, &mut room);
        heard.into_iter().flat_map(|(sent, heard)| self.readings_of(sent, heard)).collect()
    }

    /// When an advert was sent by its sender's clock, and who first heard it when; `room` is for one that is to be read.
    fn heard<'a>(&'a self, row: u32, room: &'a mut FirstTimes) -> Option<(u32, &'a [(u16, i64)])> {
        if let Some(advert) = self.index.newest_adverts.get(row) {
            return advert.sent.map(|sent| (sent, &*advert.heard));
        }
        let sent = time_sent(self.index.transmissions.raw(row))?;
        *room = self.index.first_times(row);
        Some((sent, room))
    }

    fn readings_of(&self, sent: u32, heard: &[(u16, i64)]) -> impl Iterator<Item = ClockReading> {
        heard.iter().map(move |(observer, time)| ClockReading {
            observer: ObserverId(*observer),
            raw_ms: i64::from(sent) * 1000 - time,
            offset_ms: self.offset_of(*observer),
        })
    }
}

/// When each sample that counts was heard, and how wrong it is. A clock that is off by more than a day all the time has no
/// others than those.
fn counted(samples: &[ClockSample]) -> Vec<(i64, i64)> {
    let counts = |sample: &&ClockSample| sample.skew_ms.abs() <= COUNTED_UP_TO_MS;
    let is_any = samples.iter().any(|sample| counts(&sample));
    let counted = samples.iter().filter(|sample| !is_any || counts(sample));
    counted.map(|sample| (sample.heard.0, sample.skew_ms)).collect()
}

fn good_fraction(recent: &[ClockSample]) -> f64 {
    recent.iter().filter(|sample| sample.is_good()).count() as f64 / recent.len() as f64
}

fn recent_median(recent: &[ClockSample]) -> Option<i64> {
    let mut good: Vec<i64> =
        recent.iter().filter(|sample| sample.is_good()).map(|sample| sample.skew_ms).collect();
    median(&mut good).or_else(|| median(&mut recent.iter().map(|sample| sample.skew_ms).collect::<Vec<_>>()))
}

/// Contract §7.9, but a clock that is always wrong by the same is told by how much, and is not taken for none.
fn severity(recent: &[ClockSample]) -> ClockSeverity {
    const NONE_BELOW: f64 = 0.1;
    const BIMODAL_BELOW: f64 = 0.8;
    let Some(median) = recent_median(recent) else { return ClockSeverity::NoClock };
    let good = good_fraction(recent);
    if good < NONE_BELOW {
        let is_steady = recent.iter().all(|sample| (sample.skew_ms - median).abs() <= GOOD_UP_TO_MS);
        return if is_steady { severity_of(median) } else { ClockSeverity::NoClock };
    }
    if good < BIMODAL_BELOW { ClockSeverity::Bimodal } else { severity_of(median) }
}

fn severity_of(skew_ms: i64) -> ClockSeverity {
    match skew_ms.abs() {
        skew if skew < 5 * MINUTE_MS => ClockSeverity::Ok,
        skew if skew < HOUR_MS => ClockSeverity::Warning,
        skew if skew < 30 * DAY_MS => ClockSeverity::Critical,
        skew if skew < 365 * DAY_MS => ClockSeverity::Absurd,
        _ => ClockSeverity::NoClock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(skews_secs: &[i64]) -> Vec<ClockSample> {
        let sample = |(row, skew): (u32, &i64)| ClockSample {
            row: TxRow(row),
            sent_secs: 0,
            heard: UnixMillis(i64::from(row) * MINUTE_MS),
            skew_ms: skew * 1000,
        };
        (0..).zip(skews_secs).map(sample).collect()
    }

    #[test]
    fn a_clock_is_judged_by_its_recent_samples() {
        use ClockSeverity::*;
        let day = 86_400;
        let judged: &[(&[i64], ClockSeverity)] = &[
            (&[0, 3, -2], Ok),
            (&[299], Ok),
            (&[299, 310, -305], Ok),
            (&[-301, -302, -310], Warning),
            (&[3_599], Warning),
            (&[-7_200, -7_203], Critical),
            (&[29 * day], Critical),
            (&[30 * day, 30 * day + 5], Absurd),
            (&[365 * day], NoClock),
            (&[-7_200, 40_000, 3 * day], NoClock),
            (&[0, 0, 0, 0, -50_000], Ok),
            (&[0, 0, 0, -50_000], Bimodal),
            (&[0, -50_000, -50_000, -50_000, -50_000], Bimodal),
        ];
        for (skews, expected) in judged {
            assert_eq!(severity(&samples(skews)), *expected, "{skews:?}");
        }
    }

    #[test]
    fn samples_more_than_a_day_off_count_only_when_there_are_no_others() {
        let of = |skews: &[i64]| -> Vec<i64> {
            counted(&samples(skews)).into_iter().map(|(_, skew)| skew / 1000).collect()
        };
        assert_eq!(of(&[5, 86_401, -86_400]), [5, -86_400]);
        assert_eq!(of(&[90_000, 90_002]), [90_000, 90_002]);
    }
}
