//! The doctor on a healthy installation, and on each thing that can be wrong with one.

use crate::{binary, run_in};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::Server;

/// Runs the doctor with free ports and gives its findings: whether it says that all is well, and the report.
fn doctor(folder: &Path, more: &[&str]) -> (bool, Value) {
    let ports: &[&str] =
        if more.contains(&"--http") { &[] } else { &["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"] };
    let (good, out, err) = run_in(folder, &[&["doctor", "--json"], ports, more].concat());
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} {err}"));
    assert_eq!(good, report["level"] != "error", "{report}");
    (good, report)
}

/// The finding of a check whose text has these words; it must say what it means and what to do unless all is well.
fn finding<'a>(report: &'a Value, check: &str, words: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("a list");
    let found = findings
        .iter()
        .find(|finding| finding["check"] == check && finding["found"].as_str().expect("text").contains(words))
        .unwrap_or_else(|| panic!("no finding of {check} with {words:?}: {report:#}"));
    let explained = found["meaning"].is_string() && found["action"].is_string();
    assert!(explained || found["level"] == "ok", "{found}");
    found
}

fn level<'a>(report: &'a Value, check: &str, words: &str) -> &'a str {
    finding(report, check, words)["level"].as_str().expect("text")
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

#[test]
fn a_healthy_installation_has_no_error_and_nothing_is_changed() {
    let folder = scratch();
    let (good, report) = doctor(folder.path(), &[]);
    assert!(good, "{report:#}");
    for check in
        ["version", "configuration", "data folder", "disk space", "disk speed", "clock", "database", "memory"]
    {
        finding(&report, check, "");
    }
    assert_eq!(level(&report, "stats file", "can be written"), "ok");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "it leaves nothing behind");
    let (good, out, _) = run_in(folder.path(), &["doctor", "--http", "127.0.0.1:0", "--mqtt", "off"]);
    assert!(good && out.contains("0 errors"), "{out}");
}

#[test]
fn a_running_program_holds_its_own_ports() {
    let folder = scratch();
    let data = folder.path().join("data");
    let server = Server::start_in(&binary(), &data, &[]);
    let data = data.to_str().expect("text");
    let (good, report) =
        doctor(folder.path(), &["--data-dir", data, "--http", &server.web, "--mqtt", &server.mqtt]);
    assert!(good, "{report:#}");
    let pid = format!("process {}", server.pid());
    for check in ["http port", "mqtt port"] {
        assert_eq!(level(&report, check, "is held by this program, which is running"), "ok");
        finding(&report, check, &pid);
    }
    // Examined with other data, it may not be the one that is meant.
    let (_, report) =
        doctor(folder.path(), &["--http", &server.web, "--mqtt", &server.mqtt, "--data-dir", "other"]);
    for check in ["http port", "mqtt port"] {
        assert_eq!(level(&report, check, "which does not write other/analyzer.db"), "warning");
    }
}

#[test]
fn a_port_in_use_is_an_error_that_names_who_has_it() {
    let folder = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (good, report) = doctor(folder.path(), &["--http", "127.0.0.1:0", "--mqtt", &address]);
    assert!(!good);
    assert_eq!(level(&report, "mqtt port", &format!("process {}", std::process::id())), "error");
    // An address of somebody else's machine.
    let (good, report) = doctor(folder.path(), &["--http", "192.0.2.1:80", "--mqtt", "off"]);
    assert!(!good);
    assert_eq!(level(&report, "http port", "192.0.2.1:80"), "error");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = scratch();
    let mut closed = folder.path().join("closed");
    fs::create_dir(&closed).expect("made");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("set");
    if fs::write(closed.join("probe"), "").is_ok() {
        // The superuser may write everywhere but in the kernel's own folders.
        closed = "/proc/self/fd".into();
    }
    let (good, report) = doctor(folder.path(), &["--data-dir", closed.to_str().expect("text")]);
    assert!(!good);
    assert_eq!(level(&report, "data folder", "cannot be written"), "error");
    let file = folder.path().join("a-file");
    fs::write(&file, "x").expect("written");
    let (good, report) = doctor(folder.path(), &["--data-dir", file.to_str().expect("text")]);
    assert!(!good);
    assert_eq!(level(&report, "data folder", "is not a folder"), "error");
}

#[test]
fn brokers_are_tried_in_bounded_time_and_no_password_is_shown() {
    let folder = scratch();
    // One that accepts and never answers, one that is down, one that lets us in.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = silent.local_addr().map(|address| (silent, address)).expect("an address");
    let server = Server::start(&binary(), &[]);
    let sources = json!([
        {"name": "hangs", "broker": format!("mqtt://{}", silent.1)},
        {"name": "down", "broker": "mqtt://ann:hunter2@127.0.0.1:1"},
        {"name": "login", "broker": "mqtt://127.0.0.1:1", "username": "ann", "password": "hunter3"},
        {"name": "up", "broker": format!("mqtt://{}", server.mqtt)},
        {"name": "web", "broker": format!("mqtt://{}", server.web)},
        {"name": "odd", "broker": "gopher://ann:hunter4@nowhere"},
    ]);
    fs::write(folder.path().join("config.json"), json!({"mqttSources": sources}).to_string())
        .expect("written");
    let start = Instant::now();
    let (good, report) = doctor(folder.path(), &[]);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert!(!good);
    assert_eq!(level(&report, "broker", "up: "), "ok");
    for name in ["hangs: ", "down: ", "login: ", "web: ", "odd: "] {
        assert_eq!(level(&report, "broker", name), "error", "{name}");
    }
    let text = report.to_string();
    assert!(text.contains("ann:****@") && !text.contains("hunter"), "{text}");
}

#[test]
fn a_damaged_a_foreign_and_a_newer_database_are_errors() {
    use std::os::unix::fs::FileExt as _;
    let folder = scratch();
    let data = folder.path().join("data");
    assert!(Server::start_in(&binary(), &data, &["--mqtt", "off"]).terminate());
    let (good, report) = doctor(folder.path(), &[]);
    assert!(good);
    assert_eq!(level(&report, "database", "no damage"), "ok");
    let path = data.join("analyzer.db");
    let whole = fs::read(&path).expect("the database");

    let file = fs::OpenOptions::new().write(true).open(&path).expect("the database");
    // The root page of some table; the first page is the list of tables, the second a map.
    file.write_all_at(&[0xff; 100], 3 * 4_096).expect("written");
    let (good, report) = doctor(folder.path(), &[]);
    assert!(!good);
    assert_eq!(level(&report, "database", "damaged"), "error");

    let mut newer = whole;
    newer[60..64].copy_from_slice(&999_u32.to_be_bytes());
    fs::write(&path, newer).expect("written");
    let (good, report) = doctor(folder.path(), &[]);
    assert!(!good);
    assert_eq!(level(&report, "database", "999"), "error");

    fs::write(&path, "somebody's notes, and no database").expect("written");
    let (good, report) = doctor(folder.path(), &[]);
    assert!(!good);
    assert_eq!(level(&report, "database", "is not a database"), "error");
}

#[test]
fn a_wrong_configuration_is_an_error_and_an_odd_one_a_warning() {
    let folder = scratch();
    let config = folder.path().join("config.json");
    fs::write(&config, "{\n  \"port\": \"3000\"\n}").expect("written");
    let (good, report) = doctor(folder.path(), &[]);
    assert!(!good);
    assert_eq!(level(&report, "configuration", "config.json:2:"), "error");
    finding(&report, "disk speed", "");

    fs::write(&config, "{\n  \"prot\": 3000, \"apiKey\": \"secret\"\n}").expect("written");
    let (good, report) = doctor(folder.path(), &[]);
    assert!(good, "warnings alone are no failure: {report:#}");
    assert_eq!(report["level"], "warning");
    assert_eq!(level(&report, "configuration", "unknown key `prot`"), "warning");
    assert_eq!(level(&report, "configuration", "apiKey"), "warning");
}

#[test]
fn a_stats_file_that_somebody_has_planted_is_warned_of() {
    let folder = scratch();
    std::os::unix::fs::symlink("elsewhere", folder.path().join("stats.json")).expect("a link");
    let (good, report) = doctor(folder.path(), &[]);
    assert!(good);
    assert_eq!(level(&report, "stats file", "is a link"), "warning");
}
