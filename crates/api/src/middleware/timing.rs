//! How long requests take, by route.

mod histogram;

pub(crate) use histogram::RouteHistogram;

use crate::render::time::rfc3339_millis;
use crate::routes::health::SlowQuery;
use crate::routes::perf::EndpointFigures;
use crate::state::ApiState;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use histogram::Histograms;
use model::UnixMillis;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The percentiles of a route are over this many requests (contract §2.1).
const SAMPLES: usize = 100;

/// From here on a request is slow (contract §2.1).
const SLOW: Duration = Duration::from_millis(100);

/// How many slow requests are remembered (contract §2.1).
const SLOW_KEPT: usize = 50;

/// Longer paths are cut in the list of slow requests; they come from strangers.
const MAX_PATH_CHARS: usize = 200;

/// Request times by route. There are as many rows as routes: paths without a route share one.
pub(crate) struct Timings {
    books: Mutex<Books>,
    /// Not forgotten by a reset: what reads them wants counters that only grow.
    histograms: Histograms,
}

#[derive(Default)]
struct Books {
    routes: BTreeMap<String, RouteTimes>,
    slow: VecDeque<SlowQuery>,
    slow_total: u64,
}

#[derive(Default)]
struct RouteTimes {
    count: u64,
    total: Duration,
    max: Duration,
    /// The last [`SAMPLES`] times; the oldest is overwritten.
    last: Vec<Duration>,
}

/// All routes together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TimingSummary {
    pub(crate) requests: u64,
    pub(crate) avg_ms: f64,
    pub(crate) slow: u64,
}

/// Takes the time of a request.
pub(crate) async fn measure(
    State(state): State<ApiState>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let started = Instant::now();
    state.count_request();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    state.timings().record(route, &path, started.elapsed(), response.status().as_u16());
    response
}

impl Timings {
    pub(crate) fn new() -> Self {
        Self { books: Mutex::default(), histograms: Histograms::default() }
    }

    pub(crate) fn record(&self, route: &str, path: &str, took: Duration, status: u16) {
        self.histograms.record(route, status, took);
        let mut books = self.books.lock();
        match books.routes.get_mut(route) {
            Some(times) => times.add(took),
            None => books.routes.entry(route.to_owned()).or_default().add(took),
        }
        if took > SLOW {
            books.slow_total += 1;
            if books.slow.len() == SLOW_KEPT {
                books.slow.pop_front();
            }
            books.slow.push_back(SlowQuery {
                path: path.chars().take(MAX_PATH_CHARS).collect(),
                ms: millis(took),
                time: rfc3339_millis(UnixMillis::now()),
                status,
            });
        }
    }

    pub(crate) fn summary(&self) -> TimingSummary {
        let books = self.books.lock();
        let requests = books.routes.values().map(|times| times.count).sum();
        let total: Duration = books.routes.values().map(|times| times.total).sum();
        TimingSummary { requests, avg_ms: mean_millis(total, requests), slow: books.slow_total }
    }

    /// Each route under its template, with `{name}` written `:name`.
    pub(crate) fn endpoints(&self) -> BTreeMap<String, EndpointFigures> {
        let books = self.books.lock();
        books.routes.iter().map(|(route, times)| (contract_key(route), times.figures())).collect()
    }

    /// The newest slow requests, newest first.
    pub(crate) fn slowest_recent(&self, most: usize) -> Vec<SlowQuery> {
        self.books.lock().slow.iter().rev().take(most).cloned().collect()
    }

    /// Request times since the start, by route and class of status.
    pub(crate) fn histograms(&self) -> Vec<RouteHistogram> {
        self.histograms.all()
    }

    pub(crate) fn reset(&self) {
        *self.books.lock() = Books::default();
    }
}

impl RouteTimes {
    fn add(&mut self, took: Duration) {
        let place = (self.count % SAMPLES as u64) as usize;
        match self.last.get_mut(place) {
            Some(oldest) => *oldest = took,
            None => self.last.push(took),
        }
        self.count += 1;
        self.total += took;
        self.max = self.max.max(took);
    }

    fn figures(&self) -> EndpointFigures {
        let mut sorted = self.last.clone();
        sorted.sort_unstable();
        // The contract's percentile: the element at n·p, rounded down and kept within the list.
        let at =
            |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)));
        EndpointFigures {
            count: self.count,
            avg_ms: mean_millis(self.total, self.count),
            p50_ms: at(50).copied().map_or(0.0, millis),
            p95_ms: at(95).copied().map_or(0.0, millis),
            max_ms: millis(self.max),
        }
    }
}

/// `/api/packets/{id}` is `/api/packets/:id` there.
fn contract_key(route: &str) -> String {
    route.replace("{*", ":").replace('{', ":").replace('}', "")
}

fn mean_millis(total: Duration, count: u64) -> f64 {
    if count == 0 { 0.0 } else { round(total.as_secs_f64() * 1000.0 / count as f64) }
}

fn millis(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1000.0)
}

/// To a microsecond.
fn round(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_over_the_last_hundred_and_the_maximum_over_all() {
        let timings = Timings::new();
        timings.record("/api/packets/{id}", "/api/packets/1", Duration::from_millis(90), 200);
        for ms in 1..=100 {
            let took = Duration::from_micros(ms * 100);
            timings.record("/api/packets/{id}", "/api/packets/1", took, 200);
        }
        let endpoints = timings.endpoints();
        let figures = &endpoints["/api/packets/:id"];
        assert_eq!((figures.count, figures.max_ms), (101, 90.0));
        assert_eq!((figures.p50_ms, figures.p95_ms), (5.1, 9.6));
    }

    #[test]
    fn slow_requests_are_kept_newest_first_up_to_fifty() {
        let timings = Timings::new();
        for number in 0..60 {
            timings.record("/x", &format!("/x{number}"), Duration::from_millis(101), 200);
        }
        timings.record("/x", "/quick", Duration::from_millis(100), 200);
        let slow = timings.slowest_recent(100);
        assert_eq!((slow.len(), slow[0].path.as_str()), (50, "/x59"));
        assert_eq!(timings.summary().slow, 60);
        timings.reset();
        assert_eq!(timings.summary(), TimingSummary::default());
    }
}
