//! Forgetting old packets: an index without them is built beside the one in use, a portion at a time, and takes its place.
//!
//! Columns, postings and aggregates are made for growing, so taking a packet out of each of them would be a second way in
//! and out of the index that could disagree with the first. Instead the kept rows go through [`Index::apply`] once more:
//! whatever follows from a packet is gone with it, because it was never there.

use meshcore::{NodeKey, PayloadType};
use model::{Change, FrameHead, HeadId, NodeRecord, ObservationId, TransmissionId, UnixMillis};
use roaring::RoaringBitmap;
use std::collections::BTreeMap;

use crate::error::ApplyError;
use crate::evict::Evicting;
use crate::index::Index;
use crate::observations::NONE;

/// An index under construction, without the packets first seen before a certain time.
pub struct Compaction {
    new: Index,
    /// Rows of the old index.
    removed: RoaringBitmap,
    records: Vec<NodeRecord>,
    heads: u32,
    transmissions: u32,
    observations: u32,
    /// Set when the packets stay in storage.
    pub(crate) evicting: Option<Evicting>,
}

/// What is no longer in the index, and is to be removed from storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// In the order of their ids.
    pub packets: Vec<RemovedPacket>,
    /// What the records of the nodes whose adverts are among them are when all of these are gone.
    pub nodes: Vec<NodeRecord>,
}

/// A packet that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedPacket {
    /// Its row.
    pub transmission: TransmissionId,
    /// All its observations.
    pub observations: Vec<ObservationId>,
    /// Whose advert it was.
    pub advert_of: Option<NodeKey>,
}

impl Compaction {
    /// Decides what is to go: the packets first seen before `before`. `None` when there is no such packet in
    /// memory, and while storage has older ones than the index: these go first ([`Index::forget_cold`]).
    pub fn begin(old: &Index, before: UnixMillis) -> Option<Self> {
        if !old.cold_segments().is_empty() {
            return None;
        }
        let removed = old.transmissions.first_seen_between(UnixMillis(i64::MIN), before);
        if removed.is_empty() {
            return None;
        }
        let records = records_after(old, &removed);
        let mut new = Index::new(old.options.clone());
        let nodes =
            old.nodes.iter().filter_map(crate::nodes::Node::record).map(|record| (record.key, record));
        let mut all: BTreeMap<NodeKey, NodeRecord> = nodes.collect();
        all.extend(records.iter().map(|record| (record.key, record.clone())));
        for record in all.into_values() {
            // Nothing was applied before, so it cannot be too late.
            let _ = new.apply(&Change::Node(record));
        }
        old.nodes.pruned().for_each(|node| new.nodes.prune(&node));
        Some(Self::without(new, removed, records, None))
    }

    pub(crate) fn without(
        new: Index,
        removed: RoaringBitmap,
        records: Vec<NodeRecord>,
        evicting: Option<Evicting>,
    ) -> Self {
        Self { new, removed, records, heads: 0, transmissions: 0, observations: 0, evicting }
    }

    /// Takes over up to `rows` rows of each kind; `true` when there are none left at the moment.
    ///
    /// # Errors
    /// When the new index refuses what the old one has, which would be a fault of this program; the old one is then as good
    /// as before.
    pub fn step(&mut self, old: &Index, rows: u32) -> Result<bool, ApplyError> {
        for entry in old.observers.iter() {
            if self.new.observer_record(entry.record.id) != Some(&entry.record) {
                self.new.apply(&Change::Observer(entry.record.clone()))?;
            }
        }
        let end = old.heads.len().min(self.heads.saturating_add(rows));
        for id in self.heads..end {
            let bytes = old.heads.bytes(id).into();
            self.new.apply(&Change::Head(FrameHead { id: HeadId(id), bytes }))?;
        }
        let heads_done = end == old.heads.len();
        self.heads = end;

        let end = old.transmission_ids.len().min(self.transmissions.saturating_add(rows));
        for row in self.transmissions..end {
            if !self.removed.contains(row) {
                self.new.apply(&old.transmission_change(row))?;
            }
        }
        let transmissions_done = end == old.transmission_ids.len();
        self.transmissions = end;
        if !heads_done || !transmissions_done {
            // Observations name both, in no order of theirs.
            return Ok(false);
        }

        let end = old.observations.len().min(self.observations.saturating_add(rows));
        for row in self.observations..end {
            if !self.removed.contains(old.observations.transmission(row)) {
                self.new.apply(&old.observation_change(row))?;
            } else if let Some(evicting) = &mut self.evicting {
                evicting.note(old, row);
            }
        }
        self.observations = end;
        Ok(end == old.observations.len())
    }

    /// Takes over what has come meanwhile, and puts the new index in the place of the old one, which is returned so that
    /// it can be dropped outside the lock. From here on a further copy of a removed packet is a new packet. Nothing is
    /// removed that stays in storage ([`Compaction::evict`]): a further copy of it is an observation of it.
    ///
    /// # Errors
    /// As [`Compaction::step`].
    pub fn finish(mut self, index: &mut Index) -> Result<(Removed, Index), ApplyError> {
        while !self.step(index, u32::MAX)? {}
        for entry in index.observers.iter() {
            // What observers say of themselves does not depend on packets.
            if let Some(new) = self.new.observers.get_mut(entry.record.id) {
                new.samples = entry.samples.clone();
            }
        }
        let next = index.next_ids();
        self.new.pass_over_ids(
            TransmissionId(next.transmission.0.saturating_sub(1)),
            ObservationId(next.observation.0.saturating_sub(1)),
        );
        // Until the next one is made, what is known of the mesh stays.
        self.new.set_hops(index.hops());
        // Receptions have an age of their own, and nothing in them refers to packets.
        std::mem::swap(&mut self.new.receptions, &mut index.receptions);
        if let Some(evicting) = self.evicting {
            evicting.carry_over(&mut self.new, index);
            return Ok((Removed::default(), std::mem::replace(index, self.new)));
        }
        index.nodes.pruned().for_each(|node| self.new.nodes.prune(&node));
        let packets = self.removed.iter().map(|row| removed_packet(index, row));
        let removed = Removed { packets: packets.collect(), nodes: self.records };
        Ok((removed, std::mem::replace(index, self.new)))
    }
}

impl std::fmt::Debug for Compaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compaction(without {} packets)", self.removed.len())
    }
}

fn removed_packet(index: &Index, row: u32) -> RemovedPacket {
    let subject = index.transmissions.state(row).subject;
    let is_advert = index.payload_type(row) == PayloadType::Advert && subject != NONE;
    RemovedPacket {
        transmission: index.transmission_id(row),
        observations: observations_of(index, row),
        advert_of: is_advert.then(|| index.nodes.at(subject).key),
    }
}

fn observations_of(index: &Index, transmission: u32) -> Vec<ObservationId> {
    let mut found = Vec::new();
    let mut row = index.transmissions.state(transmission).first;
    while row != NONE {
        found.push(ObservationId(index.observation_ids.id(row)));
        row = index.observations.next(row);
    }
    found
}

/// The records of the nodes that lose adverts: what is known of each now, the adverts added that go.
fn records_after(old: &Index, removed: &RoaringBitmap) -> Vec<NodeRecord> {
    let mut losses: BTreeMap<u32, (u32, UnixMillis)> = BTreeMap::new();
    for row in removed & &old.postings.types[usize::from(PayloadType::Advert.code())] {
        let state = old.transmissions.state(row);
        if state.subject != NONE {
            let (adverts, last_seen) = losses.entry(state.subject).or_insert((0, UnixMillis(i64::MIN)));
            *adverts += 1;
            *last_seen = state.latest.max(*last_seen);
        }
    }
    let record = |(place, (adverts, last_seen))| old.nodes.at(place).record_with(adverts, last_seen);
    losses.into_iter().map(record).collect()
}
