//! `backup`: a copy of the database while the program runs.

use super::db::locate;
use super::units;
use crate::cli::BackupArgs;
use crate::parts::stop::StopSignal;
use anyhow::{Context as _, Result};
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use storage::{BackupOptions, BackupProgress, BackupReport, StorageError};

/// How often the line on the terminal changes.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Copies, verifies, and says what there is now.
///
/// # Errors
/// When the database cannot be read, is not sound, or the copy cannot be written. No file is left behind then.
pub(crate) fn run(args: BackupArgs) -> Result<()> {
    let database = locate(&args.database)?;
    let options = BackupOptions {
        bytes_per_sec: (args.rate > 0.0).then_some((args.rate * 1e6) as u64),
        overwrite: args.force,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let stop = StopSignal::listen()?;
        let given_up = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&given_up);
        let file = args.file.clone();
        let mut making = tokio::task::spawn_blocking(move || {
            let mut line = ProgressLine::new();
            let result = storage::backup(&database, &file, &options, &mut |progress| {
                line.show(progress);
                if seen.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            line.clear();
            result
        });
        tokio::select! {
            made = &mut making => made,
            () = stop.wait() => {
                // It ends at its next step and takes the unfinished file with it.
                given_up.store(true, Ordering::Relaxed);
                making.await
            }
        }
        .context("the thread that copies has died")?
        .map_err(|error| explain(error, &args.file))
    })?;
    print(&report, &args.file);
    Ok(())
}

fn explain(error: StorageError, file: &Path) -> anyhow::Error {
    let hint = match &error {
        StorageError::Exists { .. } => "; --force replaces it",
        StorageError::NotThere { .. } => "; --data-dir DIR says where it is",
        StorageError::BackupUnderWay { .. } => "; wait for it, or choose another name",
        _ => "",
    };
    anyhow::anyhow!("cannot back up to {}: {error}{hint}", file.display())
}

fn print(report: &BackupReport, file: &Path) {
    println!(
        "{}  {}, {} packets, {} observations",
        file.display(),
        units::bytes(report.bytes),
        units::count(report.rows_of("transmissions")),
        units::count(report.rows_of("observations")),
    );
    println!(
        "copied in {:.1} s, verified in {:.1} s: no damage, and all {} have as many rows as the database had",
        report.copied_in.as_secs_f64(),
        report.verified_in.as_secs_f64(),
        units::things(report.tables.len(), "table"),
    );
}

/// One line on a terminal that changes; nothing where nobody watches.
struct ProgressLine {
    on_terminal: bool,
    last: Option<Instant>,
}

impl ProgressLine {
    fn new() -> Self {
        Self { on_terminal: std::io::stderr().is_terminal(), last: None }
    }

    fn show(&mut self, progress: BackupProgress) {
        let due = self.last.is_none_or(|last| last.elapsed() >= PROGRESS_INTERVAL);
        if !self.on_terminal || (!due && progress != BackupProgress::Verifying) {
            return;
        }
        self.last = Some(Instant::now());
        match progress {
            BackupProgress::Copying { done, total } => {
                eprint!("\r\x1b[Kcopying {} of {}", units::bytes(done), units::bytes(total));
            }
            BackupProgress::Verifying => eprint!("\r\x1b[Kverifying"),
        }
        let _ = std::io::stderr().flush();
    }

    fn clear(&self) {
        if self.on_terminal {
            eprint!("\r\x1b[K");
        }
    }
}
