//! A disk that is full in the middle of a batch, and then is not. A limit on the size of files stands for the disk.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use storage::Storage;

use crate::support::{
    Place, child, child_folder, expected, observers, options, packet, stats, submit, wait_until,
};

const PACKETS: u64 = 3_000;

/// Room for some tenths of the packets.
const ROOM: u64 = 400_000;

#[test]
fn nothing_is_lost_when_the_disk_is_full_for_a_while() {
    if child_folder().is_some() {
        return;
    }
    let place = Place::new();
    let status = child("disk_full::child_meets_a_full_disk", place.folder.path()).status().unwrap();
    assert!(status.success());
    assert!(place.folder.path().join("was-full").exists());
    let (found, report) = place.contents();
    assert_eq!(report.skipped_rows, 0);
    assert_eq!(found, expected(PACKETS));
}

/// Not a test of its own: it needs a process whose limits it may change.
#[test]
fn child_meets_a_full_disk() {
    let Some(folder) = child_folder() else { return };
    let storage = Storage::open(options(&folder.join("test.db"))).unwrap();
    submit(&storage, observers());
    storage.writer().flush().unwrap();
    let unlimited = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(ROOM), ..unlimited }).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..PACKETS).for_each(|number| submit(&storage, packet(number))));
        wait_until("the failure", || storage.writer().is_failing());
        assert!(stats(&storage).last_error().is_some());
        assert!(stats(&storage).tx_inserted.get() < PACKETS);
        setrlimit(Resource::Fsize, unlimited).unwrap();
    });
    wait_until("the recovery", || storage.writer().flush().is_ok());
    assert!(!storage.writer().is_failing());
    fs::write(folder.join("was-full"), "").unwrap();
    storage.close().unwrap();
}
