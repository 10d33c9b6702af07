//! The one thread that writes.
//!
//! Batches wait in a bounded queue until their group is closed by rows, by time, or because the senders have fallen
//! silent. A group is committed in one transaction per [`crate::WriteSource`]. When a commit fails the group stays where
//! it is and is tried again until it succeeds; the queue fills, and whoever submits waits.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use model::Change;
use rusqlite::Connection;

use crate::checkpoint::Signal;
use crate::{StorageError, StorageOptions, WriteStats};

mod commit;
mod group;
mod queue;

use commit::Committer;
use queue::Queue;

const THREAD: &str = "storage-writer";

/// Changes that become durable together with or before their acknowledgement.
///
/// A batch may have no changes: its acknowledgement then comes when all that was submitted before it is durable.
pub struct WriteBatch {
    /// In the order of [`Change`].
    pub changes: Vec<Change>,
    /// Runs on the writer thread after the commit that holds the last of `changes`; keep it short, and do not submit
    /// from it (a full queue would wait for itself). Dropped without being run if the storage closes before that.
    pub on_durable: Option<Box<dyn FnOnce() + Send>>,
}

/// The way to the writer.
#[derive(Clone, Debug)]
pub struct WriterHandle {
    queue: Arc<Queue>,
    stats: Arc<WriteStats>,
    path: Arc<PathBuf>,
}

/// The thread; finishes when dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    handle: WriterHandle,
    thread: Option<JoinHandle<Result<(), StorageError>>>,
}

impl std::fmt::Debug for WriteBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteBatch")
            .field("changes", &self.changes)
            .field("on_durable", &self.on_durable.is_some())
            .finish()
    }
}

impl WriterHandle {
    /// Hands over a batch. Blocks while the queue is full: that is the back-pressure, and it may last as long as the
    /// disk is full.
    ///
    /// # Errors
    /// [`StorageError::Closed`] after [`crate::Storage::close`].
    pub fn submit(&self, batch: WriteBatch) -> Result<(), StorageError> {
        self.queue.submit(batch)
    }

    /// Waits until everything submitted so far is durable; the group at hand is closed at once.
    ///
    /// # Errors
    /// [`StorageError::WriteFailing`] as soon as an attempt to commit has failed (it will be repeated all the same),
    /// [`StorageError::Closed`] after [`crate::Storage::close`].
    pub fn flush(&self) -> Result<(), StorageError> {
        let answer = self.queue.flush()?;
        match answer.recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(StorageError::WriteFailing { path: self.path.to_path_buf(), reason }),
            Err(_) => Err(StorageError::Closed),
        }
    }

    /// Whether commits fail at present.
    pub fn is_failing(&self) -> bool {
        self.stats.failing.get() != 0
    }
}

impl Writer {
    pub(crate) fn spawn(
        conn: Connection,
        options: StorageOptions,
        stats: Arc<WriteStats>,
        checkpoints: Arc<Signal>,
    ) -> Result<Self, StorageError> {
        let queue = Arc::new(Queue::new(&options, Arc::clone(&stats)));
        let path = Arc::new(options.path.clone());
        let handle = WriterHandle { queue: Arc::clone(&queue), stats: Arc::clone(&stats), path };
        let committer = Committer::new(conn, options, stats, checkpoints)?;
        let thread = std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || run(committer, &queue))
            .map_err(|source| StorageError::Thread { name: THREAD, source })?;
        Ok(Self { handle, thread: Some(thread) })
    }

    pub(crate) fn handle(&self) -> WriterHandle {
        self.handle.clone()
    }

    /// Takes no more batches, commits those that wait, ends the thread.
    pub(crate) fn finish(&mut self) -> Result<(), StorageError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.handle.queue.close();
        thread.join().unwrap_or(Err(StorageError::Closed))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::error!(%error, "the storage was closed with an error");
        }
    }
}

fn run(mut committer: Committer, queue: &Queue) -> Result<(), StorageError> {
    // However this thread ends, nobody may wait for it for ever.
    let _guard = queue.end_with_thread();
    while let Some(group) = queue.next_group() {
        committer.commit(group, queue)?;
    }
    Ok(())
}
