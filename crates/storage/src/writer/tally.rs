//! What a transaction has done, kept until it is committed.

use model::Change;

use super::queue::HighestIds;

/// What a transaction would add to the counters once it is committed.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) heads: u64,
    pub(super) transmissions: u64,
    pub(super) observations: u64,
    pub(super) observers: u64,
    pub(super) metrics: u64,
    pub(super) nodes: u64,
    pub(super) dropped: u64,
    pub(super) receptions: u64,
    pub(super) clients: u64,
    pub(super) set_aside: u64,
    pub(super) bound_bytes: u64,
    pub(super) highest: HighestIds,
}

impl Tally {
    /// One more row was written.
    pub(super) fn add(&mut self, change: &Change) {
        match change {
            Change::Head(_) => self.heads += 1,
            Change::Transmission(transmission) => {
                self.transmissions += 1;
                self.highest.transmission = self.highest.transmission.max(transmission.id.0);
            }
            Change::Observation(observation) => {
                self.observations += 1;
                self.highest.observation = self.highest.observation.max(observation.id.0);
            }
            Change::Observer(_) => self.observers += 1,
            Change::Metrics(_) => self.metrics += 1,
            Change::Node(_) | Change::Pruned(_) => self.nodes += 1,
            Change::Dropped(_) => self.dropped += 1,
            Change::Client(_) => self.clients += 1,
            Change::Reception(_) => self.receptions += 1,
        }
    }

    /// Rows written.
    pub(super) fn rows(&self) -> u64 {
        let packets = self.heads + self.transmissions + self.observations;
        let coverage = self.receptions + self.clients;
        packets + self.observers + self.metrics + self.nodes + self.dropped + coverage
    }
}
