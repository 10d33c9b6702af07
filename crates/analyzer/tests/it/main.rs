//! The real program, started as an operator would, talked to through its ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod capture;
mod db_info;
mod doctor;
mod export;
#[cfg(target_os = "linux")]
mod faults;
mod hostile;
mod import;
mod kept;
mod kill;
mod outside;
mod registry;
mod secrets;
mod split;
mod startup;
mod window;
mod xray;
mod xray_receiver;

use std::path::PathBuf;

/// The program under test.
fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"))
}

/// Runs the program to its end in this folder and gives what it said: whether it succeeded, standard output and error.
fn run_in(folder: &std::path::Path, args: &[&str]) -> (bool, String, String) {
    let output = std::process::Command::new(binary())
        .args(args)
        .current_dir(folder)
        .env("CORESCOPE_INGESTOR_STATS", folder.join("stats.json"))
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what it says is text");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (output.status.success(), out, err)
}

/// The recorded packets that ship with the project, as lines of topic and payload.
fn capture_lines() -> Vec<serde_json::Value> {
    let text = include_str!("../../../simulator/data/bay-area.jsonl");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The sum of all outcomes of a report or of one of its rows.
fn outcome_sum(row: &serde_json::Value) -> u64 {
    let outcomes = row["outcomes"].as_array().expect("outcomes are a list");
    outcomes.iter().map(|outcome| outcome["count"].as_u64().expect("a count")).sum()
}
