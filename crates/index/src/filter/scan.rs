//! Looking through the columns of all observations at once, for what must hold for some observation of a packet.

use std::ops::Range;

use filter::{Condition, Found};

use super::evaluate::Trial;
use super::plan::{Heard, RowBits};

/// RSSI from here on, in dBm, is looked up; no radio hears less or more than the table has.
const RSSI_FROM: i16 = -200;

impl Trial<'_> {
    /// Adds the transmissions of the observations that pass. Traces must have been looked at before.
    pub(super) fn scan(&self, heard: &Heard, rows: Range<u32>, found: &mut RowBits) {
        let observations = &self.index.observations;
        let holds = |condition: &Condition, number: f64| condition.holds(&Found::Number(number), self.now.0);
        // Tables are made for each portion: they cost as much as some hundred rows.
        match heard {
            Heard::Snr(condition) => {
                let passes: [bool; 256] =
                    std::array::from_fn(|bits| holds(condition, f64::from(bits as u8 as i8) / 4.0));
                for row in rows {
                    if observations.snr(row).is_some_and(|snr| passes[usize::from(snr.0 as u8)]) {
                        found.insert(observations.transmission(row));
                    }
                }
            }
            Heard::Rssi(condition) => {
                let passes: [bool; 256] =
                    std::array::from_fn(|place| holds(condition, f64::from(RSSI_FROM) + place as f64));
                let passes = |rssi: i16| {
                    let place = usize::try_from(i32::from(rssi) - i32::from(RSSI_FROM)).ok();
                    let known = place.and_then(|place| passes.get(place)).copied();
                    known.unwrap_or_else(|| holds(condition, f64::from(rssi)))
                };
                for row in rows {
                    if observations.rssi(row).is_some_and(passes) {
                        found.insert(observations.transmission(row));
                    }
                }
            }
            Heard::Hops(test) => {
                let passes: [bool; 256] = std::array::from_fn(|hops| holds(&test.condition, hops as f64));
                for row in rows {
                    let hops = self.index.heads.hop_count(observations.head(row));
                    if passes[usize::from(hops)] {
                        let transmission = observations.transmission(row);
                        if !found.contains(transmission) && !self.is_trace(transmission) {
                            found.insert(transmission);
                        }
                    }
                }
            }
            _ => {
                for row in rows {
                    let transmission = observations.transmission(row);
                    if !found.contains(transmission) && self.heard(heard, row, transmission) {
                        found.insert(transmission);
                    }
                }
            }
        }
    }
}
