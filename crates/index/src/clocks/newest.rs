//! The newest adverts, with the times at which they were heard: what clocks are compared by.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::OBSERVATIONS_OF_ONE;

/// Adverts that are kept.
const MOST: usize = 1_000;

/// The newest adverts that somebody heard, by row. To read them from the columns would be a walk through all memory, since the
/// observations of one are among those of others.
#[derive(Default)]
pub(crate) struct NewestAdverts(VecDeque<TimedAdvert>);

/// What clocks said when an advert was sent and heard.
pub(super) struct TimedAdvert {
    row: u32,
    /// Unix seconds by its sender's clock; `None` where that was never set.
    pub(super) sent: Option<u32>,
    /// Observations that were looked at.
    looked_at: usize,
    /// Who first heard it, and when.
    pub(super) heard: FirstTimes,
}

/// Observers, and the least time by the clock of each, in the order in which they came in.
pub(super) type FirstTimes = SmallVec<[(u16, i64); 8]>;

impl NewestAdverts {
    /// Notes an observation of an advert; `sent` is asked when it is the first.
    pub(crate) fn note(&mut self, row: u32, observer: u16, time: i64, sent: impl FnOnce() -> Option<u32>) {
        let place = match self.0.binary_search_by_key(&row, |advert| advert.row) {
            Ok(place) => place,
            // Older than all that are kept, of which none is to go for it.
            Err(0) if self.0.len() == MOST => return,
            Err(place) => {
                let is_full = self.0.len() == MOST;
                if is_full {
                    self.0.pop_front();
                }
                let place = place - usize::from(is_full);
                self.0
                    .insert(place, TimedAdvert { row, sent: sent(), looked_at: 0, heard: FirstTimes::new() });
                place
            }
        };
        let advert = &mut self.0[place];
        if advert.looked_at < OBSERVATIONS_OF_ONE {
            advert.looked_at += 1;
            note_first(&mut advert.heard, observer, time);
        }
    }

    /// Newest last.
    pub(super) fn iter(&self) -> impl Iterator<Item = &TimedAdvert> {
        self.0.iter()
    }

    pub(super) fn get(&self, row: u32) -> Option<&TimedAdvert> {
        let place = self.0.binary_search_by_key(&row, |advert| advert.row);
        place.ok().map(|place| &self.0[place])
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let spilled = self.0.iter().filter(|advert| advert.heard.spilled());
        let spilled: usize = spilled.map(|advert| advert.heard.capacity()).sum();
        self.0.capacity() * size_of::<TimedAdvert>() + spilled * size_of::<(u16, i64)>()
    }
}

pub(super) fn note_first(heard: &mut FirstTimes, observer: u16, time: i64) {
    match heard.iter_mut().find(|(known, _)| *known == observer) {
        Some((_, first)) => *first = time.min(*first),
        None => heard.push((observer, time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(newest: &NewestAdverts) -> Vec<u32> {
        newest.iter().map(|advert| advert.row).collect()
    }

    #[test]
    fn the_newest_stay_in_whatever_order_they_come() {
        let mut newest = NewestAdverts::default();
        let all = 2 * MOST as u32;
        for row in (0..all).map(|number| number ^ 7) {
            newest.note(row, 1, 0, || Some(row));
        }
        assert_eq!(rows(&newest), (all / 2..all).collect::<Vec<_>>());
        newest.note(5, 2, 0, || unreachable!("an old one is not asked about"));
        assert_eq!(newest.get(5).map(|advert| advert.row), None);
        newest.note(all - 1, 2, -3, || unreachable!("nor is one that is known"));
        let last = newest.get(all - 1).unwrap();
        assert_eq!((last.sent, last.heard.as_slice()), (Some(all - 1), &[(1, 0), (2, -3)][..]));
    }

    #[test]
    fn of_each_observer_the_least_time_counts_among_the_first_copies() {
        let mut newest = NewestAdverts::default();
        for time in (0..OBSERVATIONS_OF_ONE as i64).rev() {
            newest.note(0, 9, time, || None);
        }
        newest.note(0, 9, -1, || None);
        newest.note(0, 8, -1, || None);
        assert_eq!(newest.get(0).unwrap().heard.as_slice(), [(9, 0)]);
    }
}
