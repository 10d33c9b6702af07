//! The subcommands, one module each.

pub(crate) mod backup;
pub(crate) mod db;
pub(crate) mod decode;
pub(crate) mod doctor;
mod out;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod simulate;
mod units;
