//! How far the observers' clocks are apart, by adverts that several of them heard.

use model::ObserverId;

use super::{Clocks, median};
use crate::index::Index;

/// The clock of one observer against those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// Whose.
    pub observer: ObserverId,
    /// Milliseconds by which it is ahead: the median over adverts of the time at which it heard each, less the median
    /// of the times at which all heard it.
    pub offset_ms: i64,
    /// Of how many adverts.
    pub adverts: usize,
}

impl Index {
    /// The offsets of all observers that heard one of the newest adverts together with others, by their ids.
    pub fn clock_offsets(&self) -> Vec<ClockOffset> {
        self.clocks().offsets.into_iter().flatten().collect()
    }
}

impl Clocks<'_> {
    /// The offset of an observer; `None` when it heard none of the newest adverts together with others.
    pub(super) fn offset_of(&self, observer: u16) -> Option<i64> {
        self.offsets.get(usize::from(observer))?.map(|offset| offset.offset_ms)
    }

    pub(super) fn compare_observers(&mut self) {
        let observers = self.heard.iter().map(|(observer, _)| usize::from(*observer) + 1).max();
        let mut deviations: Vec<Vec<i64>> = vec![Vec::new(); observers.unwrap_or_default()];
        let mut times = Vec::new();
        for advert in &self.shared {
            let heard = &self.heard[advert.heard.clone()];
            times.clear();
            times.extend(heard.iter().map(|(_, time)| *time));
            let Some(middle) = median(&mut times) else { continue };
            // One that is alone among those that were looked at is compared with nobody.
            for (observer, time) in heard.iter().filter(|_| heard.len() > 1) {
                deviations[usize::from(*observer)].push(time - middle);
            }
        }
        let offset = |(observer, mut deviations): (u16, Vec<i64>)| {
            let offset_ms = median(&mut deviations)?;
            Some(ClockOffset { observer: ObserverId(observer), offset_ms, adverts: deviations.len() })
        };
        self.offsets = (0..).zip(deviations).map(offset).collect();
    }
}
