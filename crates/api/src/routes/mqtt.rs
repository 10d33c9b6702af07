//! `GET /api/mqtt/status`.

use crate::json::Json;
use crate::render::time::rfc3339;
use crate::services::MqttSourceRow;
use crate::state::ApiState;
use axum::extract::State;
use model::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

/// The brokers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MqttStatusResponse {
    sources: Vec<MqttSourceRow>,
    /// When this was read, RFC 3339.
    sample_at: String,
}

/// The brokers, and how the connections to them are.
#[utoipa::path(get, path = "/api/mqtt/status", tag = "core", responses((status = 200, body = MqttStatusResponse)))]
pub(crate) async fn mqtt_status(State(state): State<ApiState>) -> Json<MqttStatusResponse> {
    let sources = state.services().mqtt_sources();
    Json(MqttStatusResponse { sources, sample_at: rfc3339(UnixMillis::now()) })
}
