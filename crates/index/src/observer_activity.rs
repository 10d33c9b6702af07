//! What an observer heard in the last days: a series, sums, and its newest observations.

use model::{ObservationId, ObserverId, UnixMillis};

use crate::hours::{HourSums, count_nodes, hour_of, hour_start};
use crate::index::Index;

/// Newest observations kept of each observer.
pub const NEWEST_KEPT: usize = 20;

/// What an observer heard since some hour.
#[derive(Clone, Debug, Default)]
pub struct ObserverActivity {
    /// Rising; without those in which nothing was heard.
    pub buckets: Vec<ActivityBucket>,
    /// Of all buckets.
    pub sums: HourSums,
    /// At most [`NEWEST_KEPT`], the newest first. They may be in storage.
    pub newest: Vec<ObservationId>,
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

/// The newest observations of an observer: time and id, the newest first.
#[derive(Default)]
pub(crate) struct Newest {
    heard: Vec<(UnixMillis, ObservationId)>,
}

impl Newest {
    pub(crate) const HEAP_BYTES: usize = NEWEST_KEPT * size_of::<(UnixMillis, ObservationId)>();

    pub(crate) fn note(&mut self, time: UnixMillis, id: ObservationId) {
        let new = (time, id);
        if self.heard.len() >= NEWEST_KEPT && self.heard.last().is_some_and(|last| *last > new) {
            return;
        }
        let place = self.heard.partition_point(|kept| *kept > new);
        self.heard.insert(place, new);
        self.heard.truncate(NEWEST_KEPT);
    }

    /// Takes note that an observation is no longer stored.
    pub(crate) fn forget(&mut self, id: ObservationId) {
        self.heard.retain(|(_, kept)| *kept != id);
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
    ) -> ObserverActivity {
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
        let newest = entry.newest.heard.iter().filter(|(time, _)| *time >= start);
        activity.newest = newest.map(|(_, id)| *id).collect();
        activity
    }
}
