//! How far the observers' clocks are apart, by adverts that several of them heard.

use model::ObserverId;

use super::newest::NewestAdverts;
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
}

/// By the observers' ids.
pub(super) fn of(newest: &NewestAdverts) -> Vec<Option<ClockOffset>> {
    let mut deviations: Vec<Vec<i64>> = Vec::new();
    let mut times = Vec::new();
    // One that is alone among those that were looked at is compared with nobody.
    for advert in newest.iter().filter(|advert| advert.sent.is_some() && advert.heard.len() > 1) {
        times.clear();
        times.extend(advert.heard.iter().map(|(_, time)| *time));
        let Some(middle) = median(&mut times) else { continue };
        for (observer, time) in &advert.heard {
            let place = usize::from(*observer);
            if deviations.len() <= place {
                deviations.resize_with(place + 1, Vec::new);
            }
            deviations[place].push(time - middle);
        }
    }
    let offset = |(observer, mut deviations): (u16, Vec<i64>)| {
        let offset_ms = median(&mut deviations)?;
        Some(ClockOffset { observer: ObserverId(observer), offset_ms, adverts: deviations.len() })
    };
    (0..).zip(deviations).map(offset).collect()
}
