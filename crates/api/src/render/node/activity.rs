//! What happened to a node in a span of time, as rows.

use super::health::{mean_of, mean_snr_db};
use crate::render::packet::ObserverTexts;
use crate::render::rounded;
use crate::render::time::{hour_of_week, rfc3339, rfc3339_millis};
use index::{Index, NodeActivity, ObserverShare, Signal};
use model::{SnrQuarterDb, UnixMillis};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many packets in an hour.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ActivityBucket {
    pub(crate) count: u64,
    /// When the hour begins: `YYYY-MM-DDTHH:00:00Z`.
    pub(crate) bucket: String,
}

/// How strong a packet arrived: its best observation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SignalRow {
    /// RFC 3339 with milliseconds.
    pub(crate) timestamp: String,
    /// Decibels.
    pub(crate) snr: Option<f64>,
    /// dBm.
    pub(crate) rssi: Option<f64>,
    pub(crate) observer_id: Option<String>,
    pub(crate) observer_name: Option<String>,
}

/// How many packets of a type.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TypeCountRow {
    /// 0 to 15.
    pub(crate) payload_type: u8,
    pub(crate) count: u64,
}

/// What an observer has heard of the node.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoverageRow {
    #[serde(rename = "observer_id")]
    pub(crate) observer_id: Option<String>,
    #[serde(rename = "observer_name")]
    pub(crate) observer_name: Option<String>,
    /// Packets of which its observation is the best one.
    pub(crate) packet_count: u64,
    /// Decibels.
    pub(crate) avg_snr: Option<f64>,
    /// dBm.
    pub(crate) avg_rssi: Option<f64>,
    /// RFC 3339.
    pub(crate) first_seen: String,
    /// RFC 3339.
    pub(crate) last_seen: String,
}

/// How many packets came over how many hops.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct HopCountRow {
    /// `0` to `3`, or `4+`.
    pub(crate) hops: &'static str,
    pub(crate) count: u64,
}

/// A node that stood beside this one on the ways of packets.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PeerRow {
    pub(crate) peer_key: String,
    pub(crate) peer_name: Option<String>,
    /// Packets.
    #[serde(rename = "messageCount")]
    pub(crate) message_count: u64,
    /// When the newest of them was first heard, RFC 3339.
    #[serde(rename = "lastContact")]
    pub(crate) last_contact: String,
}

/// How many packets in an hour of a day of the week, in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeatmapCell {
    /// 0 is Sunday.
    pub(crate) day_of_week: u8,
    /// 0 to 23.
    pub(crate) hour: u8,
    pub(crate) count: u64,
}

/// What follows from the rest.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComputedStats {
    /// Hours with a packet, in percent of all hours.
    pub(crate) availability_pct: f64,
    /// The longest time between two packets; 0 when there are not two.
    pub(crate) longest_silence_ms: u64,
    /// When it began, RFC 3339.
    pub(crate) longest_silence_start: Option<String>,
    /// `A`, `A-`, `B+`, `B`, `C` or `D`, by mean and deviation of the signal-to-noise ratio.
    pub(crate) signal_grade: &'static str,
    /// Decibels; 0 without any.
    pub(crate) snr_mean: f64,
    /// Decibels; 0 without any.
    pub(crate) snr_std_dev: f64,
    /// Packets with two hops or more, in percent of those with any.
    pub(crate) relay_pct: f64,
    pub(crate) total_packets: u64,
    pub(crate) unique_observers: u64,
    pub(crate) unique_peers: u64,
    pub(crate) avg_packets_per_day: f64,
}

pub(crate) fn timeline(activity: &NodeActivity) -> Vec<ActivityBucket> {
    let bucket = |(hour, count): &(UnixMillis, u32)| ActivityBucket {
        count: u64::from(*count),
        bucket: rfc3339(*hour),
    };
    activity.hours.iter().map(bucket).collect()
}

pub(crate) fn heatmap(activity: &NodeActivity) -> Vec<HeatmapCell> {
    let mut cells: BTreeMap<(u8, u8), u64> = BTreeMap::new();
    for (time, count) in &activity.hours {
        *cells.entry(hour_of_week(*time)).or_default() += u64::from(*count);
    }
    let cell = |((day_of_week, hour), count)| HeatmapCell { day_of_week, hour, count };
    cells.into_iter().map(cell).collect()
}

pub(crate) fn type_counts(activity: &NodeActivity) -> Vec<TypeCountRow> {
    let row = |(payload_type, count): &(meshcore::PayloadType, u64)| TypeCountRow {
        payload_type: payload_type.code(),
        count: *count,
    };
    activity.types.iter().map(row).collect()
}

/// Numbers of hops without any packet are left out.
pub(crate) fn hop_counts(activity: &NodeActivity) -> Vec<HopCountRow> {
    let rows = ["0", "1", "2", "3", "4+"].into_iter().zip(activity.hops);
    rows.filter(|(_, count)| *count > 0).map(|(hops, count)| HopCountRow { hops, count }).collect()
}

impl SignalRow {
    pub(crate) fn of(signal: &Signal, index: &Index) -> Self {
        let observer = ObserverTexts::of_id(signal.observer, index);
        Self {
            timestamp: rfc3339_millis(signal.time),
            snr: signal.snr.map(SnrQuarterDb::db),
            rssi: signal.rssi.map(f64::from),
            observer_id: observer.id,
            observer_name: observer.name,
        }
    }
}

impl CoverageRow {
    pub(crate) fn of(share: &ObserverShare, index: &Index) -> Self {
        let observer = ObserverTexts::of_id(share.observer, index);
        Self {
            observer_id: observer.id,
            observer_name: observer.name,
            packet_count: u64::from(share.packets),
            avg_snr: mean_snr_db(share.snr),
            avg_rssi: mean_of(share.rssi),
            first_seen: rfc3339(share.first),
            last_seen: rfc3339(share.last),
        }
    }
}

impl ComputedStats {
    pub(crate) fn of(activity: &NodeActivity, days: u32, unique_observers: u64, unique_peers: u64) -> Self {
        let [_, one, more @ ..] = activity.hops;
        let relayed: u64 = more.iter().sum();
        let quarter = SnrQuarterDb(1).db();
        let snr_mean = activity.snr.mean().unwrap_or_default() * quarter;
        let snr_std_dev = activity.snr.deviation().unwrap_or_default() * quarter;
        let hours = f64::from(days) * 24.0;
        let silence = activity.longest_silence;
        Self {
            // A span seldom begins on the hour, so that it has a part of one hour more.
            availability_pct: rounded(activity.hours.len() as f64 / hours * 100.0, 1).min(100.0),
            longest_silence_ms: silence.map_or(0, |silence| silence.ms.unsigned_abs()),
            longest_silence_start: silence.map(|silence| rfc3339(silence.from)),
            signal_grade: signal_grade(snr_mean, snr_std_dev),
            snr_mean: rounded(snr_mean, 1),
            snr_std_dev: rounded(snr_std_dev, 1),
            relay_pct: percent(relayed, one + relayed),
            total_packets: activity.packets,
            unique_observers,
            unique_peers,
            avg_packets_per_day: rounded(activity.packets as f64 / f64::from(days), 1),
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { rounded(part as f64 / whole as f64 * 100.0, 1) }
}

fn signal_grade(mean: f64, deviation: f64) -> &'static str {
    match () {
        () if mean > 15.0 && deviation < 2.0 => "A",
        () if mean > 15.0 => "A-",
        () if mean > 12.0 && deviation < 3.0 => "B+",
        () if mean > 8.0 => "B",
        () if mean > 3.0 => "C",
        () => "D",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_follow_the_mean_and_how_steady_it_is() {
        let grades = [(16.0, 1.9), (16.0, 2.0), (15.0, 1.0), (12.5, 3.0), (8.0, 0.0), (3.0, 0.0)];
        let found = grades.map(|(mean, deviation)| signal_grade(mean, deviation));
        assert_eq!(found, ["A", "A-", "B+", "B", "C", "D"]);
    }
}
