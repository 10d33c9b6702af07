//! What the whole program writes: bytes by who caused them, per observation, at several rates.
//!
//! Publishes a synthetic mesh to the embedded broker at a steady rate, waits until all is durable, and prints what the
//! program's own counting file system, /proc and the device say. Run with `cargo xtask bench write`.
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `WRITE_SECS_5` | 120 | seconds at 5 observations a second |
//! | `WRITE_SECS_100` | 60 | seconds at 100 observations a second |
//! | `WRITE_MESSAGES` | 300000 | messages at full speed |
//! | `WRITE_DIR` | a temporary folder | where the databases lie, which says what device is measured |

use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{HttpClient, Server, eventually};

/// One load.
struct Load {
    name: &'static str,
    /// Messages a second; `None` for as fast as the broker takes them.
    rate: Option<u64>,
    messages: u64,
    qos: &'static str,
    /// Bytes to disk per observation that it should cost at most.
    wanted: f64,
}

/// What was written at one moment, by everybody's account.
struct Sample {
    sources: Value,
    wchar: u64,
    write_bytes: u64,
    /// Of the whole device, whoever wrote.
    device_bytes: Option<u64>,
}

fn main() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"));
    let (slow, steady) = (5 * variable("WRITE_SECS_5", 120), 100 * variable("WRITE_SECS_100", 60));
    let all = variable("WRITE_MESSAGES", 300_000);
    let load = |name, rate, messages, qos, wanted| Load { name, rate, messages, qos, wanted };
    let loads = [
        load("5 observations/s, nobody waits (QoS 0)", Some(5), slow, "0", 4_000.0),
        load("5 observations/s, acknowledged (QoS 1)", Some(5), slow, "1", 4_000.0),
        load("100 observations/s, nobody waits (QoS 0)", Some(100), steady, "0", 1_000.0),
        load("100 observations/s, acknowledged (QoS 1)", Some(100), steady, "1", 1_000.0),
        load("full speed, acknowledged (QoS 1)", None, all, "1", 300.0),
    ];
    for load in &loads {
        measure(&binary, load);
    }
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn measure(binary: &Path, load: &Load) {
    let scratch = match std::env::var_os("WRITE_DIR") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .expect("a scratch folder can be made");
    let history = scratch.path().join("history.jsonl");
    let simulate = ["simulate", "--seed", "1", "--packets-per-hour", "36000", "--messages"];
    run(binary, &simulate, &[&load.messages.to_string(), "--out"], &history);

    let mut server = Server::start_in(binary, &scratch.path().join("data"), &[]);
    let before = Sample::take(&mut server.client(), &server);
    let started = Instant::now();
    let to = format!("mqtt://{}", server.mqtt);
    let rate = load.rate.map(|rate| rate.to_string());
    let pace: Vec<&str> = rate.iter().flat_map(|rate| ["--rate", rate]).collect();
    run(binary, &["replay", "--to", &to, "--qos", load.qos], &pace, &history);
    // The server has closed a connection that was silent for so long.
    let mut client = server.client();
    let observations = eventually("all messages are stored", || {
        let received = client.get("/api/ingest").json()["received"].as_u64()?;
        let total = client.get("/api/stats").json()["totalObservations"].as_u64()?;
        let written = client.get("/api/perf/write-sources").json()["sources"]["obs_inserted"].as_u64()?;
        (received == load.messages && written == total).then_some(total)
    });
    let took = started.elapsed();
    let after = Sample::take(&mut client, &server);
    assert!(server.terminate(), "the program ends well when asked to");
    let database = server.data().join("analyzer.db");
    let file = fs::metadata(&database).expect("the database is there").len();
    let device = device_bytes(&database).zip(before.device_bytes).map(|(now, then)| now - then);
    report(load, observations, took, &Difference { before, after, device }, file);
}

fn run(binary: &Path, args: &[&str], more: &[&str], last: &Path) {
    let status = Command::new(binary).args(args).args(more).arg(last).status().expect("the program starts");
    assert!(status.success(), "{args:?} failed");
}

struct Difference {
    before: Sample,
    after: Sample,
    /// Until after the end of the program.
    device: Option<u64>,
}

impl Sample {
    fn take(client: &mut HttpClient, server: &Server) -> Self {
        let io = fs::read_to_string(format!("/proc/{}/io", server.pid())).unwrap_or_default();
        let field = |name| {
            let number = |line: &str| line.strip_prefix(name)?.trim_start_matches(':').trim().parse().ok();
            io.lines().find_map(number).unwrap_or(0)
        };
        Self {
            sources: client.get("/api/perf/write-sources").json(),
            wchar: field("wchar"),
            write_bytes: field("write_bytes"),
            device_bytes: device_bytes(server.data()),
        }
    }

    fn io(&self, cause: &str, file: &str, what: &str) -> u64 {
        self.sources["io"][cause][file][what].as_u64().unwrap_or(0)
    }
}

/// Bytes that the device under a folder has been given since it was started, where /proc/diskstats knows it.
fn device_bytes(path: &Path) -> Option<u64> {
    const SECTOR: u64 = 512;
    let device = fs::metadata(path).ok()?.dev();
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    fs::read_to_string("/proc/diskstats")
        .ok()?
        .lines()
        .find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let numbers = (fields.first()?.parse::<u64>().ok()?, fields.get(1)?.parse::<u64>().ok()?);
            (numbers == (major, minor)).then(|| fields.get(9)?.parse::<u64>().ok()).flatten()
        })
        .map(|sectors| sectors * SECTOR)
}

fn report(load: &Load, observations: u64, took: Duration, written: &Difference, file: u64) {
    let Difference { before, after, device } = written;
    let per_observation = |bytes: u64| bytes as f64 / observations as f64;
    let row = |name: &str, bytes: u64| {
        println!("  {name:<34} {bytes:>12} bytes {:>9.1} /observation", per_observation(bytes));
    };
    println!("{}", load.name);
    println!(
        "  {} messages, {observations} observations in {:.1} s = {:.0}/s",
        load.messages,
        took.as_secs_f64(),
        observations as f64 / took.as_secs_f64()
    );
    let mut all = 0;
    let mut log_frames = 0;
    for cause in after.sources["io"].as_object().into_iter().flatten().map(|(cause, _)| cause) {
        for file in ["wal", "database", "journal", "temporary"] {
            let bytes = after.io(cause, file, "written_bytes") - before.io(cause, file, "written_bytes");
            let syncs = after.io(cause, file, "syncs") - before.io(cause, file, "syncs");
            all += bytes;
            if file == "wal" {
                log_frames += bytes / 4_120;
            }
            if bytes > 0 {
                row(&format!("{cause} → {file} ({syncs} fsyncs)"), bytes);
            }
        }
    }
    // What the log still held went into the database at the end, each page once, and not more than the file has.
    let copied = after.io("checkpoint", "database", "written_bytes");
    let last = (log_frames * 4_096).saturating_sub(copied).min(file);
    row("last checkpoint, at most", last);
    row("all that SQLite wrote", all + last);
    row("wchar of the process", after.wchar - before.wchar);
    row("write_bytes of the process", after.write_bytes - before.write_bytes);
    match device {
        Some(bytes) => row("the whole device, with others' writes", *bytes),
        None => println!("  the device under the database is not in /proc/diskstats"),
    }
    row("database file at the end", file);
    let count = |name: &str| {
        after.sources["sources"][name].as_u64().unwrap_or(0)
            - before.sources["sources"][name].as_u64().unwrap_or(0)
    };
    println!(
        "  {} commits in {} groups, {} checkpoints",
        count("walCommits"),
        count("groupCommitFlushes"),
        count("checkpoints")
    );
    let perf =
        |component: &str, field: &str| after.sources["writer_perf"][component][field].as_f64().unwrap_or(0.0);
    println!(
        "  commit p50 {:.2} p99 {:.2} max {:.2} ms   writer held p99 {:.2} ms",
        perf("commit", "hold_ms_p50"),
        perf("commit", "hold_ms_p99"),
        perf("commit", "hold_ms_max"),
        perf("storage_writer", "hold_ms_p99")
    );
    let cost = per_observation(all + last);
    let verdict = if cost <= load.wanted { "as wanted" } else { "MISSED" };
    println!("  {cost:.0} bytes an observation, at most {:.0} wanted: {verdict}", load.wanted);
}
