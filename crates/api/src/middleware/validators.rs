//! `ETag` and `If-None-Match`: who has an answer already gets a 304 instead of it.

use crate::state::ApiState;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::hash::{DefaultHasher, Hasher};

/// Routes whose answers change seldom: the tag is made of the answer, and spares its way to the client.
const BY_CONTENT: [&str; 12] = [
    "/api/config/areas",
    "/api/config/areas/polygons",
    "/api/config/cache",
    "/api/config/client",
    "/api/config/geo-filter",
    "/api/config/map",
    "/api/config/regions",
    "/api/config/theme",
    "/api/filter/fields",
    "/api/iata-coords",
    "/api/perf/series",
    "/api/spec",
];

/// Routes whose answers follow from the index, the configuration and the request alone: the tag is the state of both, and
/// spares making the answer. What depends on the time of day is not among them.
const BY_VERSION: [&str; 5] = [
    "/api/packets",
    "/api/packets/{id}",
    "/api/packets/timestamps",
    "/api/channels/{hash}/messages",
    "/api/traces/{hash}",
];

/// The largest answer of [`BY_CONTENT`] is the document, at some 500 kB.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Browsers keep the answer and ask whether it still holds.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Answers 304 to clients that have the answer, and gives the others the tag to ask with.
pub(crate) async fn validate(
    State(state): State<ApiState>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    if BY_VERSION.contains(&route) && !may_age(&request) {
        // Taken before the answer is made: it may be newer than its tag, but never older.
        let Some(tag) = version_tag(&state) else { return next.run(request).await };
        if has(request.headers(), &tag) {
            return not_modified(tag);
        }
        let response = next.run(request).await;
        return if response.status() == StatusCode::OK { tagged(response, tag) } else { response };
    }
    if BY_CONTENT.contains(&route) && request.method() == Method::GET {
        let asked = request.headers().get_all(IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
        let response = next.run(request).await;
        return if response.status() == StatusCode::OK {
            by_content(&asked, response).await
        } else {
            response
        };
    }
    next.run(request).await
}

/// A filter may ask for ages, and what it finds changes with the clock alone.
fn may_age(request: &Request) -> bool {
    request.uri().query().is_some_and(|query| query.split('&').any(|part| part.starts_with("filter=")))
}

/// It holds for this process only: the next one may count the same changes otherwise.
fn version_tag(state: &ApiState) -> Option<HeaderValue> {
    let version = state.read(|index, _now| index.version());
    let (process, config) = (state.started_at().0, state.config_version());
    let index = format!("{:x}-{:x}-{:x}", version.index, version.changes, version.hops);
    let text = format!("W/\"{process:x}-{index}-{config:x}\"");
    HeaderValue::from_str(&text).ok()
}

async fn by_content(asked: &[HeaderValue], response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    // Weak, since the bytes on the way depend on the compression.
    let tag = HeaderValue::from_str(&format!("W/\"{:016x}\"", hasher.finish()));
    let Ok(tag) = tag else { return Response::from_parts(parts, Body::from(bytes)) };
    if asked.iter().any(|line| lists(line, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_LENGTH);
        return tagged(Response::from_parts(parts, Body::empty()), tag);
    }
    tagged(Response::from_parts(parts, Body::from(bytes)), tag)
}

fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().any(|line| lists(line, tag))
}

/// The weak comparison of RFC 9110, section 8.8.3.2.
fn lists(line: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let (Ok(line), Ok(tag)) = (line.to_str(), tag.to_str()) else { return false };
    line.trim() == "*" || line.split(',').any(|one| opaque(one) == opaque(tag))
}

fn not_modified(tag: HeaderValue) -> Response {
    tagged(StatusCode::NOT_MODIFIED.into_response(), tag)
}

fn tagged(mut response: Response, tag: HeaderValue) -> Response {
    response.headers_mut().insert(ETAG, tag);
    response.headers_mut().insert(CACHE_CONTROL, ASK_AGAIN);
    response
}
