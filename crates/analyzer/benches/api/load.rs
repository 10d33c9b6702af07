//! Eight clients at a time: alone, and while packets come in.

use crate::measure::percentiles;
use crate::{clients, mark, ms};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testkit::Server;

const CLIENTS: usize = 8;

/// How long the packets page is asked for.
const PAGE_TIME: Duration = Duration::from_secs(5);

/// Packets pages a second that eight clients must get.
const PAGES_PER_SECOND: f64 = 5_000.0;

/// Observations a second that come in, and how many of them.
const RATE: u64 = 2_000;
const OBSERVATIONS: u64 = 30_000;

/// What readers ask for while packets come in.
const MIX: [&str; 8] = [
    "/api/packets?limit=50",
    "/api/packets?limit=50&groupByHash=true",
    "/api/nodes?limit=50",
    "/api/observers",
    "/api/stats",
    "/api/channels",
    "/api/packets?limit=50&type=4",
    "/api/health",
];

/// Between two requests of a client of the mix: eight of them make about a thousand requests a second, and what they see
/// is how long they wait and not how fast they are.
const PAUSE: Duration = Duration::from_millis(8);

/// The packets page as fast as eight clients get it.
pub(crate) fn eight_clients(server: &Server) -> Option<String> {
    let started = Instant::now();
    let until = || started.elapsed() < PAGE_TIME;
    let mut times = ask(server, &MIX[..1], Duration::ZERO, &until);
    let per_second = times.len() as f64 / started.elapsed().as_secs_f64();
    let (p50, p99) = percentiles(&mut times);
    let slow = per_second < PAGES_PER_SECOND;
    println!(
        "packets page, {CLIENTS} clients: {per_second:.0} requests/s, p50 {p50:.2} ms, p99 {p99:.2} ms{}",
        mark(slow)
    );
    slow.then(|| {
        format!("packets page: {per_second:.0} requests/s with {CLIENTS} clients, budget {PAGES_PER_SECOND}")
    })
}

/// The times of a mix of requests, without and with packets coming in.
pub(crate) fn while_packets_come_in(binary: &Path, server: &Server) -> Vec<String> {
    let started = Instant::now();
    let mut idle = ask(server, &MIX, PAUSE, &|| started.elapsed() < PAGE_TIME);
    let (idle_p50, idle_p99) = percentiles(&mut idle);
    println!("{CLIENTS} readers, nothing comes in: p50 {idle_p50:.2} ms, p99 {idle_p99:.2} ms");

    let received = || server.client().get("/api/ingest").json()["received"].as_u64().unwrap_or_default();
    let before = received();
    let done = AtomicBool::new(false);
    let (mut times, took) = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let took = publish(binary, server);
            done.store(true, Ordering::Relaxed);
            took
        });
        let times = ask(server, &MIX, PAUSE, &|| !done.load(Ordering::Relaxed));
        (times, publisher.join().expect("the publisher ends"))
    });
    let (p50, p99) = percentiles(&mut times);
    testkit::eventually("all of it is received", || (received() - before >= OBSERVATIONS).then_some(()));
    let rate = OBSERVATIONS as f64 / took.as_secs_f64();
    let (slow, behind) = (p99 > 2.0 * idle_p99 && p99 > 1.0, rate < 0.95 * RATE as f64);
    println!(
        "{CLIENTS} readers, {rate:.0} observations/s of {RATE} come in: p50 {p50:.2} ms, p99 {p99:.2} ms{}",
        mark(slow || behind)
    );
    let slow =
        slow.then(|| format!("readers' p99 goes from {idle_p99:.2} to {p99:.2} ms while packets come in"));
    let behind = behind.then(|| format!("{rate:.0} observations/s are taken in of {RATE}"));
    slow.into_iter().chain(behind).collect()
}

/// Other packets than those of the history, at an even pace.
fn publish(binary: &Path, server: &Server) -> Duration {
    let started = Instant::now();
    let to = format!("mqtt://{}", server.mqtt);
    let (count, rate) = (OBSERVATIONS.to_string(), RATE.to_string());
    let options =
        ["simulate", "--seed", "9", "--packets-per-hour", "720000", "--messages", &count, "--to", &to];
    let status =
        Command::new(binary).args(options).args(["--rate", &rate]).status().expect("the program starts");
    assert!(status.success(), "the packets are published");
    started.elapsed()
}

/// Asks for the paths in turn on eight connections until told not to; the times in milliseconds.
fn ask(server: &Server, paths: &[&str], pause: Duration, goes_on: &(dyn Fn() -> bool + Sync)) -> Vec<f64> {
    std::thread::scope(|scope| {
        let asking: Vec<_> = clients(server, CLIENTS)
            .into_iter()
            .enumerate()
            .map(|(number, mut client)| {
                scope.spawn(move || {
                    let mut times = Vec::new();
                    for path in paths.iter().cycle().skip(number) {
                        if !goes_on() {
                            break;
                        }
                        let started = Instant::now();
                        assert_eq!(client.get(path).status, 200, "{path}");
                        times.push(ms(started.elapsed()));
                        std::thread::sleep(pause);
                    }
                    times
                })
            })
            .collect();
        asking.into_iter().flat_map(|one| one.join().expect("a client ends")).collect()
    })
}
