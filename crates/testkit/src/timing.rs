//! How long requests take, for benchmarks.

use crate::http::HttpClient;
use std::time::{Duration, Instant};

/// The times of some requests of one path, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct RequestTimes {
    /// Half of them took at most this.
    pub p50: Duration,
    /// 99 of 100 took at most this.
    pub p99: Duration,
    /// The first one.
    pub first: Duration,
    /// Bytes of the last answer's body.
    pub bytes: usize,
}

impl RequestTimes {
    /// Asks `requests` times.
    ///
    /// # Panics
    /// When an answer is no success, or none is asked for.
    pub fn take(client: &mut HttpClient, path: &str, requests: usize) -> Self {
        let mut bytes = 0;
        let mut times: Vec<Duration> = (0..requests)
            .map(|_| {
                let started = Instant::now();
                let response = client.get(path);
                assert_eq!(response.status, 200, "{path}");
                bytes = response.body.len();
                started.elapsed()
            })
            .collect();
        let first = times[0];
        times.sort();
        Self { p50: times[requests / 2], p99: times[requests * 99 / 100], first, bytes }
    }
}

impl std::fmt::Display for RequestTimes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (p50, p99, first) = (ms(self.p50), ms(self.p99), ms(self.first));
        write!(f, "p50 {p50:>6.2} ms  p99 {p99:>6.2} ms  first {first:>6.2} ms  {:>7} bytes", self.bytes)
    }
}
