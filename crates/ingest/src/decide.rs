//! The verdict on what was read, against what is known, and the changes that follow from it.

use index::Index;
use meshcore::{Frame, TransportCodes};
use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, Transmission, TransmissionId,
    UnixMillis,
};

use crate::ledger::IngestLedger;
use crate::message::{Content, Ended, Sender};
use crate::observers::Directory;
use crate::outcome::Outcome;
use crate::packet::Heard;
use crate::status::Status;

/// Bit 7 of a head's first byte: transport codes follow the path.
const CODES_FOLLOW: u8 = 0x80;

/// Decides one batch under the index's write lock: each decision is applied before the next is made, so that two copies
/// within a batch see each other.
pub(crate) struct Decider<'d> {
    pub(crate) index: &'d mut Index,
    pub(crate) directory: &'d mut Directory,
    pub(crate) ledger: &'d IngestLedger,
    pub(crate) metrics_interval_secs: u32,
    /// What was decided, in order.
    pub(crate) changes: Vec<Change>,
    /// The observations among it.
    pub(crate) observations: Vec<ObservationId>,
}

/// A message used, and the rows that it led to.
#[derive(Clone, Copy)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) transmission: Option<TransmissionId>,
    pub(crate) observation: Option<ObservationId>,
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
        }
    }

    fn packet(
        &mut self,
        sender: &Sender<'_>,
        heard: &Heard,
        received: UnixMillis,
    ) -> Result<Decision, Ended> {
        let frame = heard.frame().ok_or_else(|| (Outcome::Internal, "the frame no longer parses".into()))?;
        let who = sender.introduction(received);
        let place = sender.place;
        let admitted = self.directory.admit(&sender.upper_key, place, &who, self.index, self.ledger);
        let admitted = admitted.map_err(|outcome| (outcome, String::new()))?;
        let changed = admitted.observer.hears_packet(&who, heard.naive_skew_secs) || admitted.is_new;
        let observer = admitted.observer.record.id;
        if changed {
            let record = admitted.observer.record.clone();
            self.apply(Change::Observer(record))?;
        }

        let known = self.index.find(heard.hash);
        let codes_of_first = match known {
            Some(id) => self.index.transmission(id).and_then(|first| first.frame().transport_codes()),
            None => frame.transport_codes(),
        };
        let head = head_bytes(&frame, codes_of_first);
        if let Some(transmission) = known.filter(|id| self.index.has_observation(*id, observer, &head)) {
            let transmission = Some(transmission);
            return Ok(Decision { outcome: Outcome::Duplicate, transmission, observation: None });
        }
        let head = self.head(head)?;
        let transmission = match known {
            Some(id) => id,
            None => self.transmission(heard)?,
        };
        let observation = self.observation(transmission, observer, head, heard)?;
        let outcome = known.map_or(Outcome::StoredTransmission, |_| Outcome::StoredObservation);
        Ok(Decision { outcome, transmission: Some(transmission), observation: Some(observation) })
    }

    fn head(&mut self, bytes: Vec<u8>) -> Result<HeadId, Ended> {
        if let Some(id) = self.index.head_id(&bytes) {
            return Ok(id);
        }
        let id = self.index.next_ids().head;
        self.apply(Change::Head(FrameHead { id, bytes: bytes.into() }))?;
        Ok(id)
    }

    fn transmission(&mut self, heard: &Heard) -> Result<TransmissionId, Ended> {
        let id = self.index.next_ids().transmission;
        self.apply(Change::Transmission(Transmission { id, hash: heard.hash, raw: heard.raw.clone() }))?;
        Ok(id)
    }

    fn observation(
        &mut self,
        transmission: TransmissionId,
        observer: ObserverId,
        head: HeadId,
        heard: &Heard,
    ) -> Result<ObservationId, Ended> {
        let id = self.index.next_ids().observation;
        let signal = heard.signal;
        self.apply(Change::Observation(Observation {
            id,
            transmission,
            observer,
            time: heard.time,
            head,
            snr: signal.snr,
            rssi: signal.rssi,
            score: signal.score,
        }))?;
        self.observations.push(id);
        Ok(id)
    }

    fn status(&mut self, sender: &Sender<'_>, status: &Status) -> Result<Decision, Ended> {
        let who = sender.introduction(status.first_seen());
        let place = sender.place;
        let admitted = self.directory.admit(&sender.upper_key, place, &who, self.index, self.ledger);
        let admitted = admitted.map_err(|outcome| (outcome, String::new()))?;
        let (outcome, changed) = status.enter(admitted.observer);
        let record = (changed || admitted.is_new).then(|| admitted.observer.record.clone());
        let observer = admitted.observer.record.id;
        if let Some(record) = record {
            self.apply(Change::Observer(record))?;
        }
        if let Some(metrics) = status.metrics(observer, self.metrics_interval_secs) {
            self.apply(Change::Metrics(metrics))?;
        }
        Ok(Decision { outcome, transmission: None, observation: None })
    }

    fn apply(&mut self, change: Change) -> Result<(), Ended> {
        self.index.apply(&change).map_err(|error| {
            tracing::error!(%error, "the index refused a change");
            (Outcome::Internal, error.to_string())
        })?;
        self.changes.push(change);
        Ok(())
    }
}

/// The head of a copy; the format is that of [`model::FrameHead`].
pub(crate) fn head_bytes(frame: &Frame<'_>, codes_of_first: Option<TransportCodes>) -> Vec<u8> {
    let path = frame.path();
    let codes = frame.transport_codes().filter(|codes| codes_of_first != Some(*codes));
    let flags = frame.route().code() | if codes.is_some() { CODES_FOLLOW } else { 0 };
    let mut bytes = Vec::with_capacity(6 + path.bytes().len());
    bytes.extend([flags, path.byte()]);
    bytes.extend_from_slice(path.bytes());
    if let Some(codes) = codes {
        bytes.extend(codes.to_bytes());
    }
    bytes
}
