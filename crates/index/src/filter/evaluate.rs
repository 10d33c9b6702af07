//! Trying plans on rows.

use std::num::NonZeroU8;

use ::model::UnixMillis;
use filter::{Found, Op};

use super::digits::Digits;
use super::plan::{Heard, Plan};
use crate::hops::ReadHop;
use crate::index::Index;
use crate::observations::NONE;
use crate::view::{ObservationView, TransmissionView};

/// What rows are tried on.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) index: &'a Index,
    pub(super) now: UnixMillis,
}

impl Trial<'_> {
    /// Whether a transmission passes.
    pub(super) fn packet(&self, plan: &Plan, row: u32) -> bool {
        match plan {
            Plan::Set(set) => set.contains(row),
            Plan::Not(part) => !self.packet(part, row),
            Plan::And(parts) => parts.iter().all(|part| self.packet(part, row)),
            Plan::Or(parts) => parts.iter().any(|part| self.packet(part, row)),
            Plan::Whole(whole) => {
                whole.bound.as_ref().is_none_or(|bound| bound.contains(row))
                    && self.may_have(&whole.digits, row)
                    && whole.test.holds(&TransmissionView { index: self.index, row }, self.now.0)
            }
            Plan::Best(heard) => {
                let best = self.index.transmissions.state(row).best;
                self.heard(heard, best, row)
            }
            Plan::Any(any) => match &any.found {
                Some(found) => found.contains(row),
                None => self.any(&any.heard, row),
            },
        }
    }

    fn may_have(&self, digits: &Digits, row: u32) -> bool {
        matches!(digits, Digits::Any) || digits.may_be_of(self.index.transmissions.raw(row))
    }

    pub(super) fn any(&self, heard: &Heard, transmission: u32) -> bool {
        let mut row = self.index.transmissions.state(transmission).first;
        while row != NONE {
            if self.heard(heard, row, transmission) {
                return true;
            }
            row = self.index.observations.next(row);
        }
        false
    }

    /// Whether an observation passes, of which the transmission is given.
    pub(super) fn heard(&self, heard: &Heard, row: u32, transmission: u32) -> bool {
        let observations = &self.index.observations;
        let now = self.now.0;
        match heard {
            Heard::Not(part) => !self.heard(part, row, transmission),
            Heard::And(parts) => parts.iter().all(|part| self.heard(part, row, transmission)),
            Heard::Or(parts) => parts.iter().any(|part| self.heard(part, row, transmission)),
            Heard::Observer { passes, .. } => {
                passes.get(usize::from(observations.observer(row))).is_some_and(|passes| *passes)
            }
            Heard::Snr(condition) => {
                observations.snr(row).is_some_and(|snr| condition.holds(&Found::Number(snr.db()), now))
            }
            Heard::Rssi(condition) => {
                let rssi = observations.rssi(row);
                rssi.is_some_and(|rssi| condition.holds(&Found::Number(f64::from(rssi)), now))
            }
            Heard::Time(test) => self.holds_at(test, observations.time(row)),
            Heard::Hops(test) if !self.is_trace(transmission) => {
                // Of the best one the packet knows it, and was just looked at.
                let state = self.index.transmissions.state(transmission);
                let is_best = state.best == row;
                let hops = if is_best {
                    state.best_hops
                } else {
                    self.index.heads.hop_count(observations.head(row))
                };
                test.condition.holds(&Found::Number(f64::from(hops)), now)
            }
            Heard::HashSize(test) if !self.is_trace(transmission) => {
                let state = self.index.transmissions.state(transmission);
                let is_best = state.best == row;
                let size = if is_best {
                    state.best_hash_size
                } else {
                    self.index.heads.hash_size(observations.head(row))
                };
                test.condition.holds(&Found::number(size.map(NonZeroU8::get)), now)
            }
            Heard::Path { test, .. } if !self.is_trace(transmission) => self.path(test, row),
            Heard::Hops(test) | Heard::HashSize(test) | Heard::Path { test, .. } => {
                test.holds(&ObservationView { index: self.index, row }, now)
            }
            Heard::Other { test, bound, .. } => {
                bound.as_ref().is_none_or(|bound| bound.contains(transmission))
                    && test.holds(&ObservationView { index: self.index, row }, now)
            }
            Heard::Through { nodes, bound, reader } => {
                bound.contains(transmission) && {
                    let hops = reader.borrow_mut().read(&ObservationView { index: self.index, row });
                    hops.into_iter().filter_map(ReadHop::named).any(|node| nodes[node.index()])
                }
            }
            Heard::Packet(plan) => self.packet(plan, transmission),
        }
    }

    /// As [`filter::Condition::holds`] for several texts, without making them all.
    fn path(&self, test: &filter::Test, row: u32) -> bool {
        let path = self.index.heads.get(self.index.observations.head(row)).path;
        let mut digits = [0; 6];
        let mut passes = |hop: meshcore::Hop<'_>| {
            let text = hex(hop.bytes(), &mut digits);
            test.condition.holds(&Found::text(Some(text)), self.now.0)
        };
        let mut hops = path.hops();
        match test.condition {
            filter::Condition::Compare(Op::NotEqual, _) | filter::Condition::Matches(_, true) => {
                !path.is_empty() && hops.all(&mut passes)
            }
            _ => hops.any(&mut passes),
        }
    }

    pub(super) fn is_trace(&self, transmission: u32) -> bool {
        TransmissionView { index: self.index, row: transmission }.is_trace()
    }
}

/// Up to three bytes as hex digits.
fn hex<'d>(bytes: &[u8], digits: &'d mut [u8; 6]) -> &'d str {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let len = bytes.len().min(3);
    for (place, byte) in bytes.iter().take(len).enumerate() {
        digits[2 * place] = DIGITS[usize::from(byte >> 4)];
        digits[2 * place + 1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(&digits[..2 * len]).unwrap_or_default()
}
