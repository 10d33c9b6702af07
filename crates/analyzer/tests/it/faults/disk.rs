//! A disk that is full in the middle of a batch, and then has space again.

use super::{FULL_AS_WELL, commits_fail, publish, said, said_once, wrapped, wrapped_with_small_disk};
use crate::binary;
use crate::kept::{demand, hash, observer, payload, publish_all, ready, topic};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{AckedPublisher, Server, eventually};

/// Long enough for several attempts to commit.
const WHILE_FULL: Duration = Duration::from_secs(3);

/// The data folder as the program sees it.
fn seen_by(server: &Server, data: &Path) -> std::path::PathBuf {
    let root = format!("/proc/{}/root", server.pid());
    Path::new(&root).join(data.strip_prefix("/").expect("an absolute path"))
}

#[test]
fn a_full_disk_stops_acknowledgements_and_space_brings_them_back() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    let Some(program) = wrapped_with_small_disk(folder.path(), &data, 4, "") else { return };
    let mut server = Server::start_in(&program, &data, &[]);
    let mut promised = publish_all(&server.mqtt, &observer(1), 0..200);

    let filling = seen_by(&server, &data).join("somebody-elses-file");
    let output = Command::new("dd").arg("if=/dev/zero").arg(format!("of={}", filling.display())).output();
    assert!(String::from_utf8_lossy(&output.expect("dd runs").stderr).contains("No space left"));
    let publishing = [2, 3].map(|number| publish(&server, observer(number), 200..3_000));
    commits_fail(&server);
    std::thread::sleep(WHILE_FULL);
    let alert = "an alert could not be written down";
    eventually("it raises an alarm, which cannot be kept either", || {
        (said(&server, alert) > 0).then_some(())
    });
    assert!(
        publishing.iter().all(|publishing| !publishing.is_finished()),
        "nothing is acknowledged that is not kept"
    );
    std::fs::remove_file(filling).expect("there is space again");

    for publishing in publishing {
        promised.extend(publishing.join().expect("no panic").expect("all are acknowledged"));
    }
    demand(&server, &promised);
    said_once(&server, &FULL_AS_WELL);
    let alerts = seen_by(&server, &data).join("xray/alerts.jsonl");
    eventually("the alarm is written down", || {
        let raised = |line: &str| line.contains("raised") && line.contains("write_failing");
        std::fs::read_to_string(&alerts).expect("a file").lines().any(raised).then_some(())
    });
    assert!(server.terminate(), "{:?}", server.output());
    assert_eq!(said(&server, "everything received is stored"), 1);
}

/// Sets how large files of a running program may become.
fn limit_files(server: &Server, bytes: &str) {
    let limits = format!("--fsize={bytes}:unlimited");
    let pid = server.pid().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, &limits]).status();
    assert!(status.is_ok_and(|status| status.success()), "the limit is set");
}

#[test]
fn a_program_killed_while_the_disk_is_full_has_kept_what_it_acknowledged() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        eprintln!("SKIPPED: prlimit is not installed; a kill while the disk is full was not tested");
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    // Without this, a file that may not grow any more ends the program instead of failing the write.
    let program = wrapped(folder.path(), "trap '' XFSZ\n");
    let mut server = Server::start_in(&program, &data, &[]);
    let mut promised = publish_all(&server.mqtt, &observer(1), 0..200);

    limit_files(&server, "600000");
    let observer_of_all = observer(2);
    let mut publisher = AckedPublisher::connect(&server.mqtt, "full", 500).expect("the broker lets us in");
    let mut numbers = 200..100_000;
    let mut sent = Vec::new();
    // Goes on until the window is full of what cannot be kept.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in numbers.by_ref() {
                sent.push(number);
                if publisher.publish(&topic(&observer_of_all), &payload(number)).is_err() {
                    break;
                }
            }
        });
        commits_fail(&server);
        std::thread::sleep(WHILE_FULL);
        assert_eq!(said(&server, super::FAILING), 1, "{:?}", server.output());
        server.kill();
    });
    let answered = publisher.acknowledged_until_its_end().expect("the program is gone");
    let kept = answered.iter().map(|id| sent[usize::from(*id) - 1]);
    promised.extend(kept.map(|number| (hash(number), observer_of_all.clone())));
    assert!(answered.len() < sent.len(), "some could not be kept");

    let server = Server::start_in(&binary(), &data, &[]);
    ready(&server);
    demand(&server, &promised);
    // And it goes on as if nothing had been.
    promised.extend(publish_all(&server.mqtt, &observer_of_all, 0..1_000));
    demand(&server, &promised);
    eventually("it is well", || (super::written(&server, "write_failing") == 0).then_some(()));
}
