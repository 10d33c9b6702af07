//! The same with programs we did not write: `mosquitto_pub` and `mosquitto_sub`, where they are installed.

use std::process::{Command, Stdio};

use mqtt::{CloseReason, RefuseReason, User};
use tokio::task::spawn_blocking;

use crate::support::{TestBroker, until};

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
async fn run(program: &'static str, test: &TestBroker, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &test.broker.local_addr().port().to_string()]);
    command.args(arguments);
    let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_pub_publishes_in_every_version_and_qos() {
    if !installed() {
        return;
    }
    let mut test = TestBroker::start().await;
    let (confirmed, mut kept) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = test.messages.recv().await {
            let _ = confirmed.send(message);
        }
    });
    for version in ["311", "5"] {
        for qos in ["0", "1", "2"] {
            let arguments = ["-V", version, "-q", qos, "-t", "meshcore/x", "-m", "hello", "-r"];
            let (code, text) = run("mosquitto_pub", &test, &arguments).await;
            // It is told that QoS 2 is not to be had in MQTT 5.
            assert_eq!(code == 0, (version, qos) != ("5", "2"), "{version} {qos}: {text}");
        }
    }
    for _ in 0..5 {
        assert_eq!(&test.next().await.payload[..], b"hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_sub_sees_retained_and_live_messages() {
    if !installed() {
        return;
    }
    let test = TestBroker::start().await;
    for version in ["311", "5"] {
        let retained = ["-V", version, "-t", "a/retained", "-m", "old", "-r"];
        assert_eq!(run("mosquitto_pub", &test, &retained).await.0, 0);
        let watching = ["-V", version, "-q", "1", "-t", "a/#", "-C", "2", "-v", "-W", "20"];
        let publish_live = async {
            until("it is subscribed", || test.broker.stats().subscriptions == 1).await;
            run("mosquitto_pub", &test, &["-V", version, "-t", "a/live", "-m", "new"]).await
        };
        let ((code, text), _) = tokio::join!(run("mosquitto_sub", &test, &watching), publish_live);
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
        let (code, text) = run("mosquitto_pub", &test, &wrong).await;
        assert!(code != 0 && text.to_lowercase().contains("not authori"), "{code} {text}");
        let right = ["-V", version, "-u", "ana", "-P", "right", "-t", "t", "-m", "x"];
        assert_eq!(run("mosquitto_pub", &test, &right).await.0, 0);
    }
    assert_eq!(test.refused(RefuseReason::BadLogin), 2);
    until("both said goodbye", || test.closed(CloseReason::Disconnected) == 2).await;
}
