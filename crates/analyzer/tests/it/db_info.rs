//! `db info` on a database that is there, is not, is in use, is damaged.

use crate::{binary, capture_lines, run_in};
use serde_json::Value;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use testkit::{Publisher, Server, eventually};

fn with_packets(data: &Path) -> Server {
    let server = Server::start_in(&binary(), data, &[]);
    let mut publisher = Publisher::connect(&server.mqtt);
    let lines = capture_lines();
    for line in &lines {
        publisher.publish(line["topic"].as_str().expect("a topic"), line["payload"].to_string().as_bytes());
    }
    eventually("all of the capture", || {
        (server.get("/api/ingest").json()["received"].as_u64() == Some(lines.len() as u64)).then_some(())
    });
    server
}

fn info(folder: &Path, data: &Path, more: &[&str]) -> (bool, String, String) {
    run_in(folder, &[&["db", "info", "--data-dir", data.to_str().expect("text")], more].concat())
}

#[test]
fn a_running_programs_database_is_described_and_agrees_with_its_api() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let data = scratch.path().join("data");
    let server = with_packets(&data);
    let stats = server.get("/api/stats").json();
    let json = eventually("all rows on the disk", || {
        let (good, out, err) = info(scratch.path(), &data, &["--json", "--check"]);
        assert!(good, "{err}");
        let json: Value = serde_json::from_str(&out).expect("one JSON object");
        let rows = |table: &str| {
            let objects = json["objects"].as_array().expect("a list");
            objects.iter().find(|object| object["name"] == table).expect("the table")["rows"].clone()
        };
        let same = rows("observations") == stats["totalObservations"]
            && rows("transmissions") == stats["totalTransmissions"];
        same.then_some(json)
    });
    assert_eq!(json["writer_pid"].as_u64(), Some(server.pid().into()));
    assert_eq!(json["faults"], serde_json::json!([]));
    assert!(json["wal_frames"].as_u64() > Some(0) && json["page_size"] == 4096, "{json}");
    assert!(json["bytes_per_observation"].as_f64() > Some(20.0), "{json}");
    let ms = |key: &str| json[key].as_i64().expect("a time");
    assert!(ms("created_ms") > 0 && ms("oldest_observation_ms") <= ms("newest_observation_ms"), "{json}");

    let (good, out, err) = info(scratch.path(), &data, &[]);
    assert!(good, "{err}");
    for words in ["in use by     process", "observations", "bytes each", "table or index", "map of pages"] {
        assert!(out.contains(words), "{words}: {out}");
    }
}

#[test]
fn where_no_database_is_a_sentence_says_so() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (good, out, err) = info(scratch.path(), &scratch.path().join("none"), &[]);
    assert!(!good && out.is_empty());
    assert!(err.contains("there is no database at") && err.contains("--data-dir"), "{err}");
}

#[test]
fn damage_is_found_by_the_check() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let data = scratch.path().join("data");
    assert!(with_packets(&data).terminate());
    assert!(info(scratch.path(), &data, &["--check"]).0);
    let file = OpenOptions::new().write(true).open(data.join("analyzer.db")).expect("the database");
    let pages = file.metadata().expect("a file").len() / 4_096;
    file.write_all_at(&[0xff; 4_096], (pages - 2) * 4_096).expect("written");
    let (good, _, err) = info(scratch.path(), &data, &["--check"]);
    assert!(!good && err.contains("damaged"), "{err}");
}
