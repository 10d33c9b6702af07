//! Which requests are alike in what they cost.

use axum::http::Method;
use std::time::Duration;

/// Requests that are alike in what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestClass {
    /// One thing, or figures that are kept.
    Quick,
    /// Many rows.
    List,
    /// A look at much of the history, or at the database.
    Scan,
    /// What changes something, and waits for the disk.
    Write,
    /// What must always be answered, or has limits of its own.
    Unlimited,
}

/// What a class may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassLimits {
    /// After this the answer is a 503, whatever is ready of the other one.
    pub(crate) deadline: Duration,
    /// Requests that are worked on at a time.
    pub(crate) running: usize,
    /// Requests that may wait for one of these places.
    pub(crate) waiting: usize,
}

/// Routes of lists by their templates.
const LISTS: [&str; 12] = [
    "/api/packets",
    "/api/packets/observations",
    "/api/packets/timestamps",
    "/api/nodes",
    "/api/nodes/bulk-health",
    "/api/nodes/{pubkey}/paths",
    "/api/observers",
    "/api/channels",
    "/api/channels/{hash}/messages",
    "/api/traces/{hash}",
    "/api/resolve-hops",
    "/api/dropped-packets",
];

/// Routes that look at much of the history or ask the database.
const SCANS: [&str; 20] = [
    "/api/analytics/{*rest}",
    "/api/audio-lab/buckets",
    "/api/debug/affinity",
    "/api/messages/search",
    "/api/nodes/{pubkey}/analytics",
    "/api/nodes/{pubkey}/battery",
    "/api/nodes/{pubkey}/clock-skew",
    "/api/nodes/{pubkey}/reach",
    "/api/nodes/clock-skew",
    "/api/observers/clock-skew",
    "/api/observers/compare",
    "/api/observers/{id}/analytics",
    "/api/observers/{id}/metrics",
    "/api/observers/metrics/summary",
    "/api/paths/inspect",
    "/api/perf/bundle",
    "/api/perf/history",
    "/api/rx-coverage",
    "/api/rx-leaderboard",
    "/api/scope-stats",
];

/// Routes that only read although they are posted to.
const READING_POSTS: [&str; 3] = ["/api/packets/observations", "/api/decode", "/api/paths/inspect"];

/// `/api/healthz` tells a supervisor whether to restart us, which a crowd of readers is no reason for. A backup takes as
/// long as the database is large, and there is one place for it.
const UNLIMITED: [&str; 2] = ["/api/healthz", crate::routes::backup::PATH];

/// The class of a request by its method, the template of its route and its query.
pub(crate) fn class_of(method: &Method, route: &str, query: Option<&str>) -> RequestClass {
    if UNLIMITED.contains(&route) {
        return RequestClass::Unlimited;
    }
    let reads =
        matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || READING_POSTS.contains(&route);
    let is_filtered = || query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("filter=")));
    if !reads {
        RequestClass::Write
    } else if SCANS.contains(&route) || (LISTS.contains(&route) && is_filtered()) {
        RequestClass::Scan
    } else if LISTS.contains(&route) {
        RequestClass::List
    } else {
        RequestClass::Quick
    }
}

impl RequestClass {
    /// The classes that have limits.
    pub(crate) const LIMITED: [Self; 4] = [Self::Quick, Self::List, Self::Scan, Self::Write];

    /// As problems and metrics call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::List => "list",
            Self::Scan => "scan",
            Self::Write => "write",
            Self::Unlimited => "unlimited",
        }
    }

    /// What it may take. The answers themselves take milliseconds; the deadlines are for machines that are overloaded.
    pub(crate) fn limits(self) -> Option<ClassLimits> {
        let limits = |secs, running, waiting| {
            Some(ClassLimits { deadline: Duration::from_secs(secs), running, waiting })
        };
        match self {
            Self::Quick => limits(2, 64, 512),
            // As many as the memory of their answers allows: 10,000 rows are some ten megabytes.
            Self::List => limits(5, 16, 256),
            // These take a core for as long as they run.
            Self::Scan => limits(10, 4, 64),
            // Commits gather for seconds where that spares the medium.
            Self::Write => limits(30, 32, 128),
            Self::Unlimited => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_they_cost() {
        let of = |method: Method, route, query| class_of(&method, route, query);
        assert_eq!(of(Method::GET, "/api/stats", None), RequestClass::Quick);
        assert_eq!(of(Method::GET, "/api/packets", Some("limit=5")), RequestClass::List);
        assert_eq!(of(Method::GET, "/api/packets", Some("limit=5&filter=snr%3E5")), RequestClass::Scan);
        assert_eq!(of(Method::HEAD, "/api/perf/history", None), RequestClass::Scan);
        assert_eq!(of(Method::POST, "/api/packets/observations", None), RequestClass::List);
        assert_eq!(of(Method::POST, "/api/packets", None), RequestClass::Write);
        assert_eq!(of(Method::GET, "/api/healthz", None), RequestClass::Unlimited);
        assert_eq!(of(Method::GET, "unmatched", None), RequestClass::Quick);
    }
}
