//! Retention and giving pages back, between the groups of ingest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::{Change, DroppedPacket, NodeRecord, ObservationId, ObserverId, TransmissionId, UnixMillis};
use storage::{IoWork, Removal, RemovedRows, Storage, StorageError, StorageOptions, WriteSource};

use crate::support::{
    COPIES, Place, dropped, expected, intruder, load, metrics, node, observers, packet, stats, submit,
};

/// Removes the packets `from..to` of [`packet`].
fn removal(from: u64, to: u64) -> Removal {
    Removal {
        transmissions: (from..to).map(|number| TransmissionId(number + 1)).collect(),
        observations: (from * COPIES..to * COPIES).map(|number| ObservationId(number + 1)).collect(),
        nodes: Vec::new(),
    }
}

/// What a load gives when only the packets `from..to` are left.
fn left(from: u64, to: u64) -> Vec<Change> {
    let mut changes = expected(to);
    changes.retain(|change| match change {
        Change::Transmission(transmission) => transmission.id.0 > from,
        Change::Observation(observation) => observation.transmission.0 > from,
        _ => true,
    });
    changes
}

fn removals(place: &Place) -> Option<i64> {
    intruder(&place.database())
        .query_row("SELECT value FROM meta WHERE key = 'removals'", [], |row| row.get(0))
        .ok()
}

#[test]
fn removed_packets_are_gone_their_nodes_known_and_other_processes_can_notice() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..10).for_each(|number| submit(&storage, packet(number)));
    submit(&storage, vec![Change::Node(node(1))]);
    storage.writer().flush().unwrap();
    assert_eq!(removals(&place), None);
    let record = NodeRecord { adverts: 7, ..node(1) };
    let first = Removal { nodes: vec![record.clone()], ..removal(0, 4) };
    let removed = storage.writer().remove_packets(first.clone()).unwrap().value;
    assert_eq!(removed, RemovedRows { transmissions: 4, observations: 16 });
    let mut wanted = left(4, 10);
    // Nodes come before packets.
    wanted.insert(10 + 8, Change::Node(record));
    assert_eq!(load(&storage).0, wanted);
    assert_eq!(storage.writer().remove_packets(first).unwrap().value, RemovedRows::default());
    assert_eq!(storage.writer().remove_packets(Removal::default()).unwrap().value, RemovedRows::default());
    let figures = stats(&storage);
    assert_eq!(figures.rows_removed.get(), 20);
    let of_source = figures.source(WriteSource::Retention);
    assert_eq!((of_source.rows.get(), of_source.commits.get()), (22, 2));
    assert!(of_source.wal_frames.get() >= 3);
    assert_eq!(removals(&place), Some(2));
}

#[test]
fn rows_that_still_wait_are_written_before_they_are_removed() {
    let place = Place::new();
    let hour = Duration::from_secs(3_600);
    let options = StorageOptions { max_batch_delay: hour, max_ack_delay: hour, ..place.options() };
    let storage = Storage::open(options).unwrap();
    submit(&storage, observers());
    (0..3).for_each(|number| submit(&storage, packet(number)));
    let removed = storage.writer().remove_packets(removal(0, 2)).unwrap().value;
    assert_eq!(removed, RemovedRows { transmissions: 2, observations: 8 });
    storage.close().unwrap();
    assert_eq!(place.contents().0, left(2, 3));
}

#[test]
fn a_step_that_is_refused_changes_nothing_and_can_be_asked_again() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..5).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let lock = intruder(&place.database());
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = storage.writer().remove_packets(removal(0, 2)).unwrap_err();
    assert!(matches!(&error, StorageError::Sqlite { .. }) && error.to_string().contains("locked"), "{error}");
    assert!(!storage.writer().is_failing(), "a refused step is no failed commit");
    assert_eq!(load(&storage).0, expected(5));
    lock.execute_batch("ROLLBACK").unwrap();
    // A record that the database cannot take undoes the whole step.
    intruder(&place.database())
        .execute_batch(
            "CREATE TRIGGER no BEFORE INSERT ON nodes BEGIN SELECT raise(ABORT, 'on purpose'); END",
        )
        .unwrap();
    let refused = Removal { nodes: vec![node(1)], ..removal(0, 2) };
    storage.writer().remove_packets(refused).unwrap_err();
    assert_eq!((load(&storage).0, removals(&place)), (expected(5), None));
    storage.writer().remove_packets(removal(0, 2)).unwrap();
    assert_eq!(load(&storage).0, left(2, 5));
}

#[test]
fn old_metrics_and_refused_packets_go_in_bounded_steps() {
    let place = Place::new();
    let storage = place.open();
    for time in 0..30 {
        let of = |observer| {
            Change::Metrics(model::ObserverMetrics { observer: ObserverId(observer), ..metrics(time) })
        };
        let refused = Change::Dropped(DroppedPacket { time: UnixMillis(time), ..dropped() });
        submit(&storage, vec![of(3), of(700), refused]);
    }
    storage.writer().flush().unwrap();
    let writer = storage.writer();
    let steps = |step: &dyn Fn() -> u64| std::iter::repeat_with(step).take(6).collect::<Vec<_>>();
    let before = UnixMillis(20);
    let metrics_steps = steps(&|| writer.remove_metrics_before(before, 15).unwrap().value);
    assert_eq!(metrics_steps, [15, 15, 10, 0, 0, 0]);
    let dropped_steps = steps(&|| writer.remove_dropped_before(before, 15).unwrap().value);
    assert_eq!(dropped_steps, [15, 5, 0, 0, 0, 0]);
    let reader = storage.reader().unwrap();
    for observer in [3, 700] {
        let rest = reader.metrics(ObserverId(observer), UnixMillis(0), UnixMillis(100)).unwrap();
        assert_eq!((rest.len(), rest[0].time), (10, before));
    }
    let rows: i64 = intruder(&place.database())
        .query_row("SELECT count(*) FROM dropped_packets WHERE time >= 20", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 10);
}

#[test]
fn freed_pages_are_given_back_step_by_step_and_the_file_shrinks() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..2_000).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let writer = storage.writer();
    assert_eq!(writer.vacuum(100).unwrap().value, 0);
    for from in (0..1_900).step_by(100) {
        writer.remove_packets(removal(from, from + 100)).unwrap();
    }
    let free = storage.reader().unwrap().db_figures().unwrap().freelist_count;
    assert!(free > 60, "{free}");
    assert_eq!(writer.vacuum(0).unwrap().value, 0);
    assert_eq!(writer.vacuum(10).unwrap().value, 10);
    assert_eq!(writer.vacuum(u32::MAX).unwrap().value, free - 10);
    assert_eq!(stats(&storage).pages_freed.get(), free);
    storage.close().unwrap();
    let storage = place.open();
    let figures = storage.reader().unwrap().db_figures().unwrap();
    assert_eq!((figures.freelist_count, figures.db_bytes), (0, figures.page_count * 4_096));
    assert!(figures.page_count < free);
    assert_eq!(load(&storage).0, left(1_900, 2_000));
}

#[test]
fn ingest_and_retention_work_side_by_side() {
    const PACKETS: u64 = 3_000;
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..1_000).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (1_000..PACKETS).for_each(|number| submit(&storage, packet(number)));
            storage.writer().flush().unwrap();
            done.store(true, Ordering::SeqCst);
        });
        let writer = storage.writer();
        for from in (0..900).step_by(50) {
            let removed = writer.remove_packets(removal(from, from + 50)).unwrap().value;
            assert_eq!(removed, RemovedRows { transmissions: 50, observations: 200 });
            writer.vacuum(5).unwrap();
        }
    });
    assert!(done.load(Ordering::SeqCst));
    storage.close().unwrap();
    let (found, report) = place.contents();
    assert_eq!((found, report.skipped_rows), (left(900, PACKETS), 0));
}

#[test]
fn a_step_after_the_end_is_told_so() {
    let place = Place::new();
    let storage = place.open();
    let writer = storage.writer();
    storage.close().unwrap();
    assert!(matches!(writer.vacuum(1), Err(StorageError::Closed)));
}

#[test]
fn a_step_tells_what_it_has_written() {
    let place = Place::new();
    let storage = place.open();
    (0..500).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let writer = storage.writer();
    let mut told = 0;
    for from in [0, 100, 200] {
        let step = writer.remove_packets(removal(from, from + 100)).unwrap();
        assert!(step.figures.written_bytes >= 4_120);
        told += step.figures.written_bytes;
    }
    let nothing = writer.remove_packets(Removal::default()).unwrap();
    assert_eq!(nothing.figures.written_bytes, 0);
    told += writer.vacuum(3).unwrap().figures.written_bytes;
    let io = &stats(&storage).io;
    let counted = |source| io.written_by(IoWork::Source(source));
    assert_eq!(told, counted(WriteSource::Retention) + counted(WriteSource::Vacuum));
}

#[test]
fn a_step_that_nobody_waits_behind_has_delayed_nobody() {
    let place = Place::new();
    let storage = place.open();
    let step = storage.writer().vacuum(1).unwrap();
    assert_eq!(step.figures.delayed_ingest, Duration::ZERO);
    assert_eq!(stats(&storage).step_delay.summary().count, 0);
}

#[cfg(debug_assertions)]
#[test]
fn rows_written_anew_cost_bytes_and_change_nothing() {
    let place = Place::new();
    let storage = place.open();
    let writer = storage.writer();
    let nothing = writer.rewrite_rows(10).unwrap();
    assert_eq!((nothing.value, nothing.figures.written_bytes), (storage::Rewritten::default(), 0));
    submit(&storage, observers());
    storage.writer().flush().unwrap();
    assert_eq!(writer.rewrite_rows(100).unwrap().value.unchanged, 8);
    (0..50).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    // 200 observations, 90 at a time, round and round; the first round begins behind the last id of before, 7.
    let examined: Vec<_> = (0..5)
        .map(|_| {
            let step = writer.rewrite_rows(90).unwrap();
            assert!(step.figures.written_bytes > 0);
            assert_eq!((step.value.changed, step.value.unchanged), (0, step.value.examined));
            step.value.examined
        })
        .collect();
    assert_eq!(examined, [90, 90, 13, 90, 90]);
    assert_eq!(load(&storage).0, expected(50));
    assert_eq!(stats(&storage).source(WriteSource::Rewrite).rows.get(), 8 + 373);
}
