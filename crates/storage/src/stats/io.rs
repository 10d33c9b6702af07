//! Bytes and operations as they reach the file system, by who caused them and by file.

use std::fs::File;
use std::io::{self, Write};

use rusqlite::ffi;
use telemetry::Counter;

use super::WriteSource;

/// Who causes reads and writes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IoWork {
    /// Opening the database and making it ready.
    Opening,
    /// A transaction.
    Source(WriteSource),
    /// Copying pages from the log into the database file.
    Checkpoint,
    /// Putting rows aside that the database would not take.
    Aside,
    /// Making a copy of the database.
    Backup,
}

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoFile {
    /// The database.
    Database,
    /// Its write-ahead log.
    Wal,
    /// A rollback journal: only while the database is made, or where the file system allows no log.
    Journal,
    /// Temporary files.
    Temporary,
    /// The file beside the database with rows that it would not take.
    Aside,
    /// A copy of the database.
    Backup,
}

/// Counters of one kind of file for one cause.
#[derive(Debug, Default)]
pub struct IoCounts {
    /// Bytes that were asked for.
    pub read_bytes: Counter,
    /// Reads.
    pub reads: Counter,
    /// Bytes written.
    pub written_bytes: Counter,
    /// Writes.
    pub writes: Counter,
    /// `fsync`s.
    pub syncs: Counter,
}

/// All counters of the writer's and the checkpointer's connections, and of the files that this crate writes beside them.
#[derive(Debug, Default)]
pub struct IoStats {
    counts: [[IoCounts; IoFile::ALL.len()]; IoWork::ALL.len()],
}

impl IoWork {
    /// All, for display.
    pub const ALL: [Self; WriteSource::ALL.len() + 4] = {
        let mut all = [Self::Opening; WriteSource::ALL.len() + 4];
        let mut place = 0;
        while place < WriteSource::ALL.len() {
            all[place] = Self::Source(WriteSource::ALL[place]);
            place += 1;
        }
        all[place] = Self::Checkpoint;
        all[place + 2] = Self::Aside;
        all[place + 3] = Self::Backup;
        all
    };

    /// Name for display and export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Source(source) => source.name(),
            Self::Checkpoint => "checkpoint",
            Self::Aside => "aside",
            Self::Backup => "backup",
        }
    }

    /// Its place in a list of all.
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Source(source) => source as usize,
            Self::Checkpoint => WriteSource::ALL.len(),
            Self::Opening => WriteSource::ALL.len() + 1,
            Self::Aside => WriteSource::ALL.len() + 2,
            Self::Backup => WriteSource::ALL.len() + 3,
        }
    }
}

impl IoFile {
    /// All, for display.
    pub const ALL: [Self; 6] =
        [Self::Database, Self::Wal, Self::Journal, Self::Temporary, Self::Aside, Self::Backup];

    /// Name for display and export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Wal => "wal",
            Self::Journal => "journal",
            Self::Temporary => "temporary",
            Self::Aside => "aside",
            Self::Backup => "backup",
        }
    }

    /// What SQLite opens a file for.
    pub(crate) fn of_open_flags(flags: i32) -> Self {
        match flags {
            _ if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => Self::Database,
            _ if flags & ffi::SQLITE_OPEN_WAL != 0 => Self::Wal,
            _ if flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL) != 0 => {
                Self::Journal
            }
            _ => Self::Temporary,
        }
    }
}

impl IoStats {
    /// The counters of one cause and one kind of file.
    pub fn counts(&self, work: IoWork, file: IoFile) -> &IoCounts {
        &self.counts[work.place()][file as usize]
    }

    /// Bytes written because of `work`, to all files.
    pub fn written_by(&self, work: IoWork) -> u64 {
        IoFile::ALL.iter().map(|file| self.counts(work, *file).written_bytes.get()).sum()
    }

    /// Bytes written to a kind of file, whoever caused it.
    pub fn written_to(&self, file: IoFile) -> u64 {
        IoWork::ALL.iter().map(|work| self.counts(*work, file).written_bytes.get()).sum()
    }
}

/// A file that is not SQLite's, whose writes are counted as they reach the system.
pub(crate) struct CountingWriter<'a> {
    file: File,
    counts: &'a IoCounts,
}

impl<'a> CountingWriter<'a> {
    pub(crate) fn new(file: File, counts: &'a IoCounts) -> Self {
        Self { file, counts }
    }

    /// Forces what was written to the medium.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.counts.syncs.increment();
        self.file.sync_all()
    }

    pub(crate) fn into_inner(self) -> File {
        self.file
    }
}

impl Write for CountingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.counts.writes.increment();
        self.counts.written_bytes.add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
