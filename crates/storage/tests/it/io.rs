//! What the counting file system says must be what the files say.

use std::fs;
use std::ops::ControlFlow;

use model::Change;
use storage::{
    BackupOptions, CheckpointReason, IoFile, IoWork, Storage, StorageOptions, WriteSource, temporary_backup,
};

use crate::support::{
    DEADLINE, Place, dropped, intruder, metrics, node, observers, packet, stats, submit, submit_acknowledged,
    wait_until,
};

const PACKETS: WriteSource = WriteSource::Packets;

#[test]
fn every_byte_of_the_log_and_the_database_has_a_cause() {
    let place = Place::new();
    let storage = place.open();
    let figures = stats(&storage);
    submit(&storage, observers());
    submit(&storage, vec![model::Change::Node(node(1))]);
    (0..500).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let io = &figures.io;
    // The log has a header of 32 bytes, and for each frame 24 bytes and a page.
    let frames = figures.wal_bytes.get();
    assert_eq!(
        io.written_to(IoFile::Wal) - io.counts(IoWork::Opening, IoFile::Wal).written_bytes.get(),
        frames + 32
    );
    let of = |source| io.counts(IoWork::Source(source), IoFile::Wal).written_bytes.get();
    for source in [PACKETS, WriteSource::Observers, WriteSource::Nodes] {
        let header = if source == WriteSource::Observers { 32 } else { 0 };
        assert_eq!(of(source), figures.source(source).wal_frames.get() * 4_120 + header, "{}", source.name());
    }
    assert_eq!(of(WriteSource::Metrics), 0);
    assert_eq!(io.written_by(IoWork::Checkpoint), 0);
    storage.close().unwrap();
    assert_eq!(
        io.written_by(IoWork::Checkpoint),
        io.counts(IoWork::Checkpoint, IoFile::Database).written_bytes.get()
    );
    assert!(io.written_to(IoFile::Database) >= fs::metadata(place.database()).unwrap().len());
    assert_eq!(io.written_to(IoFile::Temporary), 0);
}

#[test]
fn the_log_is_forced_to_the_medium_once_a_group_and_only_if_that_is_asked_for() {
    for (durability, wanted) in [(storage::Durability::PowerLoss, 3), (storage::Durability::ProcessEnd, 0)] {
        let place = Place::new();
        let options = StorageOptions { durability, ..place.options() };
        let storage = Storage::open(options).unwrap();
        for round in 0..3 {
            submit(&storage, observers());
            submit(&storage, packet(round));
            storage.writer().flush().unwrap();
        }
        let figures = stats(&storage);
        let syncs = |source| figures.io.counts(IoWork::Source(source), IoFile::Wal).syncs.get();
        assert_eq!((figures.batches.get(), syncs(PACKETS)), (3, wanted), "{durability:?}");
        // SQLite forces the header of a new log, whoever happens to write it.
        assert!(syncs(WriteSource::Observers) <= 1);
    }
}

#[test]
fn two_databases_are_counted_apart() {
    let (first, second) = (Place::new(), Place::new());
    let (busy, idle) = (first.open(), second.open());
    (0..100).for_each(|number| submit(&busy, packet(number)));
    busy.writer().flush().unwrap();
    let written = |storage| stats(storage).io.written_by(IoWork::Source(PACKETS));
    assert!(written(&busy) > 20_000);
    assert_eq!(written(&idle), 0);
}

#[test]
fn the_bytes_bound_are_those_of_the_values() {
    let place = Place::new();
    let storage = place.open();
    let bound = |changes| {
        let before = stats(&storage).bound_bytes.get();
        submit(&storage, changes);
        storage.writer().flush().unwrap();
        stats(&storage).bound_bytes.get() - before
    };
    // A head of 8 bytes, a frame of 21 with its hash of 8, and four observations with eight, seven, seven and seven numbers
    // but for those that are null.
    let numbers: u64 = packet(0)
        .iter()
        .filter_map(|change| match change {
            Change::Observation(seen) => Some(
                5 + u64::from(seen.snr.is_some())
                    + u64::from(seen.rssi.is_some())
                    + u64::from(seen.score.is_some()),
            ),
            _ => None,
        })
        .sum();
    assert_eq!(bound(packet(0)), (8 + 8) + (8 + 8 + 21) + numbers * 8);
    // The same again is there already, and nothing is written.
    assert_eq!(bound(packet(0)), 0);
    assert_eq!(bound(vec![Change::Metrics(metrics(5))]), 3 * 8);
    assert_eq!(bound(vec![Change::Dropped(dropped())]), 8 + 17 + 8 + 3 + 1 + 32);
}

#[test]
fn rows_that_are_put_aside_and_taken_in_are_counted() {
    let place = Place::new();
    let aside = place.folder.path().join("test.db-aside");
    let storage = place.open();
    submit_acknowledged(&storage, observers()).recv_timeout(DEADLINE).unwrap();
    let hide = "ALTER TABLE observations RENAME TO hidden";
    intruder(&place.database()).execute_batch(hide).unwrap();
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    let figures = stats(&storage);
    let counts = figures.io.counts(IoWork::Aside, IoFile::Aside);
    assert_eq!(counts.written_bytes.get(), fs::metadata(&aside).unwrap().len());
    assert_eq!((counts.writes.get(), counts.syncs.get()), (1, 1));
    storage.close().unwrap();
    intruder(&place.database()).execute_batch("ALTER TABLE hidden RENAME TO observations").unwrap();
    // A line that stays makes a new file of the rest.
    fs::write(&aside, [fs::read(&aside).unwrap(), b"not a row\n".to_vec()].concat()).unwrap();
    let storage = place.open();
    let figures = stats(&storage);
    assert!(figures.rows_taken_in.get() > 0 && figures.bound_bytes.get() > 0);
    let counts = figures.io.counts(IoWork::Opening, IoFile::Aside);
    assert_eq!(counts.written_bytes.get(), fs::metadata(&aside).unwrap().len());
}

#[test]
fn a_backup_is_counted_as_one_and_nothing_else_is() {
    let place = Place::new();
    let storage = place.open();
    (0..500).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let figures = stats(&storage);
    let io = &figures.io;
    let all = || IoWork::ALL.iter().map(|work| io.written_by(*work)).sum::<u64>();
    let before = all();
    let options = BackupOptions { bytes_per_sec: None, overwrite: false };
    let mut go_on = |_| ControlFlow::Continue(());
    let (_, report) = temporary_backup(&place.database(), &options, Some(io), &mut go_on).unwrap();
    let counts = io.counts(IoWork::Backup, IoFile::Backup);
    assert_eq!(counts.written_bytes.get(), report.bytes);
    assert!(counts.writes.get() > 0 && counts.syncs.get() >= 1);
    assert_eq!(all() - before, report.bytes);
    // One of which nobody wants to know is not counted as something else, although this thread has opened the storage.
    temporary_backup(&place.database(), &options, None, &mut go_on).unwrap();
    assert_eq!(all() - before, report.bytes);
}

#[test]
fn the_newest_checkpoint_says_why_it_ran_and_how_far_it_came() {
    let place = Place::new();
    let storage = Storage::open(StorageOptions { max_batch_rows: 1, ..place.options() }).unwrap();
    let figures = stats(&storage);
    assert_eq!(figures.last_checkpoint(), None);
    submit(&storage, observers());
    storage.writer().flush().unwrap();
    wait_until("the log's length", || figures.frames_pending.get() > 0);
    assert_eq!(figures.frames_pending.get(), figures.wal_frames_now.get());
    assert!(figures.cache_bytes.get() > 4_096);
    // No more than what calls for one checkpoint.
    for number in 0.. {
        if figures.wal_frames_now.get() >= 1_000 {
            break;
        }
        submit(&storage, packet(number));
        storage.writer().flush().unwrap();
    }
    wait_until("a checkpoint", || figures.last_checkpoint().is_some());
    let passive = figures.last_checkpoint().unwrap();
    assert_eq!((passive.reason, passive.truncating, passive.busy), (CheckpointReason::Frames, false, false));
    assert!(passive.log_frames >= 1_000 && passive.copied_frames >= 1_000);
    wait_until("the rest", || figures.frames_pending.get() < 1_000);
    // Somebody who reads keeps the log from being emptied.
    let reader = intruder(&place.database());
    reader.execute_batch("BEGIN; SELECT count(*) FROM heads").unwrap();
    submit(&storage, packet(1_000_000));
    storage.close().unwrap();
    let last = figures.last_checkpoint().unwrap();
    assert_eq!((last.reason, last.truncating, last.busy), (CheckpointReason::Closing, true, true));
    assert_eq!(figures.checkpoints_busy.get(), 1);
    assert!(last.log_frames > 0);
}
