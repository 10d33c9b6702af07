//! Answers for what is over a limit, as problem details (RFC 9457).

use crate::json::to_text;
use crate::limits::RequestClass;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use index::Limit;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Why a request was not answered, though there is nothing wrong with it but what it takes (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A name of the kind of problem; it leads nowhere.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind of problem in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What was too much, and what can be done about it.
    detail: String,
    /// The same as `title`, where other errors have their text.
    error: &'static str,
    /// The limit: the class of the request (`quick`, `list`, `scan`, `write`) and `time`, `rows` or `places`; or
    /// `client.requests`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    budget: Option<String>,
}

/// The media type of problems.
pub(crate) const PROBLEM_TYPE: &str = "application/problem+json";

/// Nobody knows when a machine is less busy; soon enough for who waits, and long enough to help.
const TRY_AGAIN_SECS: u64 = 1;

impl Problem {
    /// The work for one question was more than one question may cause.
    pub(crate) fn over_budget(class: RequestClass, what: Limit) -> Self {
        let detail = match what {
            Limit::Time => "The answer took too long. Ask for less, or again when there is less to do.",
            Limit::Rows => {
                "Too many rows would have to be looked at one by one. Narrow the time or add a filter."
            }
        };
        Self {
            kind: "urn:meshcore-analyzer:problem:over-budget",
            title: "the request takes more than one request may",
            budget: Some(format!("{}.{what}", class.name())),
            ..Self::of(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// Too many requests of the class are being worked on.
    pub(crate) fn busy(class: RequestClass) -> Self {
        Self {
            kind: "urn:meshcore-analyzer:problem:busy",
            title: "too many requests at a time",
            budget: Some(format!("{}.places", class.name())),
            ..Self::of(
                StatusCode::SERVICE_UNAVAILABLE,
                "Other requests of this kind are being worked on. Ask again.",
            )
        }
    }

    /// This client asks too often.
    pub(crate) fn too_often() -> Self {
        Self {
            kind: "urn:meshcore-analyzer:problem:too-often",
            title: "too many requests from this address",
            budget: Some("client.requests".to_owned()),
            ..Self::of(
                StatusCode::TOO_MANY_REQUESTS,
                "So many requests a second are let through for each address. Ask again after the time in Retry-After.",
            )
        }
    }

    /// The address of the request is longer than any that we give.
    pub(crate) fn uri_too_long() -> Self {
        Self {
            kind: "urn:meshcore-analyzer:problem:uri-too-long",
            title: "the address of the request is too long",
            ..Self::of(StatusCode::URI_TOO_LONG, "Addresses of at most 32,768 bytes are answered.")
        }
    }

    fn of(status: StatusCode, detail: &str) -> Self {
        Self {
            kind: "",
            title: "",
            status: status.as_u16(),
            detail: detail.to_owned(),
            error: "",
            budget: None,
        }
    }

    /// The answer, with the time after which to ask again.
    pub(crate) fn after(self, wait: Duration) -> Response {
        let mut response = self.into_response();
        let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(secs.max(TRY_AGAIN_SECS)));
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.error = self.title;
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let body = to_text(&self) + "\n";
        (status, [(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE))], body).into_response()
    }
}
