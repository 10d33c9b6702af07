//! The whole program under load, from outside: the figures that the README quotes.
//!
//! Makes a synthetic history, publishes it to the embedded broker as fast as that takes it, then starts the program again
//! on what it stored. Generator, publisher and program share the machine's cores. Run with `cargo xtask bench system`.

use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{LiveFeed, Publisher, RequestTimes, Server, eventually};

/// Messages of the history: about 100,000 transmissions and 1,000,000 observations.
const HISTORY_MESSAGES: u64 = 1_000_000;

/// Requests by which a page is timed.
const REQUESTS: usize = 2_000;

/// Packets by which the way from publisher to viewer is timed, and the pause between two.
const LIVE_PACKETS: usize = 500;
const LIVE_PAUSE: Duration = Duration::from_millis(10);

/// No frame for this long means that all have arrived.
const QUIET: Duration = Duration::from_secs(3);

fn main() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"));
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let messages: u64 =
        std::env::var("MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(HISTORY_MESSAGES);
    let history = scratch.path().join("history.jsonl");
    run(
        &binary,
        &[
            "simulate",
            "--seed",
            "1",
            "--packets-per-hour",
            "36000",
            "--messages",
            &messages.to_string(),
            "--out",
        ],
        &history,
    );
    let data = scratch.path().join("data");

    let totals = ingest(&binary, &history, &data, messages);
    let server = restart(&binary, &data, &totals);
    pages(&server);
    println!("in one process");
    live(&binary, &server, &server, scratch.path(), 2);
    drop(server);
    split(&binary, &data, scratch.path(), &totals);
    multiply(&data.join("analyzer.db"));
    println!("ten times that history");
    let started = Instant::now();
    let mut server = Server::start_in(&binary, &data, &["--mqtt", "off"]);
    let mut client = server.client();
    eventually("all of the history is served", || (client.get("/api/healthz").status == 200).then_some(()));
    let stats = client.get("/api/stats").json();
    println!("  observations    {}", stats["totalObservations"]);
    println!("  all served      {:.1} s", started.elapsed().as_secs_f64());
    println!("  resident        {} MB", resident_mb(server.pid()));
    assert!(server.terminate(), "the program ends well when asked to");
}

/// Copies the history nine times behind itself, each copy some hours later: other packets by their hashes, of which no
/// start makes sure that they fit the frames.
fn multiply(database: &Path) {
    let conn = rusqlite::Connection::open(database).expect("a database");
    let last = |table: &str| -> i64 {
        conn.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| row.get(0)).expect("rows")
    };
    let (packets, heard) = (last("transmissions"), last("observations"));
    for copy in 1..10 {
        conn.execute_batch(&format!(
            "BEGIN;
             INSERT INTO transmissions SELECT id + {copy} * {packets}, randomblob(8), raw FROM transmissions WHERE id <= {packets};
             INSERT INTO observations
                 SELECT id + {copy} * {heard}, tx + {copy} * {packets}, observer, head, time + {copy} * 36000000, snr, rssi, score
                 FROM observations WHERE id <= {heard};
             COMMIT;"
        ))
        .expect("the rows can be copied");
    }
}

/// The same history with ingest and two serving processes.
fn split(binary: &Path, data: &Path, scratch: &Path, totals: &Value) {
    println!("as ingest and serve");
    let ingest = Server::ingest_in(binary, data, &[]);
    let started = Instant::now();
    let serve = Server::serve_in(binary, data, &[]);
    let mut client = serve.client();
    eventually("all of the history is served", || {
        let now = client.get("/api/stats").json();
        (now["totalTransmissions"].as_u64() >= totals["totalTransmissions"].as_u64()).then_some(())
    });
    println!("  all served      {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let _another = Server::serve_in(binary, data, &[]);
    live(binary, &ingest, &serve, scratch, 3);
    println!(
        "  resident        {} MB ingest, {} MB serve",
        resident_mb(ingest.pid()),
        resident_mb(serve.pid())
    );
}

fn run(binary: &Path, args: &[&str], last: &Path) {
    let status = Command::new(binary).args(args).arg(last).status().expect("the program starts");
    assert!(status.success(), "{args:?} failed");
}

/// Publishes the history with QoS 1 and waits until every message has its outcome.
fn ingest(binary: &Path, history: &Path, data: &Path, messages: u64) -> Value {
    let mut server = Server::start_in(binary, data, &[]);
    let mut client = server.client();
    let started = Instant::now();
    let to = format!("mqtt://{}", server.mqtt);
    run(binary, &["replay", "--to", &to, "--qos", "1"], history);
    let report = eventually("all messages are accounted for", || {
        let report = client.get("/api/ingest").json();
        (report["received"].as_u64() == Some(messages)).then_some(report)
    });
    let took = started.elapsed();
    let totals = client.get("/api/stats").json();
    println!("ingest through MQTT, QoS 1, one connection");
    println!("  messages        {messages} sent, {} received, none lost", report["received"]);
    println!(
        "  time            {:.1} s = {:.0} messages/s, publisher included",
        took.as_secs_f64(),
        messages as f64 / took.as_secs_f64()
    );
    println!(
        "  stored          {} transmissions, {} observations",
        totals["totalTransmissions"], totals["totalObservations"]
    );
    println!("  resident        {} MB after ingest", resident_mb(server.pid()));
    assert!(server.terminate(), "the program ends well when asked to");
    let file = std::fs::metadata(data.join("analyzer.db")).expect("the database is there").len();
    let observations = totals["totalObservations"].as_f64().unwrap_or(1.0);
    println!(
        "  database        {:.1} MB = {:.0} bytes/observation",
        file as f64 / 1e6,
        file as f64 / observations
    );
    totals
}

/// Starts on the stored history and times the first complete answer.
fn restart(binary: &Path, data: &Path, totals: &Value) -> Server {
    let started = Instant::now();
    let server = Server::start_in(binary, data, &[]);
    let port_open = started.elapsed();
    let mut client = server.client();
    eventually("all of the history is served", || {
        let now = client.get("/api/stats").json();
        (now["totalObservations"] == totals["totalObservations"]).then_some(())
    });
    println!("start on that history");
    println!("  port open       {:.0} ms", port_open.as_secs_f64() * 1e3);
    println!("  all served      {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    println!("  resident        {} MB", resident_mb(server.pid()));
    server
}

fn pages(server: &Server) {
    println!("pages on that history, one client, {REQUESTS} requests each");
    let mut client = server.client();
    for path in [
        "/api/packets?limit=50",
        "/api/packets?limit=50&type=4",
        "/api/packets?limit=50&groupByHash=true",
        "/api/packets?limit=50&region=SJC&type=5",
        "/api/nodes?limit=50",
        "/api/observers",
        "/api/channels",
        "/api/stats",
    ] {
        println!("  {path:<42} {}", RequestTimes::take(&mut client, path, REQUESTS));
    }
    println!("  resident        {} MB afterwards", resident_mb(server.pid()));
}

/// Publishes packets that nobody has sent before at a steady pace and times each until a viewer has its frame.
fn live(binary: &Path, ingest: &Server, serve: &Server, scratch: &Path, seed: u64) {
    let fresh = scratch.join("fresh.jsonl");
    let (seed, messages) = (seed.to_string(), (LIVE_PACKETS * 2).to_string());
    run(binary, &["simulate", "--seed", &seed, "--messages", &messages, "--out"], &fresh);
    let text = std::fs::read_to_string(&fresh).expect("the file was written");
    let mut feed = LiveFeed::open(&serve.web);
    let arrivals = std::thread::spawn(move || {
        let mut arrivals = HashMap::new();
        while let Some(frame) = feed.frame_within(QUIET) {
            arrivals
                .entry(observed(&frame["data"]["raw_hex"], &frame["data"]["observer_id"]))
                .or_insert(Instant::now());
        }
        arrivals
    });
    let mut publisher = Publisher::connect(&ingest.mqtt);
    let mut sent = HashMap::new();
    for line in text.lines().filter(|line| line.contains("/packets\"")).take(LIVE_PACKETS) {
        let message: Value = serde_json::from_str(line).expect("a line is JSON");
        let topic = message["topic"].as_str().expect("a topic");
        let observer = Value::from(topic.split('/').nth(2).expect("an observer's topic"));
        sent.entry(observed(&message["payload"]["raw"], &observer)).or_insert(Instant::now());
        publisher.publish(topic, message["payload"].to_string().as_bytes());
        std::thread::sleep(LIVE_PAUSE);
    }
    let arrivals = arrivals.join().expect("the viewer read to the end");
    let mut times: Vec<Duration> =
        sent.iter().filter_map(|(key, at)| Some(arrivals.get(key)?.saturating_duration_since(*at))).collect();
    times.sort();
    println!(
        "  publish to WebSocket frame, {} of {} packets seen, one every {} ms",
        times.len(),
        sent.len(),
        LIVE_PAUSE.as_millis()
    );
    println!("    p50 {:.2} ms  p99 {:.2} ms", ms(times[times.len() / 2]), ms(times[times.len() * 99 / 100]));
}

/// What identifies one copy heard by one observer, in the envelope and in the frame alike.
fn observed(raw: &Value, observer: &Value) -> (String, String) {
    let upper = |value: &Value| value.as_str().unwrap_or_default().to_uppercase();
    (upper(raw), upper(observer))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn resident_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
