//! What the first call of each path costs after a start.

use std::collections::HashMap;

use testkit::Server;

use crate::measure;

/// A call that is made once is as long as what else the machine does just then, so the median of several starts counts.
const STARTS: usize = 9;

/// First calls in milliseconds, by path.
pub(crate) struct FirstCalls(HashMap<String, f64>);

impl FirstCalls {
    /// Starts the program again and again, and asks for each of the paths once.
    pub(crate) fn after_starts(start: &dyn Fn() -> Server, paths: &[&str]) -> Self {
        let mut times: HashMap<String, Vec<f64>> = HashMap::new();
        for _ in 0..STARTS {
            let server = start();
            let mut client = server.client();
            // To connect is no part of a call.
            measure::one(&mut client, "/api/healthz");
            for path in paths {
                times.entry((*path).to_owned()).or_default().push(measure::one(&mut client, path).1);
            }
        }
        let medians = times.into_iter().map(|(path, mut times)| (path, measure::percentiles(&mut times).0));
        Self(medians.collect())
    }

    pub(crate) fn of(&self, path: &str) -> f64 {
        self.0.get(path).copied().unwrap_or_default()
    }
}
