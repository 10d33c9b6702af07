//! The browser tests: the real program with the recorded packets, a real MQTT client, a real browser.

use crate::{browser, process};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A debug build on a slow machine starts in well under a second; this is for one that is swapping.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts the program on free ports with an empty data folder and runs the page's browser tests against it.
///
/// # Errors
/// When no browser can be had, the program does not start, or a test fails.
pub(crate) fn run() -> Result<()> {
    let chromium = browser::find_or_install()?;
    let server = Server::start(&[])?;
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command
        .args(["run", "e2e"])
        .current_dir("web")
        .env("CHROMIUM", chromium)
        .env("ANALYZER_URL", &server.web)
        .env("ANALYZER_MQTT", &server.mqtt);
    process::check(command)
}

/// The running program with the recorded packets; killed when dropped.
pub(crate) struct Server {
    child: Child,
    data: std::path::PathBuf,
    /// The address of the page.
    pub(crate) web: String,
    /// The address of the broker.
    mqtt: String,
}

impl Server {
    /// Starts it on free ports with an empty data folder.
    ///
    /// # Errors
    /// When it cannot be built, or does not start.
    pub(crate) fn start(options: &[&OsStr]) -> Result<Self> {
        // What the Rust tests have built: building the one package alone would compile its dependencies anew with fewer features.
        process::cargo(&["test", "--workspace", "--locked", "--no-run"])?;
        let name = format!("meshcore-analyzer{}", std::env::consts::EXE_SUFFIX);
        let binary = process::target_dir().join("debug").join(name);
        let data = process::target_dir().join("xtask").join(format!("e2e-{}", std::process::id()));
        let mut child = Command::new(&binary)
            .args(["run", "--demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the program has no standard output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The receiver goes once both addresses are known; the rest is read so that the program never blocks.
                let _ = sender.send(line);
            }
        });
        let mut server = Self { child, data, web: String::new(), mqtt: String::new() };
        while server.web.is_empty() || server.mqtt.is_empty() {
            let Ok(line) = lines.recv_timeout(START_LIMIT) else {
                bail!("the program did not say where it listens");
            };
            if let Some(at) = line.find("http://") {
                server.web = first_word(&line[at..]);
            } else if let Some(at) = line.find("mqtt://") {
                server.mqtt = first_word(&line[at..]);
            }
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned()
}
