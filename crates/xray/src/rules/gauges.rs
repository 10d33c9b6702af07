//! Limits on what is so at this moment: the log, the queue, the disk, commits that fail.

use super::rule::{Finding, Look, Rule, Words};
use super::words;
use crate::{SeriesId, Severity};

/// Below this many bytes on the disk there is room for hours, not days.
const FREE_WARNING_BYTES: f64 = 500.0 * 1_048_576.0;

/// Below this many bytes the next checkpoint may fail.
const FREE_CRITICAL_BYTES: f64 = 50.0 * 1_048_576.0;

/// Rows that wait for the writer: a group at 100 observations a second has a tenth of that.
const QUEUE_ROWS: f64 = 10_000.0;

/// A queue that is as long as it ever was within so many seconds does not get shorter.
const QUEUE_SECS: u32 = 10;

/// The size of the write-ahead log.
#[derive(Debug)]
pub(crate) struct LogSize {
    pub(crate) size: SeriesId,
    pub(crate) limit: u64,
    pub(crate) value: f64,
}

impl Rule for LogSize {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let found = Finding::above(look.recent.last(self.size) as f64, self.limit as f64, Severity::Warning);
        if found.is_wrong() {
            self.value = found.value;
        }
        Some(found)
    }

    fn words(&self) -> Words {
        Words {
            title: "the write-ahead log has grown too large".to_owned(),
            reason: format!(
                "it is {}; the threshold is {}",
                words::bytes(self.value),
                words::bytes(self.limit as f64)
            ),
            remedy: "Somebody reads the database for a long time, so that no checkpoint gets through: end other programs \
                     that have it open."
                .to_owned(),
        }
    }
}

/// Whether commits fail.
#[derive(Debug)]
pub(crate) struct WriteFailing {
    pub(crate) failing: SeriesId,
}

impl Rule for WriteFailing {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        Some(Finding::above(look.recent.last(self.failing) as f64, 0.0, Severity::Critical))
            .map(|found| Finding { excess: 1.0, ..found })
    }

    fn words(&self) -> Words {
        Words {
            title: "packets cannot be written".to_owned(),
            reason: "the database refuses every commit; packets are kept in memory and then put aside"
                .to_owned(),
            remedy: "See in the log why: a full disk, a medium that has become read-only, or a damaged file."
                .to_owned(),
        }
    }
}

/// Whether the writer keeps up.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) queue: SeriesId,
    pub(crate) rows: f64,
}

impl Rule for Behind {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let rows = look.recent.last(self.queue);
        let is_growing = look.recent.greatest(self.queue, QUEUE_SECS)? <= rows;
        let found = Finding::above(rows as f64, QUEUE_ROWS, Severity::Critical).only_if(is_growing);
        if found.is_wrong() {
            self.rows = found.value;
        }
        Some(found)
    }

    fn words(&self) -> Words {
        Words {
            title: "ingest is behind".to_owned(),
            reason: format!("{} rows wait for the writer, and they do not get fewer", words::count(self.rows)),
            remedy: "The disk is too slow for what arrives, or somebody else keeps it busy: see Disk I/O and the jobs."
                .to_owned(),
        }
    }
}

/// The room on the disk of the database.
#[derive(Debug)]
pub(crate) struct DiskFree {
    pub(crate) free: SeriesId,
    /// Nothing free is taken for "not known" until something was.
    pub(crate) is_known: bool,
    pub(crate) value: f64,
}

impl Rule for DiskFree {
    fn look(&mut self, look: &Look<'_>) -> Option<Finding> {
        let free = look.recent.last(self.free) as f64;
        self.is_known |= free > 0.0;
        if !self.is_known {
            return None;
        }
        let critical = Finding::below(free, FREE_CRITICAL_BYTES, Severity::Critical);
        let found = Some(critical)
            .filter(Finding::is_wrong)
            .unwrap_or_else(|| Finding::below(free, FREE_WARNING_BYTES, Severity::Warning));
        if found.is_wrong() {
            self.value = found.value;
        }
        Some(found)
    }

    fn words(&self) -> Words {
        Words {
            title: "the disk is nearly full".to_owned(),
            reason: format!("{} are left on the disk of the database", words::bytes(self.value)),
            remedy: "Make room, keep packets for a shorter time, or move the data folder to a larger disk."
                .to_owned(),
        }
    }
}
