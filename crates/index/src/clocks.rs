//! What adverts tell of clocks: how far those of the observers are apart, and how wrong those of the nodes are
//! (contract §7.9).
//!
//! An advert says what time it is by its sender's clock, and each observer when it heard it by its own. Nothing of this is
//! kept; [`Clocks`] reads the newest adverts when somebody asks.

mod drift;
mod node;
mod offsets;

use meshcore::{Payload, PayloadType};
use model::UnixMillis;

use crate::index::Index;
use crate::observations::NONE;
use crate::view::TransmissionView;

pub use node::{ClockReading, ClockSample, ClockSeverity, NodeClock};
pub use offsets::ClockOffset;

/// Newest adverts by which the observers are compared.
const ADVERTS_READ: usize = 1_000;

/// Observations of an advert that are looked at: flooding brings the same one over and over.
const OBSERVATIONS_OF_ONE: usize = 64;

/// Clocks that say a time before or after this were never set: 2020 to 2100, in seconds.
const BELIEVABLE: std::ops::Range<u32> = 1_577_836_800..4_102_444_800;

/// The clocks of observers and nodes, as far as the newest adverts tell. Adverts that compare observers are read once,
/// however many nodes are asked about.
pub struct Clocks<'a> {
    index: &'a Index,
    /// By row, falling: adverts that several observers heard.
    shared: Vec<SharedAdvert>,
    /// Who first heard each of these, and when: see [`SharedAdvert::heard`].
    heard: Vec<(u16, i64)>,
    /// By the observers' ids.
    offsets: Vec<Option<ClockOffset>>,
}

/// An advert that compares observers.
struct SharedAdvert {
    row: u32,
    /// Unix seconds by its sender's clock.
    sent: u32,
    /// Where its observers are.
    heard: std::ops::Range<usize>,
}

impl Index {
    /// What the newest adverts tell of clocks; takes about half a microsecond for each of the 1,000 that are read at most.
    pub fn clocks(&self) -> Clocks<'_> {
        let mut clocks = Clocks { index: self, shared: Vec::new(), heard: Vec::new(), offsets: Vec::new() };
        let adverts = self.postings.types[usize::from(PayloadType::Advert.code())].iter().rev();
        for row in adverts.take(ADVERTS_READ) {
            if self.transmissions.state(row).observers < 2 {
                continue;
            }
            let Some(sent) = self.time_sent(row) else { continue };
            let start = clocks.heard.len();
            self.first_times(row, &mut clocks.heard);
            clocks.shared.push(SharedAdvert { row, sent, heard: start..clocks.heard.len() });
        }
        clocks.compare_observers();
        clocks
    }

    /// What time it is by the clock of an advert's sender, in Unix seconds; `None` where that clock was never set.
    fn time_sent(&self, row: u32) -> Option<u32> {
        match (TransmissionView { index: self, row }).frame().payload() {
            Ok(Payload::Advert(advert)) => Some(advert.timestamp).filter(|sent| BELIEVABLE.contains(sent)),
            _ => None,
        }
    }

    /// Adds when each observer first heard a packet.
    fn first_times(&self, row: u32, heard: &mut Vec<(u16, i64)>) {
        let start = heard.len();
        let mut observation = self.transmissions.state(row).first;
        for _ in 0..OBSERVATIONS_OF_ONE {
            if observation == NONE {
                break;
            }
            let (observer, UnixMillis(time)) =
                (self.observations.observer(observation), self.observations.time(observation));
            match heard[start..].iter_mut().find(|(known, _)| *known == observer) {
                Some((_, first)) => *first = time.min(*first),
                None => heard.push((observer, time)),
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
