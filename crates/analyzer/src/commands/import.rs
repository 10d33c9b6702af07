//! `import`: takes over the database of CoreScope.

mod bar;

use crate::cli::{DatabaseArgs, ImportArgs, RunArgs};
use crate::config::{self, Loaded};
use crate::parts::plan::Plan;
use anyhow::{Context as _, Result, anyhow};
use bar::Bar;
use corescope::{ImportOptions, Report, Source, Target};
use index::IndexOptions;
use ingest::IngestConfig;
use meshcore::ScopeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use storage::{Storage, StorageError, StorageOptions};

/// Nobody waits for the acknowledgement of a single row here, so groups may be as large as the disk likes them.
const GROUP_ROWS: usize = 50_000;

/// Rows that may wait for the writer: some tens of megabytes.
const QUEUE_ROWS: usize = 100_000;

/// Imports, and prints the report to standard output.
///
/// # Errors
/// When the file is no database of CoreScope, ours cannot be written, or another program is writing it.
pub(crate) fn run(args: &ImportArgs) -> Result<()> {
    let loaded = Loaded::read(args.data.config.as_deref())?;
    let database = database(&args.data, &loaded)?;
    let options = options(&loaded)?;
    let source = Source::open(&args.file)?;
    let started = Instant::now();
    let report = if args.dry_run {
        import(&source, Target::DryRun(&database), &options)?
    } else {
        let storage = open(&database)?;
        let report = import(&source, Target::Storage(&storage), &options);
        storage.close().context("the last rows could not be committed")?;
        report?
    };
    let secs = started.elapsed().as_secs_f64();
    let rate = report.observations.read as f64 / secs.max(0.001);
    print!("{report}");
    println!("{} observations in {secs:.1} s, {rate:.0} a second", report.observations.read);
    match (args.dry_run, report.adds_nothing()) {
        (true, _) => println!("nothing was written: this was a dry run for {}", database.display()),
        (false, true) => println!("{} had everything already", database.display()),
        (false, false) => println!("imported into {}", database.display()),
    }
    Ok(())
}

/// The database that `run` uses with these arguments.
///
/// # Errors
/// When the configuration contradicts itself.
pub(crate) fn database(data: &DatabaseArgs, loaded: &Loaded) -> Result<PathBuf> {
    for warning in &loaded.warnings {
        tracing::debug!(warning, "about the configuration");
    }
    let args = RunArgs { config: data.config.clone(), data_dir: data.data_dir.clone(), ..RunArgs::default() };
    Ok(Plan::new(&args, loaded)?.data.database())
}

/// Keys and scopes as `run` has them.
///
/// # Errors
/// When a key of the configuration is none.
pub(crate) fn index_options(loaded: &Loaded) -> Result<IndexOptions> {
    let keys = Arc::new(config::key_ring(&loaded.file, loaded.path.as_deref())?);
    let scopes = Arc::new(ScopeSet::from_names(&loaded.file.hash_regions));
    Ok(IndexOptions { keys, scopes })
}

fn options(loaded: &Loaded) -> Result<ImportOptions> {
    let defaults = IngestConfig::default();
    let validate_signatures = loaded.file.validate_signatures.unwrap_or(defaults.validate_signatures);
    Ok(ImportOptions {
        ingest: IngestConfig { validate_signatures, ..defaults },
        index: index_options(loaded)?,
    })
}

fn open(database: &Path) -> Result<Storage> {
    let options = StorageOptions {
        max_batch_rows: GROUP_ROWS,
        queue_rows: QUEUE_ROWS,
        ..StorageOptions::new(database)
    };
    Storage::open(options).map_err(|error| match error {
        StorageError::Locked { .. } => anyhow!("{error}: stop it first, then import"),
        other => other.into(),
    })
}

fn import(source: &Source, target: Target<'_>, options: &ImportOptions) -> Result<Report> {
    let mut bar = Bar::new();
    let report = corescope::import(source, target, options, &mut |progress| bar.show(progress));
    bar.finish();
    Ok(report?)
}
