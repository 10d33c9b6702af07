//! The observers and what each has heard.

use std::collections::HashMap;

use meshcore::{Location, NodeKey, PayloadType, Role};
use model::{Observation, ObservationId, ObserverId, ObserverRecord, UnixMillis};
use roaring::RoaringBitmap;

use crate::activity::MinuteRing;
use crate::hours::HourTable;
use crate::observer_activity::Newest;
use crate::samples::Samples;

/// An observer with its figures, as of the time that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct ObserverView<'a> {
    /// What it and the messages about it say.
    pub record: &'a ObserverRecord,
    /// Observations made.
    pub packet_count: u64,
    /// The greatest time of its observations.
    pub last_packet: Option<UnixMillis>,
    /// The greater of its last status and its last packet; without either, when it was first seen.
    pub last_seen: UnixMillis,
    /// Observations in the 60 minutes that end with the present one.
    pub packets_last_hour: u64,
    /// Of the node with the same key, where it adverts.
    pub location: Option<Location>,
    /// Of the node with the same key, where it adverts.
    pub role: Option<Role>,
}

/// All observers, by their ids, which may have gaps.
#[derive(Default)]
pub(crate) struct ObserverTable {
    entries: Vec<Option<Box<ObserverEntry>>>,
    /// Keys in lower case.
    by_key: HashMap<Box<str>, ObserverId>,
}

pub(crate) struct ObserverEntry {
    pub(crate) record: ObserverRecord,
    /// The key of its record, when it is that of a node.
    pub(crate) node: Option<NodeKey>,
    /// Transmissions of which it heard a copy.
    pub(crate) heard: RoaringBitmap,
    pub(crate) observations: u64,
    pub(crate) last_packet: Option<UnixMillis>,
    pub(crate) recent: MinuteRing,
    pub(crate) hours: HourTable,
    pub(crate) newest: Newest,
    pub(crate) samples: Samples,
}

impl ObserverTable {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The least id above all that are in use.
    pub(crate) fn next_id(&self) -> ObserverId {
        ObserverId(u16::try_from(self.entries.len()).unwrap_or(u16::MAX))
    }

    pub(crate) fn get(&self, id: ObserverId) -> Option<&ObserverEntry> {
        self.entries.get(usize::from(id.0))?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: ObserverId) -> Option<&mut ObserverEntry> {
        self.entries.get_mut(usize::from(id.0))?.as_deref_mut()
    }

    pub(crate) fn by_key(&self, key: &str) -> Option<ObserverId> {
        match self.by_key.get(key) {
            Some(id) => Some(*id),
            None => self.by_key.get(key.to_ascii_lowercase().as_str()).copied(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ObserverEntry> {
        self.entries.iter().flatten().map(Box::as_ref)
    }

    /// Something found by the node key of each observer, by its id.
    pub(crate) fn places<T: Clone>(&self, find: impl Fn(NodeKey) -> Option<T>) -> Vec<Option<T>> {
        self.entries.iter().map(|entry| entry.as_deref()?.node.and_then(&find)).collect()
    }

    /// Adds an observer or replaces its record. The caller has made sure that the key is its own, case aside.
    pub(crate) fn set(&mut self, record: &ObserverRecord) {
        let place = usize::from(record.id.0);
        if place >= self.entries.len() {
            self.entries.resize_with(place + 1, || None);
        }
        match &mut self.entries[place] {
            Some(entry) => {
                entry.record = record.clone();
                entry.node = record.key.parse().ok();
            }
            free => {
                *free = Some(Box::new(ObserverEntry::new(record.clone())));
                self.by_key.insert(record.key.to_ascii_lowercase().into(), record.id);
            }
        }
    }

    /// Takes over what names rows from a table of the same observers.
    pub(crate) fn take_sets_of(&mut self, other: &mut Self) {
        for entry in self.entries.iter_mut().flatten() {
            let its = other.get_mut(entry.record.id);
            entry.heard = its.map(|other| std::mem::take(&mut other.heard)).unwrap_or_default();
        }
    }

    /// The observers of any of the regions.
    pub(crate) fn of_regions(&self, regions: &[String]) -> impl Iterator<Item = &ObserverEntry> {
        self.iter().filter(|entry| entry.is_in_any(regions))
    }

    /// Bytes of heap: records and figures, the sets of transmissions heard, and hours with samples.
    pub(crate) fn heap_bytes(&self) -> [usize; 3] {
        let entry_bytes = size_of::<ObserverEntry>() + MinuteRing::HEAP_BYTES + Newest::HEAP_BYTES;
        // Keys twice, and some 200 bytes of texts.
        let records = self.len() * (entry_bytes + 2 * 64 + 200) + self.entries.capacity() * 8;
        let heard = self.iter().map(|entry| crate::memory::bitmap_bytes(&entry.heard)).sum();
        let hours = self.iter().map(|entry| entry.hours.heap_bytes() + entry.samples.heap_bytes()).sum();
        [records, heard, hours]
    }
}

impl ObserverEntry {
    fn new(record: ObserverRecord) -> Self {
        Self {
            node: record.key.parse().ok(),
            record,
            heard: RoaringBitmap::new(),
            observations: 0,
            last_packet: None,
            recent: MinuteRing::default(),
            hours: HourTable::default(),
            newest: Newest::default(),
            samples: Samples::default(),
        }
    }

    /// Takes note of an observation; `true` when it is the observer's first of this transmission.
    pub(crate) fn note_heard(&mut self, transmission: u32, time: UnixMillis, id: ObservationId) -> bool {
        self.note_copy(time, id);
        self.heard.insert(transmission)
    }

    /// Takes note of an observation whose transmission has no row.
    pub(crate) fn note_copy(&mut self, time: UnixMillis, id: ObservationId) {
        self.newest.note(time, id);
        self.observations += 1;
        self.last_packet = self.last_packet.max(Some(time));
        self.recent.add(time);
    }

    /// Takes back an observation that only storage has, and that it is to have no longer.
    pub(crate) fn take_back(&mut self, seen: &Observation, payload_type: PayloadType) {
        self.observations = self.observations.saturating_sub(1);
        self.last_packet = self.last_packet.filter(|_| self.observations > 0);
        self.newest.forget(seen.id);
        self.hours.take_back(seen.time, payload_type, seen.snr);
    }

    fn is_in_any(&self, regions: &[String]) -> bool {
        let Some(iata) = self.record.iata.as_deref().map(str::trim) else { return false };
        regions.iter().any(|region| region.trim().eq_ignore_ascii_case(iata))
    }
}
