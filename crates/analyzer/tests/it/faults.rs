//! Faults of the machine under the running program: what it acknowledged is there, it resumes by itself, and it says what
//! is wrong once.

mod clock;
mod disk;
mod lock;
mod read_only;

use crate::binary;
use crate::kept::{Hearing, hash, payload, topic};
use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use testkit::{AckedPublisher, Server, eventually};

/// A script that does something and then becomes the program, under its process id.
fn wrapped(folder: &Path, before: &str) -> PathBuf {
    let path = folder.join("start.sh");
    let text = format!("#!/bin/sh\n{before}exec {} \"$@\"\n", binary().display());
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

/// As [`wrapped`], in a mount namespace of its own after `mount`. `None`, loudly, where this is not allowed.
fn wrapped_apart(folder: &Path, mount: &str, then: &str) -> Option<PathBuf> {
    let apart = ["--mount", "--propagation", "private", "sh", "-c"];
    let tried = Command::new("unshare").args(apart).arg(mount).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: file systems cannot be mounted here; not tested: {mount}");
        return None;
    }
    let inner = wrapped(folder, &format!("{mount} || exit 99\n{then}"));
    let outer = folder.join("start-apart.sh");
    let text = format!("#!/bin/sh\nexec unshare --mount --propagation private {} \"$@\"\n", inner.display());
    std::fs::write(&outer, text).expect("written");
    std::fs::set_permissions(&outer, std::fs::Permissions::from_mode(0o755)).expect("executable");
    Some(outer)
}

/// As [`wrapped_apart`], where `data` is a small file system in memory.
fn wrapped_with_small_disk(folder: &Path, data: &Path, megabytes: usize, then: &str) -> Option<PathBuf> {
    std::fs::create_dir_all(data).expect("a folder");
    let mount = format!("mount -t tmpfs -o size={megabytes}m tmpfs {}", data.display());
    wrapped_apart(folder, &mount, then)
}

/// A counter of the write path.
fn written(server: &Server, counter: &str) -> u64 {
    server.get("/api/perf/write-sources").json()["sources"][counter].as_u64().expect("a count")
}

/// Waits until commits fail, and sees that the page's API answers all the same.
fn commits_fail(server: &Server) {
    eventually("a commit fails", || (written(server, "write_errors") > 0).then_some(()));
    assert_eq!(written(server, "write_failing"), 1);
    assert_eq!(server.get("/api/packets?limit=10").status, 200);
}

/// How often a line was printed that contains these words.
fn said(server: &Server, words: &str) -> usize {
    server.output().iter().filter(|line| line.contains(words)).count()
}

/// What is said when commits begin to fail.
const FAILING: &str = "a commit failed and will be tried again";

/// What is said when they succeed again.
const RECOVERED: &str = "commits succeed again";

/// What else may say so of a full disk, if that lasts.
const FULL_AS_WELL: [&str; 3] = [
    "an alert could not be written down; it is kept in memory until it can be",
    "the history is kept in memory until it can be written",
    "the checkpoint failed and will be tried again",
];

/// One line at the begin of a fault and one at its end, however long it lasts and however much is tried meanwhile. `others` are
/// what else may be said, once each.
fn said_once(server: &Server, others: &[&str]) {
    eventually("the end is said", || (said(server, RECOVERED) > 0).then_some(()));
    assert_eq!((said(server, FAILING), said(server, RECOVERED)), (1, 1), "{:?}", server.output());
    for line in server.output().iter().filter(|line| line.contains("WARN") || line.contains("ERROR")) {
        let known = [&FAILING].into_iter().chain(others).find(|words| line.contains(**words));
        assert_eq!(known.map(|words| said(server, words)), Some(1), "{line} of {:?}", server.output());
    }
    assert_eq!(written(server, "write_failing"), 0);
}

/// Publishes in the background; ends when all is acknowledged, or the program is gone.
fn publish(
    server: &Server,
    observer: String,
    numbers: Range<u32>,
) -> JoinHandle<io::Result<BTreeSet<Hearing>>> {
    let mut publisher = AckedPublisher::connect(&server.mqtt, &observer, 100).expect("the broker lets us in");
    std::thread::spawn(move || {
        for number in numbers.clone() {
            publisher.publish(&topic(&observer), &payload(number))?;
        }
        publisher.settle()?;
        Ok(numbers.map(|number| (hash(number), observer.clone())).collect())
    })
}
