use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use storage::{BackupOptions, BackupProgress, StorageError, backup, temporary_backup};

use crate::support::{
    DEADLINE, Place, expected, intruder, load, observers, options, packet, submit, submit_acknowledged,
};

const QUICK: BackupOptions = BackupOptions { bytes_per_sec: None, overwrite: false };

/// A closed database with so many packets.
pub(crate) fn filled(packets: u64) -> Place {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..packets).for_each(|number| submit(&storage, packet(number)));
    storage.close().unwrap();
    place
}

/// What a storage finds in a file.
pub(crate) fn contents_of(path: &Path) -> Vec<model::Change> {
    let storage = storage::Storage::open(options(path)).unwrap();
    let (found, report) = load(&storage);
    storage.close().unwrap();
    assert_eq!(report.skipped_rows, 0);
    found
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn unwatched(_: BackupProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_backup_is_one_moment_of_a_database_that_is_being_written() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..3_000).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(3_000));
    let copy = place.folder.path().join("copy.db");
    let mut during = Vec::new();
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let number = written.load(Ordering::Relaxed);
                submit_acknowledged(&storage, packet(number)).recv_timeout(DEADLINE).unwrap();
                written.store(number + 1, Ordering::Relaxed);
            }
        });
        let options = BackupOptions { bytes_per_sec: Some(2_000_000), overwrite: false };
        let report = backup(&place.database(), &copy, &options, &mut |progress| {
            if let BackupProgress::Copying { done, total } = progress {
                during.push((done, total, written.load(Ordering::Relaxed)));
            }
            ControlFlow::Continue(())
        });
        stop.store(true, Ordering::Relaxed);
        report.unwrap()
    });
    assert!(during.is_sorted_by_key(|(done, ..)| *done), "it never began anew: {during:?}");
    assert!(during.iter().all(|(_, total, _)| *total == report.bytes), "{during:?}");
    let (first, last) = (during[0].2, during[during.len() - 1].2);
    assert!(last > first + 10, "writing went on meanwhile: {first} to {last}");
    storage.close().unwrap();
    let found = contents_of(&copy);
    let packets = report.tables.iter().find(|count| count.table == "transmissions").unwrap().rows;
    assert!((3_000..=first).contains(&packets), "{packets} of at most {first}");
    assert_eq!(found, expected(packets));
}

#[test]
fn a_backup_of_a_stopped_database_leaves_no_files_but_itself() {
    let place = filled(50);
    let copy = place.folder.path().join("copy.db");
    let report = backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap();
    assert_eq!(names(place.folder.path()), ["copy.db", "test.db", "test.db-lock"]);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&copy).unwrap().len(), report.bytes);
    assert_eq!(contents_of(&copy), expected(50));
}

#[test]
fn a_log_that_a_killed_program_left_is_part_of_the_backup() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    let killed = Place::new();
    for ending in ["", "-wal"] {
        let name = format!("test.db{ending}");
        fs::copy(place.folder.path().join(&name), killed.folder.path().join(&name)).unwrap();
    }
    let copy = killed.folder.path().join("copy.db");
    backup(&killed.database(), &copy, &QUICK, &mut unwatched).unwrap();
    assert_eq!(contents_of(&copy), expected(1));
}

#[test]
fn a_file_that_is_there_is_only_overwritten_when_asked() {
    let place = filled(5);
    let copy = place.folder.path().join("copy.db");
    fs::write(&copy, "precious").unwrap();
    let error = backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap_err();
    assert!(matches!(error, StorageError::Exists { .. }), "{error:?}");
    assert_eq!(fs::read(&copy).unwrap(), b"precious");
    let overwrite = BackupOptions { overwrite: true, ..QUICK };
    backup(&place.database(), &copy, &overwrite, &mut unwatched).unwrap();
    assert_eq!(contents_of(&copy), expected(5));
}

#[test]
fn the_database_and_what_belongs_to_it_are_never_overwritten() {
    let place = filled(5);
    let before = fs::read(place.database()).unwrap();
    std::os::unix::fs::symlink(place.database(), place.folder.path().join("link.db")).unwrap();
    let overwrite = BackupOptions { overwrite: true, ..QUICK };
    for name in ["test.db", "test.db-wal", "test.db-lock", "link.db"] {
        let to = place.folder.path().join(name);
        let error = backup(&place.database(), &to, &overwrite, &mut unwatched).unwrap_err();
        assert!(matches!(error, StorageError::OwnFile { .. }), "{name}: {error:?}");
    }
    assert_eq!(fs::read(place.database()).unwrap(), before);
}

#[test]
fn a_backup_that_is_given_up_leaves_nothing() {
    let place = filled(2_000);
    let copy = place.folder.path().join("copy.db");
    let before = names(place.folder.path());
    let give_up = &mut |progress| match progress {
        BackupProgress::Copying { .. } => ControlFlow::Continue(()),
        BackupProgress::Verifying => ControlFlow::Break(()),
    };
    let error = backup(&place.database(), &copy, &QUICK, give_up).unwrap_err();
    assert!(matches!(error, StorageError::Cancelled), "{error:?}");
    assert_eq!(names(place.folder.path()), before);
}

#[test]
fn a_damaged_database_is_not_backed_up_as_if_it_were_sound() {
    let pages = fs::metadata(filled(2_000).database()).unwrap().len() / 4_096;
    // The second page is the map of pages, which no query reads; the last ones are rows.
    for page in [1, pages - 3] {
        let place = filled(2_000);
        let file = OpenOptions::new().write(true).open(place.database()).unwrap();
        file.write_all_at(&[0xff; 4_096], page * 4_096).unwrap();
        let copy = place.folder.path().join("copy.db");
        let before = names(place.folder.path());
        let error = backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap_err();
        assert!(matches!(error, StorageError::Unsound { .. } | StorageError::Damaged { .. }), "{error:?}");
        assert_eq!(names(place.folder.path()), before);
    }
}

#[test]
fn what_is_no_database_of_ours_is_not_backed_up() {
    let place = Place::new();
    let copy = place.folder.path().join("copy.db");
    let error = |place: &Place| backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap_err();
    assert!(matches!(error(&place), StorageError::NotThere { .. }));
    intruder(&place.database()).execute_batch("CREATE TABLE nodes (public_key TEXT)").unwrap();
    assert!(matches!(error(&place), StorageError::NotOurs { .. }));
    assert!(!copy.exists());
}

#[test]
fn an_unfinished_file_is_taken_over_unless_somebody_works_on_it() {
    let place = filled(5);
    let copy = place.folder.path().join("copy.db");
    let part = place.folder.path().join("copy.db.part");
    fs::write(&part, "left by a killed backup").unwrap();
    let worked_on = File::open(&part).unwrap();
    worked_on.lock().unwrap();
    let error = backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap_err();
    assert!(matches!(error, StorageError::BackupUnderWay { .. }), "{error:?}");
    assert!(part.exists());
    drop(worked_on);
    backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap();
    assert!(!part.exists());
    assert_eq!(contents_of(&copy), expected(5));
}

#[test]
fn a_link_in_the_place_of_the_unfinished_file_is_not_followed() {
    let place = filled(5);
    let victim = place.folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, place.folder.path().join("copy.db.part")).unwrap();
    let copy = place.folder.path().join("copy.db");
    let error = backup(&place.database(), &copy, &QUICK, &mut unwatched).unwrap_err();
    assert!(matches!(error, StorageError::NotWritable { .. }), "{error:?}");
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_temporary_backup_has_no_name_and_is_whole() {
    let place = filled(50);
    let before = names(place.folder.path());
    let (mut file, report) = temporary_backup(&place.database(), &QUICK, None, &mut unwatched).unwrap();
    assert_eq!(names(place.folder.path()), before);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, report.bytes);
    let copy = place.folder.path().join("copy.db");
    fs::write(&copy, bytes).unwrap();
    assert_eq!(contents_of(&copy), expected(50));
}
