//! The files of one tier, and the blocks that could not be written yet.

use super::HistoryFileError;
use super::block::{self, Head, Visitor};
use super::segment::{self, Contents};
use super::tier::{SLOTS, Tier};
use crate::{Catalogue, SeriesId, Written};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Files of one tier at most, however little is in each: one begins at each change of the catalogue.
const MOST_FILES: usize = 32;

/// Where a history lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In files that this process writes.
    Written(PathBuf),
    /// In files that another process writes.
    Read(PathBuf),
    /// Nowhere but in memory.
    Memory,
}

/// A file as it was found, or as far as it was written.
#[derive(Clone, Debug)]
struct Segment {
    sequence: u64,
    path: PathBuf,
    bytes: u64,
    blocks: u32,
    slots: u64,
    /// First second and the second after the last.
    span: (i64, i64),
    /// The second after the last one of the block that was written last.
    end_secs: i64,
}

/// Blocks of one tier.
#[derive(Debug)]
pub(super) struct Files {
    tier: Tier,
    place: Place,
    /// The oldest first. The order is that of their numbers, never that of a clock.
    segments: Vec<Segment>,
    /// The last segment, open for writing; none when a new one must begin.
    open: Option<File>,
    /// Blocks that are in no file: the disk is full, or there is none.
    kept: VecDeque<Vec<u8>>,
    pub(super) damaged_bytes: u64,
}

/// What a reader needs to read the blocks of a tier while others are being added.
#[derive(Debug)]
pub(super) struct View {
    tier: Tier,
    segments: Vec<Segment>,
    kept: Vec<Vec<u8>>,
}

impl Files {
    /// No files yet.
    pub(super) fn without(place: Place, tier: Tier) -> Self {
        Self { tier, place, segments: Vec::new(), open: None, kept: VecDeque::new(), damaged_bytes: 0 }
    }

    /// Finds the files of a tier. The last one is gone on with if it is whole and has these series.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub(super) fn open(place: Place, tier: Tier, catalogue: &Catalogue) -> Result<Self, HistoryFileError> {
        let mut files = Self::without(place, tier);
        let Place::Written(folder) = &files.place else { return Ok(files) };
        let found = list(folder, tier).map_err(|source| HistoryFileError::new("list", folder, source))?;
        for (sequence, path) in found {
            // A file that cannot be read is left to be deleted when its turn comes.
            let bytes = read(&path, u64::MAX).unwrap_or_default();
            let contents = Contents::read(&bytes, tier);
            let mut segment = Segment::empty(sequence, path);
            segment.bytes = bytes.len() as u64;
            for placed in &contents.blocks {
                segment.count(&placed.head);
            }
            files.damaged_bytes += contents.damaged_bytes;
            let goes_on = contents.damaged_bytes == 0 && contents.holds(catalogue);
            files.open = goes_on.then(|| File::options().write(true).open(&segment.path).ok()).flatten();
            files.segments.push(segment);
        }
        Ok(files)
    }

    /// Adds a block. It is kept in memory until a file has it.
    ///
    /// # Errors
    /// When it, or one before it, could not be written now; it will be tried again with the next one.
    pub(super) fn append(
        &mut self,
        block: Vec<u8>,
        catalogue: &Catalogue,
        written: &Written,
    ) -> Result<(), HistoryFileError> {
        self.kept.push_back(block);
        let mut outcome = Ok(());
        if let Place::Written(folder) = self.place.clone() {
            while let Some(block) = self.kept.pop_front() {
                outcome = self.write(&folder, &block, catalogue, written);
                if outcome.is_err() {
                    self.kept.push_front(block);
                    break;
                }
            }
        }
        let most = match self.place {
            // The files of the process that is followed are behind by a block at most, and by the time that a write takes.
            Place::Read(_) => 3,
            _ => usize::try_from(self.tier.kept_slots()).unwrap_or(usize::MAX) / SLOTS + 1,
        };
        while self.kept.len() > most {
            self.kept.pop_front();
        }
        outcome
    }

    /// The second after the one that was written last; `None` when nothing was.
    pub(super) fn end_secs(&self) -> Option<i64> {
        self.segments.iter().rev().find(|segment| segment.blocks > 0).map(|segment| segment.end_secs)
    }

    /// Bytes and blocks in its files.
    #[cfg(test)]
    pub(super) fn size(&self) -> (u64, u64) {
        let add =
            |sum: (u64, u64), segment: &Segment| (sum.0 + segment.bytes, sum.1 + u64::from(segment.blocks));
        self.segments.iter().fold((0, 0), add)
    }

    fn write(
        &mut self,
        folder: &Path,
        block: &[u8],
        catalogue: &Catalogue,
        written: &Written,
    ) -> Result<(), HistoryFileError> {
        // A block of ours can always be read; one that cannot is not worth a file.
        let Some(head) = Head::read(block, self.tier) else { return Ok(()) };
        // A quarter, so that whole segments can go before all of them are too large.
        let most_bytes = self.tier.most_bytes() / 4;
        let is_full = |last: &Segment| last.blocks >= self.tier.segment_blocks() || last.bytes >= most_bytes;
        let full = self.segments.last().is_none_or(is_full);
        if self.open.is_none() || full {
            self.begin_segment(folder, catalogue, written)?;
        }
        let (Some(file), Some(segment)) = (&self.open, self.segments.last_mut()) else { return Ok(()) };
        // At the place where the last whole block ends: what a failed write left behind is written over.
        write_at(file, segment.bytes, block, written)
            .map_err(|source| HistoryFileError::new("write", &segment.path, source))?;
        segment.bytes += block.len() as u64;
        segment.count(&head);
        self.delete_old();
        Ok(())
    }

    fn begin_segment(
        &mut self,
        folder: &Path,
        catalogue: &Catalogue,
        written: &Written,
    ) -> Result<(), HistoryFileError> {
        let mut sequence = self.segments.last().map_or(1, |last| last.sequence.saturating_add(1));
        let path = |sequence| folder.join(format!("{}-{sequence:08}.hist", self.tier.name()));
        // A file that is there already is not ours to write over: a try that failed could not remove it.
        while path(sequence).exists() {
            sequence = sequence.saturating_add(1);
        }
        let path = path(sequence);
        let failed = |source| HistoryFileError::new("begin", &path, source);
        let begin = segment::begin(self.tier, catalogue).map_err(failed)?;
        let file = File::options().write(true).create_new(true).open(&path).map_err(failed)?;
        if let Err(source) = write_at(&file, 0, &begin, written) {
            // The number stays free for the next try.
            let _ = fs::remove_file(&path);
            return Err(failed(source));
        }
        let mut segment = Segment::empty(sequence, path);
        segment.bytes = begin.len() as u64;
        self.segments.push(segment);
        self.open = Some(file);
        Ok(())
    }

    /// Deletes the oldest files that are not needed: those behind which there are as many slots as shall be kept, and those
    /// that are too many or too large together. A clock has no say in it, so one that is wrong deletes nothing.
    fn delete_old(&mut self) {
        while self.segments.len() > 1 {
            let others = &self.segments[1..];
            let slots: u64 = others.iter().map(|segment| segment.slots).sum();
            let bytes: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
            if slots < self.tier.kept_slots()
                && bytes <= self.tier.most_bytes()
                && self.segments.len() <= MOST_FILES
            {
                return;
            }
            // One that cannot be deleted is forgotten and found again at the next start.
            let _ = fs::remove_file(&self.segments[0].path);
            self.segments.remove(0);
        }
    }

    /// What is there now, to be read without holding up who writes.
    pub(super) fn view(&self) -> View {
        let segments = match &self.place {
            Place::Read(folder) => {
                let found = list(folder, self.tier).unwrap_or_default();
                found.into_iter().map(|(sequence, path)| Segment::unknown(sequence, path)).collect()
            }
            Place::Written(_) | Place::Memory => self.segments.clone(),
        };
        View { tier: self.tier, segments, kept: self.kept.iter().cloned().collect() }
    }
}

impl Segment {
    fn empty(sequence: u64, path: PathBuf) -> Self {
        Self { sequence, path, bytes: 0, blocks: 0, slots: 0, span: segment::span([].iter()), end_secs: 0 }
    }

    /// One of another process, which may hold anything.
    fn unknown(sequence: u64, path: PathBuf) -> Self {
        Self { bytes: u64::MAX, span: (0, block::LATEST_SECS), ..Self::empty(sequence, path) }
    }

    fn count(&mut self, head: &Head) {
        self.blocks += 1;
        self.slots += head.slots();
        self.end_secs = head.end_secs();
        let span = segment::span([*head].iter());
        self.span = (self.span.0.min(span.0), self.span.1.max(span.1));
    }
}

impl View {
    /// Shows a visitor what the files hold of some series. A file that has been deleted meanwhile holds nothing.
    pub(super) fn visit_files(
        &self,
        catalogue: &Catalogue,
        wanted: &[SeriesId],
        window: (i64, i64),
        visitor: &mut dyn Visitor,
    ) {
        for segment in &self.segments {
            if !overlap(segment.span, window) {
                continue;
            }
            let Ok(bytes) = read(&segment.path, segment.bytes) else { continue };
            let contents = Contents::read(&bytes, self.tier);
            let map = contents.map(catalogue, wanted);
            for placed in &contents.blocks {
                if overlap((placed.head.begin_secs, placed.head.end_secs()), window) {
                    // A block that has a right checksum and still makes no sense is left out.
                    let _ = block::visit(&bytes[placed.offset..], &placed.head, &map, window, visitor);
                }
            }
        }
    }

    /// Shows a visitor what is in no file yet.
    pub(super) fn visit_kept(
        &self,
        catalogue: &Catalogue,
        wanted: &[SeriesId],
        window: (i64, i64),
        visitor: &mut dyn Visitor,
    ) {
        let mut map = vec![None; catalogue.infos().len()];
        for (place, id) in wanted.iter().enumerate() {
            map[id.place()] = u16::try_from(place).ok();
        }
        for bytes in &self.kept {
            let Some(head) = Head::read(bytes, self.tier) else { continue };
            if overlap((head.begin_secs, head.end_secs()), window) {
                let _ = block::visit(bytes, &head, &map, window, visitor);
            }
        }
    }

    /// When the newest slot in the files ends; blocks of the future (a clock that was wrong) do not count.
    pub(super) fn end_secs(&self, now_secs: i64) -> i64 {
        for segment in self.segments.iter().rev() {
            let Ok(bytes) = read(&segment.path, segment.bytes) else { continue };
            let blocks = Contents::read(&bytes, self.tier).blocks;
            let past = blocks.iter().map(|placed| placed.head).filter(|head| head.begin_secs <= now_secs);
            if let Some(end) = past.map(|head| head.end_secs()).max() {
                return end;
            }
        }
        0
    }

    /// The newest files, at most so many blocks of them and one file more.
    pub(super) fn newest(mut self, blocks: u32) -> Self {
        let mut found = 0;
        let needed = self.segments.iter().rev().take_while(|segment| {
            let needed = found < blocks;
            found += segment.blocks;
            needed
        });
        let first = self.segments.len() - needed.count();
        self.segments.drain(..first);
        self
    }
}

fn overlap(a: (i64, i64), b: (i64, i64)) -> bool {
    a.0 < b.1 && b.0 < a.1
}

/// The files of a tier with their numbers, the oldest first. Other files are not ours and are left alone.
fn list(folder: &Path, tier: Tier) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".hist"));
        let number = stem.and_then(|stem| stem.strip_prefix(tier.name())?.strip_prefix('-'));
        if let Some(sequence) = number.and_then(|number| number.parse().ok()) {
            found.push((sequence, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads as much of a file as is ours, and never more than a tier may take.
fn read(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    File::open(path)?.take(bytes.min(Tier::Minutes.most_bytes())).read_to_end(&mut read)?;
    Ok(read)
}

/// Writes all, counting what was taken even when the rest fails.
fn write_at(file: &File, mut offset: u64, mut bytes: &[u8], written: &Written) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => {
                written.bytes.add(taken as u64);
                written.operations.increment();
                offset += taken as u64;
                bytes = &bytes[taken..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
