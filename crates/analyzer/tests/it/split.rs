//! `ingest` and `serve` as processes of their own: the page shows what ingest has, whatever happens to either.

use crate::binary;
use crate::capture::{distinct, publish_capture, totals};
use std::path::Path;
use std::process::Command;
use testkit::{LiveFeed, Publisher, Server, eventually};

/// A packet that nobody has sent before, as an observer publishes it.
fn message(number: u32) -> String {
    format!(r#"{{"raw":"0D00{number:08X}","SNR":7,"RSSI":-88}}"#)
}

const TOPIC: &str = "meshcore/SFO/00000000000000000000000000000000000000000000000000000000000000AA/packets";

fn transmissions(server: &Server) -> usize {
    totals(server).0
}

fn connected(serve: &Server) {
    eventually("a connection to ingest", || {
        serve.output().iter().any(|line| line.contains("connected to the ingest process")).then_some(())
    });
}

fn publish(ingest: &Server, numbers: std::ops::Range<u32>) {
    let mut publisher = Publisher::connect(&ingest.mqtt);
    numbers.for_each(|number| publisher.publish(TOPIC, message(number).as_bytes()));
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

#[test]
fn two_serving_processes_show_what_ingest_has_and_what_comes() {
    let scratch = scratch();
    let mut ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    let early = Server::serve_in(&binary(), scratch.path(), &[]);
    connected(&early);
    let mut viewer = LiveFeed::open(&early.web);
    publish_capture(&ingest);
    assert_eq!(viewer.frame()["type"], "packet", "a viewer need not wait for the commit");
    eventually("all of the capture", || (totals(&early) == distinct()).then_some(()));
    let late = Server::serve_in(&binary(), scratch.path(), &[]);
    eventually("the same for one that came later", || (totals(&late) == distinct()).then_some(()));
    assert!(ingest.terminate());
    for path in ["/api/packets?limit=50", "/api/nodes?limit=100", "/api/channels"] {
        assert_eq!(early.get(path).json(), late.get(path).json(), "{path}");
    }
}

#[test]
fn a_serving_process_that_starts_first_waits_and_says_so() {
    let scratch = scratch();
    let data = scratch.path().join("not-yet");
    let serve = Server::serve_in(&binary(), &data, &[]);
    eventually("a word on what it waits for", || {
        serve.output().iter().any(|line| line.contains("waiting for the ingest process")).then_some(())
    });
    assert_eq!(serve.get("/api/healthz").status, 503);
    assert!(!data.exists(), "it makes nothing");
    let ingest = Server::ingest_in(&binary(), &data, &[]);
    publish(&ingest, 0..3);
    eventually("the packets", || (transmissions(&serve) == 3).then_some(()));
    assert_eq!(serve.get("/api/healthz").status, 200);
}

#[test]
fn ingest_may_restart_and_is_followed_without_a_restart() {
    let scratch = scratch();
    let mut ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    let serve = Server::serve_in(&binary(), scratch.path(), &[]);
    connected(&serve);
    publish(&ingest, 0..3);
    eventually("the first packets", || (transmissions(&serve) == 3).then_some(()));
    assert!(ingest.terminate());
    assert_eq!(transmissions(&serve), 3, "what is there stays there");
    let ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    publish(&ingest, 0..6);
    eventually("the new packets", || (transmissions(&serve) == 6).then_some(()));
}

#[test]
fn what_ingest_had_told_and_not_committed_is_taken_back_when_it_dies() {
    let scratch = scratch();
    let mut ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    let serve = Server::serve_in(&binary(), scratch.path(), &[]);
    connected(&serve);
    let mut viewer = LiveFeed::open(&serve.web);
    publish(&ingest, 0..1);
    // The frame comes from the feed, well before the batch is committed.
    viewer.frame();
    ingest.kill();
    let mut ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    // It gives the ids of the packet that was lost to others.
    publish(&ingest, 10..12);
    eventually("the index of the follower to be that of ingest", || {
        let hash = |number: u32| {
            let bytes = meshcore::decode_hex(&format!("0D00{number:08X}")).unwrap();
            meshcore::Frame::parse(&bytes).unwrap().content_hash()
        };
        let has = |number| serve.get(&format!("/api/packets/{}", hash(number))).status == 200;
        (has(10) && has(11)).then_some(())
    });
    assert!(ingest.terminate());
    let fresh = Server::serve_in(&binary(), scratch.path(), &[]);
    let path = "/api/packets?limit=50";
    eventually("the same as one that has just started", || {
        (serve.get(path).json() == fresh.get(path).json()).then_some(())
    });
}

#[test]
fn a_backup_put_in_the_place_of_the_database_is_what_is_shown_then() {
    let scratch = scratch();
    let data = scratch.path().join("data");
    let backup = scratch.path().join("backup.db");
    let program = |args: &[&str]| {
        let output = Command::new(binary())
            .args(args)
            .arg(&backup)
            .arg("--data-dir")
            .arg(&data)
            .current_dir(scratch.path())
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut ingest = Server::ingest_in(&binary(), &data, &[]);
    let serve = Server::serve_in(&binary(), &data, &[]);
    connected(&serve);
    publish(&ingest, 0..3);
    eventually("the first packets", || (transmissions(&serve) == 3).then_some(()));
    assert!(ingest.terminate());
    program(&["backup"]);
    let mut ingest = Server::ingest_in(&binary(), &data, &[]);
    publish(&ingest, 3..9);
    eventually("the packets after it", || (transmissions(&serve) == 9).then_some(()));
    assert!(ingest.terminate());
    program(&["restore", "--force"]);
    let ingest = Server::ingest_in(&binary(), &data, &[]);
    // They get the ids of packets that are gone.
    publish(&ingest, 20..22);
    eventually("what is stored now, and nothing else", || (transmissions(&serve) == 5).then_some(()));
}

#[test]
fn the_perf_routes_of_a_serving_process_tell_of_ingest() {
    let scratch = scratch();
    let ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    let serve = Server::serve_in(&binary(), scratch.path(), &[]);
    publish(&ingest, 0..5);
    eventually("the account of ingest", || (serve.get("/api/ingest").json()["received"] == 5).then_some(()));
    eventually("its counters", || {
        (serve.get("/api/perf/write-sources").json()["sources"]["tx_inserted"] == 5).then_some(())
    });
    assert!(serve.get("/api/perf/io").json()["ingestor"].is_object());
    let status = serve.get("/api/mqtt/status").json();
    assert_eq!(status["sources"][0]["packetsTotal"], 5, "{status}");
}

#[test]
fn a_serving_process_refuses_a_database_of_a_newer_release() {
    let scratch = scratch();
    let mut ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    assert!(ingest.terminate());
    let database = scratch.path().join("analyzer.db");
    let mut bytes = std::fs::read(&database).expect("a database");
    // The user version is the big-endian number at byte 60 of an SQLite file.
    bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
    std::fs::write(&database, &bytes).expect("written");
    let output = Command::new(binary())
        .args(["serve", "--http", "127.0.0.1:0", "--data-dir"])
        .arg(scratch.path())
        .current_dir(scratch.path())
        .output()
        .expect("the program starts");
    let text = String::from_utf8(output.stderr).expect("errors are text");
    assert!(!output.status.success() && text.contains("999") && text.contains("newer"), "{text}");
    assert_eq!(std::fs::read(&database).expect("still there"), bytes);
}

#[test]
fn a_second_ingest_on_the_same_data_is_refused_and_says_who_holds_it() {
    let scratch = scratch();
    let ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    let output = Command::new(binary())
        .args(["ingest", "--mqtt", "127.0.0.1:0", "--data-dir"])
        .arg(scratch.path())
        .current_dir(scratch.path())
        .output()
        .expect("the program starts");
    let text = String::from_utf8(output.stderr).expect("errors are text");
    assert!(!output.status.success(), "{text}");
    assert!(text.contains(&format!("process {}", ingest.pid())), "{text}");
}

fn stats(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

#[test]
fn the_stats_file_has_the_keys_of_the_contract_and_true_counts() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let scratch = scratch();
    let data = scratch.path().join("data");
    // Torn by a crash, with a link planted at the temporary name.
    let path = data.with_extension("stats.json");
    std::fs::write(&path, "{\"sampledAt\":\"20").expect("written");
    let victim = scratch.path().join("victim");
    std::fs::write(&victim, "precious").expect("written");
    symlink(&victim, scratch.path().join("data.stats.json.tmp")).expect("a link");
    let mut ingest = Server::ingest_in(&binary(), &data, &[]);
    publish(&ingest, 0..5);
    let file = eventually("the counts", || {
        stats(&path).filter(|file| file["tx_inserted"] == 5 && file["procIO"].is_object())
    });
    for key in ["tx_dupes", "node_upserts", "observer_upserts", "write_errors", "sig_drops"] {
        assert!(file[key].is_u64(), "{key}: {file}");
    }
    assert_eq!(file["obs_inserted"], 5);
    assert!(
        file["walCommits"].as_u64() >= Some(1) && file["groupCommitFlushes"].as_u64() >= Some(1),
        "{file}"
    );
    assert_eq!(file["procIO"]["sampledAt"], file["sampledAt"]);
    assert!(file["backfillUpdates"].is_object() && file["source_statuses"].is_array());
    assert!(file["source_liveness"]["embedded"]["lastReceiptUnix"].is_i64(), "{file}");
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&victim).expect("there"), "precious");

    // A folder in its place: one clear line, and ingest goes on.
    std::fs::remove_file(&path).expect("removed");
    eventually("the folder in its place", || {
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir(&path).ok()
    });
    publish(&ingest, 5..7);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    let lines = ingest.output().into_iter().filter(|line| line.contains("the stats file cannot be written"));
    assert_eq!(lines.count(), 1);
    assert!(ingest.terminate());
}
