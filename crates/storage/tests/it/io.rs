//! What the counting file system says must be what the files say.

use std::fs;

use storage::{IoFile, IoWork, Storage, StorageOptions, WriteSource};

use crate::support::{Place, node, observers, packet, stats, submit};

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
