//! How a packet query is answered: filters become sets of rows, their intersection is counted, one page of it is read.

use std::borrow::Cow;

use meshcore::{NodeKey, PayloadType};
use model::{ObserverId, UnixMillis};
use roaring::{MultiOps, RoaringBitmap};

use crate::cursor::{Cursor, CursorKey};
use crate::hidden::Hidden;
use crate::index::Index;
use crate::latest::{LatestKey, Window};
use crate::query::{Order, PacketQuery, Sort};
use crate::view::TxRow;

/// One page of transmissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketPage {
    /// In the order that was asked for.
    pub rows: Vec<TxRow>,
    /// How many transmissions pass the filters, on this page or not.
    pub total: u64,
    /// Where the next page begins; `None` when this one is the last.
    pub next: Option<Cursor>,
}

/// The rows that pass one filter.
pub(crate) type Rows<'a> = Cow<'a, RoaringBitmap>;

impl Index {
    /// The transmissions that pass the filters, one page of them.
    ///
    /// Sets that the index keeps (types, routes, observers, channels) cost by the bitmaps they take, some microseconds for a
    /// million rows; several observers, regions or nodes are united first. A time window looks at single rows only where
    /// it begins and ends, as long as transmissions arrive in about the order of their times. A page sorted by latest
    /// observation costs at worst a look at every row that passes.
    ///
    /// [`PacketQuery::filter`] may look at each row that passes everything else; [`crate::search`] does the same in
    /// portions.
    pub fn packets(&self, query: &PacketQuery) -> PacketPage {
        self.page(&self.passing(query), query)
    }

    /// The rows that pass all filters.
    pub(crate) fn passing(&self, query: &PacketQuery) -> Rows<'_> {
        match query.filter {
            Some(_) => Cow::Owned(self.filtered(query)),
            None => self.rows_without_filter(query),
        }
    }

    /// One page of rows that pass all filters.
    pub(crate) fn page(&self, rows: &Rows<'_>, query: &PacketQuery) -> PacketPage {
        let total = rows.len();
        // One row beyond the page tells whether there is a next one.
        let take = if query.limit == 0 { 0 } else { query.limit.saturating_add(1) };
        let mut page = match query.cursor.map_or(query.sort, |cursor| cursor.sort()) {
            Sort::Id => self.page_by_id(rows, query, take),
            Sort::Latest => self.page_by_latest(rows, query, take),
        };
        let more = page.len() > query.limit;
        page.truncate(query.limit);
        let next = page
            .last()
            .filter(|_| more)
            .map(|(row, key)| Cursor { key: *key, id: self.transmission_id(*row) });
        PacketPage { rows: page.into_iter().map(|(row, _)| TxRow(row)).collect(), total, next }
    }

    /// Transmissions heard by an observer of any of the regions.
    pub(crate) fn heard_in(&self, regions: &[String]) -> Rows<'_> {
        unite(self.observers.of_regions(regions).map(|observer| &observer.heard).collect())
    }

    /// The rows that pass everything but [`PacketQuery::filter`].
    pub(crate) fn rows_without_filter(&self, query: &PacketQuery) -> Rows<'_> {
        let rows = self.intersect(self.filters(query));
        if query.hidden.is_empty() {
            return rows;
        }
        Cow::Owned(&*rows - &self.hidden_rows(&query.hidden))
    }

    /// Adverts of hidden nodes, and what nobody heard but hidden observers.
    fn hidden_rows(&self, hidden: &Hidden) -> RoaringBitmap {
        let mut rows = self.heard_by(hidden.observers()).into_owned();
        let shown = self.observers.iter().filter(|entry| !hidden.hides_observer(entry.record.id));
        for observer in shown {
            if rows.is_empty() {
                break;
            }
            rows -= &observer.heard;
        }
        rows | &*self.adverts_of_any(hidden.nodes())
    }

    fn filters(&self, query: &PacketQuery) -> Vec<Rows<'_>> {
        let mut sets = Vec::new();
        if let Some(payload_type) = query.payload_type {
            sets.push(Cow::Borrowed(&self.postings.types[usize::from(payload_type.code())]));
        }
        if let Some(route) = query.route {
            sets.push(Cow::Borrowed(&self.postings.routes[usize::from(route.code())]));
        }
        if !query.observers.is_empty() {
            sets.push(self.heard_by(&query.observers));
        }
        if let Some(regions) = &query.regions {
            sets.push(self.heard_in(regions));
        }
        if let Some(node) = query.node {
            sets.push(self.packets_of_any(&[node]));
        }
        if !query.nodes.is_empty() {
            sets.push(self.packets_of_any(&query.nodes));
        }
        if let Some(nodes) = &query.area_nodes {
            sets.push(self.adverts_of_any(nodes));
        }
        if let Some(channel) = &query.channel {
            sets.push(borrow_or_none(self.channels.packets(channel)));
            if query.payload_type.is_none() {
                sets.push(Cow::Borrowed(&self.postings.types[usize::from(PayloadType::GroupText.code())]));
            }
        }
        if query.readable_texts {
            sets.push(Cow::Owned(self.readable_texts()));
        }
        if let Some(hash) = query.hash {
            sets.push(Cow::Owned(self.transmissions.find(hash).into_iter().collect()));
        }
        if query.since.is_some() || query.until.is_some() {
            let since = query.since.unwrap_or(UnixMillis(i64::MIN));
            let until = query.until.unwrap_or(UnixMillis(i64::MAX));
            sets.push(Cow::Owned(self.transmissions.first_seen_between(since, until)));
        }
        sets
    }

    /// Begins with the smallest set, so that the work shrinks with the answer.
    fn intersect<'a>(&'a self, mut sets: Vec<Rows<'a>>) -> Rows<'a> {
        sets.sort_by_cached_key(|set| set.len());
        let mut sets = sets.into_iter();
        let Some(smallest) = sets.next() else { return Cow::Borrowed(&self.postings.all) };
        sets.fold(smallest, |rows, set| Cow::Owned(&*rows & &*set))
    }

    fn heard_by(&self, observers: &[ObserverId]) -> Rows<'_> {
        let mut ids = observers.to_vec();
        ids.sort_unstable();
        ids.dedup();
        unite(ids.into_iter().filter_map(|id| self.observers.get(id)).map(|entry| &entry.heard).collect())
    }

    fn packets_of_any(&self, nodes: &[NodeKey]) -> Rows<'_> {
        let packets = self.packets_of_each(nodes);
        Cow::Owned(packets.into_iter().map(|packets| packets.rows).union())
    }

    fn adverts_of_any(&self, nodes: &[NodeKey]) -> Rows<'_> {
        let rows = nodes.iter().filter_map(|key| self.nodes.get(key)).flat_map(|node| &node.history.adverts);
        Cow::Owned(rows.copied().collect())
    }

    fn page_by_id(&self, rows: &RoaringBitmap, query: &PacketQuery, take: usize) -> Vec<(u32, CursorKey)> {
        let cursor = query.cursor.map(|cursor| cursor.id.0);
        let end = self.transmission_ids.len();
        let page: Vec<u32> = match query.order {
            Order::Descending => {
                let bound = cursor.map_or(end, |id| self.transmission_ids.first_row_from(id));
                from_back(rows, bound, query.offset, take)
            }
            Order::Ascending => {
                let first_row_after = |id: u64| match id.checked_add(1) {
                    Some(next) => self.transmission_ids.first_row_from(next),
                    None => end,
                };
                from_front(rows, cursor.map_or(0, first_row_after), query.offset, take)
            }
        };
        page.into_iter().map(|row| (row, CursorKey::Id)).collect()
    }

    fn page_by_latest(&self, rows: &Rows<'_>, query: &PacketQuery, take: usize) -> Vec<(u32, CursorKey)> {
        let after = query.cursor.and_then(|cursor| self.latest_key(cursor, query.order));
        // A bitmap that is borrowed whole holds every row, so membership need not be asked.
        let is_all = std::ptr::eq::<RoaringBitmap>(&**rows, &self.postings.all);
        let set = (!is_all).then_some(&**rows);
        let window = Window { order: query.order, after, skip: query.offset, take };
        let page = self.latest.page(set, window, |row| self.transmissions.state(row).latest);
        page.into_iter().map(|(time, row)| (row, CursorKey::Latest(time))).collect()
    }

    /// Where a cursor of the order by latest observation stands; `None` for one of another order.
    pub(crate) fn latest_key(&self, cursor: Cursor, order: Order) -> Option<LatestKey> {
        match cursor.key {
            CursorKey::Id => None,
            CursorKey::Latest(time) => Some(self.latest_bound(time, cursor.id.0, order)),
        }
    }

    /// A key that stands where the cursor's row stood, whether or not the row is there.
    fn latest_bound(&self, time: UnixMillis, id: u64, order: Order) -> (UnixMillis, u32) {
        let from = self.transmission_ids.first_row_from(id);
        match (order, self.transmission_ids.row(id)) {
            (_, Some(row)) => (time, row),
            (Order::Descending, None) => (time, from),
            // Ascending pages go on behind the key, so the row before the gap is it.
            (Order::Ascending, None) => match from.checked_sub(1) {
                Some(before) => (time, before),
                None => (time.plus_ms(-1), u32::MAX),
            },
        }
    }
}

/// `take` rows below `bound` from the greatest down, after `skip` of them.
fn from_back(rows: &RoaringBitmap, bound: u32, skip: usize, take: usize) -> Vec<u32> {
    let below = rows.range_cardinality(..bound);
    let left = usize::try_from(below).unwrap_or(usize::MAX).saturating_sub(skip);
    let Some(last) = left.checked_sub(1).and_then(|place| rows.select(place as u32)) else {
        return Vec::new();
    };
    rows.range(..=last).rev().take(take).collect()
}

/// `take` rows from `start` up, after `skip` of them.
fn from_front(rows: &RoaringBitmap, start: u32, skip: usize, take: usize) -> Vec<u32> {
    let before = rows.range_cardinality(..start) as usize;
    let place = u32::try_from(before.saturating_add(skip)).ok();
    let Some(first) = place.and_then(|place| rows.select(place)) else { return Vec::new() };
    rows.range(first..).take(take).collect()
}

fn unite(mut sets: Vec<&RoaringBitmap>) -> Rows<'_> {
    match sets.len() {
        0 => Cow::Owned(RoaringBitmap::new()),
        1 => Cow::Borrowed(sets.remove(0)),
        _ => Cow::Owned(sets.into_iter().union()),
    }
}

fn borrow_or_none(set: Option<&RoaringBitmap>) -> Rows<'_> {
    set.map_or_else(|| Cow::Owned(RoaringBitmap::new()), Cow::Borrowed)
}
