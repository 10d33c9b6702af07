//! A backup for somebody who asked over HTTP.

use api::{BackupError, BackupFile, BackupMaking};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use storage::{BackupOptions, StorageError, WriterHandle};

/// Copies the database, for as long as the answer is waited for. With a `writer`, what waits for it is committed first, so
/// that the backup has what the page shows.
pub(crate) fn make(database: PathBuf, writer: Option<WriterHandle>) -> BackupMaking {
    let wanted = Arc::new(AtomicBool::new(true));
    Box::pin(async move {
        // Dropped with this future, that is when the client goes away; the copy then ends at its next step.
        let held = Holder(Arc::clone(&wanted));
        let making = tokio::task::spawn_blocking(move || {
            let watcher = &mut |_| match wanted.load(Ordering::Relaxed) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            };
            if let Some(Err(error)) = writer.map(|writer| writer.flush()) {
                tracing::warn!(%error, "a backup is made without the newest packets");
            }
            storage::temporary_backup(&database, &BackupOptions::default(), None, watcher)
        });
        let made = making.await.map_err(|_panic| BackupError::Failed("internal error".to_owned()))?;
        drop(held);
        match made {
            Ok((content, report)) => Ok(BackupFile { content, bytes: report.bytes }),
            Err(error) => Err(backup_error(&error)),
        }
    })
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
