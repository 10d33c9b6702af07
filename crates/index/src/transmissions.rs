//! The transmissions: what was heard, and what is known of each from its observations.

use std::num::NonZeroU8;

use meshcore::PacketHash;
use model::UnixMillis;
use roaring::RoaringBitmap;

use crate::arena::Arena;
use crate::observations::{CHUNK_BITS, CHUNK_ROWS, NONE};
use crate::row_set::RowSet;

/// Rows per entry of the first-seen spans: a time window looks at single rows only in the few spans that it cuts.
const SPAN_ROWS: u32 = 1024;

/// All transmissions, in the order of their ids.
#[derive(Default)]
pub(crate) struct TransmissionTable {
    contents: Vec<ContentChunk>,
    raw: Arena,
    by_hash: RowSet,
    /// Rows change with each observation; what is read together stands together.
    states: Vec<Vec<TransmissionState>>,
    /// The least observation time of each row, `i64::MAX` before the first; apart, since time windows scan it.
    first_seen: Vec<Vec<i64>>,
    spans: Vec<Span>,
    rows: u32,
}

/// What never changes.
#[derive(Default)]
struct ContentChunk {
    hash: Vec<PacketHash>,
    raw_at: Vec<u32>,
    raw_len: Vec<u8>,
}

/// What the observations of a transmission add up to.
#[derive(Clone, Copy)]
pub(crate) struct TransmissionState {
    /// Greatest observation time.
    pub(crate) latest: UnixMillis,
    /// The first and the last observation in order of arrival; [`NONE`] before the first.
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// The observation with the longest path; the first of those.
    pub(crate) best: u32,
    pub(crate) observations: u32,
    /// How many different observers.
    pub(crate) observers: u32,
    /// The node of an advert or the channel of a group packet, as the payload type says; else [`NONE`].
    pub(crate) subject: u32,
    pub(crate) scope: ScopeRef,
    /// Hops of `best`.
    pub(crate) best_hops: u8,
    /// The size of the hashes in `best`, as far as it tells.
    pub(crate) best_hash_size: Option<NonZeroU8>,
}

/// A transmission's region scope, as a place in the index's list of scope names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeRef(u16);

impl ScopeRef {
    /// No transport codes, or codes that name no scope.
    pub(crate) const UNSCOPED: Self = Self(0);
    /// Scoped, but to no region we know.
    pub(crate) const UNKNOWN: Self = Self(1);

    pub(crate) fn named(place: usize) -> Self {
        u16::try_from(place + 2).map_or(Self::UNKNOWN, Self)
    }

    /// The place in the list of names.
    pub(crate) fn place(self) -> Option<usize> {
        usize::from(self.0).checked_sub(2)
    }
}

/// Bounds of `first_seen` in [`SPAN_ROWS`] rows. `max` may be too great once a time was lowered, which costs a look
/// at the rows and nothing else.
#[derive(Clone, Copy)]
struct Span {
    min: i64,
    max: i64,
    /// Rows without an observation.
    unheard: u32,
}

impl TransmissionTable {
    pub(crate) fn find(&self, hash: PacketHash) -> Option<u32> {
        self.by_hash.find(&hash, |row| self.hash(row))
    }

    pub(crate) fn has_room(&self, raw: &[u8]) -> bool {
        self.rows < NONE && self.raw.has_room(raw.len())
    }

    /// Appends a transmission whose hash is not in the table; `raw` has at most 255 bytes.
    pub(crate) fn push(&mut self, hash: PacketHash, raw: &[u8]) -> u32 {
        let row = self.rows;
        if (row as usize).is_multiple_of(CHUNK_ROWS) {
            let capacity = if self.contents.is_empty() { 0 } else { CHUNK_ROWS };
            self.contents.push(ContentChunk::default());
            self.states.push(Vec::with_capacity(capacity));
            self.first_seen.push(Vec::with_capacity(capacity));
        }
        if row.is_multiple_of(SPAN_ROWS) {
            self.spans.push(Span { min: i64::MAX, max: i64::MIN, unheard: 0 });
        }
        let (chunk, _) = place(row);
        self.contents[chunk].hash.push(hash);
        self.contents[chunk].raw_at.push(self.raw.push(raw));
        self.contents[chunk].raw_len.push(raw.len() as u8);
        self.states[chunk].push(TransmissionState::NEW);
        self.first_seen[chunk].push(i64::MAX);
        self.spans[(row / SPAN_ROWS) as usize].unheard += 1;
        self.rows += 1;
        let contents = &self.contents;
        self.by_hash.insert(&hash, row, |row| {
            let (chunk, i) = place(row);
            contents[chunk].hash[i]
        });
        row
    }

    pub(crate) fn hash(&self, row: u32) -> PacketHash {
        let (chunk, i) = place(row);
        self.contents[chunk].hash[i]
    }

    pub(crate) fn raw(&self, row: u32) -> &[u8] {
        let (chunk, i) = place(row);
        let contents = &self.contents[chunk];
        self.raw.get(contents.raw_at[i], usize::from(contents.raw_len[i]))
    }

    pub(crate) fn state(&self, row: u32) -> &TransmissionState {
        let (chunk, i) = place(row);
        &self.states[chunk][i]
    }

    pub(crate) fn state_mut(&mut self, row: u32) -> &mut TransmissionState {
        let (chunk, i) = place(row);
        &mut self.states[chunk][i]
    }

    /// Least observation time of a row that has observations.
    pub(crate) fn first_seen(&self, row: u32) -> UnixMillis {
        let (chunk, i) = place(row);
        UnixMillis(self.first_seen[chunk][i])
    }

    /// The least of all that have observations.
    pub(crate) fn earliest(&self) -> Option<UnixMillis> {
        self.spans.iter().map(|span| span.min).min().filter(|least| *least < i64::MAX).map(UnixMillis)
    }

    /// Takes note of an observation's time.
    pub(crate) fn note_seen(&mut self, row: u32, time: UnixMillis) {
        let (chunk, i) = place(row);
        let first_seen = &mut self.first_seen[chunk][i];
        if time.0 < *first_seen {
            let span = &mut self.spans[(row / SPAN_ROWS) as usize];
            span.unheard -= u32::from(*first_seen == i64::MAX);
            *first_seen = time.0;
            span.min = span.min.min(time.0);
            span.max = span.max.max(time.0);
        }
    }

    /// The rows first seen after `since` and before `until`, both exclusive.
    pub(crate) fn first_seen_between(&self, since: UnixMillis, until: UnixMillis) -> RoaringBitmap {
        let mut found = RoaringBitmap::new();
        for (span, rows) in self.spans_between(since, until) {
            if span.min > since.0 && span.max < until.0 && span.unheard == 0 {
                found.insert_range(rows);
            } else {
                let inside = rows.filter(|row| {
                    let first_seen = self.first_seen(*row);
                    first_seen > since && first_seen < until
                });
                // Rows rise from span to span and within each, so this never fails.
                found.append(inside).expect("rows rise");
            }
        }
        found
    }

    /// The rows first seen after `since`, rising, and when that was.
    pub(crate) fn first_seen_after(&self, since: UnixMillis) -> impl Iterator<Item = (u32, UnixMillis)> {
        let spans = self.spans_between(since, UnixMillis(i64::MAX));
        let times = spans.flat_map(|(_, rows)| rows.map(|row| (row, self.first_seen(row))));
        times.filter(move |(_, time)| *time > since && time.0 < i64::MAX)
    }

    /// Bytes of heap: payload bytes, hash table, everything else.
    pub(crate) fn heap_bytes(&self) -> [usize; 3] {
        let contents: usize = self
            .contents
            .iter()
            .map(|chunk| chunk.hash.capacity() * 8 + chunk.raw_at.capacity() * 4 + chunk.raw_len.capacity())
            .sum();
        let states: usize = self.states.iter().map(|c| c.capacity() * size_of::<TransmissionState>()).sum();
        let first_seen: usize = self.first_seen.iter().map(|chunk| chunk.capacity() * 8).sum();
        let spans = self.spans.capacity() * size_of::<Span>();
        [self.raw.heap_bytes(), self.by_hash.heap_bytes(), contents + states + first_seen + spans]
    }

    /// The spans that can have such rows.
    fn spans_between(
        &self,
        since: UnixMillis,
        until: UnixMillis,
    ) -> impl Iterator<Item = (Span, std::ops::Range<u32>)> {
        let spans = self.spans.iter().enumerate().map(move |(i, span)| {
            let start = i as u32 * SPAN_ROWS;
            (*span, start..start.saturating_add(SPAN_ROWS).min(self.rows))
        });
        spans.filter(move |(span, _)| span.max > since.0 && span.min < until.0)
    }
}

impl TransmissionState {
    const NEW: Self = Self {
        latest: UnixMillis(i64::MIN),
        first: NONE,
        last: NONE,
        best: NONE,
        observations: 0,
        observers: 0,
        subject: NONE,
        scope: ScopeRef::UNSCOPED,
        best_hops: 0,
        best_hash_size: None,
    };
}

fn place(row: u32) -> (usize, usize) {
    ((row >> CHUNK_BITS) as usize, row as usize & (CHUNK_ROWS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(times: &[i64]) -> TransmissionTable {
        let mut table = TransmissionTable::default();
        for (i, time) in times.iter().enumerate() {
            let row = table.push(PacketHash((i as u64).to_le_bytes()), &[13, 0, i as u8]);
            if *time >= 0 {
                table.note_seen(row, UnixMillis(*time));
            }
        }
        table
    }

    #[test]
    fn a_time_window_is_exact_at_both_ends_and_skips_what_was_never_heard() {
        // Rising with disorder, every ninth not heard.
        let times: Vec<i64> =
            (0..5000).map(|i| if i % 9 == 4 { -1 } else { i * 10 + (i * 7919) % 301 }).collect();
        let mut table = table(&times);
        table.note_seen(4000, UnixMillis(5));
        let mut times = times;
        times[4000] = 5;
        for (since, until) in [(-1, i64::MAX), (0, 10), (5, 301), (20_000, 30_000), (49_000, 80_000), (9, 9)]
        {
            let expected: Vec<u32> = (0..5000)
                .filter(|row| times[*row as usize] > since && times[*row as usize] < until)
                .collect();
            let expected: Vec<u32> = expected.into_iter().filter(|row| times[*row as usize] >= 0).collect();
            let found = table.first_seen_between(UnixMillis(since), UnixMillis(until));
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{since}..{until}");
        }
        assert_eq!(
            table.first_seen_after(UnixMillis(50_000)).count(),
            times.iter().filter(|t| **t > 50_000).count()
        );
    }

    #[test]
    fn a_hash_finds_its_row_and_the_bytes_come_back() {
        let table = table(&[1, 2, 3]);
        assert_eq!(table.find(PacketHash(1u64.to_le_bytes())), Some(1));
        assert_eq!(table.find(PacketHash([9; 8])), None);
        assert_eq!(table.raw(2), [13, 0, 2]);
    }
}
