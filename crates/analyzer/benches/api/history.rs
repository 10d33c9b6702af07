//! The history that is measured on: made once by `simulate`, taken in through the embedded broker.

use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Server, eventually};

/// About 100,000 packets and 1,000,000 observations.
const MESSAGES: u64 = 1_000_000;

/// A data folder with the history, which may be written to.
pub(crate) fn prepare(binary: &Path, scratch: &Path) -> PathBuf {
    let data = scratch.join("data");
    let Some(kept) = std::env::var_os("HISTORY").map(PathBuf::from) else {
        make(binary, scratch, &data);
        return data;
    };
    if !kept.join("analyzer.db").is_file() {
        make(binary, scratch, &kept);
    }
    std::fs::create_dir_all(&data).expect("the scratch folder can be written to");
    std::fs::copy(kept.join("analyzer.db"), data.join("analyzer.db")).expect("the history can be copied");
    data
}

fn make(binary: &Path, scratch: &Path, data: &Path) {
    let messages = std::env::var("MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(MESSAGES);
    let lines = scratch.join("history.jsonl");
    let count = messages.to_string();
    let options = ["simulate", "--seed", "1", "--packets-per-hour", "36000", "--messages", &count, "--out"];
    run(binary, &options, &lines);
    let mut server = Server::start_in(binary, data, &[]);
    let mut client = server.client();
    let to = format!("mqtt://{}", server.mqtt);
    run(binary, &["replay", "--to", &to, "--qos", "1"], &lines);
    eventually("all messages are accounted for", || {
        (client.get("/api/ingest").json()["received"].as_u64() == Some(messages)).then_some(())
    });
    assert!(server.terminate(), "the program ends well when asked to");
    std::fs::remove_file(&lines).expect("the lines can be removed");
}

fn run(binary: &Path, options: &[&str], last: &Path) {
    let status = Command::new(binary).args(options).arg(last).status().expect("the program starts");
    assert!(status.success(), "{options:?} failed");
}
