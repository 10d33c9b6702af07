//! `GET /api/observers/compare`.

use crate::error::HttpError;
use crate::extract::{Moment, Params, parsed};
use crate::json::Json;
use crate::render::counters::hundredths;
use crate::render::time::{rfc3339, rfc3339_millis};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{
    CompareRange, Comparison, HeardBest, HeardCounts, OfPieces, Reach, SetBucket, SignalComparison,
    TransmissionView,
};
use model::{ObserverId, ObserverRecord, SnrQuarterDb, TransmissionId, UnixMillis};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const HOUR_MS: i64 = 3_600_000;

/// What is compared when no time is given.
const DEFAULT_MS: i64 = 24 * HOUR_MS;

/// Longer spans get a point a day instead of an hour, so that a series stays one that can be drawn.
const HOURLY_MS: i64 = 14 * 24 * HOUR_MS;

/// Newest packets of each set.
const NEWEST: usize = 20;

/// Who is compared, and when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompareParams {
    /// The id of one observer, in either case.
    #[param(value_type = String, required = true)]
    a: Option<String>,
    /// The id of the other observer, in either case.
    #[param(value_type = String, required = true)]
    b: Option<String>,
    /// Packets first heard by anyone at this time or later, RFC 3339; 24 hours before `to` when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Packets first heard by anyone until this time, RFC 3339; now when absent.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
}

/// What two observers heard, side by side. A packet is heard by an observer when it heard any copy of it, whenever.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompareResponse {
    a: ComparedObserver,
    b: ComparedObserver,
    /// As applied, RFC 3339.
    from: String,
    /// As applied, RFC 3339.
    to: String,
    /// All packets of the span.
    packets: ComparedCounts,
    /// By payload type; without types that neither heard.
    by_type: Vec<ComparedType>,
    /// By the time at which packets were first heard by anyone; oldest first, without times in which neither heard any.
    series: Vec<ComparedPoint>,
    /// Milliseconds of a point of the series: an hour, or a day for spans of more than 14 days.
    bucket_ms: i64,
    /// Who heard better and first.
    signal: ComparedSignal,
    /// The newest packets of each set.
    newest: ComparedNewest,
    /// True when the span begins long before what is in memory, and not all of it could be read in time: everything is then of
    /// the newest part; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bounded: Option<bool>,
}

/// An observer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparedObserver {
    id: String,
    name: Option<String>,
    iata: Option<String>,
}

/// How many packets are in each set.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComparedCounts {
    only_a: u64,
    both: u64,
    only_b: u64,
}

/// The sets of one payload type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparedType {
    /// The code.
    payload_type: u8,
    name: &'static str,
    #[serde(flatten)]
    packets: ComparedCounts,
}

/// The sets in one span of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparedPoint {
    /// When it begins, RFC 3339.
    t: String,
    #[serde(flatten)]
    packets: ComparedCounts,
}

/// Who heard better and first, of the newest packets that both heard; of several copies the strongest and the first count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComparedSignal {
    /// How many packets were looked at.
    compared: u64,
    /// Whether these are all that both heard.
    complete: bool,
    /// Heard by the first observer before the second.
    first_a: u64,
    /// Heard by the second observer before the first.
    first_b: u64,
    /// Heard by both at the same millisecond.
    tied: u64,
    /// Packets for which both gave a signal-to-noise ratio.
    with_snr: u64,
    /// Of these, those that the first observer heard better.
    stronger_a: u64,
    /// Of these, those that the second observer heard better.
    stronger_b: u64,
    /// Mean ratio at the first observer over these packets, in decibels; null when there are none.
    mean_snr_a: Option<f64>,
    /// Mean ratio at the second observer over these packets, in decibels; null when there are none.
    mean_snr_b: Option<f64>,
    /// The first mean less the second.
    mean_difference: Option<f64>,
}

/// At most 20 of each, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComparedNewest {
    only_a: Vec<ComparedPacket>,
    both: Vec<ComparedPacket>,
    only_b: Vec<ComparedPacket>,
}

/// A packet, as either observer heard it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparedPacket {
    id: u64,
    /// Content hash.
    hash: String,
    payload_type: u8,
    /// When anyone first heard it, RFC 3339.
    first_seen: String,
    /// Null where the observer did not hear it.
    a: Option<ComparedHearing>,
    /// Null where the observer did not hear it.
    b: Option<ComparedHearing>,
}

/// A packet at one observer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparedHearing {
    /// When it first heard it, RFC 3339 with milliseconds.
    time: String,
    /// The best ratio of its copies, in decibels.
    snr: Option<f64>,
}

/// What two observers heard: only one of them, both, and who heard it better and first.
#[utoipa::path(
    get, path = "/api/observers/compare", tag = "observers", params(CompareParams),
    responses(
        (status = 200, body = CompareResponse), (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody)
    )
)]
pub(crate) async fn compare_observers(
    State(state): State<ApiState>,
    Params(params): Params<CompareParams>,
) -> Result<Json<CompareResponse>, HttpError> {
    let required = |id: Option<String>, name| {
        let id = id.filter(|id| !id.is_empty());
        id.ok_or_else(|| HttpError::bad_parameter(name, "the id of an observer is required"))
    };
    let (a, b) = (required(params.a, "a")?, required(params.b, "b")?);
    let to = params.to.map_or_else(UnixMillis::now, |Moment(time)| time);
    let from = params.from.map_or(to.plus_ms(-DEFAULT_MS), |Moment(time)| time);
    if from > to {
        return Err(HttpError::bad_parameter("from", "lies after `to`"));
    }
    let bucket_ms = if to.0.saturating_sub(from.0) <= HOURLY_MS { HOUR_MS } else { 24 * HOUR_MS };
    let range = CompareRange { from, to, bucket_ms, newest: NEWEST };
    let config = state.config_arc();
    // Two sets of all packets at worst, so it is made where it holds up nobody.
    let answer = state.reach(usize::MAX, move |reach| {
        let visibility = Visibility::new(&config);
        let find =
            |key: &str| reach.hot.read().observer_by_key(key).filter(|_| visibility.shows_observer_key(key));
        let (a, b) = (find(&a)?, find(&b)?);
        Some(response(reach, (a, b), &range, &reach.compare(a, b, &range)?))
    });
    answer.await?.map(Json).ok_or_else(|| HttpError::not_found("Observer not found"))
}

fn response(
    reach: &Reach<'_>,
    (a, b): (ObserverId, ObserverId),
    range: &CompareRange,
    OfPieces { found, bounded }: &OfPieces<Comparison>,
) -> CompareResponse {
    let observer = |id| ComparedObserver::of(reach.hot.read().observer_record(id));
    let row = |id: &TransmissionId| reach.by_id(*id, |packet| compared_packet(packet, a, b));
    let rows = |packets: &[TransmissionId]| packets.iter().filter_map(row).collect();
    let [only_a, both, only_b] = &found.newest;
    CompareResponse {
        a: observer(a),
        b: observer(b),
        from: rfc3339(range.from),
        to: rfc3339(range.to),
        packets: ComparedCounts::of(found.packets),
        by_type: found
            .by_type
            .iter()
            .map(|(payload_type, packets)| ComparedType {
                payload_type: payload_type.code(),
                name: payload_type.name(),
                packets: ComparedCounts::of(*packets),
            })
            .collect(),
        series: found.series.iter().map(ComparedPoint::of).collect(),
        bucket_ms: range.bucket_ms,
        signal: ComparedSignal::of(&found.signal, found.packets.both),
        newest: ComparedNewest { only_a: rows(only_a), both: rows(both), only_b: rows(only_b) },
        bounded: bounded.then_some(true),
    }
}

fn compared_packet(packet: &TransmissionView<'_>, a: ObserverId, b: ObserverId) -> ComparedPacket {
    let heard = packet.heard_pair(a, b);
    ComparedPacket {
        id: packet.id().0,
        hash: packet.hash().to_string(),
        payload_type: packet.payload_type().code(),
        first_seen: rfc3339(packet.first_seen()),
        a: heard.a.map(ComparedHearing::of),
        b: heard.b.map(ComparedHearing::of),
    }
}

impl ComparedObserver {
    fn of(record: Option<&ObserverRecord>) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            id: record.map(|record| record.key.to_string()).unwrap_or_default(),
            name: text(record.and_then(|record| record.name.as_deref())),
            iata: text(record.and_then(|record| record.iata.as_deref())),
        }
    }
}

impl ComparedCounts {
    fn of(counts: HeardCounts) -> Self {
        Self { only_a: counts.only_a, both: counts.both, only_b: counts.only_b }
    }
}

impl ComparedPoint {
    fn of(bucket: &SetBucket) -> Self {
        Self { t: rfc3339(bucket.start), packets: ComparedCounts::of(bucket.packets) }
    }
}

impl ComparedSignal {
    fn of(signal: &SignalComparison, both: u64) -> Self {
        let mean = |quarters: i64| hundredths(quarters as f64 / 4.0 / signal.with_snr as f64);
        Self {
            compared: signal.compared,
            complete: signal.compared == both,
            first_a: signal.first_a,
            first_b: signal.first_b,
            tied: signal.tied,
            with_snr: signal.with_snr,
            stronger_a: signal.stronger_a,
            stronger_b: signal.stronger_b,
            mean_snr_a: mean(signal.snr_sum_a),
            mean_snr_b: mean(signal.snr_sum_b),
            mean_difference: mean(signal.snr_sum_a - signal.snr_sum_b),
        }
    }
}

impl ComparedHearing {
    fn of(heard: HeardBest) -> Self {
        Self { time: rfc3339_millis(heard.first), snr: heard.snr.map(SnrQuarterDb::db) }
    }
}
