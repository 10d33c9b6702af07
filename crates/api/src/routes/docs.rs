//! `GET /api/spec` and `GET /api/docs`.

use crate::state::ApiState;
use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The agreed document. It is what [`crate::openapi_json`] makes of the code, by the word of a test, and need not be made anew.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// The same of [`crate::asyncapi_json`].
const LIVE_DOCUMENT: &str = include_str!("../../asyncapi.json");

/// Where the documentation page is; it has a content security policy of its own.
pub(crate) const DOCS_PATH: &str = "/api/docs";

/// This document. Any site may read it.
#[utoipa::path(get, path = "/api/spec", tag = "core", responses((status = 200, body = Object)))]
pub(crate) async fn spec() -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], DOCUMENT)
}

/// What is said over the WebSocket `/api/live`, as an AsyncAPI document. Any site may read it.
#[utoipa::path(get, path = "/api/live/asyncapi.json", tag = "core", responses((status = 200, body = Object)))]
pub(crate) async fn live_spec() -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], LIVE_DOCUMENT)
}

/// A page that shows the document and tries requests; everything it needs is in the program.
pub(crate) fn swagger_ui() -> Router<ApiState> {
    SwaggerUi::new(DOCS_PATH).config(Config::from("/api/spec")).into()
}
