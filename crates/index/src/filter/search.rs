//! Searches: a query with a filter, answered in portions so that whoever writes the index does not wait for long.

use std::borrow::Cow;

use ::model::UnixMillis;
use meshcore::PayloadType;
use roaring::RoaringBitmap;

use super::compile::Compiler;
use super::evaluate::Trial;
use super::plan::{AnyHeard, COLUMN, DECODE, DECRYPT, Plan, RESOLVE, RowBits};
use crate::budget::{Budget, OverBudget};
use crate::index::{Index, SharedIndex};
use crate::page::PacketPage;
use crate::query::PacketQuery;

/// Rows that a search looks at under one guard, when they cost little: a fraction of a millisecond.
pub const ROWS_PER_GUARD: u32 = 16_384;

/// All rows that pass, of one index.
#[derive(Debug, PartialEq)]
pub struct Passing {
    /// The number of the index, in which alone the rows mean something.
    index: u64,
    rows: RoaringBitmap,
}

impl Passing {
    /// How many.
    pub fn len(&self) -> u64 {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One page of them; `None` when another index has taken the place of the one that was searched.
    pub fn page(&self, index: &Index, query: &PacketQuery) -> Option<PacketPage> {
        (index.version().index == self.index).then(|| index.page(&Cow::Borrowed(&self.rows), query))
    }
}

/// Looks for what passes a query in an index that others write meanwhile. The rows are those that were there at the
/// beginning; under one guard at most `rows_per_guard` of them are looked at, fewer when they cost more, so that ingest can
/// go on in between.
///
/// Should the index be replaced by another one on the way (retention and followers do that), it begins anew.
///
/// # Errors
/// When the budget does not suffice.
pub fn search(
    index: &SharedIndex,
    query: &PacketQuery,
    budget: &mut Budget,
    rows_per_guard: u32,
) -> Result<Passing, OverBudget> {
    loop {
        let mut search = {
            let index = index.read();
            budget.spend(1)?;
            Search::begin(&index, query, rows_per_guard)
        };
        loop {
            match search.step(&index.read(), budget)? {
                Step::Again => {}
                Step::OtherIndex => break,
                Step::Done => return Ok(Passing { index: search.index, rows: search.found }),
            }
        }
    }
}

/// A filter on its way over the rows of one index.
struct Search {
    /// Which index the rows are of.
    index: u64,
    plan: Plan,
    now: UnixMillis,
    /// Observations to look through for what must hold for some, and the first that was not looked at.
    observations: std::ops::Range<u32>,
    /// Rows that may pass and were not looked at, but for those in `found`.
    candidates: RoaringBitmap,
    /// The first row that was not looked at.
    next: u32,
    rows_per_guard: u32,
    found: RoaringBitmap,
}

/// What a step of a search has come to.
enum Step {
    Again,
    Done,
    /// The rows mean nothing in this index.
    OtherIndex,
}

impl Search {
    fn begin(index: &Index, query: &PacketQuery, rows_per_guard: u32) -> Self {
        let now = query.now;
        let others = index.rows_without_filter(query).into_owned();
        let plan = match &query.filter {
            Some(filter) => Compiler { index, now }.packet(filter.expr()),
            None => Plan::Set(others.clone()),
        };
        let (candidates, mut plan) = narrow(plan, others);
        let observations = prepare_scan(index, now, &mut plan, &candidates);
        plan.sort_by_cost();
        let mut search = Self {
            index: index.version().index,
            plan,
            now,
            observations,
            candidates,
            next: 0,
            rows_per_guard: rows_per_guard.max(1),
            found: RoaringBitmap::new(),
        };
        if let Plan::Set(set) = &search.plan {
            search.found = &search.candidates & set;
            search.candidates.clear();
        }
        search
    }

    /// Looks at one portion.
    fn step(&mut self, index: &Index, budget: &mut Budget) -> Result<Step, OverBudget> {
        if index.version().index != self.index {
            return Ok(Step::OtherIndex);
        }
        if !self.observations.is_empty() {
            self.scan_observations(index, budget)?;
            return Ok(Step::Again);
        }
        let trial = Trial { index, now: self.now };
        let portion = self.rows_per_portion();
        let rows: Vec<u32> = self.candidates.range(self.next..).take(portion as usize).collect();
        budget.spend(rows.len() as u64 * u64::from(1 + self.plan.cost() / RESOLVE * 4))?;
        let Some(last) = rows.last() else { return Ok(Step::Done) };
        self.next = last.saturating_add(1);
        let passing = rows.into_iter().filter(|row| trial.packet(&self.plan, *row));
        // Rows rise from portion to portion and within each, so this never fails.
        self.found.append(passing).expect("rows rise");
        Ok(Step::Again)
    }

    fn scan_observations(&mut self, index: &Index, budget: &mut Budget) -> Result<(), OverBudget> {
        let start = self.observations.start;
        let end = self.observations.end.min(start.saturating_add(self.rows_per_guard));
        budget.spend(u64::from(end - start))?;
        let trial = Trial { index, now: self.now };
        self.plan.any_parts(&mut |any: &mut AnyHeard| {
            if let Some(found) = &mut any.found {
                trial.scan(&any.heard, start..end, found);
            }
        });
        self.observations.start = end;
        Ok(())
    }

    /// Fewer rows when each costs more.
    fn rows_per_portion(&self) -> u32 {
        let divisor = match self.plan.cost() {
            ..DECODE => 1,
            DECODE..DECRYPT => 4,
            DECRYPT..RESOLVE => 8,
            _ => 64,
        };
        (self.rows_per_guard / divisor).max(1)
    }
}

impl Index {
    /// The rows that pass, looked for all at once.
    pub(crate) fn filtered(&self, query: &PacketQuery) -> RoaringBitmap {
        let mut search = Search::begin(self, query, u32::MAX);
        // Without limits it ends, and it is the same index all the time.
        while let Ok(Step::Again) = search.step(self, &mut Budget::default()) {}
        search.found
    }
}

/// The rows that may pass, and what is left to be asked of them.
fn narrow(plan: Plan, others: RoaringBitmap) -> (RoaringBitmap, Plan) {
    let candidates = match plan.bound() {
        Some(bound) => others & bound,
        None => others,
    };
    match plan {
        // The candidates are in all sets that stand beside other parts.
        Plan::And(mut parts) => {
            parts.retain(|part| !matches!(part, Plan::Set(_)));
            (candidates, Plan::And(parts))
        }
        other => (candidates, other),
    }
}

/// Decides whether to look through all observations once for what must hold for some, instead of following those of each
/// candidate: a look at the next row of a column costs a fraction of a look at the next observation of a transmission.
fn prepare_scan(
    index: &Index,
    now: UnixMillis,
    plan: &mut Plan,
    candidates: &RoaringBitmap,
) -> std::ops::Range<u32> {
    let all = index.observations.len();
    let mut wants_scan = false;
    plan.any_parts(&mut |any| wants_scan |= any.heard.cost() < DECODE * COLUMN);
    if !wants_scan {
        return 0..0;
    }
    let of_candidates: u64 =
        candidates.iter().map(|row| u64::from(index.transmissions.state(row).observations)).sum();
    if of_candidates.saturating_mul(4) < u64::from(all) {
        return 0..0;
    }
    let rows = index.transmission_ids.len();
    let trial = Trial { index, now };
    let traces = &index.postings.types[usize::from(PayloadType::Trace.code())];
    plan.any_parts(&mut |any| {
        if any.heard.cost() < DECODE * COLUMN {
            let mut found = RowBits::with_rows(rows);
            // Their hops are not in their paths, and a look at each of the few is simple.
            traces.iter().filter(|row| trial.any(&any.heard, *row)).for_each(|row| found.insert(row));
            any.found = Some(found);
        }
    });
    0..all
}
