//! `export`: what is stored, as JSON Lines or CSV.
//!
//! Rows are read and written one after the other, as of one moment, whether or not the program runs. Observations take no
//! more memory than the dictionaries of heads and observers; transmissions need some bytes for each, nodes an index of
//! their adverts.

mod csv;
mod gather;
mod rows;
mod writer;

use crate::cli::{ExportArgs, ExportFormat, ExportRows};
use crate::commands::import::{database, index_options};
use crate::config::Loaded;
use anyhow::{Context as _, Result, bail};
use gather::Gather;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use storage::{Snapshot, StorageError};
use writer::RowWriter;

/// Bytes collected before they are written.
const BUFFER: usize = 1 << 18;

/// Writes out what was asked for. A reader that goes away early, such as `head`, ends it without a complaint.
///
/// # Errors
/// When there is no database, or it cannot be read, or the rows cannot be written.
pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let loaded = Loaded::read(args.data.config.as_deref())?;
    let database = database(&args.data, &loaded)?;
    if !database.is_file() {
        bail!("there is no database {}; name its folder with --data-dir", database.display());
    }
    let snapshot = open(&database)?;
    let gather = Gather::new(&snapshot, index_options(&loaded)?, args);
    let Some(path) = &args.out else {
        let written = write(&gather, args, io::stdout().lock());
        return written.map(|_| ()).context("cannot write to standard output");
    };
    let failed = || format!("cannot write {}", path.display());
    let part = part_of(path);
    let file = File::create(&part).with_context(failed)?;
    let rows = write(&gather, args, file).with_context(failed)?;
    fs::rename(&part, path).with_context(failed)?;
    eprintln!("{rows} rows in {}", path.display());
    Ok(())
}

fn open(database: &Path) -> Result<Snapshot> {
    Snapshot::open(database).map_err(|error| match error {
        // The words of the writing part would mislead: nothing is to be written here.
        StorageError::NotWritable { reason, .. } => {
            anyhow::anyhow!("cannot read {}: {reason}", database.display())
        }
        other => other.into(),
    })
}

/// Writes all rows; how many there were.
fn write(gather: &Gather<'_>, args: &ExportArgs, out: impl Write) -> Result<u64> {
    let mut writer = RowWriter::new(io::BufWriter::with_capacity(BUFFER, out), args.format);
    let read = match args.what {
        ExportRows::Observations => gather.observations(&mut writer),
        ExportRows::Transmissions => gather.transmissions(&mut writer),
        ExportRows::Nodes => gather.nodes(&mut writer),
        ExportRows::Observers => gather.observers(&mut writer),
    };
    let written = writer.finish();
    read?;
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        other => Ok(other?),
    }
}

/// Where a file is written until it is complete.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

impl ExportFormat {
    /// Whether fields are needed that only a flat row has.
    fn is_flat(self) -> bool {
        self == ExportFormat::Csv
    }
}
