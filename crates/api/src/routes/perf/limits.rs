//! The limits in `/api/perf`.

use crate::limits::Limits;
use crate::state::ApiState;
use serde::Serialize;
use utoipa::ToSchema;

/// What requests may take, and how often it was too much since the start.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitFigures {
    /// By class of request.
    classes: Vec<ClassRow>,
    rate_limit: RateLimitFigures,
}

/// A class of requests that are alike in what they cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClassRow {
    /// `quick`, `list`, `scan` or `write`.
    #[schema(example = "list")]
    class: &'static str,
    /// After this time, in milliseconds, the answer is a 503.
    deadline_ms: u64,
    /// Requests worked on at this moment.
    running: usize,
    /// How many there may be.
    max_running: usize,
    /// Requests that wait for a place.
    waiting: usize,
    /// How many there may be.
    max_waiting: usize,
    /// Requests that found no place.
    refused_busy: u64,
    /// Requests that took too long.
    over_time: u64,
    /// Requests that would have had to look at too many rows.
    over_rows: u64,
}

/// Requests a second by client.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateLimitFigures {
    enabled: bool,
    /// Requests a second that a client may send.
    per_second: u32,
    /// Requests that it may send at once.
    burst: u32,
    /// Addresses that are remembered: those that have asked lately.
    addresses: usize,
    /// Requests refused.
    refused: u64,
}

impl LimitFigures {
    pub(crate) fn of(state: &ApiState) -> Self {
        let limits = state.limits();
        let config = state.config();
        let rate = &config.rate_limit;
        Self {
            classes: class_rows(limits),
            rate_limit: RateLimitFigures {
                enabled: rate.enabled,
                per_second: rate.per_second.get(),
                burst: rate.burst.get(),
                addresses: limits.addresses.known(),
                refused: limits.addresses.refused(),
            },
        }
    }
}

fn class_rows(limits: &Limits) -> Vec<ClassRow> {
    let row = |figures: crate::limits::ClassFigures| {
        let most = figures.class.limits()?;
        Some(ClassRow {
            class: figures.class.name(),
            deadline_ms: u64::try_from(most.deadline.as_millis()).unwrap_or(u64::MAX),
            running: figures.running,
            max_running: most.running,
            waiting: figures.waiting,
            max_waiting: most.waiting,
            refused_busy: figures.refused_busy,
            over_time: figures.over_time,
            over_rows: figures.over_rows,
        })
    };
    limits.figures().into_iter().filter_map(row).collect()
}
