//! What lies around the handlers: times, headers, limits, compression, and answers for what has no handler.

pub(crate) mod cors;
pub(crate) mod headers;
pub(crate) mod timing;

use crate::error::HttpError;
use crate::routes::backup;
use crate::state::ApiState;
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Duration;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

/// A request that takes longer has a client that does not send its body, or found a fault of ours.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The layers of the API alone. Compression is quick rather than tight: lists are made for each request.
pub(crate) fn around_api(api: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    // A backup's length is announced, and its bytes hardly get fewer.
    let worthwhile = DefaultPredicate::new().and(NotForContentType::const_new(backup::TYPE));
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worthwhile);
    api.layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(limit_time))
        .layer(from_fn_with_state(state.clone(), timing::measure))
        .layer(compression)
        .layer(from_fn_with_state(state.clone(), cors::cross_origin))
        .layer(axum::middleware::from_fn(headers::no_store))
}

/// The layers of everything.
pub(crate) fn around_all(whole: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    whole.layer(from_fn_with_state(state.clone(), headers::common))
}

/// Ends requests that take too long. A backup takes as long as the database is large, and ends with its client.
async fn limit_time(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    if matched.is_some_and(|path| path.as_str() == backup::PATH) {
        return next.run(request).await;
    }
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// A path of the API that does not exist.
pub(crate) async fn unknown_path(request: Request) -> HttpError {
    HttpError::not_found("no such API path").with_detail(request.uri().path())
}

/// A path that exists, with another method; the router adds the methods that it has.
pub(crate) async fn wrong_method() -> HttpError {
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("not a text"), "a request handler panicked");
    HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}
