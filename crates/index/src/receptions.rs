//! What mobile clients heard where: columns in chunks, of which the newest half million rows are kept.
//!
//! A question about coverage has a rectangle, a span of time and perhaps a node or client, and wants cells of any of sixteen
//! sizes. So nothing is summed up ahead: a scan of columns costs nanoseconds a row, and is made outside the lock, over chunks
//! that are shared and copied when a row is added while somebody reads them.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use model::{ClientId, ClientObserver, Reception, ReceptionId, SnrQuarterDb, UnixMillis};

use crate::error::ApplyError;
use crate::hex_grid::MercatorPoint;
use crate::id_runs::IdRuns;

/// Receptions that are looked at, the newest: a month of a dozen busy clients, in some 15 MB. Older ones stay in the database.
pub const MAX_RECEPTIONS: usize = 500_000;

/// Rows of a chunk: copying one, while somebody reads it, takes some 0.1 ms.
const CHUNK_ROWS: usize = 16_384;

/// Stands for "not measured", and is itself no measurement of any radio.
const NO_SNR: i8 = i8::MIN;

/// Lengths of a node's name in a reception: two or three bytes of its key, or up to all of it.
const HEARD_BYTES: std::ops::RangeInclusive<usize> = 2..=32;

/// The clients, by their ids, and what they have heard.
#[derive(Default)]
pub(crate) struct ReceptionTable {
    clients: Vec<Option<ClientObserver>>,
    by_key: HashMap<Box<str>, ClientId>,
    /// Oldest first; none is empty.
    chunks: VecDeque<Arc<Chunk>>,
    rows: usize,
    last_id: u64,
    /// Below these no reception is new.
    least_id: u64,
    /// Seconds since 1970 before which nothing is shown.
    floor: u32,
    hasher: DefaultHashBuilder,
}

/// Some rows, in the order of their ids.
#[derive(Clone, Default)]
pub(crate) struct Chunk {
    ids: IdRuns,
    pub(crate) points: Vec<MercatorPoint>,
    /// Seconds since 1970.
    pub(crate) secs: Vec<u32>,
    pub(crate) clients: Vec<u16>,
    /// Places in `keys`.
    pub(crate) heard: Vec<u16>,
    snrs: Vec<i8>,
    /// The different nodes heard in this chunk.
    pub(crate) keys: Vec<Box<[u8]>>,
    key_places: HashMap<Box<[u8]>, u16>,
    /// Rows by (client, heard, time).
    seen: HashTable<u16>,
    /// Greatest of `secs`.
    pub(crate) newest: u32,
}

impl ReceptionTable {
    pub(crate) fn client(&self, id: ClientId) -> Option<&ClientObserver> {
        self.clients.get(usize::from(id.0))?.as_ref()
    }

    pub(crate) fn client_by_key(&self, key: &str) -> Option<ClientId> {
        match self.by_key.get(key) {
            Some(id) => Some(*id),
            None => self.by_key.get(key.to_ascii_lowercase().as_str()).copied(),
        }
    }

    pub(crate) fn clients(&self) -> impl Iterator<Item = &ClientObserver> {
        self.clients.iter().flatten()
    }

    pub(crate) fn next_client(&self) -> ClientId {
        ClientId(u16::try_from(self.clients.len()).unwrap_or(u16::MAX))
    }

    pub(crate) fn next_id(&self) -> ReceptionId {
        ReceptionId(self.last_id.saturating_add(1).max(self.least_id))
    }

    pub(crate) fn pass_over(&mut self, id: ReceptionId) {
        self.least_id = self.least_id.max(id.0.saturating_add(1));
    }

    pub(crate) fn set_client(&mut self, client: &ClientObserver) -> Result<(), ApplyError> {
        let (id, place) = (client.id, usize::from(client.id.0));
        let taken = self.by_key.get(&client.key).is_some_and(|known| *known != id);
        let changed = self.client(id).is_some_and(|known| known.key != client.key);
        if taken || changed {
            return Err(ApplyError::ClientKey { id });
        }
        if place >= self.clients.len() {
            self.clients.resize_with(place + 1, || None);
        }
        self.by_key.insert(client.key.clone(), id);
        self.clients[place] = Some(client.clone());
        Ok(())
    }

    pub(crate) fn push(&mut self, new: &Reception) -> Result<(), ApplyError> {
        let (id, least) = (new.id, ReceptionId(self.last_id.saturating_add(1)));
        if id < least {
            return Err(ApplyError::ReceptionOrder { id, least });
        }
        if self.client(new.client).is_none() {
            return Err(ApplyError::UnknownClient { id, client: new.client });
        }
        let secs = seconds(new.time).filter(|_| HEARD_BYTES.contains(&new.heard.len()));
        let secs = secs.ok_or(ApplyError::ReceptionMalformed { id })?;
        if self.contains(new.client, &new.heard, new.time) {
            return Err(ApplyError::ReceptionDuplicate { id });
        }
        if self.chunks.back().is_none_or(|chunk| chunk.len() == CHUNK_ROWS) {
            self.chunks.push_back(Arc::default());
        }
        let hasher = &self.hasher;
        if let Some(chunk) = self.chunks.back_mut() {
            Arc::make_mut(chunk).push(new, secs, hasher);
        }
        self.last_id = id.0;
        self.rows += 1;
        if let Some(oldest) = self.chunks.front().map(|chunk| chunk.len())
            && self.rows - oldest >= MAX_RECEPTIONS
        {
            self.chunks.pop_front();
            self.rows -= oldest;
        }
        Ok(())
    }

    /// Whether the client has said so before.
    pub(crate) fn contains(&self, client: ClientId, heard: &[u8], time: UnixMillis) -> bool {
        let Some(secs) = seconds(time) else { return false };
        self.chunks.iter().rev().any(|chunk| chunk.contains(client, heard, secs, &self.hasher))
    }

    /// Shows nothing from before `time` any more, and frees what is all from before.
    pub(crate) fn forget_before(&mut self, time: UnixMillis) {
        self.floor = self.floor.max(seconds(time).unwrap_or(0));
        let (floor, mut rows) = (self.floor, 0);
        self.chunks.retain(|chunk| chunk.newest >= floor);
        self.chunks.iter().for_each(|chunk| rows += chunk.len());
        self.rows = rows;
    }

    /// The chunks with rows as of now, newest first, and the seconds before which nothing is shown.
    pub(crate) fn snapshot(&self) -> (Vec<Arc<Chunk>>, u32) {
        (self.chunks.iter().rev().cloned().collect(), self.floor)
    }

    /// The clients, and the receptions from this id on, as far as they are known here: without RSSI and accuracy.
    pub(crate) fn changes_from(
        &self,
        from: ReceptionId,
    ) -> (impl Iterator<Item = &ClientObserver>, impl Iterator<Item = Reception>) {
        let rows = self.chunks.iter().flat_map(move |chunk| {
            (chunk.ids.first_row_from(from.0)..chunk.ids.len()).map(|row| chunk.reception(row))
        });
        (self.clients(), rows)
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.heap_bytes()).sum();
        // Keys twice, and some 100 bytes of texts and map.
        chunks + self.clients.capacity() * size_of::<Option<ClientObserver>>() + self.by_key.len() * 230
    }
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        self.secs.len()
    }

    pub(crate) fn snr(&self, row: usize) -> Option<SnrQuarterDb> {
        Some(self.snrs[row]).filter(|snr| *snr != NO_SNR).map(SnrQuarterDb)
    }

    fn push(&mut self, new: &Reception, secs: u32, hasher: &DefaultHashBuilder) {
        let next_key = self.keys.len() as u16;
        let heard = *self.key_places.entry(new.heard.clone()).or_insert(next_key);
        if heard == next_key {
            self.keys.push(new.heard.clone());
        }
        let row = self.len() as u16;
        self.ids.push(new.id.0);
        self.points.push(MercatorPoint::of(new.location));
        self.secs.push(secs);
        self.clients.push(new.client.0);
        self.heard.push(heard);
        self.snrs.push(new.snr.map_or(NO_SNR, |snr| snr.0.max(NO_SNR + 1)));
        self.newest = self.newest.max(secs);
        let hash = hasher.hash_one((new.client.0, heard, secs));
        let mut seen = std::mem::take(&mut self.seen);
        seen.insert_unique(hash, row, |row| hasher.hash_one(self.key(*row)));
        self.seen = seen;
    }

    fn contains(&self, client: ClientId, heard: &[u8], secs: u32, hasher: &DefaultHashBuilder) -> bool {
        let Some(heard) = self.key_places.get(heard) else { return false };
        let key = (client.0, *heard, secs);
        self.seen.find(hasher.hash_one(key), |row| self.key(*row) == key).is_some()
    }

    fn key(&self, row: u16) -> (u16, u16, u32) {
        let row = usize::from(row);
        (self.clients[row], self.heard[row], self.secs[row])
    }

    fn reception(&self, number: u32) -> Reception {
        let row = number as usize;
        Reception {
            id: ReceptionId(self.ids.id(number)),
            client: ClientId(self.clients[row]),
            time: UnixMillis(i64::from(self.secs[row]) * 1_000),
            heard: self.keys[usize::from(self.heard[row])].clone(),
            location: self.points[row].location(),
            accuracy_m: None,
            rssi: None,
            snr: self.snr(row),
        }
    }

    fn heap_bytes(&self) -> usize {
        let columns = self.points.capacity() * 8 + self.secs.capacity() * 4 + self.clients.capacity() * 5;
        let keys: usize = self.keys.iter().map(|key| 2 * key.len() + 16 + 3 * 18).sum();
        columns + keys + self.seen.allocation_size() + self.ids.heap_bytes()
    }
}

/// Whole seconds since 1970; `None` before that and after the year 2106.
fn seconds(time: UnixMillis) -> Option<u32> {
    u32::try_from(time.0.div_euclid(1_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reception(id: u64) -> Reception {
        Reception {
            id: ReceptionId(id),
            client: ClientId(0),
            time: UnixMillis(id.cast_signed() * 1_000),
            heard: [1, (id % 7) as u8].into(),
            location: (47_000_000 + id as i32, 8_000_000),
            accuracy_m: None,
            rssi: None,
            snr: Some(SnrQuarterDb((id % 90) as i8)),
        }
    }

    fn table(rows: u64) -> ReceptionTable {
        let mut table = ReceptionTable::default();
        let (key, name, last_seen) = ("ab".into(), None, UnixMillis(0));
        table.set_client(&ClientObserver { id: ClientId(0), key, name, last_seen }).unwrap();
        (1..=rows).for_each(|id| table.push(&reception(id)).unwrap());
        table
    }

    #[test]
    fn rows_come_back_as_they_were_and_repeats_are_known() {
        let table = table(40_000);
        let rows: Vec<_> = table.changes_from(ReceptionId(16_000)).1.collect();
        assert_eq!(rows.len(), 24_001);
        assert!(rows.iter().zip(16_000..).all(|(found, id)| *found == reception(id)));
        let heard = |id| (ClientId(0), reception(id).heard, reception(id).time);
        for id in [1, 16_384, 16_385, 40_000] {
            let (client, node, time) = heard(id);
            assert!(table.contains(client, &node, time), "{id}");
            assert!(!table.contains(client, &[9, 9], time));
        }
        assert!(!table.contains(ClientId(0), &[1, 2], UnixMillis(99_999_000)));
    }

    #[test]
    fn no_more_than_the_newest_rows_are_kept() {
        let table = table(MAX_RECEPTIONS as u64 + 40_000);
        assert!((MAX_RECEPTIONS..MAX_RECEPTIONS + CHUNK_ROWS).contains(&table.rows), "{}", table.rows);
        assert_eq!(table.rows, table.chunks.iter().map(|chunk| chunk.len()).sum::<usize>());
        assert!(table.heap_bytes() < 20 << 20, "{} bytes", table.heap_bytes());
    }

    #[test]
    fn what_was_forgotten_is_freed_chunk_by_chunk() {
        let mut table = table(40_000);
        table.forget_before(UnixMillis(20_000_000));
        assert_eq!((table.rows, table.snapshot().1), (40_000 - CHUNK_ROWS, 20_000));
        table.forget_before(UnixMillis(i64::from(u32::MAX) * 1_000));
        assert_eq!((table.rows, table.next_id()), (0, ReceptionId(40_001)));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut table = table(3);
        for refused in [
            reception(3),
            Reception { id: ReceptionId(4), ..reception(2) },
            Reception { client: ClientId(1), ..reception(4) },
            Reception { heard: [1].into(), ..reception(4) },
            Reception { heard: [1; 33].into(), ..reception(4) },
            Reception { time: UnixMillis(-1), ..reception(4) },
        ] {
            table.push(&refused).unwrap_err();
        }
        assert_eq!((table.rows, table.next_id()), (3, ReceptionId(4)));
        let other = |id, key: &str| {
            let (key, name, last_seen) = (key.into(), None, UnixMillis(0));
            ClientObserver { id: ClientId(id), key, name, last_seen }
        };
        table.set_client(&other(1, "ab")).unwrap_err();
        table.set_client(&other(0, "cd")).unwrap_err();
        table.set_client(&other(2, "cd")).unwrap();
        assert_eq!((table.client_by_key("CD"), table.next_client()), (Some(ClientId(2)), ClientId(3)));
    }
}
