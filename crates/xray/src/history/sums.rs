//! What is made of the slots that a question is about.

use super::block::Visitor;
use super::rebuild::merge;
use super::window::Window;
use crate::{Catalogue, SeriesKind};

/// Adds slots up to steps.
pub(super) struct Grid {
    window: Window,
    kinds: Vec<SeriesKind>,
    /// Value and seconds covered, step by step of the first series, then of the next.
    cells: Vec<(u64, u32)>,
}

impl Grid {
    /// All null.
    pub(super) fn new(window: Window, kinds: Vec<SeriesKind>) -> Self {
        let cells = vec![(0, 0); window.steps() * kinds.len()];
        Self { window, kinds, cells }
    }

    /// One value for each step of the series at a place.
    pub(super) fn values(&self, place: usize) -> Vec<Option<f64>> {
        let steps = self.window.steps();
        let cells = &self.cells[place * steps..(place + 1) * steps];
        let value = |(value, covered): &(u64, u32)| match (covered, self.kinds[place]) {
            (0, _) => None,
            (_, SeriesKind::Counter) => Some(*value as f64 / f64::from(*covered)),
            (_, SeriesKind::Gauge) => Some(*value as f64),
        };
        cells.iter().map(value).collect()
    }
}

impl Visitor for Grid {
    fn value(&mut self, wanted: usize, slot_secs: i64, covered_secs: u32, value: u64) {
        let step = self.window.step_of(slot_secs);
        if let Some((have, covered)) = self.cells.get_mut(wanted * self.window.steps() + step) {
            merge(self.kinds[wanted], have, value);
            *covered = covered.saturating_add(covered_secs);
        }
    }
}

/// Adds slots up to one number for each series.
pub(super) struct Totals<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) covered_secs: u64,
    pub(super) values: Vec<u64>,
}

impl Visitor for Totals<'_> {
    fn covered(&mut self, _: i64, covered_secs: u32) {
        self.covered_secs = self.covered_secs.saturating_add(u64::from(covered_secs));
    }

    fn value(&mut self, wanted: usize, _: i64, _: u32, value: u64) {
        merge(self.catalogue.infos()[wanted].kind, &mut self.values[wanted], value);
    }
}
