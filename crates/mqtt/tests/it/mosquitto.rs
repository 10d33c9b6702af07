//! The same with programs we did not write: `mosquitto_pub` and `mosquitto_sub`, where they are installed.

use std::process::{Command, Stdio};

use mqtt::{Broker, CloseReason, RefuseReason, User};
use tokio::task::spawn_blocking;

use crate::support::{TestBroker, next, until};

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
