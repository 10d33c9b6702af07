//! `restore`: a backup in the place of the database.

use super::db::locate;
use super::units;
use crate::cli::RestoreArgs;
use anyhow::Result;
use std::path::{Path, PathBuf};
use storage::StorageError;

/// Checks the backup, then puts a copy of it in place.
///
/// # Errors
/// When the file is no good, a database is there and `--force` is not given, or a program writes it.
pub(crate) fn run(args: &RestoreArgs) -> Result<()> {
    let database = locate(&args.database)?;
    let keep_as = args.force.then(|| kept_name(&database));
    let restored = storage::restore(&args.file, &database, keep_as.as_deref())
        .map_err(|error| explain(&error, &args.file, &database))?;
    println!(
        "{}  {}, {} packets, {} observations, from {}",
        database.display(),
        units::bytes(restored.database.bytes),
        units::count(restored.database.rows_of("transmissions")),
        units::count(restored.database.rows_of("observations")),
        args.file.display(),
    );
    if let Some(kept) = restored.kept {
        println!("the database before is kept as {}", kept.display());
    }
    Ok(())
}

/// Beside the database, with the time in its name.
fn kept_name(database: &Path) -> PathBuf {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".before-restore-{now}"));
    name.into()
}

fn explain(error: &StorageError, file: &Path, database: &Path) -> anyhow::Error {
    let hint = match error {
        StorageError::Exists { path } if path == database => {
            "; --force replaces it and keeps it under another name"
        }
        StorageError::Locked { .. } => "; stop it first",
        StorageError::Damaged { .. } | StorageError::Unsound { .. } => "; take another backup",
        _ => "",
    };
    anyhow::anyhow!("cannot restore {}: {error}{hint}", file.display())
}
