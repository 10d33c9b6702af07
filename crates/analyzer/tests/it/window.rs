//! A history larger than its memory budget: memory stays within it, and every packet can still be read, also after a kill.

use crate::binary;
use crate::kept::{hash, observer, publish_all, ready};
use std::collections::BTreeSet;
use std::path::Path;
use testkit::{Server, eventually};

/// The least budget there is.
const BUDGET_MB: u32 = 16;

/// Each heard by all observers: more than the budget lets the index hold.
const PACKETS: u32 = 45_000;
const OBSERVERS: usize = 4;

/// A configuration with the budget.
fn small(folder: &Path) -> String {
    let config = folder.join("config.json");
    std::fs::write(&config, format!("{{\"packetStore\": {{\"maxMemoryMB\": {BUDGET_MB}}}}}")).unwrap();
    config.display().to_string()
}

fn start(folder: &Path) -> Server {
    let server = Server::start_in(&binary(), &folder.join("data"), &["--config", &small(folder)]);
    ready(&server);
    server
}

/// Walks from the newest packet to the first one.
fn walk(server: &Server) -> Vec<(u64, String)> {
    let mut client = server.client();
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/packets?limit=1000{cursor}")).json();
        for row in page["packets"].as_array().expect("rows") {
            rows.push((row["id"].as_u64().expect("an id"), row["hash"].as_str().expect("a hash").to_owned()));
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

fn store(server: &Server) -> serde_json::Value {
    server.get("/api/perf").json()["packetStore"].clone()
}

fn totals(server: &Server) -> (u64, u64) {
    let stats = server.get("/api/stats").json();
    let count = |name: &str| stats[name].as_u64().expect("a count");
    (count("totalTransmissions"), count("totalObservations"))
}

#[test]
fn a_small_budget_holds_and_hides_nothing() {
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let mut server = start(folder.path());
    for observer_number in 0..OBSERVERS {
        publish_all(&server.mqtt, &observer(observer_number), 0..PACKETS);
    }
    let all = u64::from(PACKETS);
    eventually("the window to move", || (store(&server)["evicted"].as_u64()? > 0).then_some(()));
    let figures = store(&server);
    assert!(figures["trackedMB"].as_f64().expect("a number") <= f64::from(BUDGET_MB), "{figures}");
    assert_eq!(figures["maxMB"].as_u64(), Some(u64::from(BUDGET_MB)), "{figures}");
    assert!(figures["inMemory"].as_u64().expect("a number") < all, "{figures}");
    assert_eq!(totals(&server), (all, all * OBSERVERS as u64));

    // A copy of the very first packet, which only the disk has by now.
    publish_all(&server.mqtt, &observer(OBSERVERS), 0..1);
    let first = format!("/api/packets/{}", hash(0));
    let copies = || server.get(&first).json()["observation_count"].as_u64();
    eventually("the late copy to be read back", || (copies() == Some(OBSERVERS as u64 + 1)).then_some(()));
    assert_eq!(totals(&server), (all, all * OBSERVERS as u64 + 1), "no packet is stored twice");

    let before = walk(&server);
    let hashes: BTreeSet<String> = before.iter().map(|(_, hash)| hash.clone()).collect();
    assert_eq!((before.len(), hashes.len()), (PACKETS as usize, PACKETS as usize));
    assert!(before.is_sorted_by(|a, b| a.0 > b.0), "newest first");
    assert!((0..PACKETS).all(|number| hashes.contains(&hash(number))));
    let one = server.get(&first).json();

    server.kill();
    let server = start(folder.path());
    assert_eq!(totals(&server), (all, all * OBSERVERS as u64 + 1));
    assert_eq!(walk(&server), before);
    assert_eq!(server.get(&first).json(), one);
    assert!(store(&server)["trackedMB"].as_f64().expect("a number") <= f64::from(BUDGET_MB));
    assert!(store(&server)["evicted"].as_u64() > Some(0), "a start holds the budget, too");
}

#[test]
fn a_small_budget_holds_in_both_processes_and_the_page_shows_everything() {
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let (data, config) = (folder.path().join("data"), small(folder.path()));
    let mut ingest = Server::ingest_in(&binary(), &data, &["--config", &config]);
    let serve = Server::serve_in(&binary(), &data, &["--config", &config]);
    for observer_number in 0..OBSERVERS {
        publish_all(&ingest.mqtt, &observer(observer_number), 0..PACKETS);
    }
    let all = u64::from(PACKETS);
    let copies = all * OBSERVERS as u64;
    eventually("all of it on the page", || (totals(&serve) == (all, copies)).then_some(()));
    eventually("the window of the page to move", || (store(&serve)["evicted"].as_u64()? > 0).then_some(()));
    let let_go = |line: &String| line.contains("packets were let go that storage keeps");
    eventually("the window of ingest to move", || ingest.output().iter().any(let_go).then_some(()));

    // Neither has the very first packet in memory, and both know it.
    publish_all(&ingest.mqtt, &observer(OBSERVERS), 0..1);
    let first = format!("/api/packets/{}", hash(0));
    let heard = || serve.get(&first).json()["observation_count"].as_u64();
    eventually("the late copy to be read back", || (heard() == Some(OBSERVERS as u64 + 1)).then_some(()));
    assert_eq!(totals(&serve), (all, copies + 1), "no packet is stored twice");
    let followed =
        (walk(&serve), serve.get(&first).json(), serve.get("/api/observers").json()["observers"].clone());
    assert!(ingest.terminate());

    // One process that has all of it in memory.
    let whole = Server::start_in(&binary(), &data, &[]);
    ready(&whole);
    assert_eq!(store(&whole)["evicted"].as_u64(), Some(0));
    assert_eq!(walk(&whole), followed.0);
    assert_eq!(whole.get(&first).json(), followed.1);
    assert_eq!(whole.get("/api/observers").json()["observers"], followed.2);
}
