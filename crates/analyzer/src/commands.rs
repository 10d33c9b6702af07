//! The subcommands, one module each.

pub(crate) mod config;
pub(crate) mod decode;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod simulate;
