//! The handlers, one file for each group of paths.

pub(crate) mod alerts;
pub(crate) mod audio_lab;
pub(crate) mod backup;
pub(crate) mod channels;
pub(crate) mod config;
pub(crate) mod coverage;
pub(crate) mod debug;
pub(crate) mod decode;
pub(crate) mod docs;
pub(crate) mod dropped;
pub(crate) mod filter;
pub(crate) mod health;
pub(crate) mod hops;
pub(crate) mod iata;
pub(crate) mod ingest;
pub(crate) mod jobs;
pub(crate) mod known_channels;
pub(crate) mod mqtt;
pub(crate) mod nodes;
pub(crate) mod observers;
pub(crate) mod packets;
pub(crate) mod perf;
pub(crate) mod prune;
pub(crate) mod scope_stats;
pub(crate) mod stats;
pub(crate) mod traces;
