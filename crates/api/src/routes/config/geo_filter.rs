//! `/api/config/geo-filter`.

use crate::config::{ApiKeyStrength, GeoFilter};
use crate::error::HttpError;
use crate::extract::{Authorized, JsonBody};
use crate::json::Json;
use crate::services::GeoFilterError;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Corners that a polygon may have.
const MAX_CORNERS: usize = 1_000;

/// Widest margin: half way around the Earth.
const MAX_BUFFER_KM: f64 = 20_000.0;

/// The area of interest.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GeoFilterResponse {
    /// Corners as latitude and longitude; null when there is no polygon.
    polygon: Option<Vec<[f64; 2]>>,
    /// Margin around the polygon.
    buffer_km: f64,
    /// Whether a strong API key is configured, without which it cannot be changed.
    write_enabled: bool,
}

/// An area of interest to put in place of the present one.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GeoFilterOrder {
    /// Corners as latitude and longitude: 3 to 1,000. Null or empty takes the area away.
    polygon: Option<Vec<[f64; 2]>>,
    /// Margin around the polygon in kilometres, 0 to 20,000.
    buffer_km: f64,
}

/// The area of interest.
#[utoipa::path(get, path = "/api/config/geo-filter", tag = "config", responses((status = 200, body = GeoFilterResponse)))]
pub(crate) async fn geo_filter(State(state): State<ApiState>) -> Json<GeoFilterResponse> {
    let config = state.config();
    let filter = config.geo_filter.as_ref();
    Json(GeoFilterResponse {
        polygon: filter.map(|filter| filter.polygon.clone()).filter(|corners| !corners.is_empty()),
        buffer_km: filter.map_or(0.0, |filter| filter.buffer_km),
        write_enabled: config.api_key_strength() == ApiKeyStrength::Strong,
    })
}

/// Change the area of interest: in `config.json`, of which all else stays as it is, and at once. Needs the API key in
/// `X-API-Key`.
#[utoipa::path(
    put, path = "/api/config/geo-filter", tag = "config", request_body = GeoFilterOrder,
    responses(
        (status = 200, body = GeoFilterOrder),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 500, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn put_geo_filter(
    _authorized: Authorized,
    State(state): State<ApiState>,
    JsonBody(order): JsonBody<GeoFilterOrder>,
) -> Result<Json<GeoFilterOrder>, HttpError> {
    order.check()?;
    let polygon = order.polygon.filter(|corners| !corners.is_empty());
    let filter = polygon.clone().map(|polygon| GeoFilter {
        polygon,
        buffer_km: order.buffer_km,
        ..GeoFilter::default()
    });
    let written = filter.clone();
    let result = state.registry(move |registry| registry.write_geo_filter(written.as_ref())).await?;
    result.map_err(|error| {
        let answer = HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "config.json could not be written");
        if let GeoFilterError::File(_) = error {
            tracing::error!(%error, "the area of interest could not be written");
        }
        answer.with_detail(error.to_string())
    })?;
    state.change_config(|config| config.geo_filter.clone_from(&filter));
    Ok(Json(GeoFilterOrder { polygon, buffer_km: order.buffer_km }))
}

impl GeoFilterOrder {
    fn check(&self) -> Result<(), HttpError> {
        let corners = self.polygon.as_deref().unwrap_or_default();
        if matches!(corners.len(), 1 | 2) {
            return Err(HttpError::bad_request("polygon needs at least 3 points"));
        }
        if corners.len() > MAX_CORNERS {
            return Err(HttpError::bad_request(format!("polygon has more than {MAX_CORNERS} points")));
        }
        let on_earth = |[lat, lon]: &[f64; 2]| (-90.0..=90.0).contains(lat) && (-180.0..=180.0).contains(lon);
        if let Some(place) = corners.iter().position(|corner| !on_earth(corner)) {
            let error = HttpError::bad_request("polygon has a latitude or longitude out of range");
            return Err(error.with_detail(format!("point {place}, counted from 0")));
        }
        if !(0.0..=MAX_BUFFER_KM).contains(&self.buffer_km) {
            return Err(HttpError::bad_request(format!("bufferKm must be from 0 to {MAX_BUFFER_KM}")));
        }
        Ok(())
    }
}
