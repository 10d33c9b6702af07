use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Change, FrameHead, HeadId, ObserverRecord, TransmissionId};
use storage::{Storage, StorageError, StorageOptions, WriteBatch, WriteSource};

use crate::support::{
    DEADLINE, Place, client, dropped, expected, intruder, load, metrics, node, observer, observers, packet,
    pruned, reception, stats, submit, submit_acknowledged, wait_until,
};

/// Groups close by everything but time.
fn patient(place: &Place) -> StorageOptions {
    let hour = Duration::from_secs(3_600);
    StorageOptions { max_batch_delay: hour, max_ack_delay: hour, ..place.options() }
}

#[test]
fn an_acknowledged_row_can_be_read() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    assert_eq!(load(&storage).0, expected(1));
}

#[test]
fn a_full_group_is_committed_at_once() {
    let place = Place::new();
    let storage = Storage::open(StorageOptions { max_batch_rows: 6, ..patient(&place) }).unwrap();
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
}

#[test]
fn a_group_closes_when_its_senders_wait_for_their_acknowledgements() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    let answers: Vec<_> = (0..4).map(|number| submit_acknowledged(&storage, packet(number))).collect();
    for answer in answers {
        answer.recv_timeout(DEADLINE).unwrap();
    }
}

#[test]
fn an_answer_that_needs_nothing_written_does_not_wait_for_the_next_group() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    submit_acknowledged(&storage, Vec::new()).recv_timeout(DEADLINE).unwrap();
    submit(&storage, observers());
    storage.writer().flush().unwrap();
    submit_acknowledged(&storage, Vec::new()).recv_timeout(DEADLINE).unwrap();
    assert_eq!(stats(&storage).batches.get(), 1);
}

#[test]
fn who_waits_for_an_acknowledgement_is_answered_sooner_than_rows_that_nobody_waits_for() {
    let place = Place::new();
    let options = StorageOptions { max_ack_delay: Duration::from_millis(20), ..patient(&place) };
    let storage = Storage::open(options).unwrap();
    submit(&storage, observers());
    submit_acknowledged(&storage, Vec::new()).recv_timeout(DEADLINE).unwrap();
    assert_eq!(stats(&storage).observer_upserts.get(), 8);
}

#[test]
fn a_flush_closes_the_group_and_covers_all_before_it() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    assert_eq!(load(&storage).0, expected(1));
}

#[test]
fn closing_commits_what_waits() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    submit(&storage, observers());
    let answer = submit_acknowledged(&storage, packet(0));
    storage.close().unwrap();
    answer.try_recv().unwrap();
    assert_eq!(place.contents().0, expected(1));
}

#[test]
fn dropping_commits_what_waits() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    submit(&storage, observers());
    submit(&storage, packet(0));
    drop(storage);
    assert_eq!(place.contents().0, expected(1));
}

#[test]
fn a_handle_that_outlives_the_storage_is_told_so() {
    let place = Place::new();
    let storage = place.open();
    let writer = storage.writer();
    storage.close().unwrap();
    let batch = WriteBatch { changes: packet(0), on_durable: None };
    assert!(matches!(writer.submit(batch), Err(StorageError::Closed)));
    assert!(matches!(writer.flush(), Err(StorageError::Closed)));
}

#[test]
fn an_empty_batch_is_acknowledged_after_all_before_it() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    let first = submit_acknowledged(&storage, packet(0));
    submit_acknowledged(&storage, Vec::new()).recv_timeout(DEADLINE).unwrap();
    first.try_recv().unwrap();
}

#[test]
fn each_source_has_a_transaction_of_its_own() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    let figures = stats(&storage);
    let before = figures.wal_commits.get();
    submit(&storage, observers());
    submit(&storage, packet(0));
    submit(&storage, vec![Change::Metrics(metrics(1)), Change::Node(node(1)), Change::Dropped(dropped())]);
    submit(&storage, vec![client(0), reception(1), pruned(1)]);
    storage.writer().flush().unwrap();
    assert_eq!(figures.wal_commits.get() - before, 6);
    assert_eq!(figures.batches.get(), 1);
    let of_steps = [WriteSource::Retention, WriteSource::Vacuum, WriteSource::Rewrite];
    for source in WriteSource::ALL.into_iter().filter(|source| !of_steps.contains(source)) {
        assert_eq!(figures.source(source).commits.get(), 1, "{}", source.name());
        assert!(figures.source(source).wal_frames.get() >= 1, "{}", source.name());
    }
    let frames: u64 = WriteSource::ALL.iter().map(|source| figures.source(*source).wal_frames.get()).sum();
    assert_eq!(figures.wal_bytes.get(), frames * 4_120);
    assert_eq!(
        (figures.tx_inserted.get(), figures.obs_inserted.get(), figures.head_inserted.get()),
        (1, 4, 1)
    );
    assert_eq!((figures.observer_upserts.get(), figures.metrics_upserts.get()), (8, 1));
    assert_eq!((figures.node_upserts.get(), figures.dropped_inserted.get()), (2, 1));
    assert_eq!((figures.client_upserts.get(), figures.receptions_inserted.get()), (1, 1));
}

#[test]
fn many_states_of_one_observer_in_a_group_are_one_write() {
    let place = Place::new();
    let storage = Storage::open(patient(&place)).unwrap();
    for battery_mv in 3_000..3_100 {
        submit(
            &storage,
            vec![Change::Observer(ObserverRecord { battery_mv: Some(battery_mv), ..observer(0) })],
        );
    }
    storage.writer().flush().unwrap();
    assert_eq!(stats(&storage).observer_upserts.get(), 1);
    let newest = Change::Observer(ObserverRecord { battery_mv: Some(3_099), ..observer(0) });
    assert_eq!(load(&storage).0, [newest]);
}

#[test]
fn a_bad_row_is_set_aside_and_the_rest_of_its_batch_is_kept() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    let mut batch = packet(1);
    let too_long = FrameHead { id: HeadId(900), bytes: vec![1; 71].into() };
    batch.insert(2, Change::Head(too_long));
    if let Change::Transmission(first) = &packet(0)[1] {
        // The id of another packet.
        let mut other = first.clone();
        other.raw = vec![9; 30].into();
        batch.insert(0, Change::Transmission(other.clone()));
        other.id = TransmissionId(u64::MAX);
        batch.push(Change::Transmission(other));
    }
    submit_acknowledged(&storage, batch).recv_timeout(DEADLINE).unwrap();
    assert_eq!(stats(&storage).rows_set_aside.get(), 3);
    assert_eq!(load(&storage).0, expected(2));
    storage.close().unwrap();
    let reasons: Vec<String> = intruder(&place.database())
        .prepare("SELECT reason FROM set_aside ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0].contains("UNIQUE") && reasons[1].contains("71 bytes"), "{reasons:?}");
}

#[test]
fn the_same_rows_again_are_taken_as_written() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    assert_eq!(stats(&storage).rows_set_aside.get(), 0);
    assert_eq!(load(&storage).0, expected(1));
}

#[test]
fn an_acknowledgement_that_panics_does_not_end_the_writer() {
    let place = Place::new();
    let storage = place.open();
    let panics = WriteBatch { changes: observers(), on_durable: Some(Box::new(|| panic!("on purpose"))) };
    storage.writer().submit(panics).unwrap();
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
}

#[test]
fn a_locked_database_holds_submitters_back_and_loses_nothing() {
    const PACKETS: u64 = 100;
    let place = Place::new();
    let options = StorageOptions { queue_rows: 30, max_batch_rows: 12, ..place.options() };
    let storage = Storage::open(options).unwrap();
    submit(&storage, observers());
    storage.writer().flush().unwrap();
    let lock = intruder(&place.database());
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let submitted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..PACKETS {
                submit(&storage, packet(number));
                submitted.fetch_add(1, Ordering::SeqCst);
            }
        });
        wait_until("the failure", || storage.writer().is_failing());
        assert!(matches!(storage.writer().flush(), Err(StorageError::WriteFailing { .. })));
        // Two packets fill the group at work; five or six more fill the queue.
        assert!(submitted.load(Ordering::SeqCst) <= 12);
        assert!(stats(&storage).write_errors.get() >= 1);
        assert!(stats(&storage).last_error().unwrap().text.contains("locked"));
        lock.execute_batch("ROLLBACK").unwrap();
    });
    storage.close().unwrap();
    assert_eq!(place.contents().0, expected(PACKETS));
}

#[test]
fn closing_gives_up_on_a_lock_that_stays_and_says_what_is_missing() {
    let place = Place::new();
    let options = StorageOptions { close_patience: Duration::ZERO, ..place.options() };
    let storage = Storage::open(options).unwrap();
    let lock = intruder(&place.database());
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = submit_acknowledged(&storage, packet(0));
    let error = storage.close().unwrap_err();
    assert!(matches!(error, StorageError::Unwritten { rows: 6, .. }), "{error:?}");
    assert!(answer.recv().is_err(), "what is not stored must not be acknowledged");
}
