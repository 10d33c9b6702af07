//! The subcommands, one module each.

pub(crate) mod config;
pub(crate) mod decode;
pub(crate) mod ingest;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod simulate;
