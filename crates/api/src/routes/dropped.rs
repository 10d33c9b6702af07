//! `/api/dropped-packets`.

use crate::error::HttpError;
use crate::extract::{Authorized, Params, Whole, parsed};
use crate::json::Json;
use crate::render::{hex, time};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use axum::http::StatusCode;
use model::{DroppedPacket, NodeKey};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Rows when none or too many are asked for, as in the contract.
const DEFAULT_ROWS: usize = 100;

/// Most rows.
const MAX_ROWS: usize = 500;

/// Which refused packets.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DroppedParams {
    /// Rows: 100 when absent, 0, or more than 500.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
    /// Heard by the observer with this id, in either case.
    observer: Option<String>,
    /// Claiming to be of the node with this key.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    pubkey: Option<NodeKey>,
}

/// A packet that was refused and kept as evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DroppedRow {
    id: i64,
    /// Content hash; null where the frame cannot be read.
    hash: Option<String>,
    /// The frame; absent where it was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    raw_hex: Option<String>,
    /// Such as `invalid signature`.
    reason: String,
    observer_id: Option<String>,
    observer_name: Option<String>,
    /// The node that it claims to be of.
    node_pubkey: Option<String>,
    /// The name that it claims.
    node_name: Option<String>,
    /// `YYYY-MM-DD HH:MM:SS`, UTC.
    dropped_at: String,
}

/// The newest packets that were refused, such as adverts with a wrong signature; newest first. With `observer` or `pubkey`
/// those among the newest 20,000. Needs the API key in `X-API-Key`.
#[utoipa::path(
    get, path = "/api/dropped-packets", tag = "admin", params(DroppedParams),
    responses(
        (status = 200, body = Vec<DroppedRow>),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 503, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn dropped_packets(
    _authorized: Authorized,
    State(state): State<ApiState>,
    Params(params): Params<DroppedParams>,
) -> Result<Json<Vec<DroppedRow>>, HttpError> {
    let rows = params.limit.map_or(DEFAULT_ROWS, |limit| limit.0);
    let rows = if (1..=MAX_ROWS).contains(&rows) { rows } else { DEFAULT_ROWS };
    let observer = params.observer.filter(|id| !id.is_empty());
    let (config, asked) = (state.config_arc(), state.clone());
    let read = move || {
        let visibility = Visibility::new(&config);
        let shown = |packet: &DroppedPacket| {
            packet.observer.as_deref().is_none_or(|key| visibility.shows_observer_key(key))
                && packet.node.is_none_or(|key| visibility.shows_key(&key))
        };
        let reader = asked.services().reader()?;
        Some(reader.dropped(observer.as_deref(), params.pubkey, rows as u32, &shown))
    };
    let unavailable = |reason: String| {
        HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "no database can be read").with_detail(reason)
    };
    let found = state.blocking(read).await?.ok_or_else(|| unavailable(String::new()))?;
    let found = found.map_err(|error| unavailable(error.to_string()))?;
    Ok(Json(found.into_iter().map(|(id, packet)| row(id, packet)).collect()))
}

fn row(id: i64, packet: DroppedPacket) -> DroppedRow {
    let text = |text: Option<Box<str>>| text.map(String::from);
    DroppedRow {
        id,
        hash: packet.hash.map(|hash| hash.to_string()),
        raw_hex: Some(hex::upper(&packet.raw)).filter(|raw| !raw.is_empty()),
        reason: packet.reason.into(),
        observer_id: text(packet.observer),
        observer_name: text(packet.observer_name),
        node_pubkey: packet.node.map(|key| key.to_string()),
        node_name: text(packet.node_name),
        dropped_at: time::blank_separated(packet.time),
    }
}
