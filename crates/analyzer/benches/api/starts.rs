//! What a call costs that comes alone: the first one after a start, and a later one in the same order of calls.

use std::collections::HashMap;

use testkit::{HttpClient, Server};

use crate::measure;

/// A call that is made once is as long as what else the machine does just then, so the median of several counts.
const TIMES: usize = 9;

/// By path, milliseconds of a call that comes after calls of all the others. A thousand calls one after the other find the
/// processor's caches full of what they need and its threads awake; these find both as a first call does.
pub(crate) struct SingleCalls(HashMap<String, f64>);

impl SingleCalls {
    /// Starts the program again and again, and asks for each of the paths once.
    pub(crate) fn after_starts(start: &dyn Fn() -> Server, paths: &[&str]) -> Self {
        Self::medians(paths, |ask| {
            let server = start();
            ask(&mut server.client());
        })
    }

    /// The same without starts.
    pub(crate) fn of_now(client: &mut HttpClient, paths: &[&str]) -> Self {
        Self::medians(paths, |ask| ask(client))
    }

    fn medians(paths: &[&str], mut round: impl FnMut(&mut dyn FnMut(&mut HttpClient))) -> Self {
        let mut times: HashMap<String, Vec<f64>> = HashMap::new();
        for _ in 0..TIMES {
            round(&mut |client| {
                // To connect is no part of a call.
                measure::one(client, "/api/healthz");
                for path in paths {
                    times.entry((*path).to_owned()).or_default().push(measure::one(client, path));
                }
            });
        }
        let medians = times.into_iter().map(|(path, mut times)| (path, measure::percentiles(&mut times).0));
        Self(medians.collect())
    }

    pub(crate) fn of(&self, path: &str) -> f64 {
        self.0.get(path).copied().unwrap_or_default()
    }
}
