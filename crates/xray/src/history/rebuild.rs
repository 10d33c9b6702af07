//! What a kill has cost the coarser tiers is in the finer ones.

use super::block::{Block, Visitor};
use super::files::View;
use super::tier::{SLOTS, Tier};
use crate::{Catalogue, SeriesId, SeriesKind};
use std::collections::BTreeMap;

/// Finds what the files of a tier lack of what those of a finer one have: a block for each of its times, none of them empty.
/// `newer` is a finer block that is in no file.
pub(super) fn lacking(
    tier: Tier,
    files: &View,
    finer: &View,
    newer: Option<&Block>,
    catalogue: &Catalogue,
) -> Vec<Block> {
    let wanted: Vec<SeriesId> = (0..catalogue.infos().len() as u16).map(SeriesId).collect();
    let always = (0, i64::MAX);
    let mut sums = Sums { tier, catalogue, blocks: BTreeMap::new() };
    finer.visit_files(catalogue, &wanted, always, &mut sums);
    if let Some(newer) = newer {
        show(newer, always, &wanted, &mut sums);
    }
    let mut had = Sums { tier, catalogue, blocks: BTreeMap::new() };
    if let (Some(first), Some(last)) = (sums.blocks.keys().next(), sums.blocks.keys().next_back()) {
        files.visit_files(catalogue, &wanted, (*first, *last + tier.block_secs()), &mut had);
    }
    let lacking = sums.blocks.into_iter().map(|(begin, sum)| match had.blocks.get(&begin) {
        Some(had) => less(&sum, had, catalogue),
        None => sum,
    });
    lacking.filter(|block| !block.is_empty()).collect()
}

/// Shows a visitor the slots of a block that is in memory.
pub(super) fn show(block: &Block, window: (i64, i64), wanted: &[SeriesId], visitor: &mut dyn Visitor) {
    for slot in 0..SLOTS {
        let at = block.begin_secs + slot as i64 * block.tier.step_secs();
        if !block.has(slot) || !(window.0..window.1).contains(&at) {
            continue;
        }
        let covered = block.covered(slot);
        visitor.covered(at, covered);
        for (place, id) in wanted.iter().enumerate() {
            visitor.value(place, at, covered, block.value(slot, id.place()));
        }
    }
}

/// Adds a value to the one that a slot has.
pub(super) fn merge(kind: SeriesKind, have: &mut u64, value: u64) {
    *have = match kind {
        SeriesKind::Counter => have.saturating_add(value),
        SeriesKind::Gauge => value.max(*have),
    };
}

/// What `sum` has and `had` has not.
fn less(sum: &Block, had: &Block, catalogue: &Catalogue) -> Block {
    let mut rest = Block::new(sum.tier, catalogue.infos().len());
    for slot in 0..SLOTS {
        let more = sum.covered(slot).saturating_sub(had.covered(slot));
        let at = sum.begin_secs + slot as i64 * sum.tier.step_secs();
        let grown = |place| sum.value(slot, place).saturating_sub(had.value(slot, place));
        let infos = || catalogue.infos().iter().enumerate();
        let has_grown = infos().any(|(place, info)| info.kind == SeriesKind::Counter && grown(place) > 0);
        if (more == 0 && !has_grown) || !rest.accepts(at) {
            continue;
        }
        let values = rest.slot(at, more);
        for (place, info) in infos() {
            values[place] = match info.kind {
                SeriesKind::Counter => grown(place),
                SeriesKind::Gauge => sum.value(slot, place),
            };
        }
    }
    rest
}

/// Adds up the slots of a finer tier.
struct Sums<'a> {
    tier: Tier,
    catalogue: &'a Catalogue,
    /// By begin.
    blocks: BTreeMap<i64, Block>,
}

impl Sums<'_> {
    fn slot(&mut self, second: i64, more: u32) -> &mut [u64] {
        let begin = Block::begin_of(self.tier, second);
        let width = self.catalogue.infos().len();
        let block = self.blocks.entry(begin).or_insert_with(|| Block::new(self.tier, width));
        block.begin_secs = begin;
        block.slot(second, more)
    }
}

impl Visitor for Sums<'_> {
    fn covered(&mut self, slot_secs: i64, covered_secs: u32) {
        self.slot(slot_secs, covered_secs);
    }

    fn value(&mut self, wanted: usize, slot_secs: i64, _: u32, value: u64) {
        let kind = self.catalogue.infos()[wanted].kind;
        merge(kind, &mut self.slot(slot_secs, 0)[wanted], value);
    }
}
