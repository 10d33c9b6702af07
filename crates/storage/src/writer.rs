//! The one thread that writes.
//!
//! Batches wait in a bounded queue until their group is closed by rows, by time, or because the senders have fallen
//! silent. A group is committed in one transaction per [`crate::WriteSource`]. When a commit fails the group stays where
//! it is and is tried again until it succeeds; the queue fills, and whoever submits waits.
//!
//! What else changes the database (retention, giving pages back) comes in steps, each a short transaction of its own
//! between groups.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Instant;

use model::{Change, UnixMillis};
use rusqlite::Connection;

use crate::checkpoint::Signal;
use crate::{StorageError, StorageOptions, WriteStats, vfs};

mod commit;
mod failure;
mod group;
mod pace;
mod queue;
mod restore;
#[cfg(debug_assertions)]
mod rewrite;
mod step;
mod tally;

use commit::Committer;
use queue::{HighestIds, Queue, Step, Work};
#[cfg(debug_assertions)]
pub use rewrite::Rewritten;
use step::Turn;
pub use step::{Removal, RemovedRows, StepFigures, Stepped};

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

    /// As [`WriterHandle::submit`], for a batch whose `on_durable` is news that nobody waits for: there is time to gather
    /// more before the commit.
    ///
    /// # Errors
    /// As [`WriterHandle::submit`].
    pub fn submit_unhurried(&self, batch: WriteBatch) -> Result<(), StorageError> {
        self.queue.submit_unhurried(batch)
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

    /// Removes packets and puts the records of their nodes in place, all in one transaction of its own between groups.
    /// Rows that still wait to be written are written first. A thousand rows take some milliseconds; more at once would
    /// make ingest wait.
    ///
    /// # Errors
    /// When the database refuses: then nothing has changed, and it may be asked again. [`StorageError::WriteFailing`]
    /// while commits fail, [`StorageError::Closed`] after [`crate::Storage::close`].
    pub fn remove_packets(&self, removal: Removal) -> Result<Stepped<RemovedRows>, StorageError> {
        let after = removal.highest_ids();
        self.step(after, move |committer| committer.remove_packets(&removal))
    }

    /// Removes at most `limit` samples of observers' counters that were taken before `time`; says how many.
    ///
    /// # Errors
    /// As [`WriterHandle::remove_packets`].
    pub fn remove_metrics_before(&self, time: UnixMillis, limit: u32) -> Result<Stepped<u64>, StorageError> {
        self.step(HighestIds::default(), move |committer| committer.remove_metrics_before(time, limit))
    }

    /// Removes the oldest refused packets that came before `time`, at most `limit`; says how many. They count as
    /// ordered by their coming, so after a clock was set back some may stay until it has caught up.
    ///
    /// # Errors
    /// As [`WriterHandle::remove_packets`].
    pub fn remove_dropped_before(&self, time: UnixMillis, limit: u32) -> Result<Stepped<u64>, StorageError> {
        self.step(HighestIds::default(), move |committer| committer.remove_dropped_before(time, limit))
    }

    /// Removes the oldest receptions of mobile clients that were heard before `time`, at most `limit`; says how many. As with
    /// refused packets, one that came late stays until those before it have gone.
    ///
    /// # Errors
    /// As [`WriterHandle::remove_packets`].
    pub fn remove_receptions_before(
        &self,
        time: UnixMillis,
        limit: u32,
    ) -> Result<Stepped<u64>, StorageError> {
        self.step(HighestIds::default(), move |committer| committer.remove_receptions_before(time, limit))
    }

    /// Gives at most `pages` free pages at the end of the file back to the file system, moving others down where they
    /// are in the way; says how many. The file shrinks with the next checkpoint. A page costs some 20 microseconds, so
    /// ask for a few hundred.
    ///
    /// # Errors
    /// As [`WriterHandle::remove_packets`].
    pub fn vacuum(&self, pages: u32) -> Result<Stepped<u64>, StorageError> {
        self.step(HighestIds::default(), move |committer| committer.vacuum(pages))
    }

    /// Writes so many rows anew, each to the values that it has: the next ones of the table of observations, or of observers
    /// while there are none, and from the beginning again after the last. It is the useless job by which the tests see that
    /// useless jobs are found out, and exists in builds for debugging only.
    ///
    /// # Errors
    /// As [`WriterHandle::remove_packets`].
    #[cfg(debug_assertions)]
    pub fn rewrite_rows(&self, rows: u32) -> Result<Stepped<Rewritten>, StorageError> {
        self.step(HighestIds::default(), move |committer| committer.rewrite_rows(rows))
    }

    /// Hands a step to the writer thread and waits for its end.
    fn step<T: Send + 'static>(
        &self,
        after: HighestIds,
        step: impl FnOnce(&mut Committer) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<Stepped<T>, StorageError> {
        let (answer, answered) = sync_channel(1);
        let asked = Instant::now();
        let run = Box::new(move |turn: Result<Turn<'_>, StorageError>| {
            // Whoever asked may have gone away.
            let _ = answer.send(turn.and_then(|turn| turn.take(asked, step)));
        });
        self.queue.add_step(Step { after, run })?;
        answered.recv().unwrap_or(Err(StorageError::Closed))
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
        let counted = Arc::clone(&stats);
        let path = Arc::new(options.path.clone());
        let handle = WriterHandle { queue: Arc::clone(&queue), stats: Arc::clone(&stats), path };
        let committer = Committer::new(conn, options, stats, checkpoints)?;
        let thread = std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || {
                vfs::count_into(&counted);
                run(committer, &queue)
            })
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
    while let Some(work) = queue.next_work(|| committer.has_room()) {
        match work {
            Work::Group(group) => committer.commit(*group, queue)?,
            Work::Look => committer.look_after_files(),
            Work::Step(step) => {
                if committer.is_behind(step.after)
                    && let Some(group) = queue.group_now()
                {
                    committer.commit(group, queue)?;
                }
                (step.run)(Ok(Turn { committer: &mut committer, queue }));
            }
        }
    }
    Ok(())
}
