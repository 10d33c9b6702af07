//! What two observers heard, side by side: sets, and who heard better and first.

use std::collections::BTreeMap;

use meshcore::PayloadType;
use model::{ObserverId, SnrQuarterDb, UnixMillis};
use roaring::RoaringBitmap;

use crate::index::Index;
use crate::observations::NONE;
use crate::view::TxRow;

/// Packets that both heard of which the observations are read: the newest.
const PAIRS_READ: usize = 2_000;

/// Observations read of all of these: a packet may have been heard a million times.
const OBSERVATIONS_READ: usize = 100_000;

/// Observations read of a single packet.
const OBSERVATIONS_OF_ONE: usize = 20_000;

/// Which packets are compared.
#[derive(Clone, Copy, Debug)]
pub struct CompareRange {
    /// Packets first seen at this time or later,
    pub from: UnixMillis,
    /// and at this time or before.
    pub to: UnixMillis,
    /// Milliseconds of a bucket of the series.
    pub bucket_ms: i64,
    /// Newest packets of each set that are named.
    pub newest: usize,
}

/// What two observers heard of the packets in a range. A packet is heard by an observer when it has ever heard a copy.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// All packets.
    pub packets: HeardCounts,
    /// By payload type; without types that neither heard.
    pub by_type: Vec<(PayloadType, HeardCounts)>,
    /// By the time at which packets were first seen, rising; without buckets in which neither heard any.
    pub series: Vec<SetBucket>,
    /// Of the newest packets that both heard.
    pub signal: SignalComparison,
    /// The newest that only the first observer heard, that both did, that only the second did; the newest first.
    pub newest: [Vec<TxRow>; 3],
}

/// How many packets are in each set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeardCounts {
    /// Heard by the first observer and not by the second.
    pub only_a: u64,
    /// Heard by both.
    pub both: u64,
    /// Heard by the second observer and not by the first.
    pub only_b: u64,
}

/// The sets in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBucket {
    /// When it begins.
    pub start: UnixMillis,
    /// What was first seen in it.
    pub packets: HeardCounts,
}

/// Who heard better and first, of packets that both heard. Of several copies the strongest and the first count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SignalComparison {
    /// Packets looked at: all that both heard, or the newest of them.
    pub compared: u64,
    /// The first observer was first.
    pub first_a: u64,
    /// The second observer was first.
    pub first_b: u64,
    /// Both at the same millisecond.
    pub tied: u64,
    /// Packets for which both gave a signal-to-noise ratio.
    pub with_snr: u64,
    /// Of these, those that the first observer heard better.
    pub stronger_a: u64,
    /// Of these, those that the second observer heard better.
    pub stronger_b: u64,
    /// Sum of the ratios at the first observer, in quarters of a decibel.
    pub snr_sum_a: i64,
    /// Sum of the ratios at the second observer, in quarters of a decibel.
    pub snr_sum_b: i64,
}

/// One packet at two observers; `None` where an observer did not hear it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeardPair {
    /// At the first observer.
    pub a: Option<HeardBest>,
    /// At the second observer.
    pub b: Option<HeardBest>,
}

/// A packet at one observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardBest {
    /// The least time of its copies.
    pub first: UnixMillis,
    /// The greatest signal-to-noise ratio of its copies.
    pub snr: Option<SnrQuarterDb>,
}

/// The rows of the three sets.
struct Sets([RoaringBitmap; 3]);

impl Index {
    /// Compares what two observers heard; `None` when either is unknown. Sets are exact. Who heard better and first is
    /// read from observations, and therefore only of the newest packets: [`SignalComparison::compared`] says how many.
    pub fn compare(&self, a: ObserverId, b: ObserverId, range: &CompareRange) -> Option<Comparison> {
        let (a_heard, b_heard) = (&self.observers.get(a)?.heard, &self.observers.get(b)?.heard);
        // The bounds of the table are exclusive.
        let (since, until) = (range.from.plus_ms(-1), range.to.plus_ms(1));
        let window = self.transmissions.first_seen_between(since, until);
        let (a_heard, b_heard) = (a_heard & &window, b_heard & &window);
        let sets = Sets([&a_heard - &b_heard, &a_heard & &b_heard, &b_heard - &a_heard]);
        let newest = |set: &RoaringBitmap| set.iter().rev().take(range.newest).map(TxRow).collect();
        Some(Comparison {
            packets: sets.counts(None),
            by_type: self.types_of(&sets),
            series: self.series_of(&sets, range.bucket_ms.max(1)),
            signal: self.signal_of(&sets.0[1], a, b),
            newest: sets.0.each_ref().map(newest),
        })
    }

    /// How two observers heard a packet, by the first 20,000 of its observations.
    pub fn heard_pair(&self, packet: TxRow, a: ObserverId, b: ObserverId) -> HeardPair {
        let mut steps = OBSERVATIONS_OF_ONE;
        self.pair(packet.0, a, b, &mut steps).0
    }

    fn types_of(&self, sets: &Sets) -> Vec<(PayloadType, HeardCounts)> {
        let types = (0u8..).zip(&self.postings.types);
        let counts = types.map(|(code, rows)| (PayloadType::from_bits(code), sets.counts(Some(rows))));
        counts.filter(|(_, counts)| *counts != HeardCounts::default()).collect()
    }

    fn series_of(&self, sets: &Sets, bucket_ms: i64) -> Vec<SetBucket> {
        let mut buckets: BTreeMap<i64, [u64; 3]> = BTreeMap::new();
        for (set, rows) in sets.0.iter().enumerate() {
            // Neighbouring rows nearly always share a bucket, so that the tree is asked once for many.
            let (mut current, mut count) = (0, 0);
            for row in rows {
                let bucket = self.transmissions.first_seen(row).0.div_euclid(bucket_ms);
                if bucket != current && count > 0 {
                    buckets.entry(current).or_default()[set] += count;
                    count = 0;
                }
                (current, count) = (bucket, count + 1);
            }
            if count > 0 {
                buckets.entry(current).or_default()[set] += count;
            }
        }
        let bucket = |(number, [only_a, both, only_b]): (i64, [u64; 3])| SetBucket {
            start: UnixMillis(number * bucket_ms),
            packets: HeardCounts { only_a, both, only_b },
        };
        buckets.into_iter().map(bucket).collect()
    }

    fn signal_of(&self, both: &RoaringBitmap, a: ObserverId, b: ObserverId) -> SignalComparison {
        let mut signal = SignalComparison::default();
        let mut steps = OBSERVATIONS_READ;
        for row in both.iter().rev().take(PAIRS_READ) {
            let (HeardPair { a: Some(a), b: Some(b) }, true) = self.pair(row, a, b, &mut steps) else {
                break;
            };
            signal.add(a, b);
        }
        signal
    }

    /// The second is `false` when there are more observations than `steps_left`.
    fn pair(&self, row: u32, a: ObserverId, b: ObserverId, steps_left: &mut usize) -> (HeardPair, bool) {
        let mut pair = HeardPair::default();
        let mut observation = self.transmissions.state(row).first;
        while observation != NONE {
            if *steps_left == 0 {
                return (pair, false);
            }
            *steps_left -= 1;
            let observer = self.observations.observer(observation);
            for (id, best) in [(a, &mut pair.a), (b, &mut pair.b)] {
                if observer == id.0 {
                    let heard = self.observations.get(observation);
                    let (first, snr) = best.map_or((heard.time, None), |best| (best.first, best.snr));
                    *best = Some(HeardBest { first: first.min(heard.time), snr: snr.max(heard.snr) });
                }
            }
            observation = self.observations.next(observation);
        }
        (pair, true)
    }
}

impl Sets {
    /// How many rows of each are among these, or in all.
    fn counts(&self, among: Option<&RoaringBitmap>) -> HeardCounts {
        let count = |set: &RoaringBitmap| among.map_or(set.len(), |rows| set.intersection_len(rows));
        let [only_a, both, only_b] = self.0.each_ref().map(count);
        HeardCounts { only_a, both, only_b }
    }
}

impl SignalComparison {
    fn add(&mut self, a: HeardBest, b: HeardBest) {
        self.compared += 1;
        self.first_a += u64::from(a.first < b.first);
        self.first_b += u64::from(b.first < a.first);
        self.tied += u64::from(a.first == b.first);
        if let (Some(SnrQuarterDb(a)), Some(SnrQuarterDb(b))) = (a.snr, b.snr) {
            self.with_snr += 1;
            self.stronger_a += u64::from(a > b);
            self.stronger_b += u64::from(b > a);
            self.snr_sum_a += i64::from(a);
            self.snr_sum_b += i64::from(b);
        }
    }
}
