//! Rates and percentages from observers' counters (contract §7.13).
//!
//! Counters run since the observer started. What happened between two samples is their difference, unless the observer
//! started anew or was silent in between: then nobody knows.

use super::time::rfc3339;
use model::ObserverMetrics;
use serde::Serialize;
use utoipa::ToSchema;

/// One sample of an observer's counters, and what happened since the one before.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ObserverMetricsRow {
    /// When, RFC 3339; a multiple of the sampling interval.
    pub(crate) timestamp: String,
    /// dBm.
    pub(crate) noise_floor: Option<f64>,
    /// Seconds on air sending, since the observer started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) tx_air_secs: Option<u64>,
    /// Seconds on air receiving, since the observer started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) rx_air_secs: Option<u64>,
    /// Frames that failed to receive, since the observer started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) recv_errors: Option<u64>,
    /// Millivolts.
    pub(crate) battery_mv: Option<u32>,
    /// Packets sent since the observer started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) packets_sent: Option<u64>,
    /// Packets received since the observer started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) packets_recv: Option<u64>,
    /// Share of the time since the sample before that it sent, in percent; null where that is not known.
    pub(crate) tx_airtime_pct: Option<f64>,
    /// Share of the time since the sample before that it received, in percent; null where that is not known.
    pub(crate) rx_airtime_pct: Option<f64>,
    /// Of the frames since the sample before, those that failed to receive, in percent; null where that is not known.
    pub(crate) recv_error_rate: Option<f64>,
    /// True when it has started anew since the sample before; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) is_reboot_sample: Option<bool>,
}

/// How many samples are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Each, as the observers send them.
    FiveMinutes,
    /// The last of each hour.
    Hour,
    /// The last of each day.
    Day,
}

impl Resolution {
    fn ms(self) -> i64 {
        match self {
            Self::FiveMinutes => 300_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// Leaves the samples of this resolution. They rise by time.
    pub(crate) fn thin(self, samples: &mut Vec<ObserverMetrics>) {
        if self == Self::FiveMinutes {
            return;
        }
        let bucket = |sample: &ObserverMetrics| sample.time.0.div_euclid(self.ms());
        let mut kept: Vec<ObserverMetrics> = Vec::new();
        for sample in samples.drain(..) {
            match kept.last_mut() {
                Some(last) if bucket(last) == bucket(&sample) => *last = sample,
                _ => kept.push(sample),
            }
        }
        *samples = kept;
    }
}

/// The samples, which rise by time, as rows; and when the observer started anew.
pub(crate) fn metrics_rows(
    samples: &[ObserverMetrics],
    resolution: Resolution,
) -> (Vec<ObserverMetricsRow>, Vec<String>) {
    let mut reboots = Vec::new();
    let mut before: Option<&ObserverMetrics> = None;
    let rows = samples
        .iter()
        .map(|sample| {
            let change = before.replace(sample).map(|before| Change { before, sample });
            let is_reboot = change.is_some_and(|change| change.is_reboot());
            let timestamp = rfc3339(sample.time);
            if is_reboot {
                reboots.push(timestamp.clone());
            }
            let change = change.filter(|change| !is_reboot && change.ms() <= 2 * resolution.ms());
            row(sample, timestamp, is_reboot, change)
        })
        .collect();
    (rows, reboots)
}

fn row(
    sample: &ObserverMetrics,
    timestamp: String,
    is_reboot: bool,
    change: Option<Change<'_>>,
) -> ObserverMetricsRow {
    ObserverMetricsRow {
        timestamp,
        noise_floor: sample.noise_floor.and_then(decibels),
        tx_air_secs: sample.tx_air_secs,
        rx_air_secs: sample.rx_air_secs,
        recv_errors: sample.recv_errors,
        battery_mv: sample.battery_mv,
        packets_sent: sample.packets_sent,
        packets_recv: sample.packets_recv,
        tx_airtime_pct: change.and_then(|change| change.airtime_pct(|sample| sample.tx_air_secs)),
        rx_airtime_pct: change.and_then(|change| change.airtime_pct(|sample| sample.rx_air_secs)),
        recv_error_rate: change.and_then(Change::error_pct),
        is_reboot_sample: is_reboot.then_some(true),
    }
}

/// Two samples that follow one another.
#[derive(Clone, Copy)]
struct Change<'a> {
    before: &'a ObserverMetrics,
    sample: &'a ObserverMetrics,
}

impl Change<'_> {
    fn ms(self) -> i64 {
        self.sample.time.0.saturating_sub(self.before.time.0)
    }

    fn is_reboot(self) -> bool {
        let counters: [fn(&ObserverMetrics) -> Option<u64>; 5] = [
            |sample| sample.tx_air_secs,
            |sample| sample.rx_air_secs,
            |sample| sample.recv_errors,
            |sample| sample.packets_sent,
            |sample| sample.packets_recv,
        ];
        counters.into_iter().any(|counter| match (counter(self.before), counter(self.sample)) {
            (Some(before), Some(now)) => now < before,
            _ => false,
        })
    }

    fn difference(self, counter: impl Fn(&ObserverMetrics) -> Option<u64>) -> Option<u64> {
        counter(self.sample)?.checked_sub(counter(self.before)?)
    }

    fn airtime_pct(self, counter: impl Fn(&ObserverMetrics) -> Option<u64>) -> Option<f64> {
        let on_air = self.difference(counter)? as f64;
        (self.ms() > 0).then(|| percent(on_air * 1000.0 / self.ms() as f64))
    }

    fn error_pct(self) -> Option<f64> {
        let errors = self.difference(|sample| sample.recv_errors)? as f64;
        let received = self.difference(|sample| sample.packets_recv)? as f64;
        let frames = errors + received;
        (frames > 0.0).then(|| percent(errors / frames))
    }
}

/// A share as percent, within 0 and 100, with two decimals as the contract rounds.
fn percent(share: f64) -> f64 {
    (share * 100.0).clamp(0.0, 100.0).mul_add(100.0, 0.5).trunc() / 100.0
}

/// A level in dBm as a number with at most two decimals: single precision would show digits that nobody measured.
pub(crate) fn decibels(dbm: f32) -> Option<f64> {
    hundredths(f64::from(dbm))
}

/// Two decimals; `None` for what is no number.
pub(crate) fn hundredths(value: f64) -> Option<f64> {
    value.is_finite().then(|| (value * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests;
