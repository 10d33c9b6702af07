//! `GET /api/iata-coords`.

use crate::airports::AIRPORTS;
use crate::json::Json;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where the airports are whose codes name regions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IataResponse {
    /// By code.
    coords: BTreeMap<&'static str, Coordinates>,
}

/// A place in degrees.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Coordinates {
    lat: f64,
    lon: f64,
}

/// Where the airports are whose codes name regions.
#[utoipa::path(get, path = "/api/iata-coords", tag = "config", responses((status = 200, body = IataResponse)))]
pub(crate) async fn iata_coords() -> Json<IataResponse> {
    let coords = AIRPORTS.iter().map(|(code, lat, lon)| (*code, Coordinates { lat: *lat, lon: *lon }));
    Json(IataResponse { coords: coords.collect() })
}
