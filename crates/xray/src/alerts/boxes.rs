//! Black boxes: what all series did around an event.

use crate::files::replace_file;
use crate::{HistoryAnswer, Recent, SeriesKind, SeriesValues, Written};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of the time before an event, and of that after it, is kept.
const AROUND_MS: i64 = 600_000;

/// How long to wait before one that could not be written is tried again.
const AGAIN_MS: i64 = 60_000;

/// For how long after the event it is tried: then its seconds are no longer in memory.
const TRIED_MS: i64 = 2 * AROUND_MS;

/// Black boxes that are kept; one has some ten kilobytes.
const KEPT: usize = 100;

/// A thousand series of twenty minutes are less; what is larger is not ours.
const MAX_BYTES: u64 = 64 << 20;

const PREFIX: &str = "black-box-";
const SUFFIX: &str = ".json.zst";

/// The files, and those to come.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    folder: Option<PathBuf>,
    written: Arc<Written>,
    /// Ids of the events that have a file.
    kept: BTreeSet<u64>,
    /// Those of events whose ten minutes have not passed, and those that could not be written yet.
    expected: Vec<Expected>,
}

/// One that is still to be written.
#[derive(Debug)]
struct Expected {
    event: u64,
    at_ms: i64,
    due_ms: i64,
}

impl Boxes {
    /// Those of a folder.
    pub(super) fn open(folder: &Path, written: Arc<Written>) -> io::Result<Self> {
        let names = fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let kept = names.filter_map(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok());
        Ok(Self { folder: Some(folder.to_owned()), written, kept: kept.collect(), expected: Vec::new() })
    }

    /// One is to be written of an event.
    pub(super) fn expect(&mut self, event: u64, at_ms: i64) {
        self.expected.push(Expected { event, at_ms, due_ms: at_ms + AROUND_MS });
    }

    /// Writes those whose time has come.
    pub(super) fn write_due(&mut self, at_ms: i64, recent: &Recent) {
        let is_due = |one: &Expected| one.due_ms <= at_ms || at_ms < one.at_ms - AROUND_MS;
        for mut one in self.expected.extract_if(.., |one| is_due(one)).collect::<Vec<_>>() {
            let Err(error) = self.write(one.event, around(recent, one.at_ms)) else { continue };
            // One line for all attempts.
            if one.due_ms == one.at_ms + AROUND_MS {
                let event = one.event;
                tracing::warn!(event, %error, "the black box of an alert could not be written and will be tried again");
            }
            one.due_ms = at_ms.saturating_add(AGAIN_MS);
            if (0..TRIED_MS).contains(&at_ms.saturating_sub(one.at_ms)) {
                self.expected.push(one);
            }
        }
    }

    /// Whether there is one of this event, or will be.
    pub(super) fn has(&self, event: u64) -> bool {
        self.kept.contains(&event) || self.expected.iter().any(|one| one.event == event)
    }

    /// That of an event.
    pub(super) fn get(&self, event: u64, recent: &Recent) -> Option<HistoryAnswer> {
        if let Some(one) = self.expected.iter().find(|one| one.event == event) {
            return Some(around(recent, one.at_ms));
        }
        if !self.kept.contains(&event) {
            return None;
        }
        let read = read(&self.path(event)?);
        read.inspect_err(|error| tracing::warn!(event, %error, "a black box cannot be read")).ok()
    }

    fn write(&mut self, event: u64, answer: HistoryAnswer) -> io::Result<()> {
        let Some(path) = self.path(event) else { return Ok(()) };
        let packed = zstd::encode_all(&serde_json::to_vec(&answer)?[..], zstd::DEFAULT_COMPRESSION_LEVEL)?;
        replace_file(&path, &packed, &self.written)?;
        self.kept.insert(event);
        while self.kept.len() > KEPT
            && let Some(oldest) = self.kept.pop_first()
            && let Some(path) = self.path(oldest)
        {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn path(&self, event: u64) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{PREFIX}{event}{SUFFIX}")))
    }
}

fn read(path: &Path) -> io::Result<HistoryAnswer> {
    let mut text = Vec::new();
    zstd::Decoder::new(File::open(path)?.take(MAX_BYTES))?.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// The seconds around an event for which there are samples. Series that were nothing all the time are left out.
fn around(recent: &Recent, at_ms: i64) -> HistoryAnswer {
    let window = at_ms - AROUND_MS..=at_ms + AROUND_MS;
    let within = || recent.samples().filter(|(at, _)| window.contains(at));
    let (Some((first, _)), Some((last, _))) = (within().next(), within().last()) else {
        return HistoryAnswer { from_secs: at_ms.div_euclid(1_000), step_secs: 1, series: Vec::new() };
    };
    let from_secs = first.div_euclid(1_000);
    let steps = usize::try_from(last.div_euclid(1_000) - from_secs + 1).unwrap_or(0);
    let infos = recent.catalogue().infos();
    let mut series = Vec::new();
    for (place, info) in infos.iter().enumerate() {
        if within().all(|(_, sample)| sample[place] == 0) {
            continue;
        }
        let mut values = vec![None; steps];
        let mut before: Option<(i64, u64)> = None;
        for (at, sample) in within() {
            let value = sample[place];
            let known = match (info.kind, before) {
                (SeriesKind::Gauge, _) => Some(value as f64),
                (SeriesKind::Counter, Some((then, was))) => per_second(value.saturating_sub(was), at - then),
                (SeriesKind::Counter, None) => None,
            };
            let step = usize::try_from(at.div_euclid(1_000) - from_secs).unwrap_or(0);
            values[step] = known.or(values[step]);
            before = Some((at, value));
        }
        series.push(SeriesValues { name: info.name.clone(), kind: info.kind, unit: info.unit, values });
    }
    HistoryAnswer { from_secs, step_secs: 1, series }
}

/// With two digits behind the point, since more would be most of the file.
fn per_second(grown: u64, millis: i64) -> Option<f64> {
    (millis > 0).then(|| (grown as f64 * 100_000.0 / millis as f64).round() / 100.0)
}
