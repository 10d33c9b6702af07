//! Limits around all routes of the API: see [`crate::limits`].

use crate::limits::{Busy, Deadline, class_of, client_address};
use crate::problem::Problem;
use crate::state::ApiState;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use index::{Limit, OverBudget};
use std::time::{Duration, Instant};

/// Some 500 keys of nodes fit in; there is a POST for longer lists of hashes.
pub(crate) const MAX_URI_BYTES: usize = 32_768;

/// Refuses clients that ask too often, and addresses that are too long.
pub(crate) async fn for_client(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > MAX_URI_BYTES {
        return Problem::uri_too_long().into_response();
    }
    let refused = {
        let config = state.config();
        let rate = &config.rate_limit;
        let client = client_address(request.extensions(), request.headers(), rate);
        let client = client.filter(|address| rate.enabled && !address.is_loopback());
        client.and_then(|address| state.limits().addresses.take(address, rate, Instant::now()).err())
    };
    match refused {
        Some(wait) => Problem::too_often().after(wait),
        None => next.run(request).await,
    }
}

/// Gives the request a place and a deadline, by its class.
pub(crate) async fn for_class(
    State(state): State<ApiState>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let class = class_of(request.method(), route, request.uri().query());
    let (Some(limits), Some(places)) = (class.limits(), state.limits().places(class)) else {
        return next.run(request).await;
    };
    let deadline = Instant::now() + limits.deadline;
    let Ok(_place) = places.take().await.inspect_err(|Busy| state.limits().count_busy(class)) else {
        return Problem::busy(class).after(Duration::ZERO);
    };
    request.extensions_mut().insert(Deadline(deadline));
    let over = match tokio::time::timeout_at(deadline.into(), next.run(request)).await {
        Ok(response) => match response.extensions().get::<OverBudget>() {
            None => return response,
            Some(over) => over.what,
        },
        Err(_elapsed) => Limit::Time,
    };
    state.limits().count_over(class, over);
    Problem::over_budget(class, over).after(Duration::ZERO)
}
