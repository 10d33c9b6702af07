//! Which crate may use which: the table of ARCHITECTURE.md, held against `cargo metadata`.

use anyhow::{Context, Result};
use serde_json::Value;
use std::process::Command;

/// Each crate with the crates of this workspace that it may depend on outside of tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("meshcore", &[]),
    ("telemetry", &[]),
    ("model", &["meshcore"]),
    ("xray", &["model", "telemetry"]),
    ("mqtt", &["telemetry"]),
    ("storage", &["model", "telemetry"]),
    ("filter", &["meshcore"]),
    ("index", &["model", "meshcore", "filter"]),
    ("ingest", &["model", "meshcore", "telemetry", "mqtt", "storage", "index"]),
    ("feed", &["model"]),
    ("corescope", &["model", "meshcore", "storage", "index", "ingest"]),
    ("assets", &[]),
    ("api", &["model", "meshcore", "telemetry", "storage", "index", "filter", "assets", "xray"]),
    ("simulator", &["model", "meshcore"]),
    (
        "analyzer",
        &[
            "model",
            "meshcore",
            "telemetry",
            "mqtt",
            "storage",
            "feed",
            "index",
            "ingest",
            "corescope",
            "assets",
            "api",
            "simulator",
            "xray",
        ],
    ),
    ("testkit", &["model", "meshcore", "simulator"]),
    ("xtask", &[]),
];

/// Compares every dependency between our crates with the table.
///
/// # Errors
/// When cargo cannot be asked or answers something unexpected.
pub(super) fn check() -> Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .output()
        .context("cannot start cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let ours: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut violations = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            violations.push(format!("crate {name} is not in the table of allowed edges"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            // Tests may use what they like; only what ships is bound by the table.
            let ships = dependency["kind"].is_null();
            if ships && ours.contains(&target) && !allowed.contains(&target) {
                violations.push(format!("crate {name} must not use {target}"));
            }
        }
    }
    Ok(violations)
}
