//! What a thousand viewers of `/api/live` cost, how late they see a packet, and whether they see all that they are to see.
//! Run with `cargo xtask bench live`.
//!
//! Publisher, viewers and program share the machine's cores. `CLIENTS`, `RATE` (packets a second), `SECONDS` and `BURST` (packets
//! that a client sleeps through) in the environment change the load.

mod viewer;
mod wishes;

use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Publisher, Server};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use viewer::{Viewer, number_after, row_numbers};
use wishes::{MIX, SLEEPER, WITNESS, of_viewer};

const CLIENTS: u64 = 1_000;
const RATE: u64 = 100;
const SECONDS: u64 = 30;

/// More than is kept for clients that do not read.
const BURST: u64 = 20_000;

/// Packets that a lone viewer waits for, and the pause between two: longer than the feed ever waits for one viewer.
const LONE_PACKETS: usize = 100;
const LONE_PAUSE: Duration = Duration::from_millis(50);

/// The figures that must be kept.
const P99_MS: f64 = 100.0;
const GROWN_MB: f64 = 50.0;

/// What the system keeps for a client that sleeps.
const SLEEPER_BYTES: u32 = 16 * 1024;

/// As in the contract: what tells two observations apart.
type Observed = (String, String);

/// A topic, what is published under it, and how it is found again.
type Message = (String, String, Observed);

fn main() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"));
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let of = |name: &str, usual| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (clients, rate, seconds) = (of("CLIENTS", CLIENTS), of("RATE", RATE), of("SECONDS", SECONDS));
    let packets = LONE_PACKETS as u64 + rate * seconds + of("BURST", BURST);
    let messages = simulated(&binary, scratch.path(), packets);
    let (lone, rest) = messages.split_at(LONE_PACKETS.min(messages.len()));
    let (many, burst) = rest.split_at((rate * seconds) as usize);
    let server = Server::start(&binary, &[]);
    // One thread is enough for a thousand viewers, and leaves the other core to the program.
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("threads");
    println!("one viewer, a packet every {} ms", LONE_PAUSE.as_millis());
    measure(&threads, &server, 1, lone, LONE_PAUSE);
    println!("{clients} viewers, {rate} packets/s for {seconds} s");
    measure(&threads, &server, clients, many, Duration::from_secs(1) / rate as u32);
    println!("one viewer that sleeps while {} packets come", burst.len());
    oversleep(&threads, &server, burst);
    let health: Value = serde_json::from_slice(&server.get("/api/health").body).expect("JSON");
    println!("/api/health websocket: {}", health["websocket"]);
}

/// Topics and payloads of packets of a synthetic mesh.
fn simulated(binary: &Path, scratch: &Path, packets: u64) -> Vec<Message> {
    let file = scratch.join("messages.jsonl");
    // Some messages are about observers rather than packets.
    let messages = (packets * 2).to_string();
    let status =
        Command::new(binary).args(["simulate", "--messages", &messages, "--out"]).arg(&file).status();
    assert!(status.expect("the program starts").success());
    let text = std::fs::read_to_string(&file).expect("the file was written");
    let packet_lines = text.lines().filter(|line| line.contains("/packets\"")).take(packets as usize);
    packet_lines
        .map(|line| {
            let message: Value = serde_json::from_str(line).expect("a line is JSON");
            let topic = message["topic"].as_str().expect("a topic").to_owned();
            let observer = topic.split('/').nth(2).expect("an observer's topic").to_uppercase();
            let raw = message["payload"]["raw"].as_str().expect("a frame").to_uppercase();
            (topic, message["payload"].to_string(), (raw, observer))
        })
        .collect()
}

/// What a viewer got: the number of each row with the time at which it came, and how many it was told that it missed.
#[derive(Default)]
struct Arrivals {
    rows: Vec<(u64, Instant)>,
    missed: u64,
}

/// What was published, and what it did to the program.
struct Published {
    at: HashMap<Observed, Instant>,
    took: Duration,
    /// The most that the program had in memory meanwhile.
    resident_mb: f64,
}

fn measure(threads: &Runtime, server: &Server, clients: u64, messages: &[Message], pause: Duration) {
    let (resident, cpu) = (resident_mb(server.pid()), cpu_secs(server.pid()));
    let ready = Arc::new(Barrier::new(clients as usize + 2));
    let view = |number| view(server.web.clone(), of_viewer(number).subscribe, Arc::clone(&ready));
    let viewers: Vec<_> = (0..clients).map(|number| threads.spawn(view(number))).collect();
    // One more sees which number is which packet.
    let witness = threads.spawn(bear_witness(server.web.clone(), Arc::clone(&ready)));
    threads.block_on(ready.wait());
    let connected = resident_mb(server.pid());
    let published = publish(server, messages, pause);
    let cpu = cpu_secs(server.pid()) - cpu;
    let seen = threads.block_on(witness).expect("the witness saw to the end");
    let viewers: Vec<Arrivals> = viewers
        .into_iter()
        .map(|viewer| threads.block_on(viewer).expect("the viewer saw to the end"))
        .collect();
    compare(&viewers, &seen, &published);
    println!("  program: {:.0} % of a core", cpu / published.took.as_secs_f64() * 100.0);
    let grown = published.resident_mb - resident;
    println!(
        "  resident: {resident:.1} MB before, {:.1} MB more with all connected, {grown:.1} MB more at most{}",
        connected - resident,
        verdict(grown, GROWN_MB, "MB")
    );
}

/// Prints what came to the viewers, and how late.
fn compare(viewers: &[Arrivals], seen: &BTreeMap<u64, Value>, published: &Published) {
    let observed = |row: &Value| {
        let upper = |name: &str| row[name].as_str().unwrap_or_default().to_uppercase();
        (upper("raw_hex"), upper("observer_id"))
    };
    let sent: HashMap<u64, Instant> =
        seen.iter().filter_map(|(number, row)| Some((*number, *published.at.get(&observed(row))?))).collect();
    let wanted = |wants: fn(&Value) -> bool| -> HashSet<u64> {
        seen.iter().filter(|(_, row)| wants(row)).map(|(number, _)| *number).collect()
    };
    let wanted: HashMap<&str, HashSet<u64>> =
        MIX.iter().map(|wish| (wish.subscribe, wanted(wish.wants))).collect();
    let (mut times, mut expected, mut missed, mut unwanted) = (Vec::new(), 0, 0, 0);
    for (number, arrivals) in viewers.iter().enumerate() {
        let wanted = &wanted[of_viewer(number as u64).subscribe];
        expected += wanted.len() as u64;
        missed += arrivals.missed;
        let mut last = 0;
        for (number, at) in &arrivals.rows {
            unwanted += u64::from(!wanted.contains(number) || *number <= last);
            last = *number;
            times.extend(sent.get(number).map(|sent| at.saturating_duration_since(*sent)));
        }
    }
    times.sort_unstable();
    let at = |share: usize| {
        times.get(times.len() * share / 1000).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    let rows: u64 = viewers.iter().map(|viewer| viewer.rows.len() as u64).sum();
    println!(
        "  published: {} observations, {} of them seen by the witness",
        published.at.len(),
        sent.values().len()
    );
    println!("  rows: {rows} of {expected} expected, {missed} told missed, {unwanted} twice or unwanted");
    println!(
        "  publish to row: p50 {:.1} ms  p99 {:.1} ms  p99.9 {:.1} ms  slowest {:.1} ms{}",
        at(500),
        at(990),
        at(999),
        times.last().map_or(f64::NAN, |time| time.as_secs_f64() * 1e3),
        verdict(at(990), P99_MS, "ms")
    );
    assert_eq!((rows + missed, unwanted), (expected, 0), "every row comes once or is told missed");
}

fn publish(server: &Server, messages: &[Message], pause: Duration) -> Published {
    let mut publisher = Publisher::connect(&server.mqtt);
    let (started, mut at, mut most) = (Instant::now(), HashMap::new(), 0.0_f64);
    for (number, (topic, payload, observed)) in messages.iter().enumerate() {
        let due = started + pause * number as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        at.entry(observed.clone()).or_insert(Instant::now());
        publisher.publish(topic, payload.as_bytes());
        if number % 50 == 0 {
            most = most.max(resident_mb(server.pid()));
        }
    }
    Published { at, took: started.elapsed(), resident_mb: most.max(resident_mb(server.pid())) }
}

/// Subscribes and notes when rows come, until none do.
async fn view(address: String, wish: &'static str, ready: Arc<Barrier>) -> Arrivals {
    let mut viewer = Viewer::subscribe(&address, wish, None).await;
    ready.wait().await;
    let mut arrivals = Arrivals::default();
    while let Some(frame) = viewer.frame().await {
        let at = Instant::now();
        arrivals.rows.extend(row_numbers(&frame).map(|number| (number, at)));
        arrivals.missed += missed(&frame);
    }
    arrivals
}

/// All rows, read whole.
async fn bear_witness(address: String, ready: Arc<Barrier>) -> BTreeMap<u64, Value> {
    let mut viewer = Viewer::subscribe(&address, WITNESS, None).await;
    ready.wait().await;
    let mut seen = BTreeMap::new();
    while let Some(frame) = viewer.frame().await {
        let mut frame: Value = serde_json::from_str(&frame).expect("a frame is JSON");
        for row in frame["rows"].as_array_mut().into_iter().flatten() {
            seen.insert(row["observation_id"].as_u64().expect("a number"), row.take());
        }
    }
    seen
}

/// A client that reads nothing while more comes than is kept for it must learn of every row, or that it missed it.
fn oversleep(threads: &Runtime, server: &Server, messages: &[Message]) {
    let subscribe = |bytes| threads.block_on(Viewer::subscribe(&server.web, SLEEPER, bytes));
    let mut sleeper = subscribe(Some(SLEEPER_BYTES));
    let before = resident_mb(server.pid());
    let published = publish(server, messages, Duration::ZERO);
    let total = || server.get("/api/stats").json()["totalObservations"].as_u64();
    testkit::eventually("all of the burst is taken in", || {
        let then = total();
        std::thread::sleep(Duration::from_millis(500));
        (total() == then).then_some(())
    });
    let newest = subscribe(None).seq;
    let (mut next, mut rows, mut told, mut gaps) = (sleeper.seq + 1, 0, 0, 0);
    threads.block_on(async {
        while next <= newest
            && let Some(frame) = sleeper.frame().await
        {
            let (Some(from), Some(to)) = (number_after(&frame, "\"from\":"), number_after(&frame, "\"to\":"))
            else {
                continue;
            };
            gaps += u64::from(from != next);
            next = to + 1;
            rows += row_numbers(&frame).count() as u64;
            told += missed(&frame);
        }
    });
    let all = newest - sleeper.seq;
    println!("  after waking: {rows} rows and {told} told missed of {all}, {gaps} gaps");
    println!("  resident: {before:.1} MB before, {:.1} MB at most meanwhile", published.resident_mb);
    assert_eq!((rows + told, gaps), (all, 0), "what does not come is told missed");
    assert!(told > 0 || (messages.len() as u64) < BURST, "a smaller burst fits into what is kept");
}

/// How many rows this frame says were missed.
fn missed(frame: &str) -> u64 {
    let tells = frame.starts_with(r#"{"type":"missed""#);
    if tells { number_after(frame, "\"count\":").unwrap_or(0) } else { 0 }
}

fn verdict(found: f64, most: f64, unit: &str) -> String {
    let word = if found <= most { "within" } else { "OVER" };
    format!("  ({word} {most:.0} {unit})")
}

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
    kilobytes.map_or(0.0, f64::from) / 1024.0
}

/// Seconds that all threads have run, with the usual hundred ticks a second.
fn cpu_secs(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after_name.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // The state is no number; user and system time are the 14th and 15th field of the line.
    fields.get(10..12).map_or(0.0, |times| times.iter().sum::<u64>() as f64 / 100.0)
}
