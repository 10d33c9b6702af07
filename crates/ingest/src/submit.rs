//! Packets that come by the API instead of MQTT.

use model::{ObservationId, TransmissionId};
use tokio::sync::{mpsc, oneshot};

use crate::outcome::Outcome;

/// Submissions that may wait; further callers wait for room.
pub(crate) const MAX_WAITING: usize = 256;

/// A packet given to the API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketSubmission {
    /// The whole frame in hex digits of either case.
    pub raw: String,
    /// The key or plain id of who heard it; `api` if missing.
    pub observer: Option<String>,
    /// Signal-to-noise ratio in dB.
    pub snr: Option<f64>,
    /// Signal strength in dBm.
    pub rssi: Option<f64>,
    /// Region code of the observer.
    pub region: Option<String>,
}

/// What became of a submission, once that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitAnswer {
    /// It is kept.
    Stored {
        /// Its packet.
        transmission: TransmissionId,
        /// This hearing of it.
        observation: ObservationId,
    },
    /// It was known already, from this observer by this path.
    Duplicate {
        /// Its packet.
        transmission: TransmissionId,
    },
    /// It was not taken.
    Refused {
        /// Why.
        outcome: Outcome,
        /// More on that.
        detail: String,
    },
}

/// Why there is no answer to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The program is stopping.
    #[error("ingest has stopped")]
    Stopped,
    /// The database did not take the packet, so it is not safe.
    #[error("the packet could not be made durable")]
    NotDurable,
}

/// Hands packets to the ingest thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SubmitHandle {
    requests: mpsc::Sender<SubmitRequest>,
}

/// A submission whose sender waits for the answer.
#[derive(Debug)]
pub(crate) struct SubmitRequest {
    pub(crate) submission: PacketSubmission,
    pub(crate) answer: oneshot::Sender<SubmitAnswer>,
}

impl SubmitHandle {
    pub(crate) fn new() -> (SubmitHandle, mpsc::Receiver<SubmitRequest>) {
        let (requests, receiver) = mpsc::channel(MAX_WAITING);
        (SubmitHandle { requests }, receiver)
    }

    /// Hands in a packet and waits until what became of it is durable.
    ///
    /// # Errors
    /// When ingest has stopped, or could not make it durable.
    pub async fn submit(&self, submission: PacketSubmission) -> Result<SubmitAnswer, IngestError> {
        let (answer, answered) = oneshot::channel();
        let request = SubmitRequest { submission, answer };
        self.requests.send(request).await.map_err(|_| IngestError::Stopped)?;
        answered.await.map_err(|_| IngestError::NotDurable)
    }
}
