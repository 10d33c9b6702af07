//! What a thousand viewers of `/api/live` cost, and how late they see a packet. Run with `cargo xtask bench live`.
//!
//! Publisher, viewers and program share the machine's cores. `CLIENTS`, `RATE` (packets a second) and `SECONDS` in the environment
//! change the load.

use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Publisher, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

const CLIENTS: u64 = 1_000;
const RATE: u64 = 100;
const SECONDS: u64 = 30;

/// Packets that a lone viewer waits for, and the pause between two: longer than the feed ever waits.
const LONE_PACKETS: usize = 100;
const LONE_PAUSE: Duration = Duration::from_millis(50);

/// No frame for this long means that all have arrived.
const QUIET: Duration = Duration::from_secs(3);

/// As in the contract: what tells two observations apart.
type Observed = (String, String);

fn main() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"));
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let of = |name: &str, usual| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (clients, rate, seconds) = (of("CLIENTS", CLIENTS), of("RATE", RATE), of("SECONDS", SECONDS));
    let messages = simulated(&binary, scratch.path(), rate * seconds + LONE_PACKETS as u64);
    let (lone, many) = messages.split_at(LONE_PACKETS.min(messages.len()));
    let server = Server::start(&binary, &[]);
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let threads = threads.expect("threads");
    println!("one viewer, a packet every {} ms", LONE_PAUSE.as_millis());
    measure(&threads, &server, 1, lone, LONE_PAUSE);
    println!("{clients} viewers, {rate} packets/s for {seconds} s");
    measure(&threads, &server, clients, many, Duration::from_secs(1) / rate as u32);
}

/// Topics and payloads of packets of a synthetic mesh.
fn simulated(binary: &Path, scratch: &Path, packets: u64) -> Vec<(String, String, Observed)> {
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

/// Frames of a viewer: the first and the last number of each, and when it came.
type Arrivals = Vec<(u64, u64, Instant)>;

fn measure(
    threads: &tokio::runtime::Runtime,
    server: &Server,
    clients: u64,
    messages: &[(String, String, Observed)],
    pause: Duration,
) {
    let resident_before = resident_mb(server.pid());
    let cpu_before = cpu_secs(server.pid());
    let ready = Arc::new(Barrier::new(clients as usize + 2));
    let viewers: Vec<_> = (0..clients)
        .map(|_| {
            threads.spawn(view(server.web.clone(), r#"{"type":"subscribe","id":"a"}"#, Arc::clone(&ready)))
        })
        .collect();
    // One more sees which number is which packet.
    let witness = r#"{"type":"subscribe","id":"w","fields":["observation_id","raw_hex","observer_id"]}"#;
    let witness = threads.spawn(bear_witness(server.web.clone(), witness, Arc::clone(&ready)));
    threads.block_on(ready.wait());
    let started = Instant::now();
    let mut publisher = Publisher::connect(&server.mqtt);
    let mut sent = HashMap::new();
    for (number, (topic, payload, observed)) in messages.iter().enumerate() {
        let due = started + pause * number as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        sent.entry(observed.clone()).or_insert(Instant::now());
        publisher.publish(topic, payload.as_bytes());
    }
    let took = started.elapsed();
    let cpu = cpu_secs(server.pid()) - cpu_before;
    let resident = resident_mb(server.pid());
    let seen: HashMap<u64, Observed> = threads.block_on(witness).expect("the witness saw to the end");
    let mut times = Vec::new();
    for viewer in viewers {
        for (from, to, at) in threads.block_on(viewer).expect("the viewer saw to the end") {
            let published = (from..=to).filter_map(|number| sent.get(seen.get(&number)?));
            times.extend(published.map(|published| at.saturating_duration_since(*published)));
        }
    }
    times.sort_unstable();
    let at = |share: usize| {
        times.get(times.len() * share / 1000).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    println!("  {} rows of {} expected", times.len(), seen.len() as u64 * clients);
    println!("  publish to frame: p50 {:.1} ms  p99 {:.1} ms  p99.9 {:.1} ms", at(500), at(990), at(999));
    println!("  program: {:.0} % of a core", cpu / took.as_secs_f64() * 100.0);
    println!("  resident: {resident_before} MB before, {resident} MB at the end of it");
    let health: Value = serde_json::from_slice(&server.get("/api/health").body).expect("JSON");
    println!("  /api/health websocket: {}", health["websocket"]);
}

/// Subscribes and notes when frames come, until none do.
async fn view(address: String, wish: &'static str, ready: Arc<Barrier>) -> Arrivals {
    let mut viewer = Viewer::subscribe(&address, wish).await;
    ready.wait().await;
    let mut arrivals = Vec::new();
    while let Some(frame) = viewer.frame().await {
        let at = Instant::now();
        if let (Some(from), Some(to)) = (number_after(&frame, "\"from\":"), number_after(&frame, "\"to\":")) {
            arrivals.push((from, to, at));
        }
    }
    arrivals
}

async fn bear_witness(address: String, wish: &'static str, ready: Arc<Barrier>) -> HashMap<u64, Observed> {
    let mut viewer = Viewer::subscribe(&address, wish).await;
    ready.wait().await;
    let mut seen = HashMap::new();
    while let Some(frame) = viewer.frame().await {
        let frame: Value = serde_json::from_str(&frame).expect("a frame is JSON");
        for row in frame["rows"].as_array().into_iter().flatten() {
            let upper = |name: &str| row[name].as_str().unwrap_or_default().to_uppercase();
            let number = row["observation_id"].as_u64().expect("a number");
            seen.insert(number, (upper("raw_hex"), upper("observer_id")));
        }
    }
    seen
}

/// The beginning of a frame has them; its rows are not read.
fn number_after(frame: &str, name: &str) -> Option<u64> {
    let rest = &frame[frame.find(name)? + name.len()..];
    rest[..rest.find(|c: char| !c.is_ascii_digit())?].parse().ok()
}

/// The least of a WebSocket client, so that a thousand of them leave the cores to the program.
struct Viewer {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Viewer {
    async fn subscribe(address: &str, wish: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts connections");
        stream.set_nodelay(true).expect("a socket option");
        let mut viewer = Self { stream, buffer: Vec::new() };
        let request = format!(
            "GET /api/live HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        viewer.stream.write_all(request.as_bytes()).await.expect("the request can be sent");
        let head = loop {
            if let Some(end) = viewer.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break viewer.buffer.drain(..end + 4).collect::<Vec<u8>>();
            }
            assert!(viewer.fill().await, "the server answers");
        };
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        // Masked with zeros, which leaves it as it is.
        let length = u8::try_from(wish.len()).expect("short");
        assert!(length < 126, "short");
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], wish.as_bytes()].concat();
        viewer.stream.write_all(&frame).await.expect("the wish can be sent");
        while !viewer.frame().await.expect("an answer").contains("\"subscribed\"") {}
        viewer
    }

    /// The next text frame; `None` when none has come for a while.
    async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((is_text, start, end)) = self.whole_frame() {
                let text = String::from_utf8_lossy(&self.buffer[start..end]).into_owned();
                self.buffer.drain(..end);
                if is_text {
                    return Some(text);
                }
            } else if !matches!(tokio::time::timeout(QUIET, self.fill()).await, Ok(true)) {
                return None;
            }
        }
    }

    /// Where the payload of the first frame is, if all of it is there.
    fn whole_frame(&self) -> Option<(bool, usize, usize)> {
        let (&first, &second) = (self.buffer.first()?, self.buffer.get(1)?);
        let (start, length) = match second {
            126 => (4, u64::from(u16::from_be_bytes(self.buffer.get(2..4)?.try_into().ok()?))),
            127 => (10, u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?)),
            length => (2, u64::from(length)),
        };
        let end = start + length as usize;
        (self.buffer.len() >= end).then_some((first & 0x0F == 1, start, end))
    }

    async fn fill(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.is_ok_and(|read| read > 0)
    }
}

fn resident_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Seconds that all threads have run, with the usual hundred ticks a second.
fn cpu_secs(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after_name.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // The state is no number; user and system time are the 14th and 15th field of the line.
    fields.get(10..12).map_or(0.0, |times| times.iter().sum::<u64>() as f64 / 100.0)
}
