//! The series over time, in small files that outlive the process: seconds of the last hour, tens of seconds of the last day,
//! minutes of the last thirty days.
//!
//! A slot keeps by how much a counter has grown (a fall counts as nothing: the counter has begun anew) and the greatest value
//! of a gauge, with the number of its seconds of which something is known; one that two runs share counts once. Sixty slots are a block; a block is written when
//! its time is over, once a minute for the finest tier, and never changed. So a kill loses a minute at most: what the coarser
//! tiers had not written is found in the finer ones at the next start. Nothing is ever forced to the medium; after a power cut
//! the last half minute or so is missing, too.
//!
//! **Size.** Some 300 series of a mesh with 100 observations a second take 1.6 KB a minute and about 2 MB in all. Beyond 22 MiB
//! the oldest is deleted, whatever that is.
//!
//! **Clocks.** Everything is filed by the wall clock. Where it has been set back, slots that exist already are added to: the
//! sums stay right, and rates are over the seconds that were really lived. Where it jumps ahead, the time between is missing.
//! Old files go by their number and size, never by a clock, so a clock that is wrong for a while deletes nothing.
//!
//! **Precision.** Counters are exact. Gauges in bytes from 64 MiB on are kept to one part in 1,024 (64 KiB at 64 MiB): the
//! last digits of resident memory are noise that would take more room than everything else.

mod block;
mod column;
mod files;
mod rebuild;
mod segment;
mod sums;
mod tier;
mod window;

use crate::{
    Catalogue, HistoryAnswer, HistoryError, HistoryQuery, SeriesId, SeriesKind, SeriesValues, Unit, Written,
};
use block::{Block, LATEST_SECS, Visitor};
use files::{Files, Place, View};
use parking_lot::Mutex;
use rebuild::merge;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sums::{Grid, Totals};
use tier::Tier;
use window::Window;

/// Up to so many seconds between two samples were only a wait (the machine was busy), over which the growth is shared out.
/// After more the process was stopped, and the growth is of the moment at which it went on.
const LONGEST_WAIT_SECS: i64 = 60;

/// Gauges in bytes are kept to so many binary digits,
const GAUGE_DIGITS: u32 = 11;
/// from this many bytes on.
const ROUNDED_FROM_BYTES: u64 = 64 << 20;

/// Why a file of the history was not read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}; the folder must be writable and have room")]
pub struct HistoryFileError {
    action: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

impl HistoryFileError {
    fn new(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }
}

/// Why a history could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum HistoryOpenError {
    /// The folder or a file in it.
    #[error(transparent)]
    Files(#[from] HistoryFileError),
    /// There is a bound to what is reserved for it.
    #[error("{0} series are more than the {most} that a history keeps", most = segment::MOST_SERIES)]
    TooManySeries(usize),
}

/// The history. Questions may come from several threads at once and hold up neither each other nor the meter; only the meter
/// pushes.
///
/// ```
/// use std::sync::Arc;
/// use xray::{Catalogue, History, HistoryQuery, SeriesKind, Unit, info};
///
/// let infos = vec![info("written.packets.wal", SeriesKind::Counter, Unit::Bytes, "bytes of packets in the log")];
/// let folder = tempfile::tempdir()?;
/// let history = History::open(folder.path(), Arc::new(Catalogue::new(infos)), Arc::default())?;
/// for second in 0..100 {
///     history.push(1_800_000_000_000 + second * 1_000, &[second as u64 * 4_120]);
/// }
/// let query = HistoryQuery { series: vec!["written.packets.wal".to_owned()], ..HistoryQuery::default() };
/// let answer = history.query(&query, 1_800_000_099_000)?;
/// assert_eq!(answer.step_secs, 10);
/// assert_eq!(answer.series[0].values.last(), Some(&Some(4_120.0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct History {
    catalogue: Arc<Catalogue>,
    written: Arc<Written>,
    place: Place,
    state: Mutex<State>,
}

/// By how much everything has grown within a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Growth {
    /// When the first slot begins.
    pub from_ms: i64,
    /// When the last slot ends.
    pub to_ms: i64,
    /// Seconds of the window of which something is known.
    pub covered_secs: u64,
    /// In the order of the catalogue: the growth of a counter, the greatest value of a gauge.
    pub values: Vec<u64>,
}

#[derive(Debug)]
struct State {
    /// The blocks that are being filled, by tier.
    blocks: [Block; 3],
    files: [Files; 3],
    /// The sample before, its slot in seconds since 1970, and room for the growth since then.
    last: Vec<u64>,
    last_secs: Option<i64>,
    grown: Vec<u64>,
    /// The second that was filled last.
    filled_secs: i64,
    error: Option<String>,
}

impl History {
    /// Opens the history in a folder, which is made if it is not there, and repairs what a kill has left behind. What it writes
    /// is counted in `written`: a series of the books like any other, so it is made before the catalogue is complete.
    ///
    /// # Errors
    /// When the folder cannot be written or listed; [`History::in_memory`] works without.
    pub fn open(
        folder: &Path,
        catalogue: Arc<Catalogue>,
        written: Arc<Written>,
    ) -> Result<Self, HistoryOpenError> {
        if catalogue.infos().len() > segment::MOST_SERIES {
            return Err(HistoryOpenError::TooManySeries(catalogue.infos().len()));
        }
        std::fs::create_dir_all(folder).map_err(|source| HistoryFileError::new("make", folder, source))?;
        // Whether it can be written is known now, not in a minute.
        let probe = folder.join("writable");
        match std::fs::write(&probe, []).and_then(|()| std::fs::remove_file(&probe)) {
            // Of a full disk there is room again one day; until then blocks are kept in memory.
            Err(source) if !matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                return Err(HistoryFileError::new("write", &probe, source).into());
            }
            _ => {}
        }
        let history = Self::at(Place::Written(folder.to_owned()), catalogue, written)?;
        history.rebuild();
        Ok(history)
    }

    /// The history that another process writes into a folder, read anew for each question. What is pushed fills the minutes
    /// that the other process has not written yet.
    pub fn read_only(folder: &Path, catalogue: Arc<Catalogue>) -> Self {
        Self::without_files(Place::Read(folder.to_owned()), catalogue)
    }

    /// A history of the same length that is gone when the process ends.
    pub fn in_memory(catalogue: Arc<Catalogue>) -> Self {
        Self::without_files(Place::Memory, catalogue)
    }

    /// Adds a sample, read at `at_ms`. Allocates only when a block ends, which is then written: once a minute.
    ///
    /// The first sample is what the next is compared with. One that is read in the first half of a second is about the second
    /// before, since the meter reads as a second ends.
    ///
    /// # Panics
    /// When the sample is not as long as the catalogue, which is a fault of the program.
    pub fn push(&self, at_ms: i64, sample: &[u64]) {
        let second = at_ms.saturating_sub(500).div_euclid(1_000);
        let mut state = self.state.lock();
        let state = &mut *state;
        for ((place, grown), value) in state.grown.iter_mut().enumerate().zip(sample) {
            let info = self.catalogue.info(SeriesId(place as u16));
            *grown = match (info.kind, info.unit) {
                (SeriesKind::Counter, _) => value.saturating_sub(state.last[place]),
                (SeriesKind::Gauge, Unit::Bytes) => rounded(*value),
                (SeriesKind::Gauge, _) => *value,
            };
        }
        state.last.copy_from_slice(sample);
        let before = state.last_secs.replace(second);
        if let Some(before) = before.filter(|_| (0..LATEST_SECS).contains(&second)) {
            let waited = second - before;
            let shares = if (1..=LONGEST_WAIT_SECS).contains(&waited) { waited } else { 1 };
            for share in 0..shares {
                self.fill(state, second - shares + 1 + share, share.unsigned_abs(), shares.unsigned_abs());
            }
        }
    }

    /// Writes what is in memory. To be called when the process ends, after the last push; dropping does it, too.
    pub fn close(&self) {
        let mut state = self.state.lock();
        for tier in Tier::ALL {
            self.finish(&mut state, tier);
        }
    }

    /// Series over time, with nulls where nothing is known.
    ///
    /// # Errors
    /// When a series is not known or the window makes no sense.
    pub fn query(&self, query: &HistoryQuery, now_ms: i64) -> Result<HistoryAnswer, HistoryError> {
        let now_secs = now_ms.div_euclid(1_000);
        let window = Window::of(query, now_secs)?;
        let find = |name: &String| {
            self.catalogue.find(name).ok_or_else(|| HistoryError::UnknownSeries(name.clone()))
        };
        let wanted = query.series.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        // A series may be asked for twice, but each column goes to one place only.
        let mut distinct = wanted.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let mut grid = Grid::new(window, distinct.iter().map(|id| self.catalogue.info(*id).kind).collect());
        self.visit(window.tier, (window.from_secs, window.to_secs), now_secs, &distinct, &mut grid);
        let values = |id: &SeriesId| {
            let info = self.catalogue.info(*id);
            let place = distinct.binary_search(id).unwrap_or(0);
            SeriesValues {
                name: info.name.clone(),
                kind: info.kind,
                unit: info.unit,
                values: grid.values(place),
            }
        };
        let series = wanted.iter().map(values).collect();
        Ok(HistoryAnswer { from_secs: window.from_secs, step_secs: window.step_secs, series })
    }

    /// By how much all series have grown between two times, from the finest tier that goes back so far. The slots that begin
    /// within the window count.
    pub fn growth(&self, from_ms: i64, to_ms: i64, now_ms: i64) -> Growth {
        let now_secs = now_ms.div_euclid(1_000);
        let from_secs = from_ms.div_euclid(1_000).max(0);
        let tier = window::finest_with(from_secs, now_secs);
        let step = tier.step_secs();
        let up = |secs: i64| secs.saturating_add(step - 1) / step * step;
        let from_secs = up(from_secs.min(LATEST_SECS));
        let to_secs = up(to_ms.div_euclid(1_000).clamp(from_secs, LATEST_SECS));
        let all: Vec<SeriesId> = (0..self.catalogue.infos().len() as u16).map(SeriesId).collect();
        let mut totals = Totals { catalogue: &self.catalogue, covered_secs: 0, values: vec![0; all.len()] };
        self.visit(tier, (from_secs, to_secs), now_secs, &all, &mut totals);
        let Totals { covered_secs, values, .. } = totals;
        Growth { from_ms: from_secs * 1_000, to_ms: to_secs * 1_000, covered_secs, values }
    }

    /// What is in a sample.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What it has written so far.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Bytes of its files that could not be read when it was opened: the torn end of a write, or damage.
    pub fn damaged_bytes(&self) -> u64 {
        self.state.lock().files.iter().map(|files| files.damaged_bytes).sum()
    }

    /// Why the last block could not be written; `None` once that works.
    pub fn error(&self) -> Option<String> {
        self.state.lock().error.clone()
    }

    fn without_files(place: Place, catalogue: Arc<Catalogue>) -> Self {
        let files = Tier::ALL.map(|tier| Files::without(place.clone(), tier));
        Self::with(place, catalogue, Arc::default(), files)
    }

    fn at(place: Place, catalogue: Arc<Catalogue>, written: Arc<Written>) -> Result<Self, HistoryFileError> {
        let [seconds, tens, minutes] = Tier::ALL.map(|tier| Files::open(place.clone(), tier, &catalogue));
        let files = [seconds?, tens?, minutes?];
        Ok(Self::with(place, catalogue, written, files))
    }

    fn with(place: Place, catalogue: Arc<Catalogue>, written: Arc<Written>, files: [Files; 3]) -> Self {
        let width = catalogue.infos().len();
        // The second in which this run begins may be the one in which the run before ended. It is not lived twice.
        let filled_secs = files[Tier::Seconds.place()].end_secs().map_or(-1, |end| end - 1);
        let state = State {
            blocks: Tier::ALL.map(|tier| Block::new(tier, width)),
            files,
            last: vec![0; width],
            last_secs: None,
            grown: vec![0; width],
            filled_secs,
            error: None,
        };
        Self { catalogue, written, place, state: Mutex::new(state) }
    }

    /// Gives the coarser tiers what they had not written when the process was killed.
    fn rebuild(&self) {
        let mut state = self.state.lock();
        for (tier, finer) in [(Tier::Tens, Tier::Seconds), (Tier::Minutes, Tier::Tens)] {
            // What two blocks hold and one more: a coarser block is ten or six of them.
            let view = state.files[finer.place()].view().newest(20);
            let newer = Some(&state.blocks[finer.place()]).filter(|block| !block.is_empty());
            let coarse = state.files[tier.place()].view();
            let mut lacking = rebuild::lacking(tier, &coarse, &view, newer, &self.catalogue);
            if let Some(newest) = lacking.pop() {
                state.blocks[tier.place()] = newest;
            }
            let state = &mut *state;
            for block in lacking {
                self.write(&mut state.files[tier.place()], &mut state.error, &block);
            }
        }
    }

    /// Adds one share of the growth to the slots of a second.
    fn fill(&self, state: &mut State, second: i64, share: u64, shares: u64) {
        let lived = u32::from(second != state.filled_secs);
        state.filled_secs = second;
        for tier in Tier::ALL {
            if !state.blocks[tier.place()].accepts(second) {
                self.finish(state, tier);
                state.blocks[tier.place()].accepts(second);
            }
            let values = state.blocks[tier.place()].slot(second, lived);
            for ((have, grown), info) in values.iter_mut().zip(&state.grown).zip(self.catalogue.infos()) {
                let part = match info.kind {
                    // The last share has what does not divide, so that the sum is exact.
                    SeriesKind::Counter if share + 1 == shares => grown / shares + grown % shares,
                    SeriesKind::Counter => grown / shares,
                    SeriesKind::Gauge => *grown,
                };
                merge(info.kind, have, part);
            }
        }
    }

    /// Writes the block of a tier that is being filled, and begins anew.
    fn finish(&self, state: &mut State, tier: Tier) {
        let block = &mut state.blocks[tier.place()];
        if !block.is_empty() {
            self.write(&mut state.files[tier.place()], &mut state.error, block);
            block.clear();
        }
    }

    fn write(&self, files: &mut Files, last_error: &mut Option<String>, block: &Block) {
        let encoded = match block.encode() {
            Ok(encoded) => encoded,
            Err(error) => {
                *last_error = Some(format!("cannot pack a block of the history: {error}"));
                return;
            }
        };
        let error =
            files.append(encoded, &self.catalogue, &self.written).err().map(|error| error.to_string());
        // Said once when it begins, not each minute.
        if let (Some(error), None) = (&error, &last_error) {
            tracing::warn!(%error, "the history is kept in memory until it can be written");
        }
        *last_error = error;
    }

    /// Shows a visitor what is known of some series at one resolution within a window.
    fn visit(
        &self,
        tier: Tier,
        window: (i64, i64),
        now_secs: i64,
        wanted: &[SeriesId],
        visitor: &mut dyn Visitor,
    ) {
        let catalogue = &self.catalogue;
        if let Place::Read(_) = self.place {
            self.visit_others(tier, window, now_secs, wanted, visitor);
            return;
        }
        // What is in memory is looked at under the lock, files are read without.
        let view = {
            let state = self.state.lock();
            rebuild::show(&state.blocks[tier.place()], window, wanted, visitor);
            state.files[tier.place()].view()
        };
        view.visit_files(catalogue, wanted, window, visitor);
        view.visit_kept(catalogue, wanted, window, visitor);
    }

    /// The same for files that another process writes: its coarser files end some minutes ago, so the finer ones go on from
    /// there, and what was pushed here from the end of these.
    fn visit_others(
        &self,
        tier: Tier,
        window: (i64, i64),
        now_secs: i64,
        wanted: &[SeriesId],
        visitor: &mut dyn Visitor,
    ) {
        let catalogue = &self.catalogue;
        let finer_first = Tier::ALL.into_iter().rev().filter(|finer| *finer <= tier);
        let mut from = window.0;
        for tier in finer_first {
            let view: View = self.state.lock().files[tier.place()].view();
            if from < window.1 {
                view.visit_files(catalogue, wanted, (from, window.1), visitor);
            }
            from = from.max(view.end_secs(now_secs));
        }
        let view = {
            let state = self.state.lock();
            rebuild::show(&state.blocks[Tier::Seconds.place()], (from, window.1), wanted, visitor);
            state.files[Tier::Seconds.place()].view()
        };
        view.visit_kept(catalogue, wanted, (from, window.1), visitor);
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.close();
    }
}

/// A gauge in bytes without the digits that are noise.
fn rounded(bytes: u64) -> u64 {
    if bytes < ROUNDED_FROM_BYTES {
        return bytes;
    }
    let digits = u64::BITS - bytes.leading_zeros();
    bytes >> (digits - GAUGE_DIGITS) << (digits - GAUGE_DIGITS)
}

#[cfg(test)]
mod tests;
