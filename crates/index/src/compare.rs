//! What two observers heard, side by side: sets, and who heard better and first.

use std::collections::BTreeMap;

use meshcore::PayloadType;
use model::{ObserverId, SnrQuarterDb, TransmissionId, UnixMillis};
use roaring::RoaringBitmap;

use crate::index::Index;
use crate::observations::NONE;
use crate::view::TransmissionView;

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
    pub newest: [Vec<TransmissionId>; 3],
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

/// A comparison in the making: pieces of history are added to it, from the newest to the oldest.
pub(crate) struct Comparing<'a> {
    a: ObserverId,
    b: ObserverId,
    range: &'a CompareRange,
    packets: HeardCounts,
    /// By the code of the payload type.
    types: [HeardCounts; 16],
    /// By the number of the bucket.
    series: BTreeMap<i64, HeardCounts>,
    signal: SignalComparison,
    pairs_left: usize,
    observations_left: usize,
    newest: [Vec<TransmissionId>; 3],
}

impl Index {
    /// Compares what two observers heard; `None` when either is unknown. Sets are exact. Who heard better and first is
    /// read from observations, and therefore only of the newest packets: [`SignalComparison::compared`] says how many.
    pub fn compare(&self, a: ObserverId, b: ObserverId, range: &CompareRange) -> Option<Comparison> {
        self.observers.get(a).and(self.observers.get(b))?;
        let mut comparing = Comparing::new(a, b, range);
        comparing.add(self);
        Some(comparing.finish())
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

impl TransmissionView<'_> {
    /// How two observers heard it, by the first 20,000 of its observations.
    pub fn heard_pair(&self, a: ObserverId, b: ObserverId) -> HeardPair {
        let mut steps = OBSERVATIONS_OF_ONE;
        self.index.pair(self.row, a, b, &mut steps).0
    }
}

impl<'a> Comparing<'a> {
    pub(crate) fn new(a: ObserverId, b: ObserverId, range: &'a CompareRange) -> Self {
        Self {
            a,
            b,
            range,
            packets: HeardCounts::default(),
            types: [HeardCounts::default(); 16],
            series: BTreeMap::new(),
            signal: SignalComparison::default(),
            pairs_left: PAIRS_READ,
            observations_left: OBSERVATIONS_READ,
            newest: Default::default(),
        }
    }

    /// Adds the packets of an index, all of which are older than those added before.
    pub(crate) fn add(&mut self, index: &Index) {
        // The bounds of the table are exclusive.
        let (since, until) = (self.range.from.plus_ms(-1), self.range.to.plus_ms(1));
        let window = index.transmissions.first_seen_between(since, until);
        let heard = |id| index.observers.get(id).map(|entry| &entry.heard & &window).unwrap_or_default();
        let (a_heard, b_heard) = (heard(self.a), heard(self.b));
        let sets = Sets([&a_heard - &b_heard, &a_heard & &b_heard, &b_heard - &a_heard]);
        self.packets.add(sets.counts(None));
        for (counts, rows) in self.types.iter_mut().zip(&index.postings.types) {
            counts.add(sets.counts(Some(rows)));
        }
        self.add_series(index, &sets);
        self.add_signals(index, &sets.0[1]);
        for (newest, set) in self.newest.iter_mut().zip(&sets.0) {
            let room = self.range.newest.saturating_sub(newest.len());
            newest.extend(set.iter().rev().take(room).map(|row| index.transmission_id(row)));
        }
    }

    pub(crate) fn finish(self) -> Comparison {
        let types = (0u8..).zip(self.types).map(|(code, counts)| (PayloadType::from_bits(code), counts));
        let start = |number: i64| UnixMillis(number * self.range.bucket_ms.max(1));
        let series = self.series.iter();
        Comparison {
            packets: self.packets,
            by_type: types.filter(|(_, counts)| *counts != HeardCounts::default()).collect(),
            series: series
                .map(|(number, packets)| SetBucket { start: start(*number), packets: *packets })
                .collect(),
            signal: self.signal,
            newest: self.newest,
        }
    }

    fn add_series(&mut self, index: &Index, sets: &Sets) {
        let bucket_ms = self.range.bucket_ms.max(1);
        for (set, rows) in sets.0.iter().enumerate() {
            // Neighbouring rows nearly always share a bucket, so that the tree is asked once for many.
            let (mut current, mut count) = (0, 0);
            for row in rows {
                let bucket = index.transmissions.first_seen(row).0.div_euclid(bucket_ms);
                if bucket != current && count > 0 {
                    self.series.entry(current).or_default().add_to(set, count);
                    count = 0;
                }
                (current, count) = (bucket, count + 1);
            }
            if count > 0 {
                self.series.entry(current).or_default().add_to(set, count);
            }
        }
    }

    fn add_signals(&mut self, index: &Index, both: &RoaringBitmap) {
        for row in both.iter().rev() {
            if self.pairs_left == 0 {
                return;
            }
            self.pairs_left -= 1;
            let pair = index.pair(row, self.a, self.b, &mut self.observations_left);
            let (HeardPair { a: Some(a), b: Some(b) }, true) = pair else {
                self.pairs_left = 0;
                return;
            };
            self.signal.add(a, b);
        }
    }
}

impl HeardCounts {
    fn add(&mut self, more: Self) {
        self.only_a += more.only_a;
        self.both += more.both;
        self.only_b += more.only_b;
    }

    /// By the place of the set.
    fn add_to(&mut self, set: usize, count: u64) {
        match set {
            0 => self.only_a += count,
            1 => self.both += count,
            _ => self.only_b += count,
        }
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
