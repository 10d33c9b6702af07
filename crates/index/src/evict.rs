//! Letting the oldest packets go that storage keeps: the window of packets in memory moves on.
//!
//! It is a [`Compaction`] whose packets are removed from memory alone. What all packets add up to (nodes, the counts of
//! observers and channels, the minutes) stays as it is, so that it is the same in a small window and in a large one; only
//! what names rows is of the packets that are left.

use meshcore::PayloadType;
use model::{Change, TransmissionId};
use roaring::RoaringBitmap;

use crate::cold::{ColdSegment, HashBatch, Recognised};
use crate::compaction::Compaction;
use crate::index::Index;
use crate::observations::NONE;

/// What is to be let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Of the newest packets, so many as have this many observations stay.
    pub keep_observations: u64,
    /// So many transmissions stay in any case.
    pub least_kept: u32,
    /// The greatest transmission that storage has: later ones stay.
    pub stored: TransmissionId,
    /// By how many hashes at most packets that were let go are recognised; the oldest are forgotten first.
    pub most_hashes: usize,
    /// Transmissions of a segment.
    pub segment_transmissions: u32,
    /// Observations after which a segment ends, however few its transmissions.
    pub segment_observations: u64,
}

/// What a compaction knows when its packets stay in storage.
pub(crate) struct Evicting {
    /// So many rows from the first on.
    rows: u32,
    segments: Vec<ColdSegment>,
    /// The first row of each segment.
    starts: Vec<u32>,
    recognised: Recognised,
    batch: Option<HashBatch>,
    most_hashes: usize,
}

impl Compaction {
    /// As [`Compaction::begin`] for packets that stay in storage. `None` when there are too few for it to be worth while.
    pub fn evict(old: &Index, eviction: Eviction) -> Option<Self> {
        let rows = old.rows_beyond(&eviction);
        if rows < eviction.segment_transmissions.max(1) {
            return None;
        }
        let mut new = Index::new(old.options.clone());
        for node in old.nodes.iter() {
            // In the order of their places, which packets name. What they say is taken over at the end.
            let _ = new.apply(&Change::Node(node.record_with(0, node.last_seen)));
        }
        new.channels = old.channels.without_packets();
        let mut removed = RoaringBitmap::new();
        removed.insert_range(0..rows);
        let evicting = Evicting::of(old, rows, &eviction);
        Some(Self::without(new, removed, Vec::new(), Some(evicting)))
    }

    /// Work that needs no look at the index, to be done without a lock.
    pub fn prepare(&mut self) {
        if let Some(evicting) = &mut self.evicting {
            evicting.batch = Some(evicting.take_batch());
        }
    }
}

impl Evicting {
    fn of(old: &Index, rows: u32, eviction: &Eviction) -> Self {
        let (mut segments, mut starts) = (Vec::new(), Vec::new());
        let mut recognised = Recognised::default();
        let mut in_segment = (u32::MAX, u64::MAX);
        for row in 0..rows {
            let id = old.transmission_id(row);
            if in_segment.0 >= eviction.segment_transmissions || in_segment.1 >= eviction.segment_observations
            {
                segments.push(ColdSegment::beginning_with(id));
                starts.push(row);
                in_segment = (0, 0);
            }
            let observations = old.transmissions.state(row).observations;
            in_segment = (in_segment.0 + 1, in_segment.1 + u64::from(observations));
            if let Some(segment) = segments.last_mut() {
                segment.last = id;
                segment.transmissions += u64::from(observations > 0);
                segment.types |= 1 << old.payload_type(row).code();
            }
            recognised.hashes.push((old.transmissions.hash(row), id));
            let subject = old.transmissions.state(row).subject;
            match old.payload_type(row) {
                _ if subject == NONE => {}
                PayloadType::Advert => recognised.adverts.push((id, subject)),
                PayloadType::GroupText => recognised.texts.push((id, subject)),
                _ => {}
            }
        }
        Self { rows, segments, starts, recognised, batch: None, most_hashes: eviction.most_hashes }
    }

    fn take_batch(&mut self) -> HashBatch {
        let base = self.segments.first().map_or(TransmissionId(0), |segment| segment.first);
        HashBatch::new(base, std::mem::take(&mut self.recognised))
    }

    /// Takes note of an observation of a packet that is let go.
    pub(crate) fn note(&mut self, old: &Index, observation: u32) {
        let transmission = old.observations.transmission(observation);
        let place = self.starts.partition_point(|start| *start <= transmission) - 1;
        let id = model::ObservationId(old.observation_ids.id(observation));
        self.segments[place].note(id, old.observations.get(observation).time);
    }

    /// Gives the new index what the packets of both add up to.
    pub(crate) fn carry_over(mut self, new: &mut Index, old: &mut Index) {
        debug_assert_eq!(new.nodes.len(), old.nodes.len(), "the same nodes have the same places");
        new.nodes = std::mem::take(&mut old.nodes);
        new.nodes.let_go(self.rows);
        std::mem::swap(&mut new.observers, &mut old.observers);
        new.observers.take_sets_of(&mut old.observers);
        new.channels.take_sums_of(&mut old.channels);
        new.minutes = std::mem::take(&mut old.minutes);
        new.time_span = old.time_span;
        new.cold = std::mem::take(&mut old.cold);
        let batch = self.batch.take().unwrap_or_else(|| self.take_batch());
        new.cold.extend(self.segments, batch, self.most_hashes);
    }
}

impl Index {
    /// How many rows from the first on lie before the newest that have so many observations, and are in storage.
    fn rows_beyond(&self, eviction: &Eviction) -> u32 {
        let end = self.transmission_ids.len();
        let mut kept = 0;
        let mut first_kept = end;
        while first_kept > 0 && (kept < eviction.keep_observations || end - first_kept < eviction.least_kept)
        {
            first_kept -= 1;
            kept += u64::from(self.transmissions.state(first_kept).observations);
        }
        let next = eviction.stored.0.checked_add(1);
        first_kept.min(next.map_or(end, |next| self.transmission_ids.first_row_from(next)))
    }

    /// What storage has beyond the index, oldest first.
    pub fn cold_segments(&self) -> &[ColdSegment] {
        self.cold.segments()
    }

    /// Transmissions and observations that are in the index itself.
    pub fn in_memory(&self) -> (u64, u64) {
        (self.postings.all.len(), u64::from(self.observations.len()))
    }

    /// The least time of an observation in memory.
    pub fn oldest_in_memory(&self) -> Option<model::UnixMillis> {
        self.transmissions.earliest()
    }

    /// Packets first seen after this time are in memory; `None` when all are.
    pub fn in_memory_since(&self) -> Option<model::UnixMillis> {
        self.cold.latest()
    }

    /// Packets that were let go and would no longer be recognised.
    pub fn forgotten_hashes(&self) -> u64 {
        self.cold.forgotten()
    }
}
