use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use storage::{BackupOptions, StorageError, backup, restore};

use crate::backup::{contents_of, filled};
use crate::support::{Place, expected, intruder, observers, packet, submit};

/// A backup of so many packets, in a folder of its own.
fn backup_of(packets: u64) -> (Place, PathBuf) {
    let place = filled(packets);
    let copy = place.folder.path().join("copy.db");
    let options = BackupOptions { bytes_per_sec: None, overwrite: false };
    backup(&place.database(), &copy, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    (place, copy)
}

#[test]
fn a_backup_comes_back_where_nothing_was() {
    let (_source, copy) = backup_of(50);
    let place = Place::new();
    let database = place.folder.path().join("new/folder/test.db");
    let restored = restore(&copy, &database, None).unwrap();
    assert_eq!(restored.kept, None);
    assert_eq!(contents_of(&database), expected(50));
    assert!(copy.exists(), "the backup is still there");
}

#[test]
fn a_database_is_replaced_only_with_a_name_to_keep_it_under() {
    let (_source, copy) = backup_of(50);
    let place = filled(7);
    let before = fs::read(place.database()).unwrap();
    let error = restore(&copy, &place.database(), None).unwrap_err();
    assert!(matches!(error, StorageError::Exists { .. }), "{error:?}");
    assert_eq!(fs::read(place.database()).unwrap(), before);
    let kept = place.folder.path().join("test.db.before");
    fs::set_permissions(place.database(), fs::Permissions::from_mode(0o640)).unwrap();
    let restored = restore(&copy, &place.database(), Some(&kept)).unwrap();
    assert_eq!(fs::metadata(place.database()).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(restored.kept.as_ref(), Some(&kept));
    assert_eq!(contents_of(&kept), expected(7));
    assert_eq!(contents_of(&place.database()), expected(50));
    assert!(!place.folder.path().join("test.db.restore.part").exists());
}

#[test]
fn the_log_of_a_killed_program_goes_with_its_database_and_not_into_the_new_one() {
    let (_source, copy) = backup_of(50);
    let running = Place::new();
    let storage = running.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    // Cut short or overwritten: then the log cannot be emptied into it, and both are kept as they are.
    let damages = [None, Some("no database at all"), Some(""), Some("SQLite format 3\0")];
    for damage in damages {
        let place = Place::new();
        for ending in ["", "-wal", "-shm"] {
            let name = format!("test.db{ending}");
            fs::copy(running.folder.path().join(&name), place.folder.path().join(&name)).unwrap();
        }
        assert!(fs::metadata(place.folder.path().join("test.db-wal")).unwrap().len() > 0);
        if let Some(content) = damage {
            fs::write(place.database(), content).unwrap();
        }
        let kept = place.folder.path().join("test.db.before");
        restore(&copy, &place.database(), Some(&kept)).unwrap();
        assert_eq!(contents_of(&place.database()), expected(50), "{damage:?}");
        if let Some(content) = damage {
            assert_eq!(fs::read_to_string(&kept).unwrap(), content);
            assert!(place.folder.path().join("test.db.before-wal").exists(), "{content:?}");
        } else {
            assert!(!place.folder.path().join("test.db.before-wal").exists(), "it is whole as one file");
            assert_eq!(contents_of(&kept), expected(1));
        }
    }
    storage.close().unwrap();
}

#[test]
fn a_log_without_a_database_is_put_aside() {
    let (_source, copy) = backup_of(5);
    let other = Place::new();
    let storage = other.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    let place = Place::new();
    fs::copy(other.folder.path().join("test.db-wal"), place.folder.path().join("test.db-wal")).unwrap();
    restore(&copy, &place.database(), None).unwrap();
    assert_eq!(contents_of(&place.database()), expected(5));
    assert!(place.folder.path().join("test.db-wal.orphaned").exists());
}

#[test]
fn nothing_is_restored_under_a_running_program() {
    let (_source, copy) = backup_of(5);
    let place = Place::new();
    let storage = place.open();
    let kept = place.folder.path().join("test.db.before");
    let error = restore(&copy, &place.database(), Some(&kept)).unwrap_err();
    let own = std::process::id();
    assert!(matches!(error, StorageError::Locked { holder: Some(pid), .. } if pid == own), "{error:?}");
    storage.close().unwrap();
    assert!(!kept.exists());
}

#[test]
fn a_file_that_is_no_good_is_refused_and_the_database_stays() {
    let place = filled(7);
    let before = fs::read(place.database()).unwrap();
    let kept = place.folder.path().join("test.db.before");
    let refuse = |copy: &PathBuf| restore(copy, &place.database(), Some(&kept)).unwrap_err();

    let (_source, torn) = backup_of(2_000);
    let length = fs::metadata(&torn).unwrap().len();
    OpenOptions::new().write(true).open(&torn).unwrap().set_len(length / 2).unwrap();
    assert!(matches!(refuse(&torn), StorageError::Unsound { .. }), "{:?}", refuse(&torn));

    let (_source, overwritten) = backup_of(2_000);
    let file = OpenOptions::new().write(true).open(&overwritten).unwrap();
    file.write_all_at(&[0xff; 100], length / 2).unwrap();
    assert!(matches!(refuse(&overwritten), StorageError::Unsound { .. }), "{:?}", refuse(&overwritten));

    let (_source, newer) = backup_of(2);
    intruder(&newer).pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(refuse(&newer), StorageError::NewerVersion { found: 99, .. }), "{:?}", refuse(&newer));

    let other = Place::new();
    intruder(&other.database()).execute_batch("CREATE TABLE nodes (public_key TEXT)").unwrap();
    assert!(matches!(refuse(&other.database()), StorageError::NotOurs { .. }));

    let text = place.folder.path().join("notes.txt");
    fs::write(&text, "these are notes").unwrap();
    assert!(matches!(refuse(&text), StorageError::NotADatabase { .. }));
    assert!(matches!(refuse(&place.folder.path().join("none")), StorageError::NotThere { .. }));
    assert!(matches!(refuse(&place.database()), StorageError::OwnFile { .. }));

    assert_eq!(fs::read(place.database()).unwrap(), before);
    assert!(!kept.exists());
}

#[test]
fn what_a_superuser_restores_belongs_to_the_user_of_the_program() {
    const USER: u32 = 12_345;
    let (_source, copy) = backup_of(5);
    let place = filled(7);
    if chown(place.database(), Some(USER), Some(USER)).is_err() {
        println!("SKIPPED: only the superuser can give files away");
        return;
    }
    chown(place.folder.path(), Some(USER), Some(USER)).unwrap();
    let kept = place.folder.path().join("test.db.before");
    let fresh = place.folder.path().join("fresh.db");
    restore(&copy, &place.database(), Some(&kept)).unwrap();
    restore(&copy, &fresh, None).unwrap();
    for file in [place.database(), fresh, place.folder.path().join("fresh.db-lock")] {
        assert_eq!(fs::metadata(&file).unwrap().uid(), USER, "{}", file.display());
    }
}
