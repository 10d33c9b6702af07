use std::time::Duration;

use storage::{LoadPhase, StorageOptions, TableRows};

use crate::support::{Place, observers, packet, stats, submit, wait_until};

#[test]
fn the_sizes_are_those_of_the_files() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..500).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let figures = storage.reader().unwrap().db_figures().unwrap();
    assert_eq!((figures.page_size, figures.freelist_count, figures.cache_size_kib), (4_096, 0, 4_096));
    assert!(figures.page_count > 20 && figures.wal_bytes > 100_000);
    let rows = TableRows { heads: 500, observers: 8, transmissions: 500, observations: 2_000 };
    assert_eq!(figures.rows, rows);
    storage.close().unwrap();
    let storage = place.open();
    let closed = storage.reader().unwrap().db_figures().unwrap();
    assert_eq!(closed.db_bytes, closed.page_count * 4_096);
    assert_eq!(closed.rows, rows);
}

#[test]
fn the_log_is_checkpointed_by_frames_and_begins_anew() {
    let place = Place::new();
    // One group per packet: each writes some pages again, so the log grows quickly.
    let options = StorageOptions { max_batch_rows: 1, ..place.options() };
    let storage = storage::Storage::open(options).unwrap();
    submit(&storage, observers());
    let figures = stats(&storage);
    let mut number = 0;
    while figures.checkpoints.get() < 3 {
        submit(&storage, packet(number));
        storage.writer().flush().unwrap();
        number += 1;
        assert!(number < 100_000, "no checkpoint");
    }
    assert!(figures.checkpointed_frames.get() >= 1_000);
    assert!(figures.wal_bytes.get() >= figures.checkpointed_frames.get() * 4_120);
    // On a slow medium the bound may just have been reached; beyond it the writer waits.
    assert!(figures.wal_frames_now.get() < 17_000);
    storage.close().unwrap();
    assert_eq!(figures.write_errors.get(), 0);
    // Closing has emptied the log: every frame was checkpointed, most of them before.
    assert_eq!(figures.checkpointed_frames.get() * 4_120, figures.wal_bytes.get());
}

#[test]
fn progress_never_runs_backwards_and_ends_at_its_total() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..5_000).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let mut seen = Vec::new();
    let report = storage.load(&mut |progress| seen.push(progress), &mut |_| {}).unwrap();
    assert!(seen.iter().all(|progress| progress.done <= progress.total));
    let last = seen.last().unwrap();
    assert_eq!((last.phase, last.done, last.total), (LoadPhase::Packets, 20_000, 20_000));
    assert!(seen.iter().filter(|progress| progress.phase == LoadPhase::Packets).is_sorted_by_key(|p| p.done));
    assert!(report.elapsed > Duration::ZERO);
}

#[test]
fn the_queue_length_falls_to_nothing() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, packet(0));
    wait_until("an empty queue", || stats(&storage).queued_rows.get() == 0);
    storage.writer().flush().unwrap();
    let figures = stats(&storage);
    assert_eq!(figures.batch_hold.summary().count, figures.batches.get());
    assert!(figures.cache_hits.get() > 0);
}
