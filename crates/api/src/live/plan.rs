//! Rendering observations for several groups of subscriptions at a time.

use super::batch::{Batch, BatchWriter};
use super::filter::RowFilter;
use super::row::{FieldSet, RowSource};
use super::selection::Selection;
use crate::state::ApiState;
use crate::visibility::Visibility;
use index::ObservationView;
use meshcore::KeyRing;
use model::ObservationId;
use std::sync::Arc;

/// What a group of subscriptions gets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wish {
    pub(crate) selection: Selection,
    pub(crate) fields: FieldSet,
}

/// Rows tried on groups under one read guard of the index: a millisecond, after which ingest gets its turn.
const TRIALS_PER_GUARD: usize = 256;

/// A stretch ends when it has become so large; what comes after it is another one.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The same in observations.
const MAX_ROWS: u64 = 2_000;

/// Wishes whose filters and shapes have been compared, so that nothing is done twice for an observation.
pub(crate) struct Plan {
    filters: Vec<Arc<RowFilter>>,
    shapes: Vec<FieldSet>,
    wishes: Vec<Planned>,
}

struct Planned {
    selection: Selection,
    /// Within `filters`; `None` for everything.
    filter: Option<usize>,
    /// Within `shapes`.
    shape: usize,
}

/// A stretch of the sequence, rendered.
pub(crate) struct Stretch {
    /// The last number that it speaks for.
    pub(crate) to: u64,
    /// One for each wish.
    pub(crate) batches: Vec<Batch>,
}

impl Plan {
    pub(crate) fn new<'a>(wishes: impl IntoIterator<Item = &'a Wish>) -> Self {
        let mut plan = Self { filters: Vec::new(), shapes: Vec::new(), wishes: Vec::new() };
        for wish in wishes {
            let filter = wish.selection.filter.as_ref().map(|filter| {
                place_of(&mut plan.filters, |known| Arc::ptr_eq(known, filter), || Arc::clone(filter))
            });
            let shape = place_of(&mut plan.shapes, |known| *known == wish.fields, || wish.fields);
            plan.wishes.push(Planned { selection: wish.selection.clone(), filter, shape });
        }
        plan
    }

    /// Renders from one number of the sequence to another, or less when that becomes too much at once.
    pub(crate) async fn render(&self, state: &ApiState, from: u64, to: u64) -> Stretch {
        let config = state.config_arc();
        let visibility = Visibility::new(&config);
        let mut writers: Vec<BatchWriter> = self.wishes.iter().map(|_| BatchWriter::new(from)).collect();
        let portion = (TRIALS_PER_GUARD / self.wishes.len().max(1)).clamp(1, 64) as u64;
        let end = to.min(from + (MAX_ROWS - 1));
        let mut next = from;
        while next <= end && writers.iter().map(BatchWriter::bytes).sum::<usize>() < MAX_BYTES {
            let last = end.min(next + (portion - 1));
            state.read(|index, _now| {
                for id in next..=last {
                    let heard = index.observation(ObservationId(id));
                    if let Some(heard) = heard.filter(|heard| visibility.shows_heard(heard)) {
                        self.write(heard, state.keys(), &mut writers);
                    }
                }
            });
            next = last + 1;
            tokio::task::yield_now().await;
        }
        let to = next - 1;
        Stretch { to, batches: writers.into_iter().map(|writer| writer.finish(to)).collect() }
    }

    fn write(&self, heard: ObservationView<'_>, keys: &KeyRing, writers: &mut [BatchWriter]) {
        let source = RowSource::new(heard, keys);
        let mut verdicts: Vec<Option<bool>> = vec![None; self.filters.len()];
        let mut texts: Vec<Option<String>> = vec![None; self.shapes.len()];
        for (wish, writer) in self.wishes.iter().zip(writers) {
            let matches = wish.selection.is_of_observer(source.heard())
                && wish.filter.is_none_or(|filter| {
                    *verdicts[filter].get_or_insert_with(|| self.filters[filter].matches(source.heard()))
                });
            if matches {
                let fields = self.shapes[wish.shape];
                writer.push(
                    source.heard().id().0,
                    texts[wish.shape].get_or_insert_with(|| source.text(fields)),
                );
            }
        }
    }
}

fn place_of<T>(known: &mut Vec<T>, is: impl FnMut(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    known.iter().position(is).unwrap_or_else(|| {
        known.push(make());
        known.len() - 1
    })
}
