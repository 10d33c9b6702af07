//! How many requests took how long, by route and class of status, since the start.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::Duration;

/// Upper bounds of the buckets in seconds. Most answers come from memory and take less than a millisecond; ten seconds are a
/// long list on a slow card.
const BOUNDS_SECS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The histograms of all routes: at most as many as there are routes, times the five classes of status.
#[derive(Default)]
pub(super) struct Histograms {
    by_route: Mutex<BTreeMap<String, BTreeMap<u16, Histogram>>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RouteHistogram {
    /// The template, such as `/api/packets/{id}`.
    pub(crate) route: String,
    /// The first digit of the status.
    pub(crate) class: u16,
    /// Upper bounds in seconds, each with the number of requests that took no longer.
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) count: u64,
    pub(crate) sum_secs: f64,
}

#[derive(Default)]
struct Histogram {
    /// Requests by the first bound that they kept.
    kept: [u64; BOUNDS_SECS.len()],
    count: u64,
    total: Duration,
}

impl Histograms {
    pub(super) fn record(&self, route: &str, status: u16, took: Duration) {
        let mut by_route = self.by_route.lock();
        // Looked up first, so that a route's name is copied once and not with each request.
        match by_route.get_mut(route) {
            Some(classes) => classes.entry(status / 100).or_default().add(took),
            None => by_route.entry(route.to_owned()).or_default().entry(status / 100).or_default().add(took),
        }
    }

    pub(super) fn all(&self) -> Vec<RouteHistogram> {
        let by_route = self.by_route.lock();
        let each = by_route.iter().flat_map(|(route, classes)| {
            classes.iter().map(|(class, histogram)| histogram.of(route.clone(), *class))
        });
        each.collect()
    }
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let secs = took.as_secs_f64();
        if let Some(place) = BOUNDS_SECS.iter().position(|bound| secs <= *bound) {
            self.kept[place] += 1;
        }
        self.count += 1;
        self.total += took;
    }

    fn of(&self, route: String, class: u16) -> RouteHistogram {
        let mut so_far = 0;
        let buckets = BOUNDS_SECS.iter().zip(&self.kept).map(|(bound, kept)| {
            so_far += kept;
            (*bound, so_far)
        });
        let buckets = buckets.collect();
        RouteHistogram { route, class, buckets, count: self.count, sum_secs: self.total.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_bounds_are_inclusive() {
        let histograms = Histograms::default();
        for micros in [500, 501, 20_000_000] {
            histograms.record("/x", 200, Duration::from_micros(micros));
        }
        histograms.record("/x", 404, Duration::from_micros(1));
        let all = histograms.all();
        assert_eq!(all.iter().map(|h| (h.class, h.count)).collect::<Vec<_>>(), [(2, 3), (4, 1)]);
        let counts: Vec<u64> = all[0].buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert!((all[0].sum_secs - 20.001_001).abs() < 1e-9);
    }
}
