//! What an operator does wrong is answered with a sentence that says what, where and what to do.

use crate::binary;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use testkit::Server;

/// Runs the program with these arguments in an empty folder; it must fail by itself.
fn failure(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(binary())
        .args(["run", "--http", "127.0.0.1:0", "--mqtt", "off"])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    assert!(!output.status.success(), "it must not start");
    let text = String::from_utf8(output.stderr).expect("errors are text");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

#[test]
fn a_missing_configuration_is_named() {
    let folder = scratch();
    let text = failure(folder.path(), &["--config", "nowhere.json"]);
    assert!(text.contains("cannot read nowhere.json"), "{text}");
}

#[test]
fn a_wrong_type_is_an_error_with_file_line_and_key() {
    let folder = scratch();
    std::fs::write(folder.path().join("config.json"), "{\n  \"port\": \"3000\"\n}").expect("written");
    let text = failure(folder.path(), &[]);
    assert!(text.contains("config.json:2:") && text.contains("`port`"), "{text}");
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let folder = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let text = Command::new(binary())
        .args(["run", "--mqtt", "off", "--http", &address])
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    let text = String::from_utf8(text.stderr).expect("errors are text");
    assert!(text.contains(&address) && text.contains("--http"), "{text}");
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = scratch();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "x").expect("written");
    let data = file.join("data");
    let text = failure(folder.path(), &["--data-dir", &data.to_string_lossy()]);
    assert!(text.contains("a-file"), "{text}");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = scratch();
    let path = folder.path().join("analyzer.db");
    let content = b"these are somebody's notes, not a database; ".repeat(100);
    std::fs::write(&path, &content).expect("written");
    let text = failure(folder.path(), &["--data-dir", &folder.path().to_string_lossy()]);
    assert!(text.contains("analyzer.db"), "{text}");
    assert_eq!(std::fs::read(&path).expect("still there"), content);
}

#[test]
fn a_database_of_a_newer_version_is_refused_with_a_sentence() {
    let folder = scratch();
    let data = folder.path().join("data");
    let mut server = Server::start_in(&binary(), &data, &["--mqtt", "off"]);
    assert!(server.terminate());
    let mut bytes = std::fs::read(data.join("analyzer.db")).expect("a database");
    // The user version is the big-endian number at byte 60 of an SQLite file.
    bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
    std::fs::write(data.join("analyzer.db"), bytes).expect("written");
    let text = failure(folder.path(), &["--data-dir", &data.to_string_lossy()]);
    assert!(text.contains("999") && text.contains("newer"), "{text}");
}

#[test]
fn a_second_program_on_the_same_data_is_refused() {
    let folder = scratch();
    let server = Server::start_in(&binary(), folder.path(), &["--mqtt", "off"]);
    let text = failure(folder.path(), &["--data-dir", &folder.path().to_string_lossy()]);
    assert!(text.contains(&server.pid().to_string()), "{text}");
}

#[test]
fn unknown_keys_are_warned_of_and_the_program_runs() {
    let folder = scratch();
    let config = folder.path().join("config.json");
    std::fs::write(&config, "{\n  \"prot\": 3000\n}").expect("written");
    let server = Server::start(&binary(), &["--mqtt", "off", "--config", &config.to_string_lossy()]);
    testkit::eventually("it is ready", || (server.get("/api/healthz").status == 200).then_some(()));
    let output = server.output().join("\n");
    assert!(output.contains("config.json:2:3: unknown key `prot`"), "{output}");
}

#[test]
fn a_broker_that_is_down_stops_nothing_and_its_password_is_never_shown() {
    let folder = scratch();
    let config = folder.path().join("config.json");
    let text = r#"{"mqttSources": [{"name": "down", "broker": "mqtt://someone:hunter2@127.0.0.1:1"}]}"#;
    std::fs::write(&config, text).expect("written");
    let server = Server::start(&binary(), &["--mqtt", "off", "--config", &config.to_string_lossy()]);
    let status = testkit::eventually("a first failure", || {
        let status = server.get("/api/mqtt/status").json();
        status["sources"][0]["lastError"].is_string().then_some(status)
    });
    assert_eq!(status["sources"][0]["connected"], false);
    let shown = format!("{status} {}", server.output().join("\n"));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("someone:****@"), "{shown}");
}

#[test]
fn a_theme_beside_the_configuration_goes_over_it_and_a_broken_one_is_named() {
    let folder = scratch();
    let config = folder.path().join("config.json");
    std::fs::write(&config, r#"{"branding": {"siteName": "By configuration", "tagline": "Stays"}}"#)
        .expect("written");
    let theme = folder.path().join("theme.json");
    std::fs::write(&theme, r#"{"branding": {"siteName": "By theme"}}"#).expect("written");
    let arguments = ["--mqtt", "off", "--config", &config.to_string_lossy()];
    let server = Server::start(&binary(), &arguments);
    let branding = &server.get("/api/config/theme").json()["branding"];
    assert_eq!((&branding["siteName"], &branding["tagline"]), (&"By theme".into(), &"Stays".into()));

    std::fs::write(&theme, "{\n\"branding\": }").expect("written");
    let text = failure(folder.path(), &["--config", &config.to_string_lossy()]);
    assert!(text.contains("theme.json:2:"), "{text}");
}

#[test]
fn all_that_is_wrong_in_a_configuration_is_said_at_one_start() {
    let folder = scratch();
    let text = "{\n\"port\": \"x\",\n\"hashChannels\": 1,\n\"retention\": {\"packetDays\": -5}\n}";
    std::fs::write(folder.path().join("config.json"), text).expect("written");
    let text = failure(folder.path(), &[]);
    for line in ["config.json:2:9:", "config.json:3:17:", "config.json:4:29:"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
