//! `db`: what is in the database.

mod info;

use crate::cli::{DatabaseArgs, DbArgs, DbCommand};
use crate::config::Loaded;
use crate::parts::plan;
use anyhow::Result;
use std::path::PathBuf;

/// Does what was asked for.
///
/// # Errors
/// When the configuration is wrong, or the database cannot be read.
pub(crate) fn run(args: &DbArgs) -> Result<()> {
    match &args.command {
        DbCommand::Info(args) => info::run(args),
    }
}

/// The database that is meant. The configuration is only read when its folder was not named: a mistake in it must not
/// keep anybody from a backup.
///
/// # Errors
/// When the configuration is needed and wrong.
pub(crate) fn locate(args: &DatabaseArgs) -> Result<PathBuf> {
    let loaded = match &args.data_dir {
        Some(_) => Loaded::default(),
        None => Loaded::read(args.config.as_deref())?,
    };
    Ok(plan::kept_folder(args.data_dir.as_deref(), &loaded).join(plan::DATABASE))
}
