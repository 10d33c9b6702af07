//! How far the observers' clocks are apart, by adverts that several of them heard (contract §7.9).

use std::collections::BTreeMap;

use meshcore::{Payload, PayloadType};
use model::{ObserverId, UnixMillis};

use crate::index::Index;
use crate::observations::NONE;
use crate::view::TransmissionView;

/// Newest adverts that are looked at.
const ADVERTS_READ: usize = 2_000;

/// Observations of an advert that are looked at: flooding brings the same one over and over.
const OBSERVATIONS_OF_ONE: usize = 64;

/// Clocks that say a time before or after this were never set: 2020 to 2100, in seconds.
const BELIEVABLE: std::ops::Range<u32> = 1_577_836_800..4_102_444_800;

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
        let mut deviations: BTreeMap<u16, Vec<i64>> = BTreeMap::new();
        let adverts = self.postings.types[usize::from(PayloadType::Advert.code())].iter().rev();
        let mut heard: Vec<(u16, i64)> = Vec::new();
        for row in adverts.take(ADVERTS_READ) {
            if self.transmissions.state(row).observers < 2 || !self.has_believable_time(row) {
                continue;
            }
            self.first_times(row, &mut heard);
            let mut times: Vec<i64> = heard.iter().map(|(_, time)| *time).collect();
            let Some(middle) = median(&mut times) else { continue };
            for (observer, time) in heard.iter().filter(|_| heard.len() > 1) {
                deviations.entry(*observer).or_default().push(time - middle);
            }
        }
        let offset = |(observer, mut deviations): (u16, Vec<i64>)| {
            let offset_ms = median(&mut deviations)?;
            Some(ClockOffset { observer: ObserverId(observer), offset_ms, adverts: deviations.len() })
        };
        deviations.into_iter().filter_map(offset).collect()
    }

    fn has_believable_time(&self, row: u32) -> bool {
        match (TransmissionView { index: self, row }).frame().payload() {
            Ok(Payload::Advert(advert)) => BELIEVABLE.contains(&advert.timestamp),
            _ => false,
        }
    }

    /// When each observer first heard a packet.
    fn first_times(&self, row: u32, heard: &mut Vec<(u16, i64)>) {
        heard.clear();
        let mut observation = self.transmissions.state(row).first;
        for _ in 0..OBSERVATIONS_OF_ONE {
            if observation == NONE {
                break;
            }
            let seen = self.observations.get(observation);
            let UnixMillis(time) = seen.time;
            match heard.iter_mut().find(|(observer, _)| *observer == seen.observer) {
                Some((_, first)) => *first = time.min(*first),
                None => heard.push((seen.observer, time)),
            }
            observation = self.observations.next(observation);
        }
    }
}

/// The middle value; of an even number, the mean of the two in the middle.
fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values[middle - 1];
    Some(lower + (upper - lower) / 2)
}
