//! The observations: 26 bytes of columns each, in chunks.

use model::{SnrQuarterDb, UnixMillis};

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// Rows of a chunk, and the shift and mask that find a row's chunk and place.
pub(crate) const CHUNK_ROWS: usize = 1 << CHUNK_BITS;
pub(crate) const CHUNK_BITS: u32 = 16;

/// Times take 46 bits of milliseconds, which end in the year 4199: six bytes a row, and 32 bits are left for the
/// buckets of the latest index.
pub(crate) const TIME_END: i64 = 1 << 46;

/// An observation with row numbers in place of ids.
#[derive(Clone, Copy)]
pub(crate) struct ObservationRow {
    pub(crate) transmission: u32,
    pub(crate) observer: u16,
    pub(crate) head: u32,
    pub(crate) time: UnixMillis,
    pub(crate) snr: Option<SnrQuarterDb>,
    pub(crate) rssi: Option<i16>,
    pub(crate) score: Option<u16>,
}

/// All observations, in the order of their ids.
#[derive(Default)]
pub(crate) struct ObservationColumns {
    chunks: Vec<Chunk>,
    /// Per row the next observation of the same transmission. It alone is written after the row was, so it stands
    /// apart: the chunks before the newest never change and could be shared with readers outside the lock.
    next: Vec<Vec<u32>>,
    rows: u32,
}

/// Columns of up to [`CHUNK_ROWS`] rows.
#[derive(Default)]
struct Chunk {
    event: Vec<HeardEvent>,
    snr: Vec<i8>,
    rssi: Vec<i16>,
    score: Vec<u16>,
    /// Which of the three columns above hold a value: every number of theirs can be a real one.
    present: Vec<u8>,
}

/// Who heard what, how and when: always read together, by following a transmission's observations or by the duplicate
/// check, so they share a cache line.
#[derive(Clone, Copy)]
struct HeardEvent {
    transmission: u32,
    head: u32,
    time_low: u32,
    time_high: u16,
    observer: u16,
}

const HAS_SNR: u8 = 1;
const HAS_RSSI: u8 = 2;
const HAS_SCORE: u8 = 4;

/// Whether an observation can have this time: from 1970 until the year 4199.
pub fn can_hold(time: UnixMillis) -> bool {
    (0..TIME_END).contains(&time.0)
}

impl ObservationColumns {
    pub(crate) fn len(&self) -> u32 {
        self.rows
    }

    /// Appends a row, whose time fits.
    pub(crate) fn push(&mut self, row: &ObservationRow) -> u32 {
        let number = self.rows;
        if (number as usize).is_multiple_of(CHUNK_ROWS) {
            // Only the first chunk grows step by step: small indexes stay small, large ones do not copy.
            let capacity = if self.chunks.is_empty() { 0 } else { CHUNK_ROWS };
            self.chunks.push(Chunk::with_capacity(capacity));
            self.next.push(Vec::with_capacity(capacity));
        }
        let chunk = place(number).0;
        self.chunks[chunk].push(row);
        self.next[chunk].push(NONE);
        self.rows += 1;
        number
    }

    /// Makes `next` the observation after `row` of the same transmission.
    pub(crate) fn link(&mut self, row: u32, next: u32) {
        let (chunk, i) = place(row);
        self.next[chunk][i] = next;
    }

    /// The next observation of the same transmission, or [`NONE`].
    pub(crate) fn next(&self, row: u32) -> u32 {
        let (chunk, i) = place(row);
        self.next[chunk][i]
    }

    pub(crate) fn transmission(&self, row: u32) -> u32 {
        let (chunk, i) = place(row);
        self.chunks[chunk].event[i].transmission
    }

    pub(crate) fn observer(&self, row: u32) -> u16 {
        let (chunk, i) = place(row);
        self.chunks[chunk].event[i].observer
    }

    pub(crate) fn head(&self, row: u32) -> u32 {
        let (chunk, i) = place(row);
        self.chunks[chunk].event[i].head
    }

    pub(crate) fn time(&self, row: u32) -> UnixMillis {
        let (chunk, i) = place(row);
        self.chunks[chunk].event[i].time()
    }

    pub(crate) fn snr(&self, row: u32) -> Option<SnrQuarterDb> {
        let (chunk, i) = place(row);
        let chunk = &self.chunks[chunk];
        (chunk.present[i] & HAS_SNR != 0).then(|| SnrQuarterDb(chunk.snr[i]))
    }

    pub(crate) fn rssi(&self, row: u32) -> Option<i16> {
        let (chunk, i) = place(row);
        let chunk = &self.chunks[chunk];
        (chunk.present[i] & HAS_RSSI != 0).then(|| chunk.rssi[i])
    }

    pub(crate) fn get(&self, row: u32) -> ObservationRow {
        let (chunk, i) = place(row);
        let chunk = &self.chunks[chunk];
        let (event, present) = (chunk.event[i], chunk.present[i]);
        ObservationRow {
            transmission: event.transmission,
            observer: event.observer,
            head: event.head,
            time: event.time(),
            snr: (present & HAS_SNR != 0).then(|| SnrQuarterDb(chunk.snr[i])),
            rssi: (present & HAS_RSSI != 0).then(|| chunk.rssi[i]),
            score: (present & HAS_SCORE != 0).then(|| chunk.score[i]),
        }
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let columns: usize = self.chunks.iter().map(Chunk::heap_bytes).sum();
        let links: usize = self.next.iter().map(|next| next.capacity() * 4).sum();
        columns + links + self.chunks.capacity() * size_of::<Chunk>()
    }
}

impl HeardEvent {
    fn time(&self) -> UnixMillis {
        UnixMillis(i64::from(self.time_high) << 32 | i64::from(self.time_low))
    }
}

impl Chunk {
    fn with_capacity(rows: usize) -> Self {
        Self {
            event: Vec::with_capacity(rows),
            snr: Vec::with_capacity(rows),
            rssi: Vec::with_capacity(rows),
            score: Vec::with_capacity(rows),
            present: Vec::with_capacity(rows),
        }
    }

    fn push(&mut self, row: &ObservationRow) {
        let mut present = 0;
        for (is_some, bit) in
            [(row.snr.is_some(), HAS_SNR), (row.rssi.is_some(), HAS_RSSI), (row.score.is_some(), HAS_SCORE)]
        {
            present |= if is_some { bit } else { 0 };
        }
        self.event.push(HeardEvent {
            transmission: row.transmission,
            head: row.head,
            time_low: row.time.0 as u32,
            time_high: (row.time.0 >> 32) as u16,
            observer: row.observer,
        });
        self.snr.push(row.snr.map_or(0, |snr| snr.0));
        self.rssi.push(row.rssi.unwrap_or(0));
        self.score.push(row.score.unwrap_or(0));
        self.present.push(present);
    }

    fn heap_bytes(&self) -> usize {
        self.event.capacity() * size_of::<HeardEvent>()
            + (self.rssi.capacity() + self.score.capacity()) * 2
            + self.snr.capacity()
            + self.present.capacity()
    }
}

fn place(row: u32) -> (usize, usize) {
    ((row >> CHUNK_BITS) as usize, row as usize & (CHUNK_ROWS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_pushed_across_chunks() {
        let row = |i: u32| ObservationRow {
            transmission: i / 10,
            observer: (i % 70) as u16,
            head: i.wrapping_mul(17),
            time: UnixMillis((i64::from(i) * 7_919_777_777) % TIME_END),
            snr: i.is_multiple_of(2).then_some(SnrQuarterDb(i as i8)),
            rssi: i.is_multiple_of(3).then_some(i as i16),
            score: i.is_multiple_of(5).then_some(i as u16),
        };
        let mut columns = ObservationColumns::default();
        for i in 0..200_000 {
            assert_eq!(columns.push(&row(i)), i);
        }
        for i in (0..200_000).step_by(77) {
            let (found, pushed) = (columns.get(i), row(i));
            assert_eq!(found.time, pushed.time);
            assert_eq!((found.snr, found.rssi, found.score), (pushed.snr, pushed.rssi, pushed.score));
            assert_eq!(columns.transmission(i), pushed.transmission);
            assert_eq!((columns.observer(i), columns.head(i)), (pushed.observer, pushed.head));
            assert_eq!(columns.next(i), NONE);
        }
        columns.link(65_535, 65_536);
        assert_eq!(columns.next(65_535), 65_536);
        // 26 bytes a row, with at most one chunk of room.
        assert!(columns.heap_bytes() < 26 * (200_000 + CHUNK_ROWS) + 4096);
    }

    #[test]
    fn times_fit_from_1970_to_the_year_4199() {
        assert!(can_hold(UnixMillis(0)));
        assert!(can_hold(UnixMillis(TIME_END - 1)));
        assert!(!can_hold(UnixMillis(TIME_END)));
        assert!(!can_hold(UnixMillis(-1)));
    }
}
