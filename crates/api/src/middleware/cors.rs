//! Reading from other sites: only those of the configuration, and only reading.

use crate::config::ApiConfig;
use crate::state::ApiState;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Adds the CORS headers for allowed origins and answers `OPTIONS`. Others are served without the headers.
pub(crate) async fn cross_origin(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.run(request).await };
    let allowed = {
        let config = state.config();
        if config.cors_allowed_origins.is_empty() { None } else { Some(allowed_origin(&config, &origin)) }
    };
    let Some(allowed) = allowed else { return next.run(request).await };
    let mut response = match (request.method(), &allowed) {
        (&Method::OPTIONS, Some(_)) => StatusCode::NO_CONTENT.into_response(),
        (&Method::OPTIONS, None) => StatusCode::FORBIDDEN.into_response(),
        _ => next.run(request).await,
    };
    if let Some(allowed) = allowed {
        add_headers(response.headers_mut(), allowed);
    }
    response
}

/// What to answer as the allowed origin: `*` when any is, else the origin itself if it is listed, letter by letter.
fn allowed_origin(config: &ApiConfig, origin: &HeaderValue) -> Option<HeaderValue> {
    let listed = &config.cors_allowed_origins;
    if listed.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    listed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

fn add_headers(headers: &mut HeaderMap, allowed: HeaderValue) {
    if allowed != "*" {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type, X-API-Key"));
}
