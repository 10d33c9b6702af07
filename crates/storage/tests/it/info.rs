use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use model::UnixMillis;
use storage::{Depth, ObjectKind, StorageError, database_info};

use crate::backup::filled;
use crate::support::{COPIES, Place, intruder, observers, packet, stats, submit};

#[test]
fn sizes_and_rows_are_those_of_the_file() {
    let place = filled(1_000);
    let info = database_info(&place.database(), Depth::SizesAndCheck).unwrap();
    assert_eq!(info.rows_of("observations"), Some(1_000 * COPIES));
    assert_eq!(info.rows_of("transmissions"), Some(1_000));
    assert_eq!(info.rows_of("observers"), Some(8));
    let time = |number: i64| UnixMillis(1_767_225_600_000 + number * 37);
    assert_eq!(info.observed, Some((time(1), time(1_000))));
    assert_eq!(info.faults, Some(Vec::new()));
    assert_eq!((info.writer, info.wal_frames), (None, 0));
    assert_eq!(info.pages * info.page_size, fs::metadata(place.database()).unwrap().len());
    // What is in no tree is the map of pages that incremental vacuum needs, one page in 820.
    let in_trees: u64 = info.objects.iter().map(|object| object.pages).sum();
    assert_eq!(in_trees + info.free_pages, info.pages - info.pages.div_ceil(820));
    let tables = info.objects.iter().filter(|object| object.kind == ObjectKind::Table);
    assert!(tables.clone().all(|table| table.payload + table.unused <= table.bytes), "{:?}", info.objects);
    assert!(info.bytes_per_observation().unwrap() > 20.0);
    assert!(!place.folder.path().join("test.db-wal").exists(), "looking leaves nothing behind");
}

#[test]
fn a_running_program_is_named_and_its_log_counted() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..100).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let info = database_info(&place.database(), Depth::Sizes).unwrap();
    assert_eq!(info.writer, Some(Some(std::process::id())));
    assert_eq!(info.rows_of("transmissions"), Some(100));
    assert_eq!(info.wal_frames, stats(&storage).wal_frames_now.get());
    assert!(info.wal_frames > 1 && info.faults.is_none());
    // The log begins anew and keeps its size; what is left of the round before does not count.
    intruder(&place.database()).execute_batch("PRAGMA wal_checkpoint(RESTART)").unwrap();
    submit(&storage, packet(100));
    storage.writer().flush().unwrap();
    let anew = database_info(&place.database(), Depth::Sizes).unwrap();
    assert_eq!(anew.wal_bytes, info.wal_bytes);
    // The last page of each of the three tables, and perhaps a new one.
    assert!((3..=6).contains(&anew.wal_frames) && anew.wal_frames < info.wal_frames, "{anew:?}");
    storage.close().unwrap();
}

#[test]
fn damage_is_found() {
    let place = filled(2_000);
    let pages = fs::metadata(place.database()).unwrap().len() / 4_096;
    let file = OpenOptions::new().write(true).open(place.database()).unwrap();
    file.write_all_at(&[0xff; 4_096], (pages - 3) * 4_096).unwrap();
    let info = database_info(&place.database(), Depth::QuickCheck).unwrap();
    assert!(!info.faults.unwrap().is_empty());
}

#[test]
fn where_no_database_is_that_is_said() {
    let place = Place::new();
    let error = database_info(&place.database(), Depth::Sizes).unwrap_err();
    assert!(error.to_string().starts_with("there is no database at "), "{error}");
    fs::write(place.database(), "").unwrap();
    let error = database_info(&place.database(), Depth::Sizes).unwrap_err();
    assert!(matches!(error, StorageError::NotThere { .. }), "{error:?}");
}
