//! `bundle`: fetches the support bundle of the running program.

use super::client::Client;
use super::{out, units};
use crate::cli::BundleArgs;
use anyhow::{Context as _, Result};
use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// Named when nobody names a file, and standard output is a terminal that nobody wants full of JSON.
const FILE: &str = "meshcore-analyzer-bundle.json";

/// Writes what the program answers, as it stands.
///
/// # Errors
/// When the program cannot be reached, or the file cannot be written or is there already.
pub(crate) fn run(args: &BundleArgs) -> Result<()> {
    let bundle = Client::new(&args.program, None)?.get("/api/perf/bundle")?;
    let to_terminal = std::io::stdout().is_terminal();
    let file = match &args.out {
        Some(file) if file == Path::new("-") => None,
        Some(file) => Some(file.clone()),
        None => to_terminal.then(|| PathBuf::from(FILE)),
    };
    let Some(file) = file else {
        return Ok(out::say(&String::from_utf8_lossy(&bundle))?);
    };
    write(&file, &bundle).with_context(|| format!("cannot write {}", file.display()))?;
    println!(
        "{}: {}, without names of observers and topics, without packets",
        file.display(),
        units::bytes(bundle.len() as u64)
    );
    Ok(())
}

/// Never over a file that is there: it may be the bundle of the time when something was wrong.
fn write(file: &Path, bundle: &[u8]) -> std::io::Result<()> {
    let mut created = OpenOptions::new().write(true).create_new(true).open(file)?;
    created.write_all(bundle)?;
    created.sync_all()
}
