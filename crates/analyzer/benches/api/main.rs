//! What every GET of the API costs on a history of 100,000 packets and 1,000,000 observations, through a socket: the first
//! call after the start, the thousandth, and all between; what is left of it while 2,000 observations a second come in.
//!
//! The routes are those of the OpenAPI document that the program serves, so a new one is measured from its first day on.
//! Run with `cargo xtask bench api`. `HISTORY=DIR` keeps the history there and takes it from there the next time;
//! `MESSAGES` makes a smaller one, `ONLY=text` measures the routes whose paths contain it.

mod history;
mod load;
mod measure;
mod targets;

use measure::{API_KEY, Figures, ms};
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

/// Filters that match nothing, and what half of the calls must keep.
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
    let server = Server::start_in(&binary, &data, &["--config", config.to_str().expect("a plain path")]);
    let mut client = server.client();
    eventually("all of the history is served", || (client.get("/api/healthz").status == 200).then_some(()));
    let stats = client.get("/api/stats").json();
    println!("history: {} packets, {} observations", stats["totalTransmissions"], stats["totalObservations"]);
    println!("resident after the start: {} MB", resident_mb(server.pid()));

    let mut broken = every_get(&server, &only);
    broken.extend(own_budgets(&server, &only));
    broken.extend(empty_filters(&server));
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

/// All routes of the document, first each once, then each a thousand times.
fn every_get(server: &Server, only: &str) -> Vec<String> {
    let mut client = server.client();
    // What is looked up to fill the paths is also a first call, so it is done by another process.
    let targets = targets::of(&mut client);
    let chosen: Vec<_> = targets.iter().filter(|target| target.path.contains(only)).collect();
    let firsts: Vec<f64> = chosen.iter().map(|target| measure::one(&mut client, &target.path).1).collect();
    println!("{:<58} {}", "every GET, one client", Figures::HEAD);
    let mut broken = Vec::new();
    for (target, first) in chosen.into_iter().zip(firsts) {
        let shown: String = target.path.chars().take(58).collect();
        match measure::many(&mut client, &target.path, CALLS, first) {
            Err(status) => {
                println!("{shown:<58} answered {status}, so it is not measured  <<<");
                broken.push(format!("{} answers {status}", target.path));
            }
            Ok(figures) => {
                let problem = figures.over(P50_MS, P99_MS);
                println!("{shown:<58} {figures}{}", mark(problem.is_some()));
                broken.extend(problem.map(|problem| format!("{}: {problem}", target.path)));
            }
        }
    }
    broken
}

fn own_budgets(server: &Server, only: &str) -> Vec<String> {
    let mut client = server.client();
    let mut broken = Vec::new();
    println!("{:<58} {}", "pages with figures of their own", Figures::HEAD);
    for (name, path, most_ms) in OWN_BUDGETS.iter().filter(|(_, path, _)| path.contains(only)) {
        let (_, first) = measure::one(&mut client, path);
        match measure::many(&mut client, path, CALLS, first) {
            Err(status) => println!("{name:<58} answered {status}, so it is not measured  <<<"),
            Ok(figures) => {
                println!("{name:<58} {figures}{}", mark(figures.p50 > *most_ms));
                if figures.p50 > *most_ms {
                    broken.push(format!("{name}: p50 {:.2} ms, budget {most_ms} ms", figures.p50));
                }
            }
        }
    }
    broken
}

/// Expressions that nothing in a million passes. They are left out with a word when the program does not know filters.
fn empty_filters(server: &Server) -> Vec<String> {
    let mut client = server.client();
    let document = client.get("/api/spec").json();
    let parameters = document["paths"]["/api/packets"]["get"]["parameters"].to_string();
    if !parameters.contains("\"filter\"") {
        println!("filters are not measured: the program has none");
        return Vec::new();
    }
    println!("{:<58} {}", "filters that nothing passes", Figures::HEAD);
    let mut broken = Vec::new();
    for filter in EMPTY_FILTERS {
        let path = format!("/api/packets?filter={}", targets::encode(filter));
        let (_, first) = measure::one(&mut client, &path);
        match measure::many(&mut client, &path, CALLS, first) {
            Err(status) => {
                println!("{filter:<58} answered {status}, so it is not measured  <<<");
                broken.push(format!("{filter} is answered {status}"));
            }
            Ok(figures) => {
                let slow = figures.p99 > EMPTY_FILTER_MS;
                println!("{filter:<58} {figures}{}", mark(slow));
                if slow {
                    broken.push(format!("{filter}: p99 {:.2} ms, budget {EMPTY_FILTER_MS} ms", figures.p99));
                }
            }
        }
    }
    broken
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
