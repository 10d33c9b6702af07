//! Samples of observers' counters, in a database of their own and in the index.

use super::TestApp;
use model::{Change, ObserverId, ObserverMetrics, UnixMillis};
use std::sync::Arc;
use storage::{Reader, Storage, StorageOptions, WriteBatch};
use tempfile::TempDir;

/// What an observer says of itself: it starts anew before the third sample, and is silent before the fifth.
pub(crate) fn counters_of(observer: u16, start: i64) -> Vec<ObserverMetrics> {
    let sample = |minute: i64, counters: [u64; 5]| ObserverMetrics {
        observer: ObserverId(observer),
        time: UnixMillis(start + minute * 60_000),
        noise_floor: (minute != 5).then_some(-110.3 + minute as f32),
        tx_air_secs: Some(counters[0]),
        rx_air_secs: Some(counters[1]),
        recv_errors: Some(counters[2]),
        battery_mv: (minute < 10).then_some(4_100),
        packets_sent: Some(counters[3]),
        packets_recv: Some(counters[4]),
    };
    vec![
        sample(0, [100, 1000, 5, 10, 95]),
        sample(5, [101, 1031, 6, 12, 127]),
        sample(10, [1, 2, 0, 1, 5]),
        sample(15, [2, 20, 1, 2, 9]),
        sample(60, [3, 30, 1, 3, 20]),
    ]
}

/// The application beside a database with these samples, which the index has as well.
pub(crate) fn with_samples(app: &TestApp, samples: &[ObserverMetrics]) -> (TempDir, Storage) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let storage = Storage::open(StorageOptions::new(&path)).unwrap();
    let changes: Vec<Change> = samples.iter().map(|sample| Change::Metrics(*sample)).collect();
    let mut index = app.index.write();
    changes.iter().for_each(|change| index.apply(change).unwrap());
    drop(index);
    storage.writer().submit(WriteBatch { changes, on_durable: None }).unwrap();
    storage.writer().flush().unwrap();
    *app.services.reader.lock().unwrap() = Some(Arc::new(Reader::open(&path).unwrap()));
    (folder, storage)
}
