//! The live feed, in two dialects: CoreScope's, each observation as one WebSocket frame (contract §3), on `/` and `/ws`; and
//! `/api/live`, which sends batches of what a client subscribes to (docs/live.md). Both render once for all clients.

mod asyncapi;
mod batch;
mod desk;
mod filter;
pub(crate) mod frame;
mod hub;
mod orders;
mod origin;
mod plan;
pub(crate) mod protocol;
mod ring;
mod row;
mod selection;
mod session;
mod socket;

pub use asyncapi::asyncapi_json;
pub use hub::LiveHub;
pub(crate) use hub::render;

use crate::error::{ErrorBody, HttpError};
use crate::limits::client_address;
use crate::state::ApiState;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hub::{NoSeat, Seat};

/// The default of 128 KiB would be zeroed and kept for each client, who says a line now and then.
const READ_BUFFER_BYTES: usize = 1024;

/// Frames that are ready at the same time go into one write up to this. It is kept for each client from its first busy moment
/// on, so that a thousand slow ones would take a thousand times as much.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET /ws`.
pub(crate) async fn feed(
    State(state): State<ApiState>,
    upgrade: Upgrade,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(&state, upgrade, &headers, &extensions),
        Err(_) => not_an_upgrade().into_response(),
    }
}

/// Opens CoreScope's dialect for a client, unless its page is a stranger's or there are too many clients.
pub(crate) fn open(
    state: &ApiState,
    upgrade: WebSocketUpgrade,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Response {
    let seat = match admit(state, headers, extensions) {
        Ok(seat) => seat,
        Err(refusal) => return refusal.into_response(),
    };
    // From here on no frame is missed, even if the handshake takes its time.
    let frames = state.live().frames();
    sized(upgrade, socket::MAX_INBOUND_BYTES).on_upgrade(move |stream| socket::run(stream, seat, frames))
}

/// Opens a WebSocket on which observations come in batches, as rows of the fields that the client asked for, with sequence numbers
/// from which it can resume. What is said over it is described by `/api/live/asyncapi.json`.
#[utoipa::path(
    get, path = "/api/live", tag = "packets",
    responses(
        (status = 101, description = "The WebSocket is open; the server says `welcome`"),
        (status = 403, body = ErrorBody, description = "The origin is neither this host nor listed in `corsAllowedOrigins`"),
        (status = 426, body = ErrorBody, description = "The request does not ask for a WebSocket"),
        (status = 429, body = ErrorBody, description = "Too many live clients of this address"),
        (status = 503, body = ErrorBody, description = "Too many live clients"),
    )
)]
pub(crate) async fn live(
    State(state): State<ApiState>,
    upgrade: Upgrade,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let Ok(upgrade) = upgrade else { return not_an_upgrade().into_response() };
    match admit(&state, &headers, &extensions) {
        Ok(seat) => sized(upgrade, orders::MAX_FRAME_BYTES)
            .on_upgrade(move |stream| session::run(stream, seat, state)),
        Err(refusal) => refusal.into_response(),
    }
}

fn sized(upgrade: WebSocketUpgrade, max_inbound_bytes: usize) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_frame_size(max_inbound_bytes)
        .max_message_size(max_inbound_bytes)
}

fn admit(state: &ApiState, headers: &HeaderMap, extensions: &Extensions) -> Result<Seat, HttpError> {
    let config = state.config();
    if !origin::is_allowed(headers, &config.cors_allowed_origins) {
        return Err(HttpError::new(StatusCode::FORBIDDEN, "origin not allowed"));
    }
    let address = client_address(extensions, headers, &config.rate_limit);
    state.live().seat(&config.web_socket, address).map_err(|refusal| match refusal {
        NoSeat::Full => HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "too many live clients"),
        NoSeat::AddressFull => {
            HttpError::new(StatusCode::TOO_MANY_REQUESTS, "too many live clients of this address")
        }
    })
}

fn not_an_upgrade() -> HttpError {
    HttpError::new(StatusCode::UPGRADE_REQUIRED, "this path speaks WebSocket only")
}
