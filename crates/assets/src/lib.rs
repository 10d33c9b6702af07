//! The built web UI, embedded in the program: files with `ETag`, in the compressed form that the client takes.
//!
//! This crate must never need Node to compile: without `web/dist` it embeds nothing and serves a page that says how to
//! build the UI.
//!
//! ```
//! use axum::http::{HeaderMap, StatusCode};
//!
//! // The page understands paths of its own, so any path without a file extension gets its start.
//! let response = assets::serve("/nodes/abc", &HeaderMap::new());
//! assert!(matches!(response.status(), StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE));
//! assert_eq!(assets::serve("/no/such/file.js", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
//! ```

#![forbid(unsafe_code)]

mod content_type;
mod encoding;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, VARY,
};
use axum::http::{Response, StatusCode};
use content_type::content_type;
use encoding::{Encoding, accepted};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `cargo xtask web` has built.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// The page's start, which loads the rest.
const START: &str = "index.html";

/// File names below this folder carry a hash of their content, so a name never means something else.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<title>UI not built</title>\n\
    <h1>The UI is not built</h1>\n<p>Run <code>cargo xtask web</code> and build the program again.</p>\n\
    <p>The API works: see <a href=\"/api/docs\">/api/docs</a>.</p>\n</html>\n";

/// Whether the UI was built when this program was compiled.
///
/// ```
/// if !assets::is_built() {
///     println!("run `cargo xtask web` for the UI");
/// }
/// ```
pub fn is_built() -> bool {
    Dist::get(START).is_some()
}

/// Answers a `GET` for a path of the page: a file, or the start of the page for a path without a file extension.
///
/// 304 when the client has it, 404 for a file that does not exist, 503 with an explanation when the UI was not built.
pub fn serve(path: &str, headers: &HeaderMap) -> Response<Body> {
    let name = path.trim_start_matches('/');
    // Compressed forms are not files of their own.
    let is_variant = Encoding::ALL.iter().any(|encoding| name.ends_with(encoding.suffix()));
    if !is_variant && let Some(file) = Dist::get(name) {
        return file_response(name, file, headers);
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains('.') {
        return text_response(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Not found\n");
    }
    match Dist::get(START) {
        Some(file) => file_response(START, file, headers),
        None => text_response(StatusCode::SERVICE_UNAVAILABLE, "text/html; charset=utf-8", NOT_BUILT),
    }
}

fn file_response(name: &str, plain: EmbeddedFile, headers: &HeaderMap) -> Response<Body> {
    let accept = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let variants = Encoding::ALL.into_iter().filter(|encoding| accepted(accept, *encoding));
    let variant = variants
        .filter_map(|encoding| Some((encoding, Dist::get(&format!("{name}{}", encoding.suffix()))?)))
        .next();
    let (encoding, file) = match variant {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, plain),
    };
    let tag = etag(&file, encoding);
    let fresh = headers.get(IF_NONE_MATCH).is_some_and(|known| names_tag(known, &tag));
    let body = if fresh { Body::empty() } else { Body::from(file.data) };
    let mut response = Response::new(body);
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let out = response.headers_mut();
    let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    out.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    out.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(encoding) = encoding {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(ETAG, tag);
    }
    response
}

/// Half of the content's SHA-256 is plenty; each encoding has a tag of its own, as the bytes differ.
fn etag(file: &EmbeddedFile, encoding: Option<Encoding>) -> String {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}{}\"", encoding.map_or("", Encoding::suffix))
}

/// `If-None-Match` is a list, `*`, or tags marked as weak by a proxy; comparison is the weak one.
fn names_tag(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(|item| item.trim().trim_start_matches("W/")).any(|item| item == "*" || item == tag)
}

fn text_response(status: StatusCode, kind: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
