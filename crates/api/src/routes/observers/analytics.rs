//! `GET /api/observers/{id}/analytics`.

use crate::error::HttpError;
use crate::extract::{Params, Segment, Whole, parsed};
use crate::json::{Json, to_text};
use crate::render::hex;
use crate::render::packet::{ObserverTexts, RECEIVED, decoded, hops};
use crate::render::time::{rfc3339_millis, utc};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{ActivityBucket, HourSums, ObservationView, ObserverActivity, Reach};
use meshcore::KeyRing;
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

const DAY_MS: i64 = 86_400_000;

/// How far back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ObserverAnalyticsParams {
    /// Days: 7 when absent, otherwise brought within 1 and 365.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    days: Option<Whole>,
}

/// What an observer heard.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObserverAnalyticsResponse {
    /// Observations; oldest first, without times in which nothing was heard. An hour each up to one day, four hours up to
    /// seven days, otherwise a day. The first begins where its hours do, which may be before the days asked for.
    timeline: Vec<ObserverTimelinePoint>,
    /// Observations by payload type: the code as text.
    packet_types: BTreeMap<String, u64>,
    /// Different signs of nodes: keys of adverts, hashes of source and destination, hops.
    nodes_timeline: Vec<ObserverTimelinePoint>,
    /// Observations by signal-to-noise ratio, in classes of 2 dB, the weakest first; without empty classes.
    snr_distribution: Vec<ObserverSnrClass>,
    /// At most 20, the newest first.
    recent_packets: Vec<ObserverRecentPacket>,
}

/// A span of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserverTimelinePoint {
    /// When it begins, UTC: `15:04`, `Mon 15:04` or `Jan 02`.
    label: String,
    count: u64,
}

/// A class of signals.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserverSnrClass {
    /// `a to b`, in decibels: from a, up to before b.
    range: String,
    count: u64,
}

/// An observation with its packet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserverRecentPacket {
    /// Of the observation.
    id: u64,
    /// Content hash of the packet.
    hash: String,
    /// The very frame that was heard.
    raw_hex: String,
    payload_type: u8,
    /// The route of this copy.
    route_type: u8,
    /// What the payload says, as JSON in a text.
    decoded_json: String,
    observer_id: Option<String>,
    observer_name: Option<String>,
    observer_iata: Option<String>,
    /// Always `rx`.
    direction: Option<&'static str>,
    /// In decibels.
    snr: Option<f64>,
    /// In dBm.
    rssi: Option<f64>,
    /// The firmware's retransmit score, 0 to 1000.
    score: Option<u16>,
    /// The hops as a JSON array in a text.
    path_json: Option<String>,
    /// When, RFC 3339 with milliseconds.
    timestamp: String,
}

/// What an observer heard in the last days.
#[utoipa::path(
    get, path = "/api/observers/{id}/analytics", tag = "observers",
    params(("id" = String, Path, description = "The id under which it publishes, in either case"), ObserverAnalyticsParams),
    responses(
        (status = 200, body = ObserverAnalyticsResponse), (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody)
    )
)]
pub(crate) async fn observer_analytics(
    State(state): State<ApiState>,
    Segment(id): Segment,
    Params(params): Params<ObserverAnalyticsParams>,
) -> Result<Json<ObserverAnalyticsResponse>, HttpError> {
    let days = params.days.map_or(7, |Whole(days)| days.clamp(1, 365));
    if !Visibility::new(&state.config_arc()).shows_observer_key(&id) {
        return Err(HttpError::not_found("Observer not found"));
    }
    let keys = state.keys().clone();
    // A year of hours is more than a few rows.
    let rows = if days > 7 { usize::MAX } else { 1 };
    let answer = state.reach(rows, move |reach| analytics(reach, &id, days as i64, &keys));
    Ok(Json(answer.await?))
}

fn analytics(reach: &Reach<'_>, id: &str, days: i64, keys: &KeyRing) -> ObserverAnalyticsResponse {
    let (bucket_hours, label) = match days {
        ..=1 => (1, "%H:%M"),
        2..=7 => (4, "%a %H:%M"),
        _ => (24, "%b %d"),
    };
    let since = UnixMillis::now().plus_ms(-days * DAY_MS);
    let activity = {
        let index = reach.hot.read();
        // Nothing is known of an unknown observer, which is no error by the contract.
        let Some(observer) = index.observer_by_key(id) else { return ObserverAnalyticsResponse::default() };
        index.observer_activity(observer, since, bucket_hours)
    };
    let newest = activity.newest.iter();
    let series = |count: fn(&ActivityBucket) -> u64| {
        let point = |bucket: &ActivityBucket| ObserverTimelinePoint {
            label: utc(bucket.start, label),
            count: count(bucket),
        };
        activity.buckets.iter().map(point).collect()
    };
    ObserverAnalyticsResponse {
        timeline: series(|bucket| bucket.observations),
        nodes_timeline: series(|bucket| bucket.nodes),
        packet_types: packet_types(&activity),
        snr_distribution: snr_distribution(&activity.sums),
        recent_packets: newest
            .filter_map(|id| reach.by_observation(*id, |heard| recent_packet(heard, keys)))
            .collect(),
    }
}

fn packet_types(activity: &ObserverActivity) -> BTreeMap<String, u64> {
    let types = activity.sums.types.iter().enumerate().filter(|(_, count)| **count > 0);
    types.map(|(code, count)| (code.to_string(), *count)).collect()
}

fn snr_distribution(sums: &HourSums) -> Vec<ObserverSnrClass> {
    let classes = (-32..).step_by(2).zip(sums.snr);
    let class =
        |(from, count): (i32, u64)| ObserverSnrClass { range: format!("{from} to {}", from + 2), count };
    classes.filter(|(_, count)| *count > 0).map(class).collect()
}

fn recent_packet(heard: &ObservationView<'_>, keys: &KeyRing) -> ObserverRecentPacket {
    let packet = heard.transmission();
    let observer = ObserverTexts::of(heard.observer());
    ObserverRecentPacket {
        id: heard.id().0,
        hash: packet.hash().to_string(),
        raw_hex: hex::upper(&heard.frame_bytes()),
        payload_type: packet.payload_type().code(),
        route_type: heard.route().code(),
        decoded_json: to_text(&decoded(&packet, keys)),
        observer_id: observer.id,
        observer_name: observer.name,
        observer_iata: observer.iata,
        direction: Some(RECEIVED),
        snr: heard.snr().map(model::SnrQuarterDb::db),
        rssi: heard.rssi().map(f64::from),
        score: heard.score(),
        path_json: Some(to_text(&hops(&packet.frame(), heard.path()))),
        timestamp: rfc3339_millis(heard.time()),
    }
}
