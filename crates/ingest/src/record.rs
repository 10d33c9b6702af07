//! A copy that was heard, against what the index knows: the rows that follow from it.

use index::Index;
use meshcore::{Frame, TransportCodes};
use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, Transmission, TransmissionId,
};

use crate::message::Ended;
use crate::outcome::Outcome;
use crate::packet::Heard;

/// Bit 7 of a head's first byte: transport codes follow the path.
const CODES_FOLLOW: u8 = 0x80;

/// Applies each change to the index before the next is decided, so that two copies within a batch see each other.
pub(crate) struct Recorder<'d> {
    pub(crate) index: &'d mut Index,
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
    /// What a duplicate is one of.
    pub(crate) repeats: Option<ObservationId>,
}

impl Recorder<'_> {
    /// Records a copy, unless its observer has heard the same content by the same hops before.
    pub(crate) fn copy(&mut self, observer: ObserverId, heard: &Heard) -> Result<Decision, Ended> {
        let frame = heard.frame().ok_or_else(|| (Outcome::Internal, "the frame no longer parses".into()))?;
        let known = self.index.find(heard.hash);
        let codes_of_first = match known {
            Some(id) => self.index.transmission(id).and_then(|first| first.frame().transport_codes()),
            None => frame.transport_codes(),
        };
        let head = head_bytes(&frame, codes_of_first);
        let repeats = known.and_then(|id| self.index.observation_of(id, observer, &head));
        if repeats.is_some() {
            let outcome = Outcome::Duplicate;
            return Ok(Decision { outcome, transmission: known, observation: None, repeats });
        }
        let head = self.head(head)?;
        let transmission = match known {
            Some(id) => id,
            None => self.transmission(heard)?,
        };
        let observation = Some(self.observation(transmission, observer, head, heard)?);
        let outcome = known.map_or(Outcome::StoredTransmission, |_| Outcome::StoredObservation);
        Ok(Decision { outcome, transmission: Some(transmission), observation, repeats: None })
    }

    /// Applies a change to the index and keeps it for the writer.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), Ended> {
        self.index.apply(&change).map_err(|error| {
            tracing::error!(%error, "the index refused a change");
            (Outcome::Internal, error.to_string())
        })?;
        self.changes.push(change);
        Ok(())
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
}

/// The head of a copy; the format is that of [`model::FrameHead`].
fn head_bytes(frame: &Frame<'_>, codes_of_first: Option<TransportCodes>) -> Vec<u8> {
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
