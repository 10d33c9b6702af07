//! The two kinds of errors here: [`ApiError`] is for the program that serves, [`HttpError`] for the client that asked.

use crate::json::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use index::OverBudget;
use serde::Serialize;
use utoipa::ToSchema;

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The listening socket failed.
    #[error("http listener failed")]
    Listener(#[source] std::io::Error),
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What is wrong.
    pub(crate) error: String,
    /// The query parameter or path segment that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) parameter: Option<String>,
    /// More about it, such as the line and column in a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) detail: Option<String>,
    /// The part of a frame that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) field: Option<&'static str>,
    /// Where it is, in bytes from the start of the frame; in characters for text that is not hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) offset: Option<usize>,
    /// How many characters of a filter are wrong, from `offset` on; 0 at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) length: Option<usize>,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) hint: Option<String>,
}

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpError {
    status: StatusCode,
    /// Boxed, since results are moved about far more often than they are errors.
    body: Box<ErrorBody>,
    over: Option<OverBudget>,
}

impl HttpError {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        let body = ErrorBody {
            error: error.into(),
            parameter: None,
            detail: None,
            field: None,
            offset: None,
            length: None,
            hint: None,
        };
        Self { status, body: Box::new(body), over: None }
    }

    pub(crate) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// The text begins with the parameter's name, for people; the name also stands alone, for programs.
    pub(crate) fn bad_parameter(parameter: &str, problem: impl std::fmt::Display) -> Self {
        let mut error = Self::bad_request(format!("{parameter}: {problem}"));
        error.body.parameter = Some(parameter.to_owned());
        error
    }

    /// A filter that is none: where, and what to write instead.
    pub(crate) fn bad_filter(parameter: &str, mistake: filter::FilterError) -> Self {
        let mut error = Self::bad_parameter(parameter, mistake.message);
        error.body.offset = Some(mistake.offset);
        error.body.length = Some(mistake.length);
        error.body.hint = mistake.hint;
        error
    }

    pub(crate) fn missing_parameter(parameter: &str, error: &str) -> Self {
        Self::bad_request(error).with_parameter(parameter)
    }

    /// For texts that are the contract's, which do not begin with the parameter's name.
    pub(crate) fn with_parameter(mut self, parameter: &str) -> Self {
        self.body.parameter = Some(parameter.to_owned());
        self
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.body.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_place(mut self, field: &'static str, offset: usize) -> Self {
        self.body.field = Some(field);
        self.body.offset = Some(offset);
        self
    }
}

impl From<OverBudget> for HttpError {
    fn from(over: OverBudget) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, over.to_string());
        Self { over: Some(over), ..error }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(over) = self.over {
            // The layer around all routes knows the class of the request, and makes the problem of it.
            response.extensions_mut().insert(over);
        }
        response
    }
}
