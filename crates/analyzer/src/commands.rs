//! The subcommands, one module each.

pub(crate) mod backup;
pub(crate) mod bundle;
mod client;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod decode;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod ingest;
mod out;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod top;
mod units;
