//! Files that are deleted or replaced under the running writer. What would be left by a kill at any moment is looked at
//! in a copy of the files that have names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Change;
use storage::{IoFile, LoadReport, Storage, StorageError, StorageOptions};

use crate::support::{
    DEADLINE, Place, expected, intruder, load, metrics, observers, options, packet, stats, submit,
    submit_acknowledged, wait_until,
};

fn beside(database: &Path, suffix: &str) -> PathBuf {
    database.with_file_name(format!("test.db{suffix}"))
}

/// What another process would find if this one were killed now.
fn after_a_kill(place: &Place) -> (Vec<Change>, LoadReport) {
    let copy = Place::new();
    for suffix in ["", "-wal"] {
        let _ = fs::copy(beside(&place.database(), suffix), beside(&copy.database(), suffix));
    }
    copy.contents()
}

fn filled(place: &Place, packets: u64) -> Storage {
    let storage = place.open();
    submit(&storage, observers());
    (0..packets).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    assert_eq!(after_a_kill(place).0, expected(packets));
    storage
}

fn acknowledged(storage: &Storage, number: u64) {
    submit_acknowledged(storage, packet(number)).recv_timeout(DEADLINE).unwrap();
}

fn sound(place: &Place) {
    let verdict: String =
        intruder(&place.database()).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn what_a_deleted_log_held_is_in_the_database_before_anything_more_is_acknowledged() {
    let place = Place::new();
    let storage = filled(&place, 20);
    fs::remove_file(beside(&place.database(), "-wal")).unwrap();
    assert_ne!(after_a_kill(&place).0, expected(20), "the log held nothing, so this tests nothing");
    acknowledged(&storage, 20);
    assert_eq!(after_a_kill(&place).0, expected(21));
    assert_eq!(stats(&storage).files_restored.get(), 1);
    // The checkpointer and the readers go on with the new log, too.
    (21..3_000).for_each(|number| acknowledge_some(&storage, number));
    storage.writer().flush().unwrap();
    wait_until("a checkpoint", || stats(&storage).checkpoints.get() > 0);
    assert_eq!(after_a_kill(&place).0, expected(3_000));
    storage.close().unwrap();
    assert_eq!(place.contents().0, expected(3_000));
    sound(&place);
}

fn acknowledge_some(storage: &Storage, number: u64) {
    if number.is_multiple_of(10) { acknowledged(storage, number) } else { submit(storage, packet(number)) }
}

#[test]
fn a_deleted_log_is_noticed_also_while_nothing_comes() {
    let place = Place::new();
    let storage = filled(&place, 20);
    fs::remove_file(beside(&place.database(), "-wal")).unwrap();
    wait_until("the restoration", || stats(&storage).files_restored.get() == 1);
    assert_eq!(after_a_kill(&place).0, expected(20));
    assert!(!storage.writer().is_failing());
}

#[test]
fn a_deleted_database_is_written_back_with_all_that_its_log_held() {
    for with_log in [false, true] {
        let place = Place::new();
        filled(&place, 0).close().unwrap();
        fs::set_permissions(place.database(), fs::Permissions::from_mode(0o640)).unwrap();
        let storage = filled(&place, 500);
        fs::remove_file(place.database()).unwrap();
        if with_log {
            fs::remove_file(beside(&place.database(), "-wal")).unwrap();
            fs::remove_file(beside(&place.database(), "-shm")).unwrap();
        }
        acknowledged(&storage, 500);
        assert_eq!(after_a_kill(&place).0, expected(501));
        (501..1_000).for_each(|number| acknowledge_some(&storage, number));
        storage.close().unwrap();
        assert_eq!(place.contents().0, expected(1_000));
        assert!(!beside(&place.database(), "-restored").exists());
        assert_eq!(fs::metadata(place.database()).unwrap().permissions().mode() & 0o777, 0o640);
        sound(&place);
    }
}

#[test]
fn a_database_behind_a_link_is_watched_where_it_really_lies() {
    let place = Place::new();
    let link = place.folder.path().join("link.db");
    std::os::unix::fs::symlink(place.database(), &link).unwrap();
    let storage = Storage::open(options(&link)).unwrap();
    submit(&storage, observers());
    acknowledged(&storage, 0);
    for (round, suffix) in ["-wal", ""].into_iter().enumerate() {
        fs::remove_file(beside(&place.database(), suffix)).unwrap();
        acknowledged(&storage, 1 + round as u64);
        assert_eq!(after_a_kill(&place).0, expected(2 + round as u64), "after test.db{suffix} was deleted");
    }
    assert_eq!(stats(&storage).files_restored.get(), 2);
}

#[test]
fn readers_follow_to_the_files_that_were_put_back() {
    let place = Place::new();
    let storage = filled(&place, 5);
    let reader = storage.reader().unwrap();
    let samples = || {
        let found = reader.metrics(model::ObserverId(0), model::UnixMillis(0), model::UnixMillis(100));
        found.map(|found| found.len()).unwrap_or_default()
    };
    for (round, suffix) in ["-wal", ""].into_iter().enumerate() {
        fs::remove_file(beside(&place.database(), suffix)).unwrap();
        let sample = vec![Change::Metrics(metrics(round as i64))];
        submit_acknowledged(&storage, sample).recv_timeout(DEADLINE).unwrap();
        assert_eq!(samples(), round + 1, "after test.db{suffix} was deleted");
    }
}

#[test]
fn a_database_that_cannot_be_written_back_yet_is_later_and_nothing_is_acknowledged_before() {
    let place = Place::new();
    // A folder of its own, so that it can go as a whole, as an unmounted one would.
    let (folder, elsewhere) = (place.folder.path().join("data"), place.folder.path().join("elsewhere"));
    let storage = Storage::open(options(&folder.join("test.db"))).unwrap();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    fs::rename(&folder, &elsewhere).unwrap();
    let answer = submit_acknowledged(&storage, packet(1));
    wait_until("the failure", || storage.writer().is_failing());
    assert!(answer.recv_timeout(Duration::from_millis(300)).is_err());
    let text = stats(&storage).last_error().unwrap().text;
    assert!(text.contains("the database file was deleted while it was in use"), "{text}");
    fs::rename(&elsewhere, &folder).unwrap();
    answer.recv_timeout(DEADLINE).unwrap();
    assert_eq!(stats(&storage).files_restored.get(), 0, "it was never lost");
    assert_eq!(load(&storage).0, expected(2));
    assert!(!storage.writer().is_failing());
}

#[test]
fn another_file_in_place_of_the_database_is_not_touched_and_nothing_is_acknowledged() {
    let place = Place::new();
    let other = Place::new();
    filled(&other, 3).close().unwrap();
    let options = StorageOptions { close_patience: Duration::ZERO, ..place.options() };
    let storage = Storage::open(options).unwrap();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    let kept = beside(&place.database(), "-kept");
    fs::rename(place.database(), &kept).unwrap();
    fs::copy(other.database(), place.database()).unwrap();
    let answer = submit_acknowledged(&storage, packet(1));
    wait_until("the failure", || storage.writer().is_failing());
    assert!(stats(&storage).last_error().unwrap().text.contains("another file"));
    assert!(answer.recv_timeout(Duration::from_millis(300)).is_err());
    assert_eq!(fs::read(place.database()).unwrap(), fs::read(other.database()).unwrap());
    // The right one is moved back.
    fs::rename(&kept, place.database()).unwrap();
    answer.recv_timeout(DEADLINE).unwrap();
    assert_eq!(load(&storage).0, expected(2));
    // Closing while another is there says what is missing.
    fs::rename(place.database(), &kept).unwrap();
    fs::copy(other.database(), place.database()).unwrap();
    let answer = submit_acknowledged(&storage, packet(2));
    assert!(matches!(storage.close(), Err(StorageError::Unwritten { .. })));
    assert!(answer.recv().is_err());
    assert_eq!(fs::read(place.database()).unwrap(), fs::read(other.database()).unwrap());
}

#[test]
fn writing_back_is_counted_as_a_checkpoint() {
    let place = Place::new();
    let storage = filled(&place, 20);
    let written =
        || stats(&storage).io.counts(storage::IoWork::Checkpoint, IoFile::Database).written_bytes.get();
    assert_eq!(written(), 0);
    fs::remove_file(beside(&place.database(), "-wal")).unwrap();
    acknowledged(&storage, 20);
    assert!(written() > 0);
}
