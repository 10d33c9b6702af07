//! How many observations fell into each minute: the figures "last hour" and "last 24 hours" without a scan.

use std::collections::BTreeMap;

use model::UnixMillis;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// Minutes that a ring remembers: an hour, and a little for clocks that run ahead.
const RING_MINUTES: usize = 64;

/// The minute that a time falls into; times that the columns can hold fit.
fn minute_of(time: UnixMillis) -> u32 {
    u32::try_from(time.0.div_euclid(MINUTE_MS)).unwrap_or(0)
}

/// Counts per minute over all time: 8 bytes for each minute in which anything was heard, at any order of times.
#[derive(Default)]
pub(crate) struct MinuteCounts {
    counts: BTreeMap<u32, u32>,
}

impl MinuteCounts {
    pub(crate) fn add(&mut self, time: UnixMillis) {
        let count = self.counts.entry(minute_of(time)).or_default();
        *count = count.saturating_add(1);
    }

    /// Takes back one that was added.
    pub(crate) fn take_back(&mut self, time: UnixMillis) {
        if let std::collections::btree_map::Entry::Occupied(mut counted) = self.counts.entry(minute_of(time))
        {
            *counted.get_mut() -= 1;
            if *counted.get() == 0 {
                counted.remove();
            }
        }
    }

    /// The sum of the `minutes` minutes that end with the one of `now`, which has only begun.
    pub(crate) fn last(&self, minutes: u32, now: UnixMillis) -> u64 {
        let newest = minute_of(now);
        let Some(end) = newest.checked_add(1) else { return 0 };
        self.counts.range(end.saturating_sub(minutes)..end).map(|(_, count)| u64::from(*count)).sum()
    }

    /// Bytes of heap, supposing B-tree nodes to be two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.counts.len() * 12
    }
}

/// Counts of the newest minutes only, in a fixed half kilobyte.
///
/// Each minute has one place, which the newer of two minutes takes. The figure of the last hour is therefore exact
/// unless times lie more than four minutes in the future, which ingest does not let pass.
#[derive(Clone)]
pub(crate) struct MinuteRing {
    places: Box<[(u32, u32); RING_MINUTES]>,
}

impl Default for MinuteRing {
    fn default() -> Self {
        Self { places: Box::new([(0, 0); RING_MINUTES]) }
    }
}

impl MinuteRing {
    pub(crate) fn add(&mut self, time: UnixMillis) {
        let minute = minute_of(time);
        let (held, count) = &mut self.places[minute as usize % RING_MINUTES];
        if minute > *held {
            (*held, *count) = (minute, 1);
        } else if minute == *held {
            *count = count.saturating_add(1);
        }
    }

    /// The sum of the 60 minutes that end with the one of `now`, which has only begun.
    pub(crate) fn last_hour(&self, now: UnixMillis) -> u64 {
        let newest = minute_of(now);
        let inside = self.places.iter().filter(|(minute, _)| *minute <= newest && newest - *minute < 60);
        inside.map(|(_, count)| u64::from(*count)).sum()
    }

    pub(crate) const HEAP_BYTES: usize = RING_MINUTES * size_of::<(u32, u32)>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_and_the_counts_agree_on_the_last_hour() {
        let (mut ring, mut counts) = (MinuteRing::default(), MinuteCounts::default());
        let start = 29_000_000 * MINUTE_MS;
        for i in 0..20_000i64 {
            // Mostly rising by a second, with every seventh up to two hours late.
            let late = if i % 7 == 0 { (i * 7919) % 7_200_000 } else { 0 };
            let time = UnixMillis(start + i * 1000 - late);
            ring.add(time);
            counts.add(time);
        }
        for now in [20_000, 21_000, 22_500, 30_000] {
            let now = UnixMillis(start + now * 1000);
            assert_eq!(ring.last_hour(now), counts.last(60, now));
        }
        let last_day = counts.last(24 * 60, UnixMillis(start + 20_000_000));
        assert_eq!(last_day, 20_000);
    }

    #[test]
    fn the_minute_sixty_minutes_ago_does_not_count_any_more() {
        let (mut ring, mut counts) = (MinuteRing::default(), MinuteCounts::default());
        for time in [600 * MINUTE_MS, 601 * MINUTE_MS] {
            ring.add(UnixMillis(time));
            counts.add(UnixMillis(time));
        }
        let now = UnixMillis(660 * MINUTE_MS);
        assert_eq!((ring.last_hour(now), counts.last(60, now)), (1, 1));
        assert_eq!(counts.last(61, now), 2);
    }
}
