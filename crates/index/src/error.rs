//! Why a change cannot be applied.

use meshcore::{FrameError, NodeKey, PacketHash};
use model::{ClientId, HeadId, ObservationId, ObserverId, ReceptionId, TransmissionId, UnixMillis};

/// A change that does not fit the state. Nothing of it was applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Heads come in the order of their ids, without gaps.
    #[error("head {} comes where head {} is expected", id.0, expected.0)]
    HeadOrder {
        /// The head's id.
        id: HeadId,
        /// The only id it could have.
        expected: HeadId,
    },
    /// The bytes are not flags, path byte, path and perhaps transport codes.
    #[error("head {} is malformed", id.0)]
    HeadMalformed {
        /// The head's id.
        id: HeadId,
    },
    /// Another head has these bytes.
    #[error("head {} has the bytes of head {}", id.0, existing.0)]
    HeadDuplicate {
        /// The head's id.
        id: HeadId,
        /// The one with the same bytes.
        existing: HeadId,
    },
    /// Transmissions come with rising ids, from 1.
    #[error("transmission {} comes where {} or a greater one is expected", id.0, least.0)]
    TransmissionOrder {
        /// The transmission's id.
        id: TransmissionId,
        /// The least id it could have.
        least: TransmissionId,
    },
    /// The raw bytes are not a frame that the firmware would take.
    #[error("transmission {} is not a frame", id.0)]
    TransmissionMalformed {
        /// The transmission's id.
        id: TransmissionId,
        /// What is wrong with it.
        #[source]
        error: FrameError,
    },
    /// Another transmission has this content hash.
    #[error("transmission {} has the hash {hash} of transmission {}", id.0, existing.0)]
    TransmissionDuplicate {
        /// The transmission's id.
        id: TransmissionId,
        /// The hash of both.
        hash: PacketHash,
        /// The one that had it first.
        existing: TransmissionId,
    },
    /// Observations come with rising ids, from 1.
    #[error("observation {} comes where {} or a greater one is expected", id.0, least.0)]
    ObservationOrder {
        /// The observation's id.
        id: ObservationId,
        /// The least id it could have.
        least: ObservationId,
    },
    /// The same observer has already heard this transmission by the same way.
    #[error("observation {} repeats one of the same transmission, observer and path", id.0)]
    ObservationDuplicate {
        /// The observation's id.
        id: ObservationId,
    },
    /// The time lies before 1970 or after the year 4198.
    #[error("observation {} has the impossible time {} ms", id.0, time.0)]
    ObservationTime {
        /// The observation's id.
        id: ObservationId,
        /// Its time.
        time: UnixMillis,
    },
    /// The head leaves its transport codes to the transmission, which has none.
    #[error("observation {} lacks transport codes: neither head {} nor its transmission has any", id.0, head.0)]
    ObservationCodes {
        /// The observation's id.
        id: ObservationId,
        /// Its head.
        head: HeadId,
    },
    /// The change names a transmission that is not known.
    #[error("observation {} names transmission {}, which is not known", id.0, transmission.0)]
    UnknownTransmission {
        /// The observation's id.
        id: ObservationId,
        /// What it names.
        transmission: TransmissionId,
    },
    /// The change names a head that is not known.
    #[error("observation {} names head {}, which is not known", id.0, head.0)]
    UnknownHead {
        /// The observation's id.
        id: ObservationId,
        /// What it names.
        head: HeadId,
    },
    /// The change names an observer that is not known.
    #[error("observer {} is not known", observer.0)]
    UnknownObserver {
        /// What it names.
        observer: ObserverId,
    },
    /// Another observer has this key, case aside.
    #[error("observer {} has the key of observer {}", id.0, existing.0)]
    ObserverKeyTaken {
        /// The observer's id.
        id: ObserverId,
        /// The one that had it first.
        existing: ObserverId,
    },
    /// An observer's key never changes, but for case.
    #[error("observer {} comes with another key", id.0)]
    ObserverKeyChanged {
        /// The observer's id.
        id: ObserverId,
    },
    /// Some 4 billion rows, or 4 GiB of frames, are in memory already.
    #[error("no room for more {what}")]
    Full {
        /// Rows of which kind.
        what: &'static str,
    },
    /// Another mobile client has this key, or this one had another.
    #[error("mobile client {} comes with a key that is not its own", id.0)]
    ClientKey {
        /// The client's id.
        id: ClientId,
    },
    /// The reception names a mobile client that is not known.
    #[error("reception {} names mobile client {}, which is not known", id.0, client.0)]
    UnknownClient {
        /// The reception's id.
        id: ReceptionId,
        /// What it names.
        client: ClientId,
    },
    /// Receptions come with rising ids, from 1.
    #[error("reception {} comes where {} or a greater one is expected", id.0, least.0)]
    ReceptionOrder {
        /// The reception's id.
        id: ReceptionId,
        /// The least id it could have.
        least: ReceptionId,
    },
    /// The same client has reported the same node at the same second.
    #[error("reception {} repeats one of the same client, node and time", id.0)]
    ReceptionDuplicate {
        /// The reception's id.
        id: ReceptionId,
    },
    /// The node's name has fewer than 2 or more than 32 bytes, or the time lies before 1970 or after the year 2106.
    #[error("reception {} has an impossible node or time", id.0)]
    ReceptionMalformed {
        /// The reception's id.
        id: ReceptionId,
    },
    /// The record of a node comes before the adverts that add to it.
    #[error("the record of node {key} comes after an advert of it")]
    NodeRecordTooLate {
        /// The node.
        key: NodeKey,
    },
}
