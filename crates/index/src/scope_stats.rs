//! How much of the traffic is scoped to regions.

use std::collections::BTreeMap;

use meshcore::Route;
use model::UnixMillis;

use crate::index::Index;
use crate::transmissions::ScopeRef;

/// The packets first seen since some time, by region scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeStats {
    /// Packets with transport codes.
    pub transport_total: u64,
    /// Of these, those scoped to a region, known to us or not.
    pub scoped: u64,
    /// All other packets.
    pub unscoped: u64,
    /// Of the scoped ones, those whose region we do not know.
    pub unknown_scope: u64,
    /// Packets of each region that we know, the most first.
    pub by_region: Vec<(Box<str>, u64)>,
    /// By the time at which they were first seen, rising; without buckets in which nothing was.
    pub series: Vec<ScopeBucket>,
}

/// The packets of a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeBucket {
    /// When it begins.
    pub start: UnixMillis,
    /// Packets scoped to a region.
    pub scoped: u64,
    /// All others.
    pub unscoped: u64,
}

impl Index {
    /// Scopes of the packets first seen at `since` or later, with a series in buckets of `bucket_ms`. Looks once at each of these packets.
    pub fn scope_stats(&self, since: UnixMillis, bucket_ms: i64) -> ScopeStats {
        let before = since.plus_ms(-1);
        let rows = self.transmissions.first_seen_between(before, UnixMillis(i64::MAX));
        let mut stats = ScopeStats::default();
        for route in [Route::TransportFlood, Route::TransportDirect] {
            stats.transport_total += rows.intersection_len(&self.postings.routes[usize::from(route.code())]);
        }
        let mut regions = vec![0u64; self.scope_names.len()];
        let mut buckets: BTreeMap<i64, [u64; 2]> = BTreeMap::new();
        let (mut number, mut bucket) = (i64::MIN, [0u64; 2]);
        for (row, first_seen) in self.transmissions.first_seen_after(before) {
            let at = first_seen.0.div_euclid(bucket_ms.max(1));
            if at != number {
                add(&mut buckets, number, bucket);
                (number, bucket) = (at, [0; 2]);
            }
            let scope = self.transmissions.state(row).scope;
            if scope == ScopeRef::UNSCOPED {
                bucket[1] += 1;
                continue;
            }
            bucket[0] += 1;
            match scope.place().and_then(|place| regions.get_mut(place)) {
                Some(count) => *count += 1,
                None => stats.unknown_scope += 1,
            }
        }
        add(&mut buckets, number, bucket);
        stats.series = buckets
            .into_iter()
            .map(|(number, [scoped, unscoped])| ScopeBucket {
                start: UnixMillis(number.saturating_mul(bucket_ms.max(1))),
                scoped,
                unscoped,
            })
            .collect();
        stats.scoped = stats.series.iter().map(|bucket| bucket.scoped).sum();
        stats.unscoped = stats.series.iter().map(|bucket| bucket.unscoped).sum();
        let named = self.scope_names.iter().cloned().zip(regions);
        stats.by_region = named.filter(|(_, count)| *count > 0).collect();
        stats.rank_regions();
        stats
    }
}

impl ScopeStats {
    /// Adds those of other packets, in buckets of the same length.
    pub fn add(&mut self, other: Self) {
        self.transport_total += other.transport_total;
        self.scoped += other.scoped;
        self.unscoped += other.unscoped;
        self.unknown_scope += other.unknown_scope;
        let mut regions: BTreeMap<Box<str>, u64> = BTreeMap::new();
        let counts = std::mem::take(&mut self.by_region).into_iter().chain(other.by_region);
        counts.for_each(|(region, count)| *regions.entry(region).or_default() += count);
        self.by_region = regions.into_iter().collect();
        self.rank_regions();
        let mut buckets: BTreeMap<UnixMillis, [u64; 2]> = BTreeMap::new();
        for bucket in std::mem::take(&mut self.series).into_iter().chain(other.series) {
            let counts = buckets.entry(bucket.start).or_default();
            counts[0] += bucket.scoped;
            counts[1] += bucket.unscoped;
        }
        let series = buckets.into_iter();
        self.series =
            series.map(|(start, [scoped, unscoped])| ScopeBucket { start, scoped, unscoped }).collect();
    }

    fn rank_regions(&mut self) {
        self.by_region.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
}

fn add(buckets: &mut BTreeMap<i64, [u64; 2]>, number: i64, counts: [u64; 2]) {
    if counts != [0; 2] {
        let bucket = buckets.entry(number).or_default();
        bucket[0] += counts[0];
        bucket[1] += counts[1];
    }
}
