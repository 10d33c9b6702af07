//! The HTTP and WebSocket interface: CoreScope's routes, typed, with an OpenAPI document that is generated from the
//! handlers, and the page itself.
//!
//! It reads the [`index`] under short guards and asks everything else of [`Services`]. It must never write packets
//! itself, compute analytics, or await while it holds a guard of the index.
//!
//! ```
//! // The document that the page's types are generated from.
//! let document: serde_json::Value = serde_json::from_str(&api::openapi_json())?;
//! assert!(document["paths"]["/api/packets"]["get"].is_object());
//! # Ok::<(), serde_json::Error>(())
//! ```

#![forbid(unsafe_code)]

mod airports;
mod config;
mod duration;
mod error;
mod extract;
mod fields;
mod history;
mod json;
mod lag;
mod limits;
mod live;
mod metrics;
mod middleware;
mod openapi;
mod page;
mod problem;
mod render;
mod router;
mod routes;
mod serve;
mod services;
mod state;
mod visibility;

pub use config::{
    ApiConfig, Area, BatteryThresholds, ClientRxCoverage, Customizer, ForeignAdverts, ForeignAdvertsMode,
    GeoFilter, HealthThresholds, ListLimits, LiveMap, MapDefaults, MapTiles, Network, RateLimit, Timestamps,
    WebSocketLimits,
};
pub use error::ApiError;
pub use live::{LiveHub, asyncapi_json};
pub use openapi::openapi_json;
pub use router::router;
pub use serve::serve;
pub use services::{
    BackupError, BackupFile, BackupMaking, CheckpointResult, Count, DbFigures, FileIo, Freshness,
    GeoFilterError, IngestReport, IoRates, KnownChannel, KnownChannels, LoadStatus, MAX_PRUNED_AT_ONCE,
    MqttSourceRow, ObserverAccount, PacketSubmission, ProcessIo, PruneState, PruneStatus, PruneUnavailable,
    RecentRejection, Registry, Services, SourceAccount, SourceLiveness, SourceRate, Submission, SubmitError,
    SubmittedPacket, WindowFigures, WriteSourcesSnapshot, WriterPerf,
};
pub use state::ApiState;
pub use visibility::hides_nodes;
