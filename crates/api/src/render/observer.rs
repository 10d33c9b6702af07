//! Observers as rows.

use super::time::rfc3339;
use crate::services::Services;
use index::ObserverView;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// An observer, as its messages say.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ObserverRow {
    /// The id under which it publishes, normally its public key.
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    /// Region code.
    pub(crate) iata: Option<String>,
    /// Newest status message or packet, RFC 3339.
    pub(crate) last_seen: Option<String>,
    /// First message, RFC 3339.
    pub(crate) first_seen: String,
    /// Observations of it.
    pub(crate) packet_count: u64,
    /// Hardware.
    pub(crate) model: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) client_version: Option<String>,
    /// MHz, kHz, spreading factor and coding rate.
    pub(crate) radio: Option<String>,
    pub(crate) battery_mv: Option<u32>,
    pub(crate) uptime_secs: Option<u64>,
    /// dBm.
    pub(crate) noise_floor: Option<f64>,
    /// Newest packet, RFC 3339.
    pub(crate) last_packet_at: Option<String>,
    /// Observations of the last hour.
    #[serde(rename = "packetsLastHour")]
    pub(crate) packets_last_hour: u64,
    /// Of the node with the same key, degrees north.
    pub(crate) lat: Option<f64>,
    /// Of the node with the same key, degrees east.
    pub(crate) lon: Option<f64>,
    /// Of the node with the same key.
    #[serde(rename = "nodeRole")]
    pub(crate) node_role: Option<String>,
    /// Whether it sends times without a zone that cannot be believed.
    pub(crate) clock_naive: bool,
    /// How far its clock was off when that was last seen, in seconds.
    pub(crate) clock_skew_seconds: Option<i64>,
    /// Its messages of the last 24 hours whose time could not be believed. Counted in memory, so that it begins anew with
    /// the program.
    pub(crate) clock_skew_count_24h: u64,
    /// When that was, RFC 3339.
    pub(crate) clock_last_naive_at: Option<String>,
    /// Whether it also repeats; absent while it has never said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) can_relay: Option<bool>,
    /// Whether its newest status message said that it is online; null before the first.
    pub(crate) online: Option<bool>,
}

impl ObserverRow {
    /// Fills in what the receiving part counts. That part is asked only when there is something to count.
    pub(crate) fn count_naive_times(rows: &mut [Self], services: &dyn Services) {
        if !rows.iter().any(|row| row.clock_naive) {
            return;
        }
        let report = services.ingest_report();
        let counts =
            report.observers.iter().map(|observer| (observer.observer_id.as_str(), observer.naive_clock_24h));
        let counts: HashMap<&str, u64> = counts.filter(|(_, count)| *count > 0).collect();
        for row in rows {
            // The books have all keys in capitals.
            row.clock_skew_count_24h = counts.get(row.id.to_uppercase().as_str()).copied().unwrap_or(0);
        }
    }

    pub(crate) fn of(view: &ObserverView<'_>) -> Self {
        let record = view.record;
        let text =
            |text: &Option<Box<str>>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        let place = view.location.filter(|location| location.is_in_range() && !location.is_zero());
        Self {
            id: record.key.to_string(),
            name: text(&record.name),
            iata: text(&record.iata),
            last_seen: Some(rfc3339(view.last_seen)),
            first_seen: rfc3339(record.first_seen),
            packet_count: view.packet_count,
            model: text(&record.model),
            firmware: text(&record.firmware),
            client_version: text(&record.client_version),
            radio: text(&record.radio),
            battery_mv: record.battery_mv,
            uptime_secs: record.uptime_secs,
            noise_floor: record.noise_floor.map(f64::from).filter(|dbm| dbm.is_finite()),
            last_packet_at: view.last_packet.map(rfc3339),
            packets_last_hour: view.packets_last_hour,
            lat: place.map(|location| location.lat()),
            lon: place.map(|location| location.lon()),
            node_role: view.role.map(|role| role.name().to_owned()),
            clock_naive: record.clock_last_naive.is_some(),
            clock_skew_seconds: record.clock_skew_secs,
            clock_skew_count_24h: 0,
            clock_last_naive_at: record.clock_last_naive.map(rfc3339),
            can_relay: record.can_relay,
            online: record.online,
        }
    }
}
