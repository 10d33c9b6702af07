//! One answer from packets in memory and packets in storage, as if all were in memory.
//!
//! Storage is read by segments ([`ColdSegment`]), each of which is an [`Index`] while it is looked at: the same code answers
//! from it, so fields and order are the same by construction. Here the pages of the pieces become one page.

use std::sync::Arc;
use std::time::Instant;

use meshcore::PacketHash;
use model::{ObservationId, TransmissionId, UnixMillis};

use crate::budget::{Budget, OverBudget};
use crate::cold::{ColdAdverts, ColdSegment};
use crate::cursor::{Cursor, CursorKey};
use crate::filter::{self, Passing, search};
use crate::index::{Index, SharedIndex};
use crate::page::PacketPage;
use crate::query::{Order, PacketQuery, Sort};
use crate::view::{ObservationView, TransmissionView, TxRow};

mod pieces;

pub use pieces::OfPieces;

/// Packets looked at under one guard.
const ROWS_PER_GUARD: usize = 256;

/// Whoever reads segments of storage.
pub trait ColdRows {
    /// The segment as an index; `None` when it cannot be read.
    fn segment(&self, segment: &ColdSegment) -> Option<Arc<Index>>;
}

/// Where packets are looked for.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// What is in memory.
    pub hot: &'a SharedIndex,
    /// What is not.
    pub cold: &'a dyn ColdRows,
    /// Segments are read until then; what was found by then is the answer, and says that it is bounded.
    pub until: Instant,
}

/// A packet of a page.
#[derive(Clone, Debug)]
pub enum Found {
    /// In memory, as long as the window does not move.
    Hot(TransmissionId),
    /// In a segment.
    Cold(Arc<Index>, TxRow),
}

/// One page of transmissions, wherever they are.
#[derive(Clone, Debug, Default)]
pub struct ReachedPage {
    /// In the order that was asked for.
    pub rows: Vec<Found>,
    /// How many transmissions pass the filters, on this page or not.
    pub total: u64,
    /// Not everything was looked at that may pass the filters, so that there may be more than `total`: not all of storage, or
    /// not all packets whose hops may be a node of the query.
    pub total_is_lower_bound: bool,
    /// Where the next page begins; `None` when this one is the last.
    pub next: Option<Cursor>,
}

/// A packet with its place in the order.
type Keyed = (CursorKey, TransmissionId, Found);

impl Reach<'_> {
    /// The transmissions that pass the filters, one page of them, as [`Index::packets`] gives them. When the window moves
    /// while the page is put together, it is begun anew.
    ///
    /// # Errors
    /// When the budget does not suffice to try a filter on all that is in memory, or the window has moved until it was
    /// used up. What does not suffice to read storage makes the total a lower bound.
    pub fn packets(&self, query: &PacketQuery, budget: &mut Budget) -> Result<ReachedPage, OverBudget> {
        loop {
            budget.look_at_the_clock()?;
            let passing = match query.filter {
                Some(_) => Some(search(self.hot, query, budget, filter::ROWS_PER_GUARD)?),
                None => None,
            };
            let mut gathering = Gathering::new(*self, query, passing);
            let segments = gathering.hot_first();
            match (segments, gathering.sort) {
                (None, _) => {}
                (Some(segments), Sort::Id) => gathering.by_id(segments),
                (Some(segments), Sort::Latest) => gathering.by_latest(segments),
            }
            if !gathering.moved {
                return Ok(gathering.page);
            }
        }
    }

    /// What `look` says of the transmission with this hash.
    pub fn by_hash<T>(&self, hash: PacketHash, look: impl Fn(&TransmissionView<'_>) -> T) -> Option<T> {
        let id = self.hot.read().find(hash)?;
        self.by_id(id, look)
    }

    /// What `look` says of the transmission with this id.
    pub fn by_id<T>(&self, id: TransmissionId, look: impl Fn(&TransmissionView<'_>) -> T) -> Option<T> {
        let segment = {
            let hot = self.hot.read();
            if let Some(packet) = hot.transmission(id) {
                return Some(look(&packet));
            }
            hot.cold_segments()[hot.cold.place_of(id)?].clone()
        };
        self.cold.segment(&segment)?.transmission(id).map(|packet| look(&packet))
    }

    /// What `look` says of the observation with this id.
    pub fn by_observation<T>(
        &self,
        id: ObservationId,
        look: impl Fn(&ObservationView<'_>) -> T,
    ) -> Option<T> {
        let segments: Vec<ColdSegment> = {
            let hot = self.hot.read();
            if let Some(heard) = hot.observation(id) {
                return Some(look(&heard));
            }
            let inside = |segment: &&ColdSegment| {
                segment.observation_ids.iter().any(|(first, last)| (*first..=*last).contains(&id))
            };
            hot.cold_segments().iter().filter(inside).cloned().collect()
        };
        segments.iter().take_while(|_| self.has_time()).find_map(|segment| {
            let index = self.cold.segment(segment)?;
            index.observation(id).map(|heard| look(&heard))
        })
    }

    /// What `look` says of each packet of a page. Memory is let go between portions, so that a long page does not keep
    /// ingest waiting.
    pub fn views<T>(&self, rows: &[Found], look: impl Fn(&TransmissionView<'_>) -> T) -> Vec<T> {
        let mut seen = Vec::with_capacity(rows.len());
        for portion in rows.chunks(ROWS_PER_GUARD) {
            let looked: Vec<Option<T>> = {
                let hot = self.hot.read();
                let one = |found: &Found| match found {
                    Found::Hot(id) => hot.transmission(*id).map(|packet| look(&packet)),
                    Found::Cold(index, row) => Some(look(&index.view(*row))),
                };
                portion.iter().map(one).collect()
            };
            for (found, looked) in portion.iter().zip(looked) {
                // The window may have moved over it meanwhile.
                seen.extend(looked.or_else(|| match found {
                    Found::Hot(id) => self.by_id(*id, &look),
                    Found::Cold(..) => None,
                }));
            }
        }
        seen
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }
}

/// A page in the making.
struct Gathering<'a> {
    reach: Reach<'a>,
    query: &'a PacketQuery,
    sort: Sort,
    /// What passes of memory, where a filter had to be tried on each packet.
    passing: Option<Passing>,
    /// Whether there is no filter.
    passes_all: bool,
    /// The transmission of `query.hash`.
    wanted: Option<TransmissionId>,
    /// In storage, those of `query.area_nodes`.
    adverts: Option<ColdAdverts>,
    /// Where memory began when it was first looked at.
    horizon: Option<TransmissionId>,
    /// It began elsewhere later.
    moved: bool,
    page: ReachedPage,
}

impl<'a> Gathering<'a> {
    fn new(reach: Reach<'a>, query: &'a PacketQuery, passing: Option<Passing>) -> Self {
        let sort = query.cursor.map_or(query.sort, |cursor| cursor.sort());
        let wanted = query.hash.and_then(|hash| reach.hot.read().find(hash));
        let passes_all = *query == query.without_filters();
        let page = ReachedPage::default();
        let (adverts, horizon) = (None, None);
        Self { reach, query, sort, passing, passes_all, wanted, adverts, horizon, moved: false, page }
    }

    /// Answers from memory; the segments when that is not all.
    fn hot_first(&mut self) -> Option<Vec<ColdSegment>> {
        let hot = self.reach.hot.read();
        let segments = hot.cold_segments();
        self.horizon = segments.last().map(|segment| segment.last);
        if let Some(nodes) = &self.query.area_nodes
            && !segments.is_empty()
        {
            let places = hot.nodes.places(nodes);
            self.adverts = Some(hot.cold.adverts_of(&places, hot.nodes.cold_adverts(&places)));
        }
        let is_last = self.sort == Sort::Id && self.query.order == Order::Ascending;
        let Some(found) = self.hot_page(&hot, self.query) else {
            self.moved = true;
            return None;
        };
        self.page.total = found.total;
        self.page.total_is_lower_bound = hot.leaves_out(self.query);
        if !segments.is_empty() && self.sort == Sort::Id && !is_last && found.next.is_some() {
            // The page is full of what comes before all that is in storage.
            if self.passes_all {
                self.page.total += hot.cold.transmissions();
            } else {
                self.count(segments.iter());
            }
        }
        if segments.is_empty() || (self.sort == Sort::Id && !is_last && found.next.is_some()) {
            self.page.rows = found.rows.iter().map(|row| Found::Hot(hot.view(*row).id())).collect();
            self.page.next = found.next;
            return None;
        }
        Some(segments.iter().filter(|segment| self.may_pass(segment)).cloned().collect())
    }

    /// A page of memory; `None` when it is another index by now.
    fn hot_page(&self, hot: &Index, query: &PacketQuery) -> Option<PacketPage> {
        match &self.passing {
            None => Some(hot.packets(query)),
            Some(passing) => passing.page(hot, query),
        }
    }

    /// Segments and memory one after the other, since ids do not overlap.
    fn by_id(&mut self, mut segments: Vec<ColdSegment>) {
        let want = self.query.limit.saturating_add(1);
        let descending = self.query.order == Order::Descending;
        let mut skip = self.query.offset;
        let mut found: Vec<Keyed> = Vec::new();
        if descending {
            segments.reverse();
            skip = self.hot_rows(skip, want, &mut found);
        }
        let mut stopped = None;
        for (at, segment) in segments.iter().enumerate() {
            let passed = self.query.cursor.is_some_and(|cursor| match descending {
                true => segment.first >= cursor.id,
                false => segment.last <= cursor.id,
            });
            let all_pass = self.passes_all
                && self.query.cursor.is_none_or(|cursor| match descending {
                    true => segment.last < cursor.id,
                    false => segment.first > cursor.id,
                });
            let count = segment.transmissions as usize;
            if found.len() >= want || passed || (all_pass && skip >= count) {
                skip -= if all_pass && found.len() < want && !passed { count } else { 0 };
                self.count(std::iter::once(segment));
                continue;
            }
            if !self.reach.has_time() {
                self.count(segments[at..].iter());
                stopped = Some(if descending { segment.last.0 + 1 } else { segment.first.0 - 1 });
                break;
            }
            skip = self.cold_rows(segment, skip, want, &mut found);
        }
        if !descending && stopped.is_none() && found.len() < want {
            self.hot_rows(skip, want, &mut found);
        }
        let next = stopped.map(|id| Cursor { key: CursorKey::Id, id: TransmissionId(id) });
        self.finish(found, next);
    }

    /// Everything in order of the latest observation: a packet in storage may have been heard after one in memory, so a
    /// piece counts as done when all that is left elsewhere comes later in the order.
    fn by_latest(&mut self, mut segments: Vec<ColdSegment>) {
        let want = self.query.limit.saturating_add(1).saturating_add(self.query.offset);
        let descending = self.query.order == Order::Descending;
        let bound = |segment: &ColdSegment| if descending { segment.latest } else { segment.earliest };
        segments.sort_by_key(bound);
        if descending {
            segments.reverse();
        }
        let cursor = self.query.cursor.and_then(|cursor| match cursor.key {
            CursorKey::Latest(time) => Some(time),
            CursorKey::Id => None,
        });
        let mut found: Vec<Keyed> = Vec::new();
        self.hot_rows(0, want, &mut found);
        let mut stopped = None;
        for (at, segment) in segments.iter().enumerate() {
            let passed = cursor.is_some_and(|time| match descending {
                true => segment.earliest > time,
                false => segment.latest < time,
            });
            let last = (found.len() >= want).then(|| latest_of(&found[want - 1]));
            let beyond = last.is_some_and(|last| match descending {
                true => bound(segment) < last,
                false => bound(segment) > last,
            });
            if passed || beyond {
                self.count(std::iter::once(segment));
                continue;
            }
            if !self.reach.has_time() {
                self.count(segments[at..].iter());
                stopped = Some(bound(segment));
                break;
            }
            self.cold_rows(segment, 0, want, &mut found);
            self.sort(&mut found);
            found.truncate(want);
        }
        if let Some(time) = stopped {
            // What comes later in the order may be in a segment that was not read.
            found.retain(|row| if descending { latest_of(row) > time } else { latest_of(row) < time });
        }
        found.drain(..self.query.offset.min(found.len()));
        let next = stopped.map(|time| match descending {
            true => Cursor { key: CursorKey::Latest(time.plus_ms(1)), id: TransmissionId(0) },
            false => Cursor { key: CursorKey::Latest(time.plus_ms(-1)), id: TransmissionId(u64::MAX) },
        });
        self.finish(found, next);
    }

    /// Adds rows of the memory behind the first `skip`; says how many are still to be skipped.
    fn hot_rows(&mut self, skip: usize, want: usize, found: &mut Vec<Keyed>) -> usize {
        let hot = self.reach.hot.read();
        self.moved |= hot.cold_segments().last().map(|segment| segment.last) != self.horizon;
        let page = |query: &PacketQuery| self.hot_page(&hot, query);
        match self.rows_of(&hot, skip, want, found, page, |row| Found::Hot(hot.view(row).id())) {
            Some(skip) => skip,
            None => {
                self.moved = true;
                skip
            }
        }
    }

    /// As [`Self::hot_rows`], from a segment, which is counted.
    fn cold_rows(
        &mut self,
        segment: &ColdSegment,
        skip: usize,
        want: usize,
        found: &mut Vec<Keyed>,
    ) -> usize {
        let Some(index) = self.reach.cold.segment(segment) else {
            self.page.total_is_lower_bound = true;
            return skip;
        };
        let rows = index.passing(self.query);
        self.page.total += rows.len();
        self.page.total_is_lower_bound |= index.leaves_out(self.query);
        let page = |query: &PacketQuery| Some(index.page(&rows, query));
        let make = |row| Found::Cold(Arc::clone(&index), row);
        self.rows_of(&index, skip, want, found, page, make).unwrap_or(skip)
    }

    fn rows_of(
        &self,
        index: &Index,
        skip: usize,
        want: usize,
        found: &mut Vec<Keyed>,
        page: impl Fn(&PacketQuery) -> Option<PacketPage>,
        make: impl Fn(TxRow) -> Found,
    ) -> Option<usize> {
        // What is skipped here is only known when all of it is counted.
        let behind = PacketQuery { limit: usize::MAX, offset: 0, ..self.query.clone() };
        let passing = if skip == 0 { 0 } else { page(&behind)?.rows.len() };
        if passing <= skip && skip > 0 {
            return Some(skip - passing);
        }
        let wanted = if self.sort == Sort::Id { want.saturating_sub(found.len()) } else { want };
        let query = PacketQuery { limit: wanted, offset: skip, ..self.query.clone() };
        found.extend(page(&query)?.rows.into_iter().map(|row| {
            let packet = index.view(row);
            let key = match self.sort {
                Sort::Id => CursorKey::Id,
                Sort::Latest => CursorKey::Latest(packet.latest()),
            };
            (key, packet.id(), make(row))
        }));
        Some(0)
    }

    fn sort(&self, found: &mut [Keyed]) {
        let order = |a: &Keyed, b: &Keyed| latest_of(a).cmp(&latest_of(b)).then(a.1.cmp(&b.1));
        found.sort_by(|a, b| match self.query.order {
            Order::Ascending => order(a, b),
            Order::Descending => order(b, a),
        });
    }

    fn finish(&mut self, mut found: Vec<Keyed>, stopped: Option<Cursor>) {
        let more = found.len() > self.query.limit;
        found.truncate(self.query.limit);
        let last = found.last().filter(|_| more).map(|(key, id, _)| Cursor { key: *key, id: *id });
        self.page.next = last.or(stopped);
        self.page.rows = found.into_iter().map(|(_, _, found)| found).collect();
    }

    /// Counts segments that are not looked at.
    fn count<'s>(&mut self, segments: impl Iterator<Item = &'s ColdSegment>) {
        for segment in segments {
            if self.passes_all {
                self.page.total += segment.transmissions;
            } else if self.may_pass(segment) {
                self.page.total_is_lower_bound = true;
            }
        }
    }

    /// Whether a packet of the segment can pass, by what is known without reading it.
    fn may_pass(&self, segment: &ColdSegment) -> bool {
        let query = self.query;
        let text = 1 << meshcore::PayloadType::GroupText.code();
        query.payload_type.is_none_or(|wanted| segment.types & 1 << wanted.code() != 0)
            && (!query.readable_texts || segment.types & text != 0)
            && self.adverts.as_ref().is_none_or(|adverts| adverts.may_be_in(segment))
            && query.since.is_none_or(|since| segment.latest > since)
            && query.until.is_none_or(|until| segment.earliest < until)
            && (query.hash.is_none()
                || self.wanted.is_some_and(|id| (segment.first..=segment.last).contains(&id)))
    }
}

fn latest_of((key, _, _): &Keyed) -> UnixMillis {
    match key {
        CursorKey::Latest(time) => *time,
        CursorKey::Id => UnixMillis(0),
    }
}
