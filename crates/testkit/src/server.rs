//! The program as a child process.

use crate::http::{HttpClient, Response};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A running `meshcore-analyzer run`, `ingest` or `serve` on free ports; killed when dropped.
pub struct Server {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    scratch: Option<TempDir>,
    data: PathBuf,
    /// `host:port` of the page and the API.
    pub web: String,
    /// `host:port` of the embedded broker; empty when it is off.
    pub mqtt: String,
}

impl Server {
    /// Starts the program with an empty data folder of its own, which goes with the value.
    ///
    /// # Panics
    /// When the program cannot be started or does not say where it listens.
    pub fn start(binary: &Path, extra: &[&str]) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder can be made");
        let data = scratch.path().join("data");
        let mut server = Self::start_in(binary, &data, extra);
        server.scratch = Some(scratch);
        server
    }

    /// Starts the program with this data folder.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_in(binary: &Path, data: &Path, extra: &[&str]) -> Self {
        Self::start_with(binary, data, extra, &[])
    }

    /// Starts the program with this data folder and these variables in its environment.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_with(binary: &Path, data: &Path, extra: &[&str], environment: &[(&str, &OsStr)]) -> Self {
        let mut args = vec!["run", "--http", "127.0.0.1:0"];
        if !extra.contains(&"--mqtt") {
            args.extend(["--mqtt", "127.0.0.1:0"]);
        }
        args.extend(extra);
        let mut server = Self::launch(binary, data, &args, environment);
        server.await_page();
        if !extra.contains(&"off") {
            server.await_broker();
        }
        server
    }

    /// Starts only the receiving half with this data folder; `web` stays empty.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn ingest_in(binary: &Path, data: &Path, extra: &[&str]) -> Self {
        let stats = data.with_extension("stats.json");
        let mut args = vec!["ingest", "--mqtt", "127.0.0.1:0"];
        args.extend(extra);
        // The usual place is one for the whole machine, which tests must not share.
        let stats = ("CORESCOPE_INGESTOR_STATS", stats.as_os_str());
        // It has no page; only the log tells that packets were let go from memory.
        let log = ("ANALYZER_LOG", OsStr::new("info,ingest::window=debug"));
        let mut server = Self::launch(binary, data, &args, &[stats, log]);
        server.await_broker();
        server
    }

    /// Starts only the serving half with this data folder; `mqtt` stays empty.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn serve_in(binary: &Path, data: &Path, extra: &[&str]) -> Self {
        let mut args = vec!["serve", "--http", "127.0.0.1:0"];
        args.extend(extra);
        let mut server = Self::launch(binary, data, &args, &[]);
        server.await_page();
        server
    }

    fn launch(binary: &Path, data: &Path, args: &[&str], environment: &[(&str, &OsStr)]) -> Self {
        let mut command = Command::new(binary);
        command.args(args).arg("--data-dir").arg(data).envs(environment.iter().copied());
        // A configuration of the checkout must not decide what a test sees.
        command
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let output = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().expect("stdout is piped"), &output);
        collect(child.stderr.take().expect("stderr is piped"), &output);
        let data = data.to_path_buf();
        Self { child, output, scratch: None, data, web: String::new(), mqtt: String::new() }
    }

    fn await_page(&mut self) {
        self.web = crate::eventually("the address of the page", || self.address_after("page      http://"));
    }

    fn await_broker(&mut self) {
        self.mqtt =
            crate::eventually("the address of the broker", || self.address_after("broker    mqtt://"));
    }

    /// A client of its API.
    pub fn client(&self) -> HttpClient {
        HttpClient::new(&self.web)
    }

    /// One GET on a connection of its own.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn get(&self, path: &str) -> Response {
        self.client().get(path)
    }

    /// What it printed so far, standard output and error, a line each.
    pub fn output(&self) -> Vec<String> {
        self.output.lock().expect("no reader panics").clone()
    }

    /// Where its database lies.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop as a service manager would and returns whether it ended well.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn terminate(&mut self) -> bool {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([OsStr::new("-TERM"), OsStr::new(&pid)]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal is sent");
        self.child.wait().is_ok_and(|status| status.success())
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn address_after(&self, words: &str) -> Option<String> {
        let output = self.output.lock().expect("no reader panics");
        let line = output.iter().find(|line| line.contains(words))?;
        let rest = line.split(words).nth(1)?;
        Some(rest.split(['/', ' ', ',']).next()?.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn collect(stream: impl std::io::Read + Send + 'static, output: &Arc<Mutex<Vec<String>>>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            output.lock().expect("no reader panics").push(line);
        }
    });
}
