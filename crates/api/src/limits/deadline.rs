//! Until when an answer is of use.

use super::class::RequestClass;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use index::Budget;
use std::convert::Infallible;
use std::time::Instant;

/// Until when the answer to a request is of use. Handlers with much to do take it, and spend its [`Budget`] as they go
/// on: once the client has been told that it took too long, the work must end as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) Instant);

impl Deadline {
    /// What the index may spend on the answer.
    pub(crate) fn budget(self) -> Budget {
        Budget::until(self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Deadline {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // The layer that sets it lies around all routes of the API; without it the time of a scan is as good as any.
        let given = parts.extensions.get::<Self>().copied();
        let usual =
            RequestClass::Scan.limits().map_or(Instant::now(), |limits| Instant::now() + limits.deadline);
        Ok(given.unwrap_or(Self(usual)))
    }
}
