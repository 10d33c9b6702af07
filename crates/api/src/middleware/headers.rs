//! Headers that many answers have.

use crate::routes::docs::DOCS_PATH;
use crate::services::LoadStatus;
use crate::state::ApiState;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;

/// How far the history is loaded; on every answer.
const LOAD_STATUS: HeaderName = HeaderName::from_static("x-corescope-load-status");

/// Nothing from another host, no inline script; images also from data URLs, as the map draws its markers. Style
/// attributes stay possible, because the page places virtual rows and chart parts by them.
const PAGE_POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; \
     style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; \
     connect-src 'self' ws: wss:; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";

/// The documentation page carries inline styles that are not ours.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     base-uri 'self'; form-action 'self'; frame-ancestors 'self'";

pub(crate) async fn common(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let policy = if request.uri().path().starts_with(DOCS_PATH) { DOCS_POLICY } else { PAGE_POLICY };
    let mut response = next.run(request).await;
    let status = match state.services().load_status() {
        LoadStatus::Ready => HeaderValue::from_static("ready"),
        LoadStatus::Loading { rows } => HeaderValue::from_str(&format!("loading; progress={rows}"))
            .unwrap_or(HeaderValue::from_static("loading")),
    };
    let headers = response.headers_mut();
    headers.insert(LOAD_STATUS, status);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let is_html = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/html"));
    // Only documents are subject to a policy; on answers of the API it would be 300 bytes for nothing.
    if is_html {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    response
}

/// Answers of the API are as of now.
pub(crate) async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
