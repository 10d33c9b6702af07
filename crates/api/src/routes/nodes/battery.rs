//! `GET /api/nodes/{pubkey}/battery`.

use super::analytics::DaysParams;
use super::find::find_node_or;
use crate::config::BatteryThresholds;
use crate::error::HttpError;
use crate::extract::{Params, Segment};
use crate::json::Json;
use crate::render::time::rfc3339;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use axum::http::StatusCode;
use model::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

/// How the battery of a node has fared, as it reported itself as an observer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatteryResponse {
    /// 64 hex digits.
    public_key: String,
    days: u32,
    /// Oldest first, at most the newest 10,000.
    samples: Vec<BatterySample>,
    latest_mv: Option<u32>,
    /// RFC 3339.
    latest_ts: Option<String>,
    status: BatteryStatus,
    thresholds: BatteryThresholdsRow,
}

/// One report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatterySample {
    /// RFC 3339.
    timestamp: String,
    battery_mv: u32,
}

/// What the newest voltage means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BatteryStatus {
    /// There is none.
    Unknown,
    Ok,
    /// Below `low_mv`.
    Low,
    /// Below `critical_mv`.
    Critical,
}

/// Where the bounds are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatteryThresholdsRow {
    low_mv: u32,
    critical_mv: u32,
}

/// One sample in five minutes for 34 days.
const MAX_SAMPLES: u32 = 10_000;
const DAY_MS: i64 = 86_400_000;

/// How the battery of a node has fared.
#[utoipa::path(
    get, path = "/api/nodes/{pubkey}/battery", tag = "nodes",
    params(("pubkey" = String, Path, description = "64 hex digits, or at least the first 8"), DaysParams),
    responses(
        (status = 200, body = BatteryResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 404, body = crate::error::ErrorBody),
        (status = 409, description = "several nodes begin with these digits", body = crate::error::ErrorBody),
        (status = 503, description = "the database cannot be read", body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn node_battery(
    State(state): State<ApiState>,
    Segment(pubkey): Segment,
    Params(params): Params<DaysParams>,
) -> Result<Json<BatteryResponse>, HttpError> {
    let config = state.config_arc();
    let (key, observer) = state.read(|index, _now| {
        let node = find_node_or(index, &pubkey, &config, "node not found")?;
        let key = node.key.to_string();
        let shown = Visibility::new(&config).shows_observer_key(&key);
        let observer = index.observer_by_key(&key).filter(|_| shown);
        Ok::<_, HttpError>((key, observer))
    })?;
    let days = params.days();
    let from = UnixMillis::now().plus_ms(-i64::from(days) * DAY_MS);
    let readings = match observer.zip(state.services().reader()) {
        None => Vec::new(),
        Some((observer, reader)) => {
            let read = tokio::task::spawn_blocking(move || reader.battery(observer, from, MAX_SAMPLES));
            read.await.ok().and_then(Result::ok).ok_or_else(unreadable)?
        }
    };
    Ok(Json(response(key, days, &readings, config.battery_thresholds)))
}

fn response(
    public_key: String,
    days: u32,
    readings: &[(UnixMillis, u32)],
    thresholds: BatteryThresholds,
) -> BatteryResponse {
    let latest = readings.last().copied();
    let sample = |(time, battery_mv): &(UnixMillis, u32)| BatterySample {
        timestamp: rfc3339(*time),
        battery_mv: *battery_mv,
    };
    BatteryResponse {
        public_key,
        days,
        samples: readings.iter().map(sample).collect(),
        latest_mv: latest.map(|(_, mv)| mv),
        latest_ts: latest.map(|(time, _)| rfc3339(time)),
        status: status(latest.map(|(_, mv)| mv), thresholds),
        thresholds: BatteryThresholdsRow { low_mv: thresholds.low, critical_mv: thresholds.critical },
    }
}

fn status(latest_mv: Option<u32>, thresholds: BatteryThresholds) -> BatteryStatus {
    match latest_mv {
        None => BatteryStatus::Unknown,
        Some(mv) if mv < thresholds.critical => BatteryStatus::Critical,
        Some(mv) if mv < thresholds.low => BatteryStatus::Low,
        Some(_) => BatteryStatus::Ok,
    }
}

fn unreadable() -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read at the moment")
}
