//! The page: `/`, its files, and every path that the page itself understands.

use crate::error::HttpError;
use crate::live;
use crate::state::ApiState;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Files of the page; its start for any path that is not a file; the live feed for whoever asks for an upgrade.
///
/// Clients of CoreScope open the feed at `/`, and it upgrades any path that is not taken, so we do as well.
pub(crate) async fn page(
    State(state): State<ApiState>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return live::open(&state, upgrade, request.headers(), request.extensions());
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response =
            HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into_response();
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    assets::serve(request.uri().path(), request.headers())
}
