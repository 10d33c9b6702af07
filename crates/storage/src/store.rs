//! The database as a whole: opening, handing out its parts, closing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Change;

use crate::checkpoint::Checkpointer;
use crate::load::{self, LoadProgress, LoadReport};
use crate::lock::WriterLock;
use crate::writer::{Writer, WriterHandle};
use crate::{IoWork, Reader, StorageError, StorageOptions, WriteStats, aside, schema, vfs};

/// An open database with its writer thread and its checkpointer thread.
///
/// Dropping it does what [`Storage::close`] does, without a word about failures.
#[derive(Debug)]
pub struct Storage {
    path: PathBuf,
    stats: Arc<WriteStats>,
    // The order of the fields is the order of the end: the writer drains, the checkpointer empties the log, and only
    // then may another process write.
    writer: Writer,
    checkpointer: Checkpointer,
    _lock: WriterLock,
}

impl Storage {
    /// Opens the database, or makes it together with its folder, and starts the two threads.
    ///
    /// # Errors
    /// [`StorageError::NotWritable`], [`StorageError::NotADatabase`], [`StorageError::NotOurs`],
    /// [`StorageError::NewerVersion`], [`StorageError::Locked`] and [`StorageError::Damaged`], as their names say;
    /// none of them changes an existing file.
    pub fn open(options: StorageOptions) -> Result<Self, StorageError> {
        make_folder(&options.path)?;
        schema::refuse_other_files(&options.path)?;
        let lock = WriterLock::acquire(&options.path)?;
        let path = options.path.clone();
        let stats = Arc::new(WriteStats::default());
        vfs::count_into(&stats);
        vfs::at_work(IoWork::Opening);
        let mut conn = schema::open_writable(&path)?;
        stats.pages.open(&conn, &path);
        aside::take_in(&mut conn, &path, &stats)?;
        stats.pages.settle(true);
        let checkpointer = Checkpointer::spawn(&path, Arc::clone(&stats))?;
        let writer = Writer::spawn(conn, options, Arc::clone(&stats), checkpointer.signal())?;
        Ok(Self { path, stats, writer, checkpointer, _lock: lock })
    }

    /// Streams the stored state: heads, observers, their newest samples, nodes, then transmissions and observations in the order of their ids, each
    /// observation after all that it names. Of the samples of observers' counters only the newest 300 of each come; ask a [`Reader`]
    /// for the others.
    ///
    /// Rows that are not well-formed, and observations that name something that is not there, are left out and counted.
    /// A transmission without any observation is left out, too. All rows are of one moment, the begin of the call;
    /// batches submitted meanwhile may or may not be among them, so begin to write when this is done.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] when a page of the file cannot be understood. What the sink has received until then is
    /// sound, but there may be more.
    pub fn load(
        &self,
        progress: &mut dyn FnMut(LoadProgress),
        sink: &mut dyn FnMut(Change),
    ) -> Result<LoadReport, StorageError> {
        load::load(&self.path, progress, sink)
    }

    /// The way to the writer; cheap to clone.
    pub fn writer(&self) -> WriterHandle {
        self.writer.handle()
    }

    /// The counters of the write path.
    pub fn stats(&self) -> Arc<WriteStats> {
        Arc::clone(&self.stats)
    }

    /// A connection of its own that can only read.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self) -> Result<Reader, StorageError> {
        Reader::open(&self.path)
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes no more batches, commits all that wait, empties the log into the database file and ends the threads.
    ///
    /// # Errors
    /// [`StorageError::Unwritten`] when commits failed for longer than [`StorageOptions::close_patience`]; the batches
    /// concerned have not been acknowledged.
    pub fn close(mut self) -> Result<(), StorageError> {
        let written = self.writer.finish();
        self.checkpointer.finish();
        written
    }
}

pub(crate) fn make_folder(database: &Path) -> Result<(), StorageError> {
    let folder = folder_of(database);
    fs::create_dir_all(folder).map_err(|error| StorageError::not_writable(folder, &error))
}

/// The folder in which a file lies.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
