//! What an observer heard in the last days: a series, sums, and its newest observations.

use model::{ObserverId, UnixMillis};

use crate::hours::{HourSums, count_nodes, hour_of, hour_start};
use crate::index::Index;
use crate::view::ObservationView;

/// Newest observations kept of each observer.
pub const NEWEST_KEPT: usize = 20;

/// What an observer heard since some hour.
#[derive(Clone, Debug, Default)]
pub struct ObserverActivity<'a> {
    /// Rising; without those in which nothing was heard.
    pub buckets: Vec<ActivityBucket>,
    /// Of all buckets.
    pub sums: HourSums,
    /// At most [`NEWEST_KEPT`], the newest first.
    pub newest: Vec<ObservationView<'a>>,
}

/// Some hours of an observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityBucket {
    /// When it begins.
    pub start: UnixMillis,
    /// Observations.
    pub observations: u64,
    /// Different signs of nodes: keys of adverts, hashes of source and destination, hops.
    pub nodes: u64,
}

/// The newest observations of an observer: time and row, the newest first.
#[derive(Default)]
pub(crate) struct Newest {
    rows: Vec<(UnixMillis, u32)>,
}

impl Newest {
    pub(crate) const HEAP_BYTES: usize = NEWEST_KEPT * size_of::<(UnixMillis, u32)>();

    pub(crate) fn note(&mut self, time: UnixMillis, row: u32) {
        let new = (time, row);
        if self.rows.len() >= NEWEST_KEPT && self.rows.last().is_some_and(|last| *last > new) {
            return;
        }
        let place = self.rows.partition_point(|kept| *kept > new);
        self.rows.insert(place, new);
        self.rows.truncate(NEWEST_KEPT);
    }
}

impl Index {
    /// What an observer heard from the bucket on that `since` falls into. Buckets have `bucket_hours` hours and begin at
    /// multiples of that since 1970. Adds up the hours in question; nothing for an unknown observer.
    pub fn observer_activity(
        &self,
        observer: ObserverId,
        since: UnixMillis,
        bucket_hours: u32,
    ) -> ObserverActivity<'_> {
        let mut activity = ObserverActivity::default();
        let Some(entry) = self.observers.get(observer) else { return activity };
        let first_hour = hour_of(since) / bucket_hours * bucket_hours;
        let hours = entry.hours.from(first_hour);
        for hours in hours.chunk_by(|a, b| a.number() / bucket_hours == b.number() / bucket_hours) {
            hours.iter().for_each(|hour| hour.add_to(&mut activity.sums));
            activity.buckets.push(ActivityBucket {
                start: hour_start(hours[0].number() / bucket_hours * bucket_hours),
                observations: hours.iter().map(|hour| u64::from(hour.observations)).sum(),
                nodes: count_nodes(hours),
            });
        }
        let start = hour_start(first_hour);
        let newest = entry.newest.rows.iter().filter(|(time, _)| *time >= start);
        activity.newest = newest.map(|(_, row)| ObservationView { index: self, row: *row }).collect();
        activity
    }
}
