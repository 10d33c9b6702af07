//! The aside file: batches that the database would not take although trying again was no help, kept beside it until it is
//! sound again.
//!
//! JSON Lines. A line with `"row":"batch"` says which database the rows that follow were for, when, and why it refused;
//! each other line is one row with all its fields. [`append`] adds a batch and forces it to the medium before anybody is
//! told that it is safe. [`take_in`] is the way back, at the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::{Change, UnixMillis};
use rusqlite::Connection;

use crate::files::beside;
use crate::stats::CountingWriter;
use crate::{IoCounts, IoFile, IoWork, StorageError, WriteStats, vfs};

mod line;
mod row;

use line::Line;

/// Rows of one transaction when they are taken in.
const TAKE_IN_ROWS: usize = 10_000;

/// A line is at most a few hundred characters; what is longer than this is not ours and is kept without being read.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Where the rows of a database are put aside.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    beside(database, "-aside")
}

/// What tells a database from any other, to know later whose rows these were: when it was made.
pub(crate) fn identity(conn: &Connection) -> i64 {
    conn.query_row("SELECT value FROM meta WHERE key = 'created_ms'", [], |row| row.get(0)).unwrap_or(0)
}

/// Adds a batch, and returns when it is on the medium. If that fails the file is as it was before.
pub(crate) fn append<'a>(
    path: &Path,
    identity: i64,
    reason: &str,
    rows: impl Iterator<Item = &'a Change>,
    counts: &IoCounts,
) -> io::Result<()> {
    let head = Line::Batch { database: identity, time: UnixMillis::now(), reason: reason.to_owned() };
    let mut text = Vec::new();
    for line in std::iter::once(head).chain(rows.map(Line::of)) {
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    let mut file = open(path, OpenOptions::new().read(true).append(true).create(true))?;
    let length = file.metadata()?.len();
    if !ends_with_newline(&mut file, length)? {
        text.insert(0, b'\n');
    }
    let mut file = CountingWriter::new(file, counts);
    let written = file.write_all(&text).and_then(|()| file.sync()).and_then(|()| sync_folder(path));
    if written.is_err() {
        // A part of it would be taken for a damaged line. If this fails, too, that is what it will be.
        let _ = file.into_inner().set_len(length);
    }
    written
}

/// Takes the rows of the aside file in again, counts them, and removes it. What cannot be taken stays in the file: lines
/// that are no rows, rows that contradict what is there, rows of another database. Done twice it changes nothing, so that a
/// start may be cut short anywhere.
///
/// # Errors
/// When the database cannot be written, or the file not be read.
pub(crate) fn take_in(
    conn: &mut Connection,
    database: &Path,
    stats: &WriteStats,
) -> Result<(), StorageError> {
    let path = path_of(database);
    let file = match open(&path, OpenOptions::new().read(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the rows put aside earlier cannot be read; they stay where they are");
            return Ok(());
        }
    };
    let unwritable = |error: io::Error| StorageError::not_writable(&path, &error);
    let rest_path = beside(database, "-aside-rest");
    match fs::remove_file(&rest_path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(error)),
        _ => {}
    }
    let rest = open(&rest_path, OpenOptions::new().write(true).create_new(true)).map_err(unwritable)?;
    let mut intake = Intake {
        identity: identity(conn),
        ours: false,
        head: None,
        rest: BufWriter::new(CountingWriter::new(rest, stats.io.counts(IoWork::Opening, IoFile::Aside))),
        taken: 0,
        bound_bytes: 0,
        kept: 0,
    };
    intake.run(conn, BufReader::new(file)).map_err(|error| match error {
        IntakeError::Database(error) => {
            StorageError::sqlite(database, "taking in rows put aside earlier", error)
        }
        IntakeError::File(error) => unwritable(error),
    })?;
    let Intake { rest, taken, bound_bytes, kept, .. } = intake;
    let rest = rest.into_inner().map_err(|error| unwritable(error.into_error()))?;
    rest.sync().map_err(unwritable)?;
    if kept == 0 {
        fs::remove_file(&path).and_then(|()| fs::remove_file(&rest_path)).map_err(unwritable)?;
    } else {
        fs::rename(&rest_path, &path).map_err(unwritable)?;
    }
    sync_folder(&path).map_err(unwritable)?;
    tracing::info!(path = %path.display(), rows = taken, "rows put aside earlier were taken in");
    if kept > 0 {
        tracing::warn!(
            path = %path.display(), lines = kept,
            "lines put aside earlier fit no row of this database and stay in the file; look at them, then remove it"
        );
    }
    stats.rows_taken_in.add(taken);
    stats.bound_bytes.add(bound_bytes);
    Ok(())
}

struct Intake<'a> {
    identity: i64,
    /// Whether the batch at hand is for this database.
    ours: bool,
    /// The head of the batch at hand, until a line of it is kept.
    head: Option<Vec<u8>>,
    rest: BufWriter<CountingWriter<'a>>,
    taken: u64,
    /// Of the rows that were taken.
    bound_bytes: u64,
    kept: u64,
}

enum IntakeError {
    Database(rusqlite::Error),
    File(io::Error),
}

impl Intake<'_> {
    fn run(&mut self, conn: &mut Connection, mut file: BufReader<File>) -> Result<(), IntakeError> {
        let mut ended = false;
        while !ended {
            vfs::at_work(IoWork::Opening);
            let transaction = conn.transaction().map_err(IntakeError::Database)?;
            for _ in 0..TAKE_IN_ROWS {
                let mut line = Vec::new();
                let length = file
                    .by_ref()
                    .take(MAX_LINE_BYTES)
                    .read_until(b'\n', &mut line)
                    .map_err(IntakeError::File)?;
                if length == 0 {
                    ended = true;
                    break;
                }
                self.line(&transaction, line)?;
            }
            // The rest must not be forgotten while the rows are: it is flushed and synced before the old file goes.
            transaction.commit().map_err(IntakeError::Database)?;
        }
        Ok(())
    }

    fn line(&mut self, conn: &Connection, line: Vec<u8>) -> Result<(), IntakeError> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match serde_json::from_slice::<Line>(&line) {
            Ok(Line::Batch { database, .. }) => {
                self.ours = database == self.identity;
                self.head = Some(line);
                Ok(())
            }
            Ok(row) if self.ours => {
                let taken = match row.into_change() {
                    Some(change) => row::take(conn, &change).map_err(IntakeError::Database)?,
                    None => None,
                };
                if let Some(bound_bytes) = taken {
                    self.taken += 1;
                    self.bound_bytes += bound_bytes;
                    return Ok(());
                }
                self.keep(line)
            }
            _ => self.keep(line),
        }
    }

    fn keep(&mut self, mut line: Vec<u8>) -> Result<(), IntakeError> {
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        let head = self.head.take().unwrap_or_default();
        self.kept += 1;
        self.rest.write_all(&head).and_then(|()| self.rest.write_all(&line)).map_err(IntakeError::File)
    }
}

/// Nobody but the owner may read it, and a link that somebody has planted is not followed.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    options.mode(0o600).custom_flags(no_follow).open(path)
}

fn ends_with_newline(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// So that a new name survives loss of power.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
