//! The live feed: each observation as one WebSocket frame (contract §3), rendered once for all clients.

pub(crate) mod frame;
mod hub;
mod origin;
mod socket;

pub use hub::LiveHub;
pub(crate) use hub::render;

use crate::error::HttpError;
use crate::state::ApiState;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// `GET /ws`.
pub(crate) async fn feed(
    State(state): State<ApiState>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: HeaderMap,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(&state, upgrade, &headers),
        Err(_) => {
            HttpError::new(StatusCode::UPGRADE_REQUIRED, "this path speaks WebSocket only").into_response()
        }
    }
}

/// Opens the feed for a client, unless its page is a stranger's or there are too many clients.
pub(crate) fn open(state: &ApiState, upgrade: WebSocketUpgrade, headers: &HeaderMap) -> Response {
    let config = state.config();
    if !origin::is_allowed(headers, &config.cors_allowed_origins) {
        return HttpError::new(StatusCode::FORBIDDEN, "origin not allowed").into_response();
    }
    let Some(seat) = state.live().seat(config.web_socket.max_clients) else {
        return HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "too many live clients").into_response();
    };
    upgrade
        .max_frame_size(socket::MAX_INBOUND_BYTES)
        .max_message_size(socket::MAX_INBOUND_BYTES)
        .on_upgrade(move |stream| socket::run(stream, seat))
}
