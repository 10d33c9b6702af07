//! The clock of a node, as a row.

use super::shown_name;
use crate::render::packet::ObserverTexts;
use crate::render::rounded;
use crate::visibility::Visibility;
use index::{ClockReading, ClockSample, ClockSeverity, Clocks, Index, Node, NodeClock};
use serde::Serialize;
use utoipa::ToSchema;

/// Adverts of which it is told what each observer said.
const EVIDENCE: usize = 10;

/// How wrong the clock of a node is, by its adverts. Seconds are positive when the clock is ahead.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeClockRow {
    /// The node's key.
    pub(crate) pubkey: String,
    /// Mean over adverts that are within a day of the true time; over all when none is.
    pub(crate) mean_skew_sec: f64,
    /// Median of the same.
    pub(crate) median_skew_sec: f64,
    /// By the advert heard last.
    pub(crate) last_skew_sec: f64,
    /// Median of the recent adverts that are within an hour of the true time; of all recent ones when none is. Recent are the
    /// last five, as far as they were heard within the hour before the last.
    pub(crate) recent_median_skew_sec: f64,
    /// Seconds that the clock gains a day; 0 when that cannot be told.
    pub(crate) drift_per_day_sec: f64,
    pub(crate) severity: SeverityName,
    /// Adverts that were looked at.
    pub(crate) sample_count: usize,
    /// Whether an observer heard them whose own clock could be compared with others.
    pub(crate) calibrated: bool,
    /// The node's own time in the advert heard last, in Unix seconds.
    #[serde(rename = "lastAdvertTS")]
    pub(crate) last_advert_ts: i64,
    /// When that was heard, in Unix seconds.
    #[serde(rename = "lastObservedTS")]
    pub(crate) last_observed_ts: i64,
    /// By advert, in the order of time. Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) samples: Vec<ClockSampleRow>,
    /// Recent adverts that are within an hour of the true time, as a share of 1.
    pub(crate) good_fraction: f64,
    /// Recent adverts that are not.
    pub(crate) recent_bad_sample_count: usize,
    /// These. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) recent_bad_samples: Vec<BadSampleRow>,
    /// Recent adverts.
    pub(crate) recent_sample_count: usize,
    /// What each observer said of the last ten adverts, the newest first. Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) recent_hash_evidence: Vec<ClockEvidenceRow>,
    pub(crate) calibration_summary: CalibrationRow,
    /// Absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) node_name: Option<String>,
    /// `companion`, `repeater`, `room`, `sensor`, `none` or `type-N`.
    pub(crate) node_role: String,
}

/// What is to be made of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SeverityName {
    /// Less than five minutes wrong.
    Ok,
    /// Less than an hour.
    Warning,
    /// Less than thirty days.
    Critical,
    /// Less than a year.
    Absurd,
    /// Any time, or a year off.
    NoClock,
    /// Right at one time and wrong at another.
    BimodalClock,
}

/// What one advert tells of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ClockSampleRow {
    /// When it was heard, in Unix seconds.
    pub(crate) ts: i64,
    /// Seconds by which the clock is ahead.
    pub(crate) skew: f64,
}

/// A recent advert that is more than an hour off.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BadSampleRow {
    /// The content hash of the advert.
    pub(crate) hash: String,
    /// The node's own time, in Unix seconds.
    #[serde(rename = "advertTS")]
    pub(crate) advert_ts: i64,
    pub(crate) skew_sec: f64,
}

/// What observers said of one advert.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClockEvidenceRow {
    /// The content hash of the advert.
    pub(crate) hash: String,
    /// By their ids; those that are not to be shown are left out, but have their part in the median.
    pub(crate) observers: Vec<ClockReadingRow>,
    pub(crate) median_corrected_skew_sec: f64,
    /// When it was heard, in Unix seconds.
    pub(crate) timestamp: i64,
}

/// What one observer said.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClockReadingRow {
    /// The id under which it publishes.
    #[serde(rename = "observerID")]
    pub(crate) observer_id: String,
    /// Empty when it has none.
    pub(crate) observer_name: String,
    /// By the observer's clock as it is.
    pub(crate) raw_skew_sec: f64,
    /// With the observer's own offset taken out.
    pub(crate) corrected_skew_sec: f64,
    /// Seconds by which the observer's clock is ahead of the others'; 0 when it could not be compared.
    pub(crate) observer_offset_sec: f64,
    /// Whether it could.
    pub(crate) calibrated: bool,
}

/// How much of the evidence is corrected: observers are counted for each advert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CalibrationRow {
    pub(crate) total_samples: usize,
    pub(crate) calibrated_samples: usize,
    pub(crate) uncalibrated_samples: usize,
}

impl NodeClockRow {
    /// As lists have it: without samples and evidence.
    pub(crate) fn in_list(node: &Node, clock: &NodeClock, index: &Index) -> Self {
        let last = clock.samples.last();
        let recent = clock.recent_samples();
        let bad: Vec<&ClockSample> = recent.iter().filter(|sample| !sample.is_good()).collect();
        Self {
            pubkey: node.key.to_string(),
            mean_skew_sec: rounded(clock.mean_ms / 1000.0, 1),
            median_skew_sec: secs(clock.median_ms),
            last_skew_sec: last.map_or(0.0, |last| secs(last.skew_ms)),
            recent_median_skew_sec: secs(clock.recent_median_ms),
            drift_per_day_sec: rounded(clock.drift_per_day_secs, 2),
            severity: SeverityName::of(clock.severity),
            sample_count: clock.samples.len(),
            calibrated: clock.calibrated > 0,
            last_advert_ts: last.map_or(0, |last| i64::from(last.sent_secs)),
            last_observed_ts: last.map_or(0, heard_secs),
            samples: Vec::new(),
            good_fraction: rounded(clock.good_fraction(), 3),
            recent_bad_sample_count: bad.len(),
            recent_bad_samples: bad.iter().map(|sample| BadSampleRow::of(sample, index)).collect(),
            recent_sample_count: recent.len(),
            recent_hash_evidence: Vec::new(),
            calibration_summary: CalibrationRow {
                total_samples: clock.readings,
                calibrated_samples: clock.calibrated,
                uncalibrated_samples: clock.readings - clock.calibrated,
            },
            node_name: shown_name(node),
            node_role: node.role.name().to_owned(),
        }
    }

    /// With all samples, and what observers said of the last adverts.
    pub(crate) fn whole(
        node: &Node,
        clock: &NodeClock,
        clocks: &Clocks<'_>,
        index: &Index,
        visibility: &Visibility<'_>,
    ) -> Self {
        let sample =
            |sample: &ClockSample| ClockSampleRow { ts: heard_secs(sample), skew: secs(sample.skew_ms) };
        let newest = clock.samples.iter().rev().take(EVIDENCE);
        Self {
            samples: clock.samples.iter().map(sample).collect(),
            recent_hash_evidence: newest
                .map(|sample| ClockEvidenceRow::of(sample, clocks, index, visibility))
                .collect(),
            ..Self::in_list(node, clock, index)
        }
    }
}

impl SeverityName {
    fn of(severity: ClockSeverity) -> Self {
        match severity {
            ClockSeverity::Ok => Self::Ok,
            ClockSeverity::Warning => Self::Warning,
            ClockSeverity::Critical => Self::Critical,
            ClockSeverity::Absurd => Self::Absurd,
            ClockSeverity::NoClock => Self::NoClock,
            ClockSeverity::Bimodal => Self::BimodalClock,
        }
    }
}

impl BadSampleRow {
    fn of(sample: &ClockSample, index: &Index) -> Self {
        Self {
            hash: index.view(sample.row).hash().to_string(),
            advert_ts: i64::from(sample.sent_secs),
            skew_sec: secs(sample.skew_ms),
        }
    }
}

impl ClockEvidenceRow {
    fn of(sample: &ClockSample, clocks: &Clocks<'_>, index: &Index, visibility: &Visibility<'_>) -> Self {
        let mut readings = clocks.readings(sample.row);
        readings.sort_by_key(|reading| reading.observer);
        Self {
            hash: index.view(sample.row).hash().to_string(),
            observers: readings
                .iter()
                .filter_map(|reading| ClockReadingRow::of(reading, index, visibility))
                .collect(),
            median_corrected_skew_sec: secs(sample.skew_ms),
            timestamp: heard_secs(sample),
        }
    }
}

impl ClockReadingRow {
    /// `None` for an observer that is not to be shown.
    fn of(reading: &ClockReading, index: &Index, visibility: &Visibility<'_>) -> Option<Self> {
        let record = index.observer_record(reading.observer)?;
        visibility.shows_observer_key(&record.key).then(|| Self {
            observer_id: record.key.to_string(),
            observer_name: ObserverTexts::of(record).name.unwrap_or_default(),
            raw_skew_sec: secs(reading.raw_ms),
            corrected_skew_sec: secs(reading.corrected_ms()),
            observer_offset_sec: secs(reading.offset_ms.unwrap_or_default()),
            calibrated: reading.offset_ms.is_some(),
        })
    }
}

/// Adverts tell whole seconds, so a tenth is more than is known.
fn secs(ms: i64) -> f64 {
    rounded(ms as f64 / 1000.0, 1)
}

fn heard_secs(sample: &ClockSample) -> i64 {
    sample.heard.0.div_euclid(1000)
}
