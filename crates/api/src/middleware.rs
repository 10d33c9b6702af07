//! What lies around the handlers: times, headers, limits, compression, and answers for what has no handler.

pub(crate) mod cors;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod timing;
pub(crate) mod validators;

use crate::error::HttpError;
use crate::routes::backup;
use crate::state::ApiState;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

/// The layers of the API alone. Compression is quick rather than tight: lists are made for each request.
pub(crate) fn around_api(api: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    // A backup's length is announced, and its bytes hardly get fewer.
    let worthwhile = DefaultPredicate::new().and(NotForContentType::const_new(backup::TYPE));
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worthwhile);
    api.layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), limits::for_class))
        .layer(from_fn_with_state(state.clone(), validators::validate))
        .layer(from_fn_with_state(state.clone(), limits::for_client))
        .layer(from_fn_with_state(state.clone(), timing::measure))
        .layer(compression)
        .layer(from_fn_with_state(state.clone(), cors::cross_origin))
        .layer(axum::middleware::from_fn(headers::no_store))
}

/// The layers of everything.
pub(crate) fn around_all(whole: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    whole.layer(from_fn_with_state(state.clone(), headers::common))
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
