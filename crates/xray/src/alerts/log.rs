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
    written: Arc<Written>,
}

impl EventLog {
    /// Opens it, and says what is in it and how many lines are damaged.
    pub(super) fn open(folder: &Path, written: Arc<Written>) -> io::Result<(Self, Vec<Line>, usize)> {
        let path = folder.join(NAME);
        let (file, bytes) = open(&path).map_err(|error| named(&path, "cannot be opened", &error))?;
        let mut log = Self { path, file, bytes, written };
        let (lines, damaged) = log.read().map_err(|error| named(&log.path, "cannot be read", &error))?;
        Ok((log, lines, damaged))
    }

    /// Adds a line.
    pub(super) fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let done = self.written.write(&mut self.file, &text);
        if done.is_err() {
            // Half a line would make the next one damaged, too. If this fails as well, that is what it will be.
            let _ = self.file.set_len(self.bytes);
        } else {
            self.bytes += text.len() as u64;
        }
        done.map_err(|error| named(&self.path, "cannot be written", &error))
    }

    /// Whether it must be written anew.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MAX_BYTES
    }

    /// Writes the newest of these events anew, as many as there is room for, and says how many.
    pub(super) fn rewrite(&mut self, events: &VecDeque<AlertEvent>) -> io::Result<usize> {
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
