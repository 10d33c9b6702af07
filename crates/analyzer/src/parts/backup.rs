//! A backup for somebody who asked over HTTP.

use api::{BackupError, BackupFile, BackupMaking};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use storage::{BackupOptions, BackupProgress, BackupReport, IoStats, PAGE_BYTES, StorageError, WriterHandle};
use tokio::sync::oneshot;
use xray::{Job, StepReport};

/// What a backup needs of the process that writes; a process that only serves has none of it.
#[derive(Clone)]
pub(crate) struct OfWriter {
    /// What waits for it is committed first, so that the backup has what the page shows.
    pub(crate) writer: WriterHandle,
    /// Where its bytes are counted.
    pub(crate) counted: Arc<IoStats>,
    /// The job that it is.
    pub(crate) job: Job,
}

/// Copies the database, for as long as the answer is waited for.
pub(crate) fn make(database: PathBuf, of_writer: Option<OfWriter>) -> BackupMaking {
    let wanted = Arc::new(AtomicBool::new(true));
    Box::pin(async move {
        // Dropped with this future, that is when the client goes away; the copy then ends at its next step.
        let held = Holder(Arc::clone(&wanted));
        // A thread of its own, because what the threads of the runtime write is taken for what goes to sockets.
        let (made, making) = oneshot::channel();
        let thread = std::thread::Builder::new().name("backup".to_owned());
        let copying = move || {
            // Whoever asked may have gone away.
            let _ = made.send(copy(&database, of_writer.as_ref(), &wanted));
        };
        thread.spawn(copying).map_err(|error| BackupError::Failed(error.to_string()))?;
        let made = making.await.map_err(|_panic| BackupError::Failed("internal error".to_owned()))?;
        drop(held);
        match made {
            Ok((content, report)) => Ok(BackupFile { content, bytes: report.bytes }),
            Err(error) => Err(backup_error(&error)),
        }
    })
}

fn copy(
    database: &Path,
    of_writer: Option<&OfWriter>,
    wanted: &AtomicBool,
) -> Result<(File, BackupReport), StorageError> {
    let run = of_writer.map(|of| of.job.begin());
    let (counted, mut booked) = (of_writer.map(|of| &of.counted), 0);
    let watcher = &mut |progress| {
        if let (Some(run), BackupProgress::Copying { done, total }) = (&run, progress) {
            let pages = (done - booked) / PAGE_BYTES;
            run.step(StepReport { examined: pages, written_bytes: done - booked, ..StepReport::default() });
            run.progress(done, total);
            booked = done;
        }
        let paused_or_stopped = run.as_ref().is_some_and(|run| !run.go_on());
        if wanted.load(Ordering::Relaxed) && !paused_or_stopped {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    if let Some(Err(error)) = of_writer.map(|of| of.writer.flush()) {
        tracing::warn!(%error, "a backup is made without the newest packets");
    }
    let made = storage::temporary_backup(database, &BackupOptions::default(), counted, watcher);
    if let (Some(run), Err(error)) = (&run, &made) {
        run.failed(error.to_string());
    }
    made
}

/// Whoever waits for a backup; what it holds says whether somebody still does.
struct Holder(Arc<AtomicBool>);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn backup_error(error: &StorageError) -> BackupError {
    tracing::warn!(%error, "a backup was asked for and could not be made");
    match error {
        StorageError::BackupUnderWay { .. } => BackupError::UnderWay,
        StorageError::DiskFull { .. } => BackupError::NoRoom(error.to_string()),
        _ => BackupError::Failed(error.to_string()),
    }
}
