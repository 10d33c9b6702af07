//! What handlers take from a request, with errors in the API's own form.

use crate::config::ApiKeyStrength;
use crate::error::HttpError;
use crate::state::ApiState;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// The query string as a typed struct; a value that does not fit is a 400 that names its parameter.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let query = parts.uri.query().unwrap_or_default();
        // `form_urlencoded` replaces bytes that are not UTF-8, so that they only fail where they matter.
        let deserializer = serde_urlencoded::Deserializer::new(form_pairs(query));
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let parameter = error.path().to_string();
            HttpError::bad_parameter(&parameter, error.into_inner())
        })
    }
}

fn form_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

/// How long a client may take to send a body; ours are some kilobytes.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A JSON body of at most the route's limit.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let bytes = tokio::time::timeout(BODY_TIME, Bytes::from_request(request, state)).await;
        let bytes = bytes.map_err(|_elapsed| {
            HttpError::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
        })?;
        let bytes = bytes.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(failure)
                if failure.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large")
            }
            _ => HttpError::bad_request("body could not be read"),
        })?;
        json_of(&bytes).map(Self)
    }
}

/// A JSON body that was read already.
///
/// # Errors
/// A 400 that says where it is wrong.
pub(crate) fn json_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    let invalid = |detail: String| HttpError::bad_request("invalid JSON body").with_detail(detail);
    // A list would be read as the fields of an object, in some order that nobody has promised.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(invalid("a list where an object is wanted".to_owned()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| invalid(error.to_string()))?;
    json.end().map_err(|error| invalid(error.to_string()))?;
    Ok(value)
}

/// One path segment, decoded; a segment that is not UTF-8 names nothing, so it is a 404.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(_) => Err(HttpError::not_found("Not found")),
        }
    }
}

/// Proof that the request carries the right and a strong API key.
pub(crate) struct Authorized;

impl FromRequestParts<ApiState> for Authorized {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, HttpError> {
        let config = state.config();
        let strength = config.api_key_strength();
        if strength == ApiKeyStrength::Missing {
            let text = "write endpoints disabled — set apiKey in config.json";
            return Err(HttpError::new(StatusCode::FORBIDDEN, text));
        }
        let given = parts.headers.get("x-api-key").map(axum::http::HeaderValue::as_bytes);
        if !given.is_some_and(|given| same_in_constant_time(given, config.api_key.as_bytes())) {
            return Err(HttpError::new(StatusCode::UNAUTHORIZED, "unauthorized"));
        }
        if strength == ApiKeyStrength::Weak {
            return Err(HttpError::new(StatusCode::FORBIDDEN, "forbidden"));
        }
        Ok(Self)
    }
}

/// The time taken must not tell how many leading bytes are right.
fn same_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

/// An optional parameter read with [`FromStr`]; an empty value is as good as none.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// An optional parameter with a fixed set of values; an empty value is as good as none.
pub(crate) fn choice<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    T::deserialize(IntoDeserializer::<D::Error>::into_deserializer(text)).map(Some)
}

/// A comma-separated list; blanks around the values and empty values are dropped.
pub(crate) fn csv<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect())
}

/// A moment in time, as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) model::UnixMillis);

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A `+` of a zone arrives as a blank when the client did not encode it.
        let repaired = text.replace(' ', "+");
        let time = crate::render::time::parse(text).or_else(|| crate::render::time::parse(&repaired));
        time.map(Self).ok_or("not a time such as 2026-05-17T16:00:00Z")
    }
}

/// A whole number that is not negative, as a parameter, with an error in plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) usize);

impl FromStr for Whole {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Digits only: `usize` would also take a leading plus sign.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than fit mean "very many", and lists are capped anyway.
            return Ok(Self(text.parse().unwrap_or(usize::MAX)));
        }
        Err("not a whole number of 0 or more")
    }
}

/// A number that is not negative, as a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decimal(pub(crate) f64);

impl FromStr for Decimal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        number.map(Self).ok_or("not a number of 0 or more")
    }
}

/// How many rows: the default for none or 0, at most `cap`.
pub(crate) fn limit(asked: Option<Whole>, default: usize, cap: usize) -> usize {
    match asked {
        None | Some(Whole(0)) => default.min(cap),
        Some(Whole(rows)) => rows.min(cap),
    }
}
