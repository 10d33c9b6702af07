//! The in-memory columnar packet store: what all web requests are answered from.
//!
//! It holds every packet of the hot window as bytes and integers, and derives the rest. Ingest, the loader and the tail of the
//! database all feed it through [`Index::apply`]; applying the same changes gives the same index, whoever was there.
//! Readers share it behind [`SharedIndex`] and get views that borrow from it: nothing is copied or decoded that was not
//! asked for.
//!
//! This crate must never do I/O, be async, know of HTTP, or let a structure grow with what a reader asks.
//!
//! ```
//! use std::sync::Arc;
//!
//! use index::{Index, IndexOptions, PacketQuery};
//! use meshcore::{KeyRing, PayloadType, ScopeSet};
//! use model::{Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, ObserverRecord};
//! use model::{Transmission, TransmissionId, UnixMillis};
//!
//! let options = IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) };
//! let mut index = Index::new(options);
//!
//! // One text to the public channel, heard by one observer after one hop.
//! let raw = meshcore::decode_hex("1501AB112379AC076505DAA61C2636516BCE59409C74").ok_or("not hex")?;
//! let hash = meshcore::Frame::parse(&raw)?.content_hash();
//! let time = UnixMillis(1_767_225_600_000);
//! index.apply(&Change::Observer(ObserverRecord {
//!     id: ObserverId(0), key: "5B98".into(), name: None, iata: Some("SFO".into()), model: None, firmware: None,
//!     client_version: None, radio: None, battery_mv: None, uptime_secs: None, noise_floor: None, can_relay: None,
//!     first_seen: time, last_status: None, online: None, clock_skew_secs: None, clock_last_naive: None,
//! }))?;
//! index.apply(&Change::Head(FrameHead { id: HeadId(0), bytes: [1, 1, 0xAB].into() }))?;
//! index.apply(&Change::Transmission(Transmission { id: TransmissionId(1), hash, raw: raw.clone().into() }))?;
//! index.apply(&Change::Observation(Observation {
//!     id: ObservationId(1), transmission: TransmissionId(1), observer: ObserverId(0), time, head: HeadId(0),
//!     snr: None, rssi: Some(-97), score: None,
//! }))?;
//!
//! let query = PacketQuery {
//!     limit: 50,
//!     payload_type: Some(PayloadType::GroupText),
//!     regions: Some(vec!["sfo".into()]),
//!     ..PacketQuery::default()
//! };
//! let page = index.packets(&query);
//! assert_eq!(page.total, 1);
//! let packet = index.view(page.rows[0]);
//! assert_eq!(packet.channel_message().ok_or("no key")?.body(), "hi");
//! assert_eq!(packet.best().frame_bytes(), raw);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Costs
//! Measured with 100,000 transmissions and 1,000,000 observations on one core; see `benches/index.rs`.
//! - An observation takes 26 bytes of columns and 10 to 20 of the duplicate check; a transmission its frame and about 80.
//! - Applying takes about a microsecond. No change costs more for a packet that was heard a million times.
//! - A reception of a mobile client takes some 25 bytes; a map of 100,000 of them takes some 10 ms, outside the lock.
//! - A page of packets takes microseconds with any filters; see [`Index::packets`].
#![forbid(unsafe_code)]

mod activity;
mod apply;
mod arena;
mod budget;
mod channels;
mod clocks;
mod cold;
mod compaction;
mod compare;
mod coverage;
mod cursor;
mod decode;
mod error;
mod evict;
mod filter;
mod forget;
mod hash_sizes;
mod heads;
mod hex_grid;
mod hidden;
mod hops;
mod hours;
mod id_runs;
mod index;
mod latest;
mod memory;
mod messages;
mod node_query;
mod node_stats;
mod nodes;
mod observations;
mod observer_activity;
mod observers;
mod page;
mod query;
mod reach;
mod receptions;
mod revive;
mod row_set;
mod samples;
mod scope_stats;
mod shapes;
mod since;
mod totals;
mod transmissions;
mod version;
mod view;

pub use self::filter::{Passing, ROWS_PER_GUARD, search};
pub use budget::{Budget, Limit, OverBudget};
pub use channels::ChannelRef;
pub use clocks::{ClockOffset, ClockReading, ClockSample, ClockSeverity, Clocks, NodeClock};
pub use cold::ColdSegment;
pub use compaction::{Compaction, Removed, RemovedPacket};
pub use compare::{CompareRange, Comparison, HeardBest, HeardCounts, HeardPair, SetBucket, SignalComparison};
pub use coverage::{Coverage, CoverageCell, CoverageQuery, HeardNode, LeaderboardRow, Receptions};
pub use cursor::{Cursor, CursorError};
pub use error::ApplyError;
pub use evict::Eviction;
pub use hex_grid::HexCell;
pub use hidden::Hidden;
pub use hops::{
    Beside, Course, ExplainedHop, FoundEdge, Hides, HopBasis, HopKeeper, HopNode, HopResolver, InspectedHop,
    InspectedPath, Inspection, NAMED_FROM, Neighbour, PacketsOf, PathContext, PathQuestion, RelayFigures,
    ResolvedHop, ResolvedPath, Scores, Standing,
};
pub use hours::{HourSums, SNR_CLASSES};
pub use index::{Index, IndexOptions, NextIds, SharedIndex};
pub use memory::MemoryReport;
pub use messages::{ChannelFilter, ChannelView, MessageView};
pub use node_query::{NodePage, NodeQuery, NodeSort};
pub use node_stats::{
    DirectObserver, Mean, NodeActivity, NodeHealth, NodeLink, NodeLinks, NodePath, NodePaths, NodePeers,
    ObserverShare, Peer, Signal, Silence,
};
pub use nodes::{HeardName, Node};
pub use observations::can_hold;
pub use observer_activity::{ActivityBucket, NEWEST_KEPT, ObserverActivity};
pub use observers::ObserverView;
pub use page::PacketPage;
pub use query::{Order, PacketQuery, Sort};
pub use reach::{ColdRows, Found, OfPieces, Reach, ReachedPage};
pub use receptions::MAX_RECEPTIONS;
pub use samples::{ObserverSample, SAMPLES_KEPT};
pub use scope_stats::{ScopeBucket, ScopeStats};
pub use shapes::{PacketKind, SampledPackets};
pub use totals::{RoleCounts, Totals};
pub use version::Version;
pub use view::{ObservationView, TransmissionView, TxRow, copy_frame};
