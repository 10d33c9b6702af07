//! The same with programs we did not write, where they are installed: `mosquitto_pub`, `mosquitto_sub`, and `mosquitto` as outside broker.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mqtt::{
    Broker, BrokerUrl, CloseReason, Publisher, Qos, RefuseReason, SessionKind, Source, SourceConfig,
    SourceProtocol, User,
};
use tokio::task::spawn_blocking;

use crate::support::{PATIENCE, TestBroker, next, until};

/// Whether both programs are there; says loudly if not.
fn installed() -> bool {
    let found = ["mosquitto_pub", "mosquitto_sub"].iter().all(|program| {
        Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    });
    if !found {
        eprintln!("SKIPPED: mosquitto_pub and mosquitto_sub are not installed; nothing was tested with them");
    }
    found
}

/// Runs a program to its end; its exit code and what it printed.
async fn run(program: &'static str, broker: &Broker, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &broker.local_addr().port().to_string()]);
    command.args(arguments);
    let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_pub_publishes_in_every_version_and_qos() {
    if !installed() {
        return;
    }
    let TestBroker { broker, mut messages } = TestBroker::start().await;
    // Dropping a message confirms it, and mosquitto_pub waits for that.
    let consuming = tokio::spawn(async move {
        for _ in 0..5 {
            assert_eq!(&next(&mut messages).await.payload[..], b"hello");
        }
    });
    for version in ["311", "5"] {
        for qos in ["0", "1", "2"] {
            let arguments = ["-V", version, "-q", qos, "-t", "meshcore/x", "-m", "hello", "-r"];
            let (code, text) = run("mosquitto_pub", &broker, &arguments).await;
            // It is told that QoS 2 is not to be had in MQTT 5; some versions of it end well all the same.
            let published = code == 0 && !text.contains("not supported");
            assert_eq!(published, (version, qos) != ("5", "2"), "{version} {qos}: {text}");
        }
    }
    consuming.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_sub_sees_retained_and_live_messages() {
    if !installed() {
        return;
    }
    let test = TestBroker::start().await;
    for version in ["311", "5"] {
        let retained = ["-V", version, "-t", "a/retained", "-m", "old", "-r"];
        assert_eq!(run("mosquitto_pub", &test.broker, &retained).await.0, 0);
        let watching = ["-V", version, "-q", "1", "-t", "a/#", "-C", "2", "-v", "-W", "20"];
        let publish_live = async {
            until("it is subscribed", || test.broker.stats().subscriptions == 1).await;
            run("mosquitto_pub", &test.broker, &["-V", version, "-t", "a/live", "-m", "new"]).await
        };
        let ((code, text), _) = tokio::join!(run("mosquitto_sub", &test.broker, &watching), publish_live);
        assert_eq!((code, text.as_str()), (0, "a/retained old\na/live new\n"));
        until("it is gone", || test.broker.stats().subscriptions == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_pub_with_a_wrong_password_says_so() {
    if !installed() {
        return;
    }
    let users = vec![User { name: "ana".into(), password: "right".into() }];
    let test = TestBroker::start_with(|config| config.users = users).await;
    for version in ["311", "5"] {
        let wrong = ["-V", version, "-u", "ana", "-P", "wrong", "-t", "t", "-m", "x"];
        let (code, text) = run("mosquitto_pub", &test.broker, &wrong).await;
        let said = ["not authori", "bad user name"].iter().any(|words| text.to_lowercase().contains(words));
        assert!(code != 0 && said, "{code} {text}");
        let right = ["-V", version, "-u", "ana", "-P", "right", "-t", "t", "-m", "x"];
        assert_eq!(run("mosquitto_pub", &test.broker, &right).await.0, 0);
    }
    assert_eq!(test.refused(RefuseReason::BadLogin), 2);
    until("both said goodbye", || test.closed(CloseReason::Disconnected) == 2).await;
}

/// A mosquitto broker on a free port; it is stopped with the value.
struct Mosquitto {
    child: Child,
    url: String,
}

impl Mosquitto {
    /// None, loudly, where it is not installed.
    async fn start() -> Option<Self> {
        // Free a moment ago; nobody else is handed it so soon.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let program = ["mosquitto", "/usr/sbin/mosquitto"].into_iter().find_map(|program| {
            // Without a configuration it listens on the loopback interface and lets everybody in.
            let mut command = Command::new(program);
            command.args(["-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().ok()
        });
        let Some(child) = program else {
            eprintln!("SKIPPED: mosquitto is not installed; nothing was tested with it");
            return None;
        };
        until("mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        Some(Self { child, url: format!("mqtt://127.0.0.1:{port}") })
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_session_with_mosquitto_sends_again_what_was_not_confirmed() {
    let Some(mosquitto) = Mosquitto::start().await else { return };
    for protocol in [SourceProtocol::Auto, SourceProtocol::V3_1_1] {
        let mut config = SourceConfig::new("outside", &mosquitto.url).unwrap();
        config.protocol = protocol;
        config.client_id = format!("lasting-{protocol:?}");
        config.session = SessionKind::Persistent { expiry: Duration::from_secs(600) };
        config.topics = vec!["t/#".into()];
        config.max_in_flight = 100;
        config.shutdown_grace = Duration::ZERO;

        let (sender, mut messages) = mqtt::queue(1000);
        let source = Source::spawn(config.clone(), sender);
        let url = BrokerUrl::parse(&mosquitto.url).unwrap();
        let mut publisher = Publisher::connect(&url, None).await.unwrap();
        // The first message to arrive shows that it is subscribed.
        until_async(async || {
            publisher.publish("t/probe", b"", Qos::AtLeastOnce, false).await.unwrap();
            publisher.flush().await.unwrap();
            source.status().messages_total > 0
        })
        .await;
        for number in 0..200_u32 {
            publisher.publish("t/x", number.to_be_bytes(), Qos::AtLeastOnce, false).await.unwrap();
        }
        publisher.flush().await.unwrap();
        // Takes and confirms the first 50, and leaves the rest.
        let mut confirmed = Vec::new();
        while confirmed.len() < 50 {
            let message = next(&mut messages).await;
            if &*message.topic == "t/x" {
                confirmed.push(message.payload.clone());
            }
            message.ack.confirm();
        }
        // No more than the limit is taken beyond what is confirmed.
        until("the limit is reached", || messages.depth() > 85).await;
        assert!(messages.depth() <= 100);
        source.shutdown().await;
        drop(messages);

        let (sender, mut messages) = mqtt::queue(1000);
        let source = Source::spawn(config, sender);
        let mut seen: BTreeSet<u32> = confirmed.iter().map(|payload| number(payload)).collect();
        while seen.len() < 200 {
            let message = next(&mut messages).await;
            if &*message.topic == "t/x" {
                seen.insert(number(&message.payload));
            }
        }
        source.shutdown().await;
    }
}

fn number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload.try_into().unwrap())
}

/// Repeats `attempt` until it succeeds.
async fn until_async(mut attempt: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !attempt().await {
        assert!(Instant::now() < deadline, "never succeeded");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
