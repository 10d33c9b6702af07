//! Timing requests.

use std::fmt;
use std::time::{Duration, Instant};
use testkit::{HttpClient, Response};

/// The key of the configuration.
pub(crate) const API_KEY: &str = "a-key-of-the-benchmark-only";

/// A slow route is timed by fewer calls, but by at least a hundredth of them.
const LONGEST: Duration = Duration::from_secs(4);

/// The times of many calls, in milliseconds; `last` is the median of the last tenth of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) last: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) per_second: f64,
    pub(crate) bytes: usize,
    pub(crate) calls: usize,
}

/// The time of one call in milliseconds.
pub(crate) fn one(client: &mut HttpClient, path: &str) -> f64 {
    let started = Instant::now();
    get(client, path);
    ms(started.elapsed())
}

/// With the key that some routes ask for.
fn get(client: &mut HttpClient, path: &str) -> Response {
    client.request("GET", path, &[("X-API-Key", API_KEY)], b"")
}

/// Many calls, one after the other.
///
/// # Errors
/// The status of an answer that is no success.
pub(crate) fn many(client: &mut HttpClient, path: &str, calls: usize) -> Result<Figures, u16> {
    let started = Instant::now();
    let mut times = Vec::with_capacity(calls);
    let mut bytes = 0;
    for number in 0..calls {
        let asked = Instant::now();
        let answer = get(client, path);
        times.push(ms(asked.elapsed()));
        if answer.status != 200 {
            return Err(answer.status);
        }
        bytes = answer.body.len();
        if started.elapsed() > LONGEST && number >= calls / 100 {
            break;
        }
    }
    let took = started.elapsed().as_secs_f64();
    let calls = times.len();
    let (last, _) = percentiles(&mut times[calls - calls.div_ceil(10)..].to_vec());
    let (p50, p99) = percentiles(&mut times);
    Ok(Figures { last, p50, p99, per_second: calls as f64 / took, bytes, calls })
}

/// The median and the time that 99 of 100 keep.
pub(crate) fn percentiles(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at =
        |percent: usize| times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or_default();
    (at(50), at(99))
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Figures {
    /// What the columns of a line are.
    pub(crate) const HEAD: &str = "  1000th      p50      p99  requests/s      bytes";

    /// Which budget is broken.
    pub(crate) fn over(&self, p50: f64, p99: f64) -> Option<String> {
        if self.p50 > p50 {
            return Some(format!("p50 {:.2} ms, budget {p50} ms", self.p50));
        }
        (self.p99 > p99).then(|| format!("p99 {:.2} ms, budget {p99} ms", self.p99))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { last, p50, p99, per_second, bytes, calls } = self;
        write!(f, "{last:>8.2} {p50:>8.2} {p99:>8.2} {per_second:>11.0} {bytes:>10}")?;
        if *calls < super::CALLS { write!(f, "  ({calls} calls)") } else { Ok(()) }
    }
}
