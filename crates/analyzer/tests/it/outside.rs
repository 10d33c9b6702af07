//! An outside broker that we did not write: its messages are acknowledged to it once they are stored, and not before.

use crate::binary;
use crate::kept::{demand, observer, publish_all, ready};
use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use testkit::{Server, eventually};

/// A mosquitto broker; it is stopped with the value, and can be started again on its port.
struct Mosquitto {
    child: Child,
    port: u16,
    config: PathBuf,
}

impl Mosquitto {
    /// `None`, loudly, where it is not installed.
    fn start(folder: &Path) -> Option<Self> {
        // Free a moment ago; nobody else is handed it so soon.
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let config = folder.join("mosquitto.conf");
        // Without a limit of its own for what waits, it would drop what comes while the program is away.
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n");
        std::fs::write(&config, text).expect("written");
        let child = Self::spawn(&config)?;
        let mosquitto = Self { child, port, config };
        mosquitto.wait();
        Some(mosquitto)
    }

    fn spawn(config: &Path) -> Option<Child> {
        let child = ["mosquitto", "/usr/sbin/mosquitto"].into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        });
        if child.is_none() {
            eprintln!("SKIPPED: mosquitto is not installed; outside brokers were not tested");
        }
        child
    }

    fn wait(&self) {
        eventually("mosquitto listens", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn restart(&mut self) {
        self.stop();
        self.child = Self::spawn(&self.config).expect("it was there before");
        self.wait();
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A configuration with this broker as the only source.
    fn configuration(&self, folder: &Path, protocol: &str) -> String {
        let path = folder.join("config.json");
        let text = format!(
            r#"{{"mqttSources": [{{"name": "outside", "broker": "mqtt://{}", "protocol": "{protocol}"}}]}}"#,
            self.address()
        );
        std::fs::write(&path, text).expect("written");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}

fn source(server: &Server) -> serde_json::Value {
    let status = server.get("/api/mqtt/status").json();
    let rows = status["sources"].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == "outside").expect("the source").clone()
}

/// Connected and subscribed: a probe has come through.
fn subscribed(server: &Server, mosquitto: &Mosquitto) {
    let before = source(server)["packetsTotal"].as_u64().expect("a count");
    eventually("the source is subscribed", || {
        publish_all(&mosquitto.address(), &observer(9), 900_000..900_001);
        (source(server)["packetsTotal"].as_u64()? > before).then_some(())
    });
}

#[test]
fn a_program_that_was_killed_gets_from_the_broker_what_it_had_not_acknowledged_and_what_came_meanwhile() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let Some(mosquitto) = Mosquitto::start(folder.path()) else { return };
    for (round, protocol) in ["auto", "3.1.1"].into_iter().enumerate() {
        let data = folder.path().join(protocol);
        let config = mosquitto.configuration(folder.path(), protocol);
        let start = || Server::start_in(&binary(), &data, &["--config", &config, "--mqtt", "off"]);
        let mut server = start();
        subscribed(&server, &mosquitto);
        let mut promised = BTreeSet::new();
        let base = 10_000 * round as u32;
        for kill in 0..4 {
            let first = base + 1_000 * kill;
            // Mosquitto acknowledges at once, so all of these are promised, by it; the kill comes while they flow.
            let address = mosquitto.address();
            let publishing =
                std::thread::spawn(move || publish_all(&address, &observer(1), first..first + 400));
            std::thread::sleep(std::time::Duration::from_millis(u64::from(kill) * 15));
            server.kill();
            promised.extend(publishing.join().expect("all are published"));
            promised.extend(publish_all(&mosquitto.address(), &observer(2), first..first + 400));
            server = start();
            ready(&server);
        }
        demand(&server, &promised);
        let output = server.output().join("\n");
        assert!(output.contains("mqtt source connected"), "{output}");
    }
}

#[test]
fn a_broker_that_restarts_is_connected_to_again_and_nothing_is_lost_on_our_side() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let Some(mut mosquitto) = Mosquitto::start(folder.path()) else { return };
    let config = mosquitto.configuration(folder.path(), "auto");
    let data = folder.path().join("data");
    let server = Server::start_in(&binary(), &data, &["--config", &config, "--mqtt", "off"]);
    subscribed(&server, &mosquitto);
    let mut promised = publish_all(&mosquitto.address(), &observer(1), 0..300);
    demand(&server, &promised);

    mosquitto.stop();
    let down = eventually("the source is down", || {
        let row = source(&server);
        (row["connected"] == false && row["lastError"].is_string()).then_some(row)
    });
    assert!(down["lastDisconnectUnix"].as_i64().expect("a time") > 0, "{down}");
    mosquitto.restart();
    eventually("the source is up", || (source(&server)["connected"] == true).then_some(()));
    subscribed(&server, &mosquitto);
    promised.extend(publish_all(&mosquitto.address(), &observer(1), 300..600));
    demand(&server, &promised);
    let row = source(&server);
    assert!(row["connectCount"].as_u64() >= Some(2) && row["disconnectCount"].as_u64() >= Some(1), "{row}");
    assert!(row["lastError"].is_null(), "{row}");
    // One line when it goes and one when it comes; attempts in between are a line each, with pauses that grow.
    let lines = server.output().iter().filter(|line| line.contains("mqtt source")).count();
    assert!(lines <= 12, "{lines} lines about one restart");
}
