//! The file of events: JSON Lines, appended to and now and then written anew.

use crate::files::{named, replace_file};
use crate::{AlertEvent, Delivery, Written};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Its name in the folder of the books.
const NAME: &str = "alerts.jsonl";

/// An event is about a kilobyte.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// Something has happened.
    Event(Box<AlertEvent>),
    /// Somebody was told, or was given up.
    Delivery { event: u64, delivery: Delivery },
}

/// The file.
#[derive(Debug)]
pub(super) struct EventLog {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Whole lines that are still to be written.
    waiting: Vec<u8>,
    /// Too many waited, so that only the whole file will do.
    is_behind: bool,
    /// Said once, until it is over.
    complained: bool,
    written: Arc<Written>,
}

impl EventLog {
    /// Opens it, and says what is in it and how many lines are damaged.
    pub(super) fn open(folder: &Path, written: Arc<Written>) -> io::Result<(Self, Vec<Line>, usize)> {
        let path = folder.join(NAME);
        let (file, bytes) = open(&path).map_err(|error| named(&path, "cannot be opened", &error))?;
        let mut log =
            Self { path, file, bytes, waiting: Vec::new(), is_behind: false, complained: false, written };
        let (lines, damaged) = log.read().map_err(|error| named(&log.path, "cannot be read", &error))?;
        Ok((log, lines, damaged))
    }

    /// Adds a line. While it cannot be written it waits for the next [`EventLog::write_waiting`].
    pub(super) fn append(&mut self, line: &Line) {
        match serde_json::to_vec(line) {
            Ok(text) => {
                self.waiting.extend(text);
                self.waiting.push(b'\n');
                self.write_waiting();
            }
            Err(error) => tracing::warn!(%error, "an alert cannot be written as JSON and is kept in memory"),
        }
    }

    /// Writes the lines that could not be written before.
    pub(super) fn write_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let done = self.written.write(&mut self.file, &self.waiting);
        if done.is_ok() {
            self.bytes += self.waiting.len() as u64;
            self.waiting.clear();
        } else {
            // Half a line would make the next one damaged, too. If this fails as well, that is what it will be.
            let _ = self.file.set_len(self.bytes);
        }
        self.report(done.map_err(|error| named(&self.path, "cannot be written", &error)));
    }

    fn report(&mut self, done: io::Result<()>) {
        match done {
            Ok(()) if self.complained => tracing::info!("the alerts that waited are written down"),
            Err(error) if !self.complained => tracing::warn!(
                %error, "an alert could not be written down; it is kept in memory until it can be"
            ),
            Ok(()) | Err(_) => return,
        }
        self.complained = !self.complained;
    }

    /// Whether it must be written anew.
    pub(super) fn is_full(&self) -> bool {
        self.is_behind || self.bytes + self.waiting.len() as u64 > MAX_BYTES
    }

    /// Writes the newest of these events anew, as many as there is room for, and says how many. `None` if it could not be,
    /// which is said, and what waits goes on waiting.
    pub(super) fn rewrite(&mut self, events: &VecDeque<AlertEvent>) -> Option<usize> {
        let result = self.try_to_rewrite(events);
        let kept = result.as_ref().ok().copied();
        self.is_behind = kept.is_none() && (self.is_behind || self.waiting.len() as u64 > MAX_BYTES);
        if kept.is_some() || self.is_behind {
            self.waiting = Vec::new();
        }
        self.report(result.map(|_| ()));
        kept
    }

    /// Puts another file in the place of the open one.
    #[cfg(test)]
    pub(super) fn replace_file(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }

    fn try_to_rewrite(&mut self, events: &VecDeque<AlertEvent>) -> io::Result<usize> {
        let mut lines = Vec::new();
        let mut room = MAX_BYTES / 10 * 9;
        for event in events.iter().rev() {
            let mut text = serde_json::to_vec(&Line::Event(Box::new(event.clone())))?;
            text.push(b'\n');
            let Some(left) = room.checked_sub(text.len() as u64) else { break };
            room = left;
            lines.push(text);
        }
        let kept = lines.len();
        lines.reverse();
        replace_file(&self.path, &lines.concat(), &self.written)?;
        (self.file, self.bytes) = open(&self.path)?;
        Ok(kept)
    }

    /// All lines, or the newest if somebody has made the file larger than we ever do.
    fn read(&mut self) -> io::Result<(Vec<Line>, usize)> {
        self.file.seek(SeekFrom::Start(self.bytes.saturating_sub(2 * MAX_BYTES)))?;
        let mut text = Vec::new();
        Read::by_ref(&mut self.file).take(2 * MAX_BYTES).read_to_end(&mut text)?;
        let is_torn = !text.is_empty() && !text.ends_with(b"\n");
        let all = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let read: Vec<_> = all.map(serde_json::from_slice::<Line>).collect();
        let known = read.len();
        let lines: Vec<_> = read.into_iter().flatten().collect();
        let damaged = (known - lines.len()).max(usize::from(is_torn));
        Ok((lines, damaged))
    }
}

/// Opens the file for its owner only, and never one that a link points to.
fn open(path: &Path) -> io::Result<(File, u64)> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("something else lies there; move it away"));
    }
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}
