//! What each cause usually writes, by hour of the week.
//!
//! For each cause and hour of the week (UTC, Monday 00:00 is the first) the mean rates of that hour in the last eight weeks are
//! kept. What is usual is their median, and how far it strays is the median of the distances from it (MAD), which one odd
//! week cannot move. An hour in which a flag about the cause was up is left out, and so is one of which less than three quarters
//! were measured.
//!
//! While there are fewer than four values of an hour its neighbours help: first the hour before it and the one after it, then the
//! same three hours of every other day. So something can be said on the third day.

use crate::rules::Sum;
use crate::{Catalogue, Recent, Written};
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod file;

#[cfg(test)]
mod tests;

/// Hours of a week.
const HOURS: usize = 168;

/// Weeks that are kept.
const WEEKS: usize = 8;

/// Values of which a median means something.
const ENOUGH: usize = 4;

/// How much of an hour must have been measured.
const MEASURED_SECS: f64 = 2_700.0;

/// Two samples are a second apart, but for a machine that was very busy or slept.
const MAX_GAP_SECS: f64 = 60.0;

/// The median of the distances from the median, times this, is the standard deviation of what is distributed normally.
const MAD_TO_SIGMA: f64 = 1.4826;

/// How many of these are not usual any more.
const SIGMAS: f64 = 6.0;

/// How many times the usual are not usual any more.
const TIMES: f64 = 3.0;

/// Bytes a second below which nobody needs to be told, however unusual: 1.4 GB a day.
const FLOOR_BYTES_PER_SEC: f64 = 16_384.0;

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// The median, in bytes a second.
    pub median: f64,
    /// The median distance from it.
    pub mad: f64,
    /// Of how many hours these are.
    pub hours: usize,
    /// How many of them were this very hour of the week.
    pub weeks: usize,
}

impl Usual {
    /// Bytes a second that are not usual any more.
    pub fn limit(&self) -> f64 {
        let strayed = self.median + SIGMAS * MAD_TO_SIGMA * self.mad;
        strayed.max(TIMES * self.median).max(FLOOR_BYTES_PER_SEC)
    }
}

/// The baselines of all causes.
#[derive(Debug)]
pub struct Baselines {
    causes: Vec<Cause>,
    /// Hours since 1970.
    hour: Option<i64>,
    path: Option<PathBuf>,
    written: Arc<Written>,
}

#[derive(Debug)]
struct Cause {
    name: String,
    written: Sum,
    /// Bytes a second, by hour of the week, the oldest first.
    known: Vec<Vec<u32>>,
    /// The hour at hand.
    bytes: u64,
    secs: f64,
    is_flagged: bool,
}

impl Baselines {
    /// Those of the causes of a catalogue, read from the folder if they were there. What was written before and cannot be read
    /// is put aside and said in the log.
    pub fn open(catalogue: &Catalogue, folder: &Path, written: Arc<Written>) -> Self {
        let mut baselines = Self::in_memory(catalogue);
        let path = folder.join(file::NAME);
        let mut known = file::read_or_put_aside(&path);
        for cause in &mut baselines.causes {
            if let Some(known) = known.remove(&cause.name) {
                cause.known = known;
            }
        }
        baselines.path = Some(path);
        baselines.written = written;
        baselines
    }

    /// The same, and nothing is kept for the next start.
    pub fn in_memory(catalogue: &Catalogue) -> Self {
        let mut causes: Vec<Cause> = Vec::new();
        for (_, rest) in catalogue.under("written.") {
            let Some((name, _)) = rest.rsplit_once('.') else { continue };
            if causes.iter().all(|cause| cause.name != name) {
                let written = Sum::written_by(catalogue, name);
                let (name, known) = (name.to_owned(), vec![Vec::new(); HOURS]);
                causes.push(Cause { name, written, known, bytes: 0, secs: 0.0, is_flagged: false });
            }
        }
        Self { causes, hour: None, path: None, written: Arc::default() }
    }

    /// The causes, in the order of the catalogue.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        self.causes.iter().map(|cause| cause.name.as_str())
    }

    /// What a cause usually writes at the hour of the week of this time; `None` while too little is known.
    pub fn usual(&self, cause: &str, at_ms: i64) -> Option<Usual> {
        let cause = self.causes.iter().find(|known| known.name == cause)?;
        let hour = hour_of_week(at_ms.div_euclid(3_600_000));
        // On the stack, because the rules ask each hour and are not to allocate.
        let mut values = [0.0; 3 * 7 * WEEKS];
        let mut hours = 0;
        let mut take = |hour: usize| {
            for value in cause.known[hour % HOURS].iter().take(WEEKS) {
                values[hours] = f64::from(*value);
                hours += 1;
            }
            hours
        };
        let weeks = take(hour);
        let mut known = weeks;
        for day in 0..7 {
            if known >= ENOUGH {
                break;
            }
            for beside in [HOURS - 1, 0, 1] {
                if (day, beside) != (0, 0) {
                    known = take(hour + 24 * day + beside);
                }
            }
        }
        if hours < ENOUGH {
            return None;
        }
        let values = &mut values[..hours];
        let middle = median(values);
        for value in &mut *values {
            *value = (*value - middle).abs();
        }
        Some(Usual { median: middle, mad: median(values), hours, weeks })
    }

    /// Books a second. `is_flagged` says whether a flag about a cause is up.
    pub(crate) fn tick(&mut self, at_ms: i64, recent: &Recent, is_flagged: impl Fn(&str) -> bool) {
        let hour = at_ms.div_euclid(3_600_000);
        if self.hour.is_some_and(|known| known != hour) {
            self.end_of_hour();
        }
        self.hour = Some(hour);
        for cause in &mut self.causes {
            // What a machine wrote before and after it slept belongs to no hour.
            let grown = cause.written.grown(recent, 1).filter(|(_, secs)| *secs <= MAX_GAP_SECS);
            if let Some((bytes, secs)) = grown {
                cause.bytes = cause.bytes.saturating_add(bytes);
                cause.secs += secs;
            }
            cause.is_flagged |= is_flagged(&cause.name);
        }
    }

    fn end_of_hour(&mut self) {
        let Some(hour) = self.hour.map(hour_of_week) else { return };
        let mut has_learnt = false;
        for cause in &mut self.causes {
            if cause.secs >= MEASURED_SECS && !cause.is_flagged {
                let known = &mut cause.known[hour];
                if known.len() >= WEEKS {
                    known.remove(0);
                }
                known.push((cause.bytes as f64 / cause.secs) as u32);
                has_learnt = true;
            }
            (cause.bytes, cause.secs, cause.is_flagged) = (0, 0.0, false);
        }
        if has_learnt && let Some(path) = &self.path {
            let causes = self.causes.iter().map(|cause| (cause.name.as_str(), cause.known.as_slice()));
            if let Err(error) = file::write(path, causes, &self.written) {
                tracing::warn!(%error, "the baselines could not be written and are tried again in an hour");
            }
        }
    }
}

/// 1970 began on a Thursday.
fn hour_of_week(hour: i64) -> usize {
    usize::try_from((hour + 3 * 24).rem_euclid(HOURS as i64)).unwrap_or(0)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}
