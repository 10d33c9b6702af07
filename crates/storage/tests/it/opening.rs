use std::fs;
use std::os::unix::fs::PermissionsExt;

use model::Change;
use storage::{Storage, StorageError, StorageOptions};

use crate::support::{Place, client, dropped, intruder, node, observers, pruned, reception, submit};

fn error_of(options: StorageOptions) -> StorageError {
    Storage::open(options).expect_err("opening must fail")
}

#[test]
fn a_missing_folder_is_made() {
    let place = Place::new();
    let path = place.folder.path().join("a/b/c.db");
    Storage::open(StorageOptions::new(&path)).unwrap().close().unwrap();
    assert!(path.is_file());
}

#[test]
fn closing_leaves_no_log_behind() {
    let place = Place::new();
    place.open().close().unwrap();
    assert!(!place.folder.path().join("test.db-wal").exists());
}

#[test]
fn a_database_of_a_newer_release_is_refused_with_both_versions() {
    let place = Place::new();
    place.open().close().unwrap();
    intruder(&place.database()).pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(place.database()).unwrap();
    let error = error_of(place.options());
    assert!(matches!(error, StorageError::NewerVersion { found: 99, known: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("test.db has format 99"), "{error}");
    assert_eq!(fs::read(place.database()).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    for content in ["a", "key = value\n", "SQLite format 2\0 and more of it"] {
        let place = Place::new();
        fs::write(place.database(), content).unwrap();
        let error = error_of(place.options());
        assert!(matches!(error, StorageError::NotADatabase { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(place.database()).unwrap(), content);
        assert!(!place.folder.path().join("test.db-lock").exists());
    }
}

#[test]
fn a_folder_at_the_path_is_refused() {
    let place = Place::new();
    fs::create_dir(place.database()).unwrap();
    let error = error_of(place.options());
    assert!(matches!(error, StorageError::NotADatabase { .. }), "{error:?}");
}

#[test]
fn a_header_without_a_database_behind_it_is_refused() {
    let place = Place::new();
    let mut content = b"SQLite format 3\0".to_vec();
    content.extend([0xa5; 8_000]);
    fs::write(place.database(), content).unwrap();
    let error = error_of(place.options());
    assert!(matches!(error, StorageError::NotADatabase { .. } | StorageError::Damaged { .. }), "{error:?}");
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_is() {
    let place = Place::new();
    intruder(&place.database()).execute_batch("CREATE TABLE nodes (public_key TEXT PRIMARY KEY)").unwrap();
    let before = fs::read(place.database()).unwrap();
    let error = error_of(place.options());
    assert!(matches!(error, StorageError::NotOurs { application_id: 0, .. }), "{error:?}");
    assert_eq!(fs::read(place.database()).unwrap(), before);
}

#[test]
fn a_start_that_was_cut_short_before_the_tables_is_taken_up_again() {
    let place = Place::new();
    fs::write(place.database(), "").unwrap();
    place.open().close().unwrap();
    let other = Place::new();
    intruder(&other.database()).execute_batch("PRAGMA journal_mode = WAL; VACUUM").unwrap();
    other.open().close().unwrap();
}

#[test]
fn a_second_writer_is_refused_and_told_who_the_first_is() {
    let place = Place::new();
    let first = place.open();
    let error = error_of(place.options());
    let own = std::process::id();
    assert!(matches!(error, StorageError::Locked { holder: Some(pid), .. } if pid == own), "{error:?}");
    assert!(error.to_string().ends_with(&format!("is in use by process {own}")), "{error}");
    first.close().unwrap();
    place.open().close().unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    let mut folder = place.folder.path().join("closed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("probe"), "").is_ok() {
        // The superuser may write everywhere but in the kernel's own folders.
        folder = "/proc/self/fd".into();
    }
    let error = error_of(StorageOptions::new(folder.join("test.db")));
    assert!(matches!(error, StorageError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
}

#[test]
fn a_path_beneath_a_file_is_named() {
    let place = Place::new();
    fs::write(place.database(), "").unwrap();
    let error = error_of(StorageOptions::new(place.database().join("x/y.db")));
    assert!(matches!(error, StorageError::NotWritable { .. }), "{error:?}");
}

#[test]
fn question_marks_and_percent_signs_in_a_path_mean_themselves() {
    let place = Place::new();
    let path = place.folder.path().join("file:odd?mode=ro%20.db");
    Storage::open(StorageOptions::new(&path)).unwrap().close().unwrap();
    assert!(path.is_file());
}

#[test]
fn a_database_of_an_older_release_is_brought_to_this_format_with_all_rows() {
    let coverage = "DROP TABLE client_observers; DROP TABLE client_receptions; DROP TABLE pruned_nodes;";
    let registry = "DROP TABLE nodes; DROP TABLE dropped_packets;";
    // What the formats before were: without the tables that were added later.
    is_upgraded(&format!("{coverage} {registry} PRAGMA user_version = 1"));
    is_upgraded(&format!("{coverage} PRAGMA user_version = 2"));
}

fn is_upgraded(to_older: &str) {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    storage.close().unwrap();
    intruder(&place.database()).execute_batch(to_older).unwrap();
    let (found, _) = place.contents();
    assert_eq!(found, observers());
    let version: i32 =
        intruder(&place.database()).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
    let storage = place.open();
    let added = vec![Change::Node(node(1)), Change::Dropped(dropped()), client(0), reception(1), pruned(1)];
    submit(&storage, added);
    storage.close().unwrap();
    let (_, report) = place.contents();
    assert_eq!((report.nodes, report.clients, report.receptions), (1, 1, 1), "{to_older}");
}
