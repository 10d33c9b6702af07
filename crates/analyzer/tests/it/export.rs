//! What is stored comes out again, row by row, in both formats, also while the program runs.

use crate::{binary, capture_lines};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use testkit::{Age, CoreScopeCopy, CoreScopeDb, Publisher, Server, eventually};

fn export(data: &Path, args: &[&str]) -> Output {
    let output = command(data, args).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["export", "--data-dir"]).arg(data).args(args).current_dir(std::env::temp_dir());
    command
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Cells by RFC 4180.
fn table(output: &Output) -> Vec<Vec<String>> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(cell.is_empty() && row.is_empty() && !quoted, "the last row has its end");
    rows
}

/// A running program with the recorded packets in it.
fn with_capture() -> Server {
    let server = Server::start(&binary(), &[]);
    let mut publisher = Publisher::connect(&server.mqtt);
    for line in capture_lines() {
        publisher.publish(line["topic"].as_str().expect("a topic"), line["payload"].to_string().as_bytes());
    }
    let wanted = capture_lines().len() as u64;
    eventually("all of the capture", || {
        (server.get("/api/ingest").json()["received"].as_u64() == Some(wanted)).then_some(())
    });
    // The snapshot sees what is committed, which is a moment later.
    let total = server.get("/api/stats").json()["totalObservations"].as_u64();
    eventually("all of it is committed", || {
        (lines(&export(server.data(), &["--format", "jsonl"])).len() as u64 == total?).then_some(())
    });
    server
}

#[test]
fn a_running_program_gives_its_observations_with_the_payload_as_decode_prints_it() {
    let server = with_capture();
    let rows = lines(&export(server.data(), &["--format", "jsonl"]));
    let heard: std::collections::HashSet<String> = capture_lines()
        .iter()
        .map(|line| line["payload"]["raw"].as_str().expect("raw").to_uppercase())
        .collect();
    for row in &rows {
        let raw = row["raw"].as_str().expect("raw");
        assert!(heard.contains(raw), "{row}");
        assert_eq!(row["time"].as_str().map(str::len), Some("2026-01-01T00:00:00.000Z".len()), "{row}");
        assert!(
            row["observer_id"].is_string() && row["route"].is_string() && row["hops"].is_array(),
            "{row}"
        );
    }
    let frames: Vec<&str> = rows.iter().filter_map(|row| row["raw"].as_str()).collect();
    let decoded = Command::new(binary()).arg("decode").args(&frames).output().expect("the program starts");
    for (row, decoded) in rows.iter().zip(lines(&decoded)) {
        assert_eq!(row["p"], decoded["p"], "{row}");
        assert_eq!(row["hash"].as_str().map(str::to_uppercase).as_deref(), decoded["hash"].as_str());
    }
}

#[test]
fn the_other_tables_agree_with_the_api() {
    let server = with_capture();
    let stats = server.get("/api/stats").json();
    for (what, total) in [
        ("transmissions", "totalTransmissions"),
        ("nodes", "totalNodesAllTime"),
        ("observers", "totalObservers"),
    ] {
        let json = lines(&export(server.data(), &["--format", "jsonl", "--what", what]));
        let csv = table(&export(server.data(), &["--format", "csv", "--what", what]));
        assert_eq!(json.len() as u64, stats[total].as_u64().expect("a count"), "{what}");
        assert_eq!(csv.len(), json.len() + 1, "{what}");
        assert!(csv.iter().all(|row| row.len() == csv[0].len()), "{what}");
    }
    let nodes = server.get("/api/nodes?limit=2000").json();
    for row in lines(&export(server.data(), &["--format", "jsonl", "--what", "nodes"])) {
        let api =
            nodes["nodes"].as_array().expect("nodes").iter().find(|it| it["public_key"] == row["public_key"]);
        let api = api.expect("the API has the node");
        assert_eq!([&row["role"], &row["adverts"]], [&api["role"], &api["advert_count"]], "{row}");
    }
}

/// A stopped database with one observer of this name that heard this many packets.
fn imported(folder: &Path, name: &str, packets: u32) -> std::path::PathBuf {
    let (theirs, data) = (folder.join("meshcore.db"), folder.join("data"));
    let mut db = CoreScopeDb::create(&theirs, Age::Today);
    for n in 0..packets {
        let raw = [&[0x0d, 0x00][..], &n.to_le_bytes()].concat();
        let time = model::UnixMillis(1_748_779_200_000 + 1000 * i64::from(n));
        let copy = CoreScopeCopy {
            time,
            observer: "OBS-1",
            raw: &raw,
            snr: Some(-7.25),
            rssi: Some(-88.0),
            score: None,
        };
        db.copy(&copy);
    }
    db.conn().execute("UPDATE observers SET name = ?1", [name]).expect("renamed");
    db.finish();
    let done = Command::new(binary()).arg("import").arg(&theirs).arg("--data-dir").arg(&data).output();
    assert!(done.expect("the program starts").status.success());
    data
}

#[test]
fn a_span_of_time_is_exact_at_both_ends() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = imported(folder.path(), "Dune", 40);
    let times = |args: &[&str]| -> Vec<String> {
        let rows = lines(&export(&data, &[&["--format", "jsonl"], args].concat()));
        rows.iter().map(|row| row["time"].as_str().expect("a time").to_owned()).collect()
    };
    let all = times(&[]);
    assert_eq!((all.len(), all[0].as_str()), (40, "2025-06-01T12:00:00.000Z"));
    let zoned = "2025-06-01T14:00:20+02:00";
    assert_eq!(times(&["--from", &all[10], "--until", zoned]), all[10..20]);
    assert_eq!(times(&["--from", "2025-06-01", "--until", "2025-06-02"]), all);
    assert!(times(&["--from", "2025-06-02"]).is_empty());
    let of = |what: &str, args: &[&str]| {
        lines(&export(&data, &[&["--format", "jsonl", "--what", what], args].concat())).len()
    };
    assert_eq!(of("transmissions", &["--until", &all[5]]), 5);
    assert_eq!((of("observers", &["--from", &all[39]]), of("observers", &["--until", &all[39]])), (1, 0));
    let wrong = command(&data, &["--format", "csv", "--from", "yesterday"]).output().expect("it starts");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("want a time such as"));
}

#[test]
fn a_spreadsheet_takes_no_name_for_a_formula_and_numbers_for_numbers() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = imported(folder.path(), "=HYPERLINK(\"http://x\",\"y\")", 3);
    let rows = table(&export(&data, &["--format", "csv"]));
    assert_eq!(rows.len(), 4);
    let cell = |name: &str| rows[1][rows[0].iter().position(|it| it == name).expect("a column")].as_str();
    assert_eq!(cell("observer_name"), "'=HYPERLINK(\"http://x\",\"y\")");
    assert_eq!([cell("snr"), cell("rssi"), cell("hops"), cell("type")], ["-7.25", "-88", "", "ACK"]);
    let json = lines(&export(&data, &["--format", "jsonl"]));
    assert_eq!(json[0]["observer_name"], "=HYPERLINK(\"http://x\",\"y\")");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = imported(folder.path(), "Dune", 20_000);
    for format in ["jsonl", "csv"] {
        let mut child = command(&data, &["--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = child.stdout.take().expect("a pipe");
        pipe.read_exact(&mut [0; 100]).expect("some bytes");
        drop(pipe);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
    }
}

#[test]
fn a_file_is_there_when_it_is_complete_and_a_missing_database_is_named() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = imported(folder.path(), "Dune", 10);
    let out = folder.path().join("rows.jsonl");
    let path = out.to_string_lossy();
    let output = export(&data, &["--format", "jsonl", "--out", &path]);
    assert!(output.stdout.is_empty());
    assert_eq!(std::fs::read_to_string(&out).expect("written").lines().count(), 10);
    assert!(!folder.path().join("rows.jsonl.part").exists());

    let missing = command(folder.path(), &["--format", "csv"]).output().expect("the program starts");
    let text = String::from_utf8_lossy(&missing.stderr);
    assert!(!missing.status.success() && text.contains("there is no database"), "{text}");
}
