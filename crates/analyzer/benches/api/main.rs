//! What every GET of the API costs on a history of 100,000 packets and 1,000,000 observations, through a socket: the first
//! call after a start beside a later one, a thousand calls one after the other, and what is left of that while 2,000 observations a
//! second come in.
//!
//! The routes are those of the OpenAPI document that the program serves, so a new one is measured from its first day on.
//! Run with `cargo xtask bench api`. `HISTORY=DIR` keeps the history there and takes it from there the next time;
//! `MESSAGES` makes a smaller one, `ONLY=text` measures the routes whose paths contain it.

mod history;
mod load;
mod measure;
mod starts;
mod targets;

use measure::{API_KEY, Figures, ms};
use starts::SingleCalls;
use std::path::PathBuf;
use testkit::{HttpClient, Server, eventually};

/// Calls by which a route is timed; fewer where they would take longer than the time.
const CALLS: usize = 1_000;

/// With the key, and the map that is off unless somebody wants it.
fn settings() -> String {
    format!(r#"{{"apiKey": "{API_KEY}", "clientRxCoverage": {{"enabled": true}}}}"#)
}

/// What every GET must keep, in milliseconds.
const P50_MS: f64 = 2.0;
const P99_MS: f64 = 20.0;

/// How much longer the first call after a start may take than a later one that comes as it did, after all the others.
const FIRST_TO_LATER: f64 = 2.0;

/// A first call that takes as little longer as this, in milliseconds, tells nothing: to wake a thread takes about as long.
const WAKING_MS: f64 = 0.1;

/// What the whole process must keep, in megabytes.
const RESIDENT_MB: u64 = 150;

/// Pages that have a figure of their own: what it is, the path, and what half of the calls must keep.
const OWN_BUDGETS: &[(&str, &str, f64)] = &[
    ("packets page", "/api/packets?limit=50", 1.0),
    ("packets page, grouped", "/api/packets?limit=50&groupByHash=true", 1.0),
    ("packets page, three fields", "/api/packets?limit=50&fields=id,hash,snr", 1.0),
    ("2,000 nodes", "/api/nodes?limit=2000", 5.0),
    ("10,000 packets", "/api/packets?limit=10000", f64::INFINITY),
    ("10,000 packets, three fields", "/api/packets?limit=10000&fields=id,hash,snr", f64::INFINITY),
];

/// Filters that match nothing, and what their calls must keep.
const EMPTY_FILTERS: &[&str] = &[
    "hash == \"0000000000000000\"",
    "snr > 31",
    "any(rssi) > 0",
    "hops > 63",
    "payload.text contains \"zzzzzz\"",
    "payload.name ~ \"^zzzzzz\"",
    "hash_size > 3",
    "any(hash_size) > 3",
    "any(time < \"2001-01-01\")",
    "any(snr > 31 && hops > 63)",
    "raw contains \"0123456789abcdef01\"",
    "raw ~ \"^0123456789abcdef01\"",
];
const EMPTY_FILTER_MS: f64 = 20.0;

fn main() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"));
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let data = history::prepare(&binary, scratch.path());
    let only = std::env::var("ONLY").unwrap_or_default();

    let config = scratch.path().join("config.json");
    std::fs::write(&config, settings()).expect("the scratch folder can be written to");
    let start = || {
        let server = Server::start_in(&binary, &data, &["--config", config.to_str().expect("a plain path")]);
        let mut client = server.client();
        eventually("all of the history is served", || {
            (client.get("/api/healthz").status == 200).then_some(())
        });
        server
    };
    // What is looked up to fill the paths is a first call too, so that is asked of a process that ends thereby.
    let sections = [every_get(&mut start().client(), &only), own_budgets(&only), empty_filters()];
    let paths: Vec<&str> = sections.iter().flat_map(Section::paths).collect();
    let firsts = SingleCalls::after_starts(&start, &paths);

    let server = start();
    let mut client = server.client();
    let stats = client.get("/api/stats").json();
    println!("history: {} packets, {} observations", stats["totalTransmissions"], stats["totalObservations"]);
    println!("resident after the start: {} MB", resident_mb(server.pid()));
    let mut broken: Vec<String> =
        sections.iter().flat_map(|section| section.measure(&mut client, &firsts)).collect();
    let resident = resident_mb(server.pid());
    println!("resident after all of it: {resident} MB{}", mark(resident > RESIDENT_MB));
    if resident > RESIDENT_MB {
        broken.push(format!("{resident} MB resident"));
    }
    broken.extend(load::eight_clients(&server));
    broken.extend(load::while_packets_come_in(&binary, &server));
    println!("resident at the end: {} MB", resident_mb(server.pid()));
    match broken.as_slice() {
        [] => println!("every budget is kept"),
        broken => println!("broken budgets ({}):\n  {}", broken.len(), broken.join("\n  ")),
    }
}

/// Paths under one headline.
struct Section {
    head: &'static str,
    rows: Vec<Row>,
}

/// A path, and what half and 99 of 100 of its calls must keep, in milliseconds.
struct Row {
    name: String,
    path: String,
    p50: f64,
    p99: f64,
}

impl Section {
    fn paths(&self) -> Vec<&str> {
        self.rows.iter().map(|row| &*row.path).collect()
    }

    /// Each path a thousand times, and then all by turns; says which budgets are broken.
    fn measure(&self, client: &mut HttpClient, firsts: &SingleCalls) -> Vec<String> {
        let figures: Vec<_> = self.rows.iter().map(|row| measure::many(client, &row.path, CALLS)).collect();
        let later = SingleCalls::of_now(client, &self.paths());
        println!("{:<58}    first    later {}", self.head, Figures::HEAD);
        let mut broken = Vec::new();
        for (row, figures) in self.rows.iter().zip(figures) {
            let shown: String = row.name.chars().take(58).collect();
            let (first, later) = (firsts.of(&row.path), later.of(&row.path));
            let problem = match figures {
                Err(status) => {
                    println!("{shown:<58} answered {status}, so it is not measured  <<<");
                    Some(format!("answers {status}"))
                }
                Ok(figures) => {
                    let is_cold = first > FIRST_TO_LATER * later + WAKING_MS;
                    let cold = is_cold
                        .then(|| format!("the first call took {first:.2} ms, later ones {later:.2} ms"));
                    let problem = figures.over(row.p50, row.p99).or(cold);
                    println!("{shown:<58} {first:>8.2} {later:>8.2} {figures}{}", mark(problem.is_some()));
                    problem
                }
            };
            broken.extend(problem.map(|problem| format!("{}: {problem}", row.name)));
        }
        broken
    }
}

/// All routes of the document.
fn every_get(client: &mut HttpClient, only: &str) -> Section {
    let paths = targets::of(client).into_iter().filter(|path| path.contains(only));
    let rows = paths.map(|path| Row { name: path.clone(), path, p50: P50_MS, p99: P99_MS });
    Section { head: "every GET, one client", rows: rows.collect() }
}

fn own_budgets(only: &str) -> Section {
    let pages = OWN_BUDGETS.iter().filter(|(_, path, _)| path.contains(only));
    let row = |(name, path, p50): &(&str, &str, f64)| Row {
        name: (*name).to_owned(),
        path: (*path).to_owned(),
        p50: *p50,
        p99: f64::INFINITY,
    };
    Section { head: "pages with figures of their own", rows: pages.map(row).collect() }
}

/// Expressions that nothing in a million passes.
fn empty_filters() -> Section {
    let row = |filter: &&str| Row {
        name: (*filter).to_owned(),
        path: format!("/api/packets?filter={}", targets::encode(filter)),
        p50: EMPTY_FILTER_MS,
        p99: EMPTY_FILTER_MS,
    };
    Section { head: "filters that nothing passes", rows: EMPTY_FILTERS.iter().map(row).collect() }
}

fn mark(broken: bool) -> &'static str {
    if broken { "  <<<" } else { "" }
}

/// Clients that ask at the same time, each on a connection of its own.
fn clients(server: &Server, count: usize) -> Vec<HttpClient> {
    (0..count).map(|_| server.client()).collect()
}

fn resident_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
