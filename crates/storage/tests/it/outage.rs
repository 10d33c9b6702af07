//! Reasons that pass: a lock held by another process, a full medium, permissions taken away. Ingest waits, goes on by
//! itself, and has lost and doubled nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use storage::{Storage, StorageError};

use crate::support::{
    DEADLINE, Place, child, child_folder, expected, intruder, observers, options, packet, stats, submit,
    submit_acknowledged, wait_until,
};

/// How long the other process has the lock.
const LOCKED: Duration = Duration::from_secs(30);

/// Somebody without rights on a system, where a process that has all may choose to be it.
const NOBODY: u32 = 65_534;

#[test]
fn ingest_goes_on_by_itself_after_another_process_has_held_the_lock_for_half_a_minute() {
    const PACKETS: u64 = 600;
    if child_folder().is_some() {
        return;
    }
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    let mut locker = child("outage::child_holds_the_lock", place.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(locker.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("locked")), "the other process has no lock");
    let since = Instant::now();
    let answers: Vec<_> = (1..PACKETS).map(|number| submit_acknowledged(&storage, packet(number))).collect();
    wait_until("the failure", || storage.writer().is_failing());
    std::thread::sleep(LOCKED.saturating_sub(since.elapsed()));
    assert!(answers.iter().all(|answer| answer.try_recv().is_err()), "acknowledged through a lock");
    assert_eq!(stats(&storage).rows_put_aside.get(), 0);
    // It lets go at the end of its input.
    drop(locker.stdin.take());
    locker.wait().unwrap();
    for answer in answers {
        answer.recv_timeout(DEADLINE).unwrap();
    }
    assert!(!storage.writer().is_failing());
    storage.close().unwrap();
    assert_eq!(place.contents().0, expected(PACKETS));
}

/// Not a test of its own: another process that locks the database until its input ends.
#[test]
fn child_holds_the_lock() {
    let Some(folder) = child_folder() else { return };
    let conn = intruder(&folder.join("test.db"));
    conn.execute_batch("BEGIN EXCLUSIVE").unwrap();
    println!("locked");
    std::io::stdin().lines().for_each(drop);
    conn.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn nothing_is_lost_on_a_medium_that_is_full_for_a_while() {
    if child_folder().is_some() {
        return;
    }
    let place = Place::new();
    // A file system of its own, seen by the child alone, so that it can be as small as this.
    let mount = "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", mount]).arg(place.folder.path());
    if !Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(place.folder.path())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        println!(
            "SKIPPED nothing_is_lost_on_a_medium_that_is_full_for_a_while: this user may not mount a file system"
        );
        return;
    }
    let inner = child("outage::child_meets_a_full_medium", place.folder.path());
    command.arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
}

/// Not a test of its own: it runs on a medium of two megabytes.
#[test]
fn child_meets_a_full_medium() {
    const PACKETS: u64 = 1_500;
    let Some(folder) = child_folder() else { return };
    let place = folder.join("test.db");
    let storage = Storage::open(options(&place)).unwrap();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    let ballast = folder.join("ballast");
    let full = fs::write(&ballast, vec![0; 2 << 20]);
    assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    std::thread::scope(|scope| {
        let answers = scope.spawn(|| {
            (1..PACKETS).map(|number| submit_acknowledged(&storage, packet(number))).collect::<Vec<_>>()
        });
        wait_until("the failure", || storage.writer().is_failing());
        assert!(
            stats(&storage).last_error().unwrap().text.contains("full"),
            "{:?}",
            stats(&storage).last_error()
        );
        fs::remove_file(&ballast).unwrap();
        for answer in answers.join().unwrap() {
            answer.recv_timeout(DEADLINE).unwrap();
        }
    });
    assert!(!storage.writer().is_failing());
    storage.close().unwrap();
    let storage = Storage::open(options(&place)).unwrap();
    assert_eq!(crate::support::load(&storage).0, expected(PACKETS));
}

#[test]
fn permissions_taken_from_a_running_writer_lose_nothing_and_are_named_at_the_next_start() {
    if child_folder().is_some() {
        return;
    }
    let place = Place::new();
    let folder = place.folder.path().join("data");
    fs::create_dir(&folder).unwrap();
    let mut writer = child("outage::child_writes_without_permission", &folder);
    // Who may do everything is stopped by no permission, so the child is somebody who may not.
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        writer.uid(NOBODY).gid(NOBODY);
        if !reachable_by_nobody() {
            println!(
                "SKIPPED permissions_taken_from_a_running_writer_…: nobody may not run this test program"
            );
            return;
        }
    }
    assert!(writer.status().unwrap().success());
}

fn reachable_by_nobody() -> bool {
    let program = std::env::current_exe().unwrap();
    let mut list = Command::new(program);
    list.arg("--list").uid(NOBODY).gid(NOBODY).stdout(Stdio::null());
    list.status().is_ok_and(|status| status.success())
}

/// Not a test of its own: it needs a process that permissions bind.
#[test]
fn child_writes_without_permission() {
    let Some(folder) = child_folder() else { return };
    let database = folder.join("test.db");
    let storage = Storage::open(options(&database)).unwrap();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(&database, 0o400);
    set(&folder, 0o500);
    // Files that are open stay writable, whatever their permissions become; new ones cannot be made.
    assert!(fs::write(folder.join("new"), "").is_err());
    (1..3_000).for_each(|number| submit(&storage, packet(number)));
    submit_acknowledged(&storage, packet(3_000)).recv_timeout(DEADLINE).unwrap();
    drop(storage);
    let refused = Storage::open(options(&database)).unwrap_err();
    assert!(matches!(refused, StorageError::NotWritable { .. }), "{refused:?}");
    set(&folder, 0o700);
    let refused = Storage::open(options(&database)).unwrap_err();
    assert!(matches!(&refused, StorageError::NotWritable { path, .. } if *path == database), "{refused:?}");
    set(&database, 0o600);
    let storage = Storage::open(options(&database)).unwrap();
    assert_eq!(crate::support::load(&storage).0, expected(3_001));
}
