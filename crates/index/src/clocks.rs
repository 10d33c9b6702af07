//! What adverts tell of clocks: how far those of the observers are apart, and how wrong those of the nodes are
//! (contract §7.9).
//!
//! An advert says what time it is by its sender's clock, and each observer when it heard it by its own. [`NewestAdverts`] has
//! these times of the newest adverts, by which the observers are compared; those of older ones are read when somebody asks.

mod drift;
mod newest;
mod node;
mod offsets;

use meshcore::{Frame, Payload};

use self::newest::{FirstTimes, note_first};
use crate::index::Index;
use crate::view::TransmissionView;

pub(crate) use newest::NewestAdverts;
pub use node::{ClockReading, ClockSample, ClockSeverity, NodeClock};
pub use offsets::ClockOffset;

/// Observations of an advert that are looked at: flooding brings the same one over and over.
const OBSERVATIONS_OF_ONE: usize = 64;

/// Clocks that say a time before or after this were never set: 2020 to 2100, in seconds.
const BELIEVABLE: std::ops::Range<u32> = 1_577_836_800..4_102_444_800;

/// The clocks of observers and nodes, as far as the newest adverts tell.
pub struct Clocks<'a> {
    index: &'a Index,
    /// By the observers' ids.
    offsets: Vec<Option<ClockOffset>>,
}

impl Index {
    /// What the newest 1,000 adverts tell of clocks.
    pub fn clocks(&self) -> Clocks<'_> {
        Clocks { index: self, offsets: offsets::of(&self.newest_adverts) }
    }

    /// When each observer first heard a packet.
    fn first_times(&self, row: u32) -> FirstTimes {
        let mut heard = FirstTimes::new();
        let copies = TransmissionView { index: self, row }.observations();
        for copy in copies.take(OBSERVATIONS_OF_ONE) {
            note_first(&mut heard, self.observations.observer(copy.row), copy.time().0);
        }
        heard
    }
}

/// What time it is by the clock of an advert's sender, in Unix seconds; `None` where that clock was never set.
pub(crate) fn time_sent(raw: &[u8]) -> Option<u32> {
    match Frame::parse(raw).ok()?.payload() {
        Ok(Payload::Advert(advert)) => Some(advert.timestamp).filter(|sent| BELIEVABLE.contains(sent)),
        _ => None,
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
