//! A look at the file from outside: one moment, one row after the other, and no trace.

use std::ops::ControlFlow;
use std::path::PathBuf;

use model::{Change, ObserverId, ObserverMetrics, UnixMillis};
use storage::{Snapshot, StorageError};

use crate::support::{COPIES, Place, dropped, expected, node, observers, packet, submit};

fn filled(place: &Place, packets: u64) {
    let storage = place.open();
    submit(&storage, observers());
    (0..packets).for_each(|number| submit(&storage, packet(number)));
    storage.close().unwrap();
}

fn copies(snapshot: &Snapshot, from: i64, until: i64) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut take = |observation: &model::Observation, transmission: &model::Transmission| {
        found.push((observation.id.0, transmission.id.0));
        ControlFlow::Continue(())
    };
    snapshot.observations(UnixMillis(from), UnixMillis(until), &mut take).unwrap();
    found
}

#[test]
fn it_sees_the_moment_of_its_opening_while_the_writer_goes_on() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..5).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let snapshot = Snapshot::open(&place.database()).unwrap();
    submit(&storage, packet(5));
    storage.writer().flush().unwrap();

    let mut found = Vec::new();
    snapshot.load(&mut |_| {}, &mut |change| found.push(change)).unwrap();
    assert_eq!(found, expected(5));
    assert_eq!(copies(&snapshot, i64::MIN, i64::MAX).len() as u64, 5 * COPIES);
    let later = Snapshot::open(&place.database()).unwrap();
    assert_eq!(copies(&later, i64::MIN, i64::MAX).len() as u64, 6 * COPIES);
    storage.close().unwrap();
}

#[test]
fn a_span_of_time_begins_with_its_first_moment_and_ends_before_its_last() {
    let place = Place::new();
    filled(&place, 10);
    let snapshot = Snapshot::open(&place.database()).unwrap();
    // The packets are 37 ms apart.
    let at = |id: i64| 1_767_225_600_000 + id * 37;
    let found = copies(&snapshot, at(3), at(5));
    let wanted: Vec<(u64, u64)> =
        (3..5).flat_map(|id| (1..=COPIES).map(move |copy| ((id - 1) * COPIES + copy, id))).collect();
    assert_eq!(found, wanted);

    let mut first = 0;
    let mut stop = |_: &model::Transmission| {
        first += 1;
        ControlFlow::Break(())
    };
    snapshot.transmissions(&mut stop).unwrap();
    assert_eq!(first, 1, "a reader that has had enough gets no more");
}

#[test]
fn evidence_and_the_times_of_samples_come_back() {
    let place = Place::new();
    let storage = place.open();
    let sample = |time| ObserverMetrics {
        observer: ObserverId(3),
        time: UnixMillis(time),
        noise_floor: None,
        tx_air_secs: None,
        rx_air_secs: None,
        recv_errors: None,
        battery_mv: None,
        packets_sent: Some(1),
        packets_recv: None,
    };
    let changes = vec![
        Change::Metrics(sample(600_000)),
        Change::Metrics(sample(300_000)),
        Change::Dropped(dropped()),
        Change::Node(node(1)),
    ];
    submit(&storage, observers().into_iter().chain(changes).collect());
    storage.close().unwrap();
    let snapshot = Snapshot::open(&place.database()).unwrap();
    assert_eq!(snapshot.metric_times(ObserverId(3)).unwrap(), [UnixMillis(300_000), UnixMillis(600_000)]);
    assert!(snapshot.metric_times(ObserverId(4)).unwrap().is_empty());
    let mut found = Vec::new();
    snapshot.dropped(&mut |packet| found.push(packet)).unwrap();
    assert_eq!(found, [dropped()]);
    let mut directories = Vec::new();
    snapshot.directories(&mut |change| directories.push(change)).unwrap();
    assert_eq!(directories.len(), observers().len() + 1);
}

#[test]
fn a_look_without_trace_leaves_the_folder_as_it_was() {
    let place = Place::new();
    filled(&place, 3);
    let files = || {
        let entries = std::fs::read_dir(place.folder.path()).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let before = files();
    let snapshot = Snapshot::open_without_trace(&place.database()).unwrap();
    assert_eq!(copies(&snapshot, i64::MIN, i64::MAX).len() as u64, 3 * COPIES);
    assert_eq!(files(), before);
    drop(snapshot);
    assert_eq!(files(), before);
    // An empty log without the file by which its readers know of each other is left from somewhere else.
    let log = place.folder.path().join("test.db-wal");
    std::fs::write(&log, "").unwrap();
    drop(Snapshot::open_without_trace(&place.database()).unwrap());
    assert!(!place.folder.path().join("test.db-shm").exists());
    std::fs::remove_file(log).unwrap();
    // Names that mean something in a URI are names here.
    let odd = place.folder.path().join("50% off?immutable=0#1 ü.db");
    std::fs::copy(place.database(), &odd).unwrap();
    let snapshot = Snapshot::open_without_trace(&odd).unwrap();
    assert_eq!(copies(&snapshot, i64::MIN, i64::MAX).len() as u64, 3 * COPIES);
}

#[test]
fn what_is_not_ours_is_refused() {
    let place = Place::new();
    std::fs::write(place.database(), "notes").unwrap();
    assert!(matches!(Snapshot::open(&place.database()), Err(StorageError::NotADatabase { .. })));
    std::fs::remove_file(place.database()).unwrap();
    rusqlite::Connection::open(place.database()).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Snapshot::open(&place.database()), Err(StorageError::NotOurs { .. })));
}
