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

/// Nothing from another host, no inline script, no inline style. Images also from data URLs, as canvases make them.
const PAGE_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self' ws: wss:; base-uri 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'self'";

/// The documentation page carries inline styles that are not ours.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     base-uri 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'self'";

pub(crate) async fn common(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let is_docs = request.uri().path().starts_with(DOCS_PATH);
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
        let policy = if is_docs { DOCS_POLICY } else { PAGE_POLICY };
        headers.insert(
            CONTENT_SECURITY_POLICY,
            policy_with_embedders(policy, &state.config().cors_allowed_origins),
        );
    }
    response
}

/// Sites that may read the API may also show the page in a frame. Both policies end with who may.
fn policy_with_embedders(policy: &'static str, origins: &[String]) -> HeaderValue {
    let is_source = |origin: &&String| {
        !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic() && !b";,'\"".contains(&byte))
    };
    let embedders: String = origins.iter().filter(is_source).map(|origin| format!(" {origin}")).collect();
    HeaderValue::from_str(&format!("{policy}{embedders}")).unwrap_or(HeaderValue::from_static(policy))
}

/// Answers of the API are as of now; those with an `ETag` say themselves how they may be kept.
pub(crate) async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
