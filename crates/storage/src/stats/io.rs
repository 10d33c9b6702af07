//! Bytes and operations as they reach the file system, by who caused them and by file.

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

/// All counters of the writer's and the checkpointer's connections.
#[derive(Debug, Default)]
pub struct IoStats {
    counts: [[IoCounts; IoFile::ALL.len()]; IoWork::ALL.len()],
}

impl IoWork {
    /// All, for display.
    pub const ALL: [Self; WriteSource::ALL.len() + 2] = {
        let mut all = [Self::Opening; WriteSource::ALL.len() + 2];
        let mut place = 0;
        while place < WriteSource::ALL.len() {
            all[place] = Self::Source(WriteSource::ALL[place]);
            place += 1;
        }
        all[place] = Self::Checkpoint;
        all
    };

    /// Name for display and export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Source(source) => source.name(),
            Self::Checkpoint => "checkpoint",
        }
    }

    /// Its place in a list of all.
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Source(source) => source as usize,
            Self::Checkpoint => WriteSource::ALL.len(),
            Self::Opening => WriteSource::ALL.len() + 1,
        }
    }
}

impl IoFile {
    /// All, for display.
    pub const ALL: [Self; 4] = [Self::Database, Self::Wal, Self::Journal, Self::Temporary];

    /// Name for display and export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Wal => "wal",
            Self::Journal => "journal",
            Self::Temporary => "temporary",
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
