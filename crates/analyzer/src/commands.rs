//! The subcommands, one module each.

pub(crate) mod decode;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod simulate;
