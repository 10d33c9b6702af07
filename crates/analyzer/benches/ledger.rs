//! The ledger of a steady load, and what looking at it costs: bytes by cause and by effect, the unexplained remainder, the
//! waterfall, the cost of the meter, and the times of the perf routes meanwhile. Run with `cargo xtask bench ledger`.
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `LEDGER_SECS` | 600 | seconds of load |
//! | `LEDGER_RATE` | 100 | observations a second |

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{RequestTimes, Server};

/// Requests of each route.
const REQUESTS: usize = 1_000;

/// A last checkpoint and the minute that the history holds back.
const SETTLE: Duration = Duration::from_secs(5);

fn main() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"));
    let (secs, rate) = (variable("LEDGER_SECS", 600), variable("LEDGER_RATE", 100));
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let history = scratch.path().join("history.jsonl");
    let messages = (secs * rate).to_string();
    let simulate =
        ["simulate", "--seed", "1", "--packets-per-hour", "36000", "--messages", &messages, "--out"];
    run(&binary, &simulate, &history);

    let server = Server::start_in(&binary, &scratch.path().join("data"), &[]);
    let (to, pace) = (format!("mqtt://{}", server.mqtt), rate.to_string());
    let started = Instant::now();
    run(&binary, &["replay", "--to", &to, "--qos", "1", "--rate", &pace], &history);
    std::thread::sleep(SETTLE);
    let window = started.elapsed().as_secs();
    let ledger = server.get(&format!("/api/perf/ledger?window={window}")).json();
    println!("{rate} observations a second for {secs} s, acknowledged (QoS 1)");
    report(&ledger["processes"][0]);
    println!("  wear              {} GB a day", number(&ledger["wear"]["bytes_per_day"]) / 1e9);
    println!("perf routes on that history, one client, {REQUESTS} requests each");
    let mut client = server.client();
    for path in [
        "/api/perf/io",
        "/api/perf/sqlite",
        "/api/perf/write-sources",
        "/api/perf/ledger?window=300",
        "/api/perf/series",
        "/api/perf/history?series=process.write_bytes",
        "/api/alerts",
        "/api/jobs",
        "/metrics",
    ] {
        println!("  {path:<48} {}", RequestTimes::take(&mut client, path, REQUESTS));
    }
}

fn report(process: &Value) {
    let counted = number(&process["totals"]["counted_bytes"]);
    println!("  counted           {:.0} KB in {:.0} s", counted / 1e3, number(&process["covered_secs"]));
    for (rows, name) in [("causes", "cause"), ("effects", "effect")] {
        println!("  by {name}");
        for row in process[rows].as_array().into_iter().flatten() {
            let (bytes, share) = (number(&row["bytes"]), 100.0 * number(&row["share"]));
            println!(
                "    {:<15} {:>12.0} bytes {share:>8.3} %",
                row[name].as_str().unwrap_or_default(),
                bytes
            );
        }
    }
    println!("  by table (log, checkpoint)");
    for row in process["tables"].as_array().into_iter().flatten() {
        let (log, copied) = (number(&row["wal_bytes"]), number(&row["checkpoint_bytes"]));
        println!("    {:<30} {log:>12.0} {copied:>12.0}", row["table"].as_str().unwrap_or_default());
    }
    println!("  waterfall (bytes, for each observation, ratio)");
    for stage in process["waterfall"].as_array().into_iter().flatten() {
        let ratio = match stage["ratio_to"].as_str() {
            Some(to) => format!("{:>8.3} of {to}", number(&stage["ratio"])),
            None => String::new(),
        };
        println!(
            "    {:<12} {:>14.0} {:>10.1} {ratio}",
            stage["stage"].as_str().unwrap_or_default(),
            number(&stage["bytes"]),
            number(&stage["per_observation"])
        );
    }
    println!(
        "  unexplained       {} bytes, {:.3} %",
        process["remainder"]["bytes"],
        number(&process["remainder"]["percent"])
    );
    let meter = &process["meter"];
    println!(
        "  the meter         {} bytes, {:.3} % of bytes, {:.3} % of a core",
        meter["bytes"],
        number(&meter["percent_of_bytes"]),
        number(&meter["percent_of_core"])
    );
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn run(binary: &Path, args: &[&str], last: &Path) {
    let status = Command::new(binary).args(args).arg(last).status().expect("the program starts");
    assert!(status.success(), "{args:?} failed");
}
