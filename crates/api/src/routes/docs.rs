//! `GET /api/spec` and `GET /api/docs`.

use crate::live::asyncapi_json;
use crate::openapi::openapi_json;
use crate::state::ApiState;
use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use std::sync::LazyLock;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// It never changes while the program runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_json);

/// Nor does this one.
static LIVE_DOCUMENT: LazyLock<String> = LazyLock::new(asyncapi_json);

/// Where the documentation page is; it has a content security policy of its own.
pub(crate) const DOCS_PATH: &str = "/api/docs";

/// This document. Any site may read it.
#[utoipa::path(get, path = "/api/spec", tag = "core", responses((status = 200, body = Object)))]
pub(crate) async fn spec() -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], DOCUMENT.as_str())
}

/// What is said over the WebSocket `/api/live`, as an AsyncAPI document. Any site may read it.
#[utoipa::path(get, path = "/api/live/asyncapi.json", tag = "core", responses((status = 200, body = Object)))]
pub(crate) async fn live_spec() -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], LIVE_DOCUMENT.as_str())
}

/// A page that shows the document and tries requests; everything it needs is in the program.
pub(crate) fn swagger_ui() -> Router<ApiState> {
    SwaggerUi::new(DOCS_PATH).config(Config::from("/api/spec")).into()
}
