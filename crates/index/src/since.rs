//! What an index has beyond certain ids.

use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, ObserverMetrics, Transmission,
};

use crate::index::{Index, NextIds};
use crate::observers::ObserverEntry;

impl Index {
    /// The changes by which an index whose next ids are `from` gets what this one has beyond it: all observers with their
    /// newest samples, mobile clients and nodes taken off the list, and the heads, transmissions, observations and receptions
    /// from these ids on (these as far as they are here: without RSSI and accuracy). Node records are not among them, since they come before
    /// everything else.
    ///
    /// It makes an index that was loaded from storage catch up with the one that went on meanwhile.
    pub fn changes_from(&self, from: NextIds) -> Vec<Change> {
        let observers = self.observers.iter().map(|entry| Change::Observer(entry.record.clone()));
        let samples = self.observers.iter().flat_map(sample_changes);
        let heads = (from.head.0..self.heads.len())
            .map(|id| Change::Head(FrameHead { id: HeadId(id), bytes: self.heads.bytes(id).into() }));
        let first = self.transmission_ids.first_row_from(from.transmission.0);
        let transmissions = (first..self.transmission_ids.len()).map(|row| self.transmission_change(row));
        let first = self.observation_ids.first_row_from(from.observation.0);
        let observations = (first..self.observation_ids.len()).map(|row| self.observation_change(row));
        let pruned = self.nodes.pruned().map(Change::Pruned);
        let (clients, receptions) = self.receptions.changes_from(from.reception);
        let clients = clients.cloned().map(Change::Client);
        let packets = heads.chain(transmissions).chain(observations);
        let coverage = clients.chain(receptions.map(Change::Reception));
        observers.chain(samples).chain(packets).chain(pruned).chain(coverage).collect()
    }

    /// A row as it came.
    pub(crate) fn transmission_change(&self, row: u32) -> Change {
        let (id, hash) = (self.transmission_id(row), self.transmissions.hash(row));
        Change::Transmission(Transmission { id, hash, raw: self.transmissions.raw(row).into() })
    }

    /// A row as it came.
    pub(crate) fn observation_change(&self, row: u32) -> Change {
        let seen = self.observations.get(row);
        Change::Observation(Observation {
            id: ObservationId(self.observation_ids.id(row)),
            transmission: self.transmission_id(seen.transmission),
            observer: ObserverId(seen.observer),
            time: seen.time,
            head: HeadId(seen.head),
            snr: seen.snr,
            rssi: seen.rssi,
            score: seen.score,
        })
    }
}

/// The samples of an observer, with what the index keeps of them.
pub(crate) fn sample_changes(entry: &ObserverEntry) -> impl Iterator<Item = Change> + '_ {
    entry.samples.iter().map(|sample| {
        Change::Metrics(ObserverMetrics {
            observer: entry.record.id,
            time: sample.time,
            noise_floor: sample.noise_floor,
            tx_air_secs: None,
            rx_air_secs: None,
            recv_errors: None,
            battery_mv: sample.battery_mv,
            packets_sent: None,
            packets_recv: None,
        })
    })
}
