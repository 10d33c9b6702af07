//! Kill -9 at any moment: what was acknowledged is there, once, and nothing is there in part.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use storage::{Storage, StorageOptions, WriteBatch};

use crate::support::{Place, child, child_folder, expected, load, observers, options, packet, wait_until};

/// How often a writer is killed. Each takes some hundredths of a second.
const KILLS: u64 = 25;

/// One line per acknowledged packet.
const ACKNOWLEDGED: &str = "acknowledged";

#[test]
fn no_acknowledged_packet_is_missing_after_kill_9() {
    if child_folder().is_some() {
        return;
    }
    let place = Place::new();
    let record = place.folder.path().join(ACKNOWLEDGED);
    fs::write(&record, "").unwrap();
    for round in 0..KILLS {
        let before = acknowledged(&record);
        let mut writer =
            child("crash::child_writes_until_it_is_killed", place.folder.path()).spawn().unwrap();
        // A different number of packets each time, so that the blow falls at all stages of a group and a checkpoint.
        let target = before + 1 + (round * 7919) % 400;
        wait_until("the writer's progress", || acknowledged(&record) >= target);
        writer.kill().unwrap();
        writer.wait().unwrap();

        let storage = Storage::open(place.options()).unwrap();
        let (found, report) = load(&storage);
        storage.close().unwrap();
        let promised = acknowledged(&record);
        assert!(report.transmissions >= promised, "{promised} promised, {} found", report.transmissions);
        assert_eq!(report.skipped_rows, 0);
        assert_eq!(report.unheard_transmissions, 0);
        assert_eq!(found, expected(report.transmissions), "rows are missing, doubled or altered");
    }
}

/// Not a test of its own: the writer that the test above kills.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(folder) = child_folder() else { return };
    let storage =
        Storage::open(StorageOptions { max_batch_rows: 60, ..options(&folder.join("test.db")) }).unwrap();
    let (_, report) = load(&storage);
    if report.observers == 0 {
        storage.writer().submit(WriteBatch { changes: observers(), on_durable: None }).unwrap();
    }
    let record = OpenOptions::new().append(true).open(folder.join(ACKNOWLEDGED)).unwrap();
    // What was not acknowledged before the last kill is acknowledged by being found now.
    (acknowledged(&folder.join(ACKNOWLEDGED))..report.transmissions).for_each(|_| acknowledge(&record));
    let first = report.last_ids.transmission.map_or(0, |last| last.0);
    for number in first..first + 1_000_000 {
        let record = record.try_clone().unwrap();
        let on_durable = Box::new(move || acknowledge(&record));
        storage
            .writer()
            .submit(WriteBatch { changes: packet(number), on_durable: Some(on_durable) })
            .unwrap();
    }
}

fn acknowledge(mut record: &fs::File) {
    // One byte by one system call: it is there entirely or not at all.
    record.write_all(b".").unwrap();
}

fn acknowledged(record: &Path) -> u64 {
    fs::metadata(record).unwrap().len()
}
