//! The real program, started as an operator would, talked to through its ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capture;
mod export;
mod hostile;
mod import;
mod startup;

use std::path::PathBuf;

/// The program under test.
fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_meshcore-analyzer"))
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
