//! Ids and records shared by the layers: what `ingest` produces, `storage` keeps and `index` answers from.
//!
//! This crate must never hold logic; it is the vocabulary. A packet's life in these types:
//!
//! ```
//! use model::{Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, Transmission, TransmissionId, UnixMillis};
//!
//! // One frame heard for the first time is two or three changes, in this order.
//! let raw = [0x0e, 0x00, 0xde, 0xad, 0xbe, 0xef];
//! let changes = [
//!     Change::Head(FrameHead { id: HeadId(0), bytes: vec![0x02, 0x00].into() }),
//!     Change::Transmission(Transmission {
//!         id: TransmissionId(1),
//!         hash: model::PacketHash([0x2a, 0x4f, 0x80, 0xa1, 0x8e, 0x79, 0x5b, 0x28]),
//!         raw: raw.as_slice().into(),
//!     }),
//!     Change::Observation(Observation {
//!         id: ObservationId(1),
//!         transmission: TransmissionId(1),
//!         observer: ObserverId(0),
//!         time: UnixMillis(1_767_225_600_000),
//!         head: HeadId(0),
//!         snr: None,
//!         rssi: None,
//!         score: None,
//!     }),
//! ];
//! assert_eq!(changes.len(), 3);
//! ```

#![forbid(unsafe_code)]

mod change;
mod coverage;
mod ids;
mod units;
mod wire;

pub use change::{
    Change, DroppedPacket, FrameHead, NodeRecord, Observation, ObserverMetrics, ObserverRecord, Transmission,
};
pub use coverage::{ClientObserver, PrunedNode, Reception};
pub use ids::{ClientId, HeadId, ObservationId, ObserverId, ReceptionId, SourceId, TransmissionId};
pub use meshcore::{NodeKey, PacketHash};
pub use units::{SnrQuarterDb, UnixMillis};
