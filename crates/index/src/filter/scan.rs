//! Looking through the columns of all observations at once, for what must hold for some observation of a packet.

use std::num::NonZeroU8;
use std::ops::Range;

use ::model::UnixMillis;
use filter::{Condition, Found, Op, Test};

use super::compile::time_found;
use super::evaluate::Trial;
use super::plan::{Heard, RowBits};
use crate::observations::TIME_END;

/// RSSI from here on, in dBm, is looked up; no radio hears less or more than the table has.
const RSSI_FROM: i16 = -200;

/// Whether an observation passes, of a packet that is no trace.
type RowTest<'a> = Box<dyn Fn(u32) -> bool + 'a>;

impl Trial<'_> {
    /// Adds the transmissions of the observations that pass. Traces must have been looked at before.
    pub(super) fn scan(&self, heard: &Heard, rows: Range<u32>, found: &mut RowBits) {
        // Made for each portion: its tables cost as much as some hundred rows.
        let passes = self.row_test(heard);
        for row in rows.filter(|row| passes(*row)) {
            let transmission = self.index.observations.transmission(row);
            if !found.contains(transmission) && !self.is_trace(transmission) {
                found.insert(transmission);
            }
        }
    }

    fn row_test<'a>(&'a self, heard: &'a Heard) -> RowTest<'a> {
        let observations = &self.index.observations;
        let heads = &self.index.heads;
        match heard {
            Heard::Snr(condition) => {
                let passes = self.table(condition, |bits| f64::from(bits as i8) / 4.0);
                Box::new(move |row| observations.snr(row).is_some_and(|snr| passes[usize::from(snr.0 as u8)]))
            }
            Heard::Rssi(condition) => {
                let known = self.table(condition, |place| f64::from(RSSI_FROM) + f64::from(place));
                let passes = move |rssi: i16| {
                    let place = usize::try_from(i32::from(rssi) - i32::from(RSSI_FROM)).ok();
                    let known = place.and_then(|place| known.get(place)).copied();
                    known.unwrap_or_else(|| condition.holds(&Found::Number(f64::from(rssi)), self.now.0))
                };
                Box::new(move |row| observations.rssi(row).is_some_and(&passes))
            }
            Heard::Hops(test) => {
                let passes = self.table(&test.condition, f64::from);
                Box::new(move |row| passes[usize::from(heads.hop_count(observations.head(row)))])
            }
            Heard::HashSize(test) => {
                let passes = self.table(&test.condition, f64::from);
                let size = move |row| heads.hash_size(observations.head(row)).map(NonZeroU8::get);
                Box::new(move |row| size(row).is_some_and(|size| passes[usize::from(size)]))
            }
            Heard::Time(test) => match self.turn(test) {
                Some((turn, before)) => Box::new(move |row| (observations.time(row).0 < turn) == before),
                None => Box::new(move |row| self.holds_at(test, observations.time(row))),
            },
            Heard::Not(part) => {
                let passes = self.row_test(part);
                Box::new(move |row| !passes(row))
            }
            Heard::And(parts) => {
                let parts: Vec<RowTest<'_>> = parts.iter().map(|part| self.row_test(part)).collect();
                Box::new(move |row| parts.iter().all(|passes| passes(row)))
            }
            Heard::Or(parts) => {
                let parts: Vec<RowTest<'_>> = parts.iter().map(|part| self.row_test(part)).collect();
                Box::new(move |row| parts.iter().any(|passes| passes(row)))
            }
            other => Box::new(move |row| self.heard(other, row, observations.transmission(row))),
        }
    }

    /// What a condition says of each value of a byte.
    fn table(&self, condition: &Condition, number: impl Fn(u8) -> f64) -> [bool; 256] {
        std::array::from_fn(|byte| condition.holds(&Found::Number(number(byte as u8)), self.now.0))
    }

    /// The time at which a comparison by order turns over, and whether it holds before; `None` for other conditions.
    fn turn(&self, test: &Test) -> Option<(i64, bool)> {
        let by_order = [Op::Greater, Op::GreaterOrEqual, Op::Less, Op::LessOrEqual];
        if !matches!(&test.condition, Condition::Compare(op, _) if by_order.contains(op)) {
            return None;
        }
        let before = self.holds_at(test, UnixMillis(0));
        let (mut same, mut other) = (0, TIME_END);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            let is_same = self.holds_at(test, UnixMillis(middle)) == before;
            *if is_same { &mut same } else { &mut other } = middle;
        }
        Some((other, before))
    }

    pub(super) fn holds_at(&self, test: &Test, time: UnixMillis) -> bool {
        test.condition.holds(&time_found(test, time, self.now), self.now.0)
    }
}
