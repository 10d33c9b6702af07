//! Requests made up by Schemathesis, from the OpenAPI document that the running program serves.

use crate::e2e::Server;
use crate::process;
use anyhow::{Context, Result};
use std::process::Command;

/// Lets the requests through to the handlers of the routes that write.
const API_KEY: &str = "a key for made-up requests";

/// What must hold of each answer. That every request that fits the document succeeds is not among it: a text that is a
/// time, a key or a cursor cannot be told from one that is none by its schema.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// Requests for each operation in each phase; some thousands in all, in less than a minute or two.
const EXAMPLES: &str = "40";

/// Starts the program with the recorded packets and lets Schemathesis ask it, if that is installed.
///
/// # Errors
/// When the program does not start, or an answer is not what the document says.
pub(crate) fn run() -> Result<()> {
    let Some(schemathesis) = process::on_path("schemathesis") else {
        eprintln!(
            "SKIPPED 1 check: schemathesis is not installed (pip install schemathesis), so only our own random requests \
             were sent to the API"
        );
        return Ok(());
    };
    let folder = process::target_dir().join("xtask");
    std::fs::create_dir_all(&folder).context("the target folder cannot be written to")?;
    let config = folder.join("fuzz-config.json");
    std::fs::write(&config, serde_json::json!({"apiKey": API_KEY}).to_string())
        .context("the configuration cannot be written")?;
    let server = Server::start(&["--config".as_ref(), config.as_os_str()])?;
    let mut command = Command::new(schemathesis);
    // It keeps notes where it runs.
    command
        .current_dir(&folder)
        .args(["run", "--checks", CHECKS, "--max-examples", EXAMPLES, "--generation-deterministic"])
        .args(["--header", &format!("X-API-Key: {API_KEY}"), "--suppress-health-check", "all", "--no-color"])
        // A backup is a file, and takes its time by intention.
        .args(["--exclude-path", "/api/backup", "--continue-on-failure", "--warnings", "off"])
        .arg(format!("{}/api/spec", server.web.trim_end_matches('/')));
    process::check(command)
}
