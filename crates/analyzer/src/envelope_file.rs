//! Files of recorded observer messages: JSON Lines with `topic` and `payload`.

use anyhow::{Context as _, Result};
use model::UnixMillis;
use simulator::SimMessage;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// Reads a file line by line, so that a capture larger than memory can be replayed.
pub(crate) struct EnvelopeFile {
    path: PathBuf,
    lines: std::io::Lines<BufReader<File>>,
    number: usize,
}

impl EnvelopeFile {
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            path: path.to_path_buf(),
            lines: BufReader::with_capacity(1 << 20, file).lines(),
            number: 0,
        })
    }

    /// The newest timestamp of all messages; `None` when none carries one.
    ///
    /// # Errors
    /// When a line cannot be read.
    pub(crate) fn newest(path: &Path) -> Result<Option<UnixMillis>> {
        let mut newest = None;
        for message in Self::open(path)? {
            newest = newest.max(Some(message?.time).filter(|time| *time != UnixMillis::default()));
        }
        Ok(newest)
    }

    fn parse(&self, line: &str) -> Result<SimMessage> {
        simulator::capture_line(line).with_context(|| {
            format!("{}:{}: want a JSON object with `topic` and `payload`", self.path.display(), self.number)
        })
    }
}

impl Iterator for EnvelopeFile {
    type Item = Result<SimMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.lines.next()?;
            self.number += 1;
            match line {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => return Some(self.parse(&line)),
                Err(error) => {
                    return Some(
                        Err(error).with_context(|| format!("{}:{}", self.path.display(), self.number)),
                    );
                }
            }
        }
    }
}
