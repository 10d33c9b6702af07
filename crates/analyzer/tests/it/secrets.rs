//! No secret of a configuration appears in anything that the program prints, serves, or complains about.

use crate::binary;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use testkit::{Server, eventually};

/// Part of every secret below; hex digits, so that it may stand in a channel key, too.
const CANARY: &str = "c0ffee5ec4e7";

/// Every place where a secret belongs. The broker is one that answers nothing.
fn config() -> String {
    format!(
        r#"{{
  "apiKey": "{CANARY}-api-key-of-some-length",
  "listen": {{"mqttUsers": [{{"username": "observer", "password": "{CANARY}"}}]}},
  "mqttSources": [
    {{"name": "in-url", "broker": "mqtt://me:{CANARY}@127.0.0.1:1"}},
    {{"name": "by-key", "broker": "mqtt://127.0.0.1:1", "username": "me", "password": "{CANARY}"}},
    {{"name": "no-tls", "broker": "mqtts://me:{CANARY}@127.0.0.1:1"}},
    {{"name": "broken", "broker": "mqtt://me:{CANARY}@127.0.0.1:99999/x?{CANARY}@"}}
  ],
  "channelKeys": {{"club": "{CANARY}00112233445566778899"}}
}}"#
    )
}

/// The same secrets, each in a way that is an error or a warning.
fn broken_config() -> String {
    format!(
        r#"{{
  "apiKey": ["{CANARY}"],
  "apikey": "{CANARY}",
  "listen": {{"http": "{CANARY}", "mqtt": "me:{CANARY}@x", "mqttUsers": "{CANARY}"}},
  "mqttSources": [
    {{"broker": {{"url": "{CANARY}"}}, "pasword": "{CANARY}"}},
    "mqtt://me:{CANARY}@h",
    {{"broker": "mqtt://me:{CANARY}@h:x", "password": {{"is": "{CANARY}"}}, "qos": "{CANARY}", "session": "{CANARY}"}}
  ],
  "channelKeys": {{"club": "{CANARY}", "other": ["{CANARY}"]}},
  "mqtt": "mqtt://me:{CANARY}@h",
  "storage": {{"durability": "{CANARY}"}}
}}"#
    )
}

fn check(folder: &Path, config: &str) -> (i32, String) {
    let path = folder.join("config.json");
    std::fs::write(&path, config).expect("written");
    let output = Command::new(binary()).args(["config", "check"]).arg(&path).output().expect("it starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    (output.status.code().expect("an exit code"), text)
}

#[test]
fn a_check_shows_no_secret_of_a_good_configuration_nor_of_a_broken_one() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (code, text) = check(folder.path(), &config());
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains(CANARY), "{text}");
    assert!(text.contains("mqtt://me:****@127.0.0.1:1") && text.contains("club=****"), "{text}");

    let (code, text) = check(folder.path(), &broken_config());
    assert_eq!(code, 1, "{text}");
    assert!(!text.contains(CANARY), "{text}");
    // Each of the wrong values is named by its place.
    for line in [2, 4, 6, 7, 8, 10, 11, 12] {
        assert!(
            text.contains(&format!("error: {}/config.json:{line}:", folder.path().display())),
            "{line}: {text}"
        );
    }
}

#[test]
fn a_start_that_fails_shows_no_secret() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let keys = format!(r#"{{"a": "{CANARY}", "b": ["{CANARY}"]}}"#);
    std::fs::write(folder.path().join("channel-rainbow.json"), keys).expect("written");
    for config in
        [broken_config(), config(), format!("{{\"apiKey\": \"{CANARY}\" \"x\"}}"), format!("\"{CANARY}\"")]
    {
        std::fs::write(folder.path().join("config.json"), config).expect("written");
        let output =
            Command::new(binary()).arg("run").current_dir(folder.path()).output().expect("it starts");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(!output.status.success(), "{text}");
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn a_running_program_shows_no_secret_in_its_log_nor_in_its_api() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("config.json");
    std::fs::write(&path, config()).expect("written");
    let mut server = Server::start_with(
        &binary(),
        &folder.path().join("data"),
        &["--config", &path.to_string_lossy()],
        &[("ANALYZER_LOG", OsStr::new("trace"))],
    );
    eventually("failures of all sources", || {
        let status = server.get("/api/mqtt/status").json();
        let rows = status["sources"].as_array().expect("rows");
        let failed = rows.iter().filter(|row| row["lastError"].is_string()).count();
        (failed == 4).then_some(())
    });
    let routes = [
        "/api/config/cache",
        "/api/config/client",
        "/api/config/regions",
        "/api/config/theme",
        "/api/config/map",
        "/api/config/geo-filter",
        "/api/config/areas",
        "/api/config/areas/polygons",
        "/api/mqtt/status",
        "/api/ingest",
        "/api/health",
        "/api/healthz",
        "/api/stats",
        "/api/perf",
        "/api/perf/write-sources",
        "/api/channels",
        "/api/dropped-packets",
        "/api/packets/nothing",
    ];
    for route in routes {
        let body = String::from_utf8(server.get(route).body).expect("text");
        assert!(!body.is_empty() && !body.contains(CANARY), "{route}: {body}");
    }
    // A login that fails is logged, and its password is not.
    let mut stream = std::net::TcpStream::connect(&server.mqtt).expect("the broker accepts");
    let login = [b"\x00\x04MQTT\x04\xc2\x00\x00\x00\x01a\x00\x02me\x00\x0c", CANARY.as_bytes()].concat();
    std::io::Write::write_all(&mut stream, &[&[0x10, login.len() as u8], &login[..]].concat()).expect("sent");
    let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    assert!(server.terminate(), "{:?}", server.output());
    let output = server.output().join("\n");
    assert!(output.contains("in-url") && !output.contains(CANARY), "{output}");
    assert!(output.contains("TRACE") || output.contains("DEBUG"), "the log is at its most talkative");
}
