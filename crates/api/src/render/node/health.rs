//! How well a node is heard, as rows.

use crate::render::packet::ObserverTexts;
use crate::render::rounded;
use crate::render::time::rfc3339;
use crate::visibility::Visibility;
use index::{Index, Mean, NodeHealth, ObserverShare};
use model::SnrQuarterDb;
use serde::Serialize;
use utoipa::ToSchema;

/// What an observer has heard of a node: its observations that are the best one of their packet.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeObserverRow {
    /// The id under which it publishes.
    #[serde(rename = "observer_id")]
    pub(crate) observer_id: Option<String>,
    #[serde(rename = "observer_name")]
    pub(crate) observer_name: Option<String>,
    /// Decibels; null when it gave none.
    pub(crate) avg_snr: Option<f64>,
    /// dBm; null when it gave none.
    pub(crate) avg_rssi: Option<f64>,
    /// Packets.
    pub(crate) packet_count: u64,
}

/// The sums over the packets of a node.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeStatsRow {
    /// Packets.
    pub(crate) total_transmissions: u64,
    /// How often they were heard.
    pub(crate) total_observations: u64,
    /// The same as `totalTransmissions`.
    pub(crate) total_packets: u64,
    /// Packets first heard since 00:00 UTC.
    pub(crate) packets_today: u64,
    /// Decibels, of the best observation of each packet.
    pub(crate) avg_snr: Option<f64>,
    /// When one was heard last, RFC 3339.
    pub(crate) last_heard: Option<String>,
}

impl NodeStatsRow {
    pub(crate) fn of(health: &NodeHealth) -> Self {
        Self {
            total_transmissions: health.transmissions,
            total_observations: health.observations,
            total_packets: health.transmissions,
            packets_today: health.recent,
            avg_snr: mean_snr_db(health.snr),
            last_heard: health.last_heard.map(rfc3339),
        }
    }
}

impl NodeObserverRow {
    pub(crate) fn of(share: &ObserverShare, index: &Index) -> Self {
        let observer = ObserverTexts::of_id(share.observer, index);
        Self {
            observer_id: observer.id,
            observer_name: observer.name,
            avg_snr: mean_snr_db(share.snr),
            avg_rssi: mean_of(share.rssi),
            packet_count: u64::from(share.packets),
        }
    }
}

/// The shares of the observers that may be shown.
pub(crate) fn shown_shares<'a>(
    shares: &'a [ObserverShare],
    index: &'a Index,
    visibility: &'a Visibility<'_>,
) -> impl Iterator<Item = &'a ObserverShare> {
    shares.iter().filter(|share| {
        let record = index.observer_record(share.observer);
        record.is_some_and(|record| visibility.shows_observer_key(&record.key))
    })
}

/// A mean of quarters of a decibel in decibels.
pub(crate) fn mean_snr_db(quarters: Mean) -> Option<f64> {
    quarters.mean().map(|mean| rounded(mean * SnrQuarterDb(1).db(), 2))
}

/// A mean as it stands.
pub(crate) fn mean_of(values: Mean) -> Option<f64> {
    values.mean().map(|mean| rounded(mean, 2))
}
