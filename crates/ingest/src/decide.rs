//! The verdict on what was read, against what is known, and the changes that follow from it.

use model::{Change, UnixMillis};

use crate::ledger::IngestLedger;
use crate::message::{Content, Ended, Sender};
use crate::observers::Directory;
use crate::packet::Heard;
use crate::record::{Decision, Recorder};
use crate::status::Status;

/// Decides one batch under the index's write lock: each decision is applied before the next is made, so that two copies
/// within a batch see each other.
pub(crate) struct Decider<'d> {
    pub(crate) recorder: Recorder<'d>,
    pub(crate) directory: &'d mut Directory,
    pub(crate) ledger: &'d IngestLedger,
    pub(crate) metrics_interval_secs: u32,
    pub(crate) max_clients: usize,
}

impl Decider<'_> {
    pub(crate) fn decide(
        &mut self,
        sender: &Sender<'_>,
        content: &Content,
        received: UnixMillis,
    ) -> Result<Decision, Ended> {
        match content {
            Content::Packet(heard) => self.packet(sender, heard, received),
            Content::Status(status) => self.status(sender, status),
            Content::Reception(found) => self.recorder.reception(sender, found, received, self.max_clients),
        }
    }

    fn packet(
        &mut self,
        sender: &Sender<'_>,
        heard: &Heard,
        received: UnixMillis,
    ) -> Result<Decision, Ended> {
        let who = sender.introduction(received);
        let place = sender.place;
        let admitted = self.directory.admit(&sender.upper_key, place, &who, self.recorder.index, self.ledger);
        let admitted = admitted.map_err(|outcome| (outcome, String::new()))?;
        let changed = admitted.observer.hears_packet(&who, heard.naive_skew_secs) || admitted.is_new;
        let observer = admitted.observer.record.id;
        if changed {
            let record = admitted.observer.record.clone();
            self.recorder.apply(Change::Observer(record))?;
        }
        self.recorder.copy(observer, heard)
    }

    fn status(&mut self, sender: &Sender<'_>, status: &Status) -> Result<Decision, Ended> {
        let who = sender.introduction(status.first_seen());
        let place = sender.place;
        let admitted = self.directory.admit(&sender.upper_key, place, &who, self.recorder.index, self.ledger);
        let admitted = admitted.map_err(|outcome| (outcome, String::new()))?;
        let (outcome, changed) = status.enter(admitted.observer);
        let record = (changed || admitted.is_new).then(|| admitted.observer.record.clone());
        let observer = admitted.observer.record.id;
        if let Some(record) = record {
            self.recorder.apply(Change::Observer(record))?;
        }
        if let Some(metrics) = status.metrics(observer, self.metrics_interval_secs) {
            self.recorder.apply(Change::Metrics(metrics))?;
        }
        Ok(Decision { outcome, transmission: None, observation: None, repeats: None })
    }
}
