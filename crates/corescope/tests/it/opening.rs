//! What may lie in the place of a database of CoreScope, and how it is looked at.

use corescope::{ImportError, Source};
use rusqlite::Connection;
use testkit::Age;

use crate::support::{KEY, Place, ack, copy};

fn refusal(place: &Place) -> String {
    Source::open(&place.theirs()).expect_err("it is refused").to_string()
}

fn with_tables(sql: &str) -> Place {
    let place = Place::new();
    Connection::open(place.theirs()).unwrap().execute_batch(sql).unwrap();
    place
}

#[test]
fn each_thing_that_is_no_database_of_corescope_has_its_sentence() {
    let place = Place::new();
    assert!(refusal(&place).contains("there is no file"));
    for content in
        [&b""[..], b"SQLite format", b"these are notes, and there are a great many of them, all in one file"]
    {
        std::fs::write(place.theirs(), content).unwrap();
        assert!(refusal(&place).contains("is no SQLite database"), "{}", refusal(&place));
    }
    std::fs::remove_file(place.theirs()).unwrap();
    std::fs::create_dir(place.theirs()).unwrap();
    assert!(refusal(&place).contains("is no SQLite database"));

    let other = refusal(&with_tables("CREATE TABLE bookmarks (id INTEGER, url TEXT)"));
    assert!(other.contains("no database of CoreScope") && other.contains("table `transmissions`"), "{other}");
    let half = refusal(&with_tables("CREATE TABLE transmissions (id INTEGER, raw_hex TEXT)"));
    assert!(half.contains("table `observations`"), "{half}");
    let columns =
        "CREATE TABLE transmissions (id INTEGER, data TEXT); CREATE TABLE observations (id INTEGER)";
    assert!(refusal(&with_tables(columns)).contains("column `raw_hex`"));
    let ancient =
        with_tables("CREATE TABLE packets (id INTEGER, raw_hex TEXT); CREATE TABLE nodes (public_key TEXT)");
    assert!(refusal(&ancient).contains("one table `packets`"), "{}", refusal(&ancient));
}

#[test]
fn our_own_database_is_told_from_theirs() {
    let place = Place::new();
    place.open().close().unwrap();
    let error = Source::open(&place.ours()).unwrap_err();
    assert!(matches!(error, ImportError::OurOwn { .. }), "{error}");
}

#[test]
fn a_file_that_breaks_off_is_said_to_be_damaged() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        for n in 0..20_000 {
            db.copy(&copy(&ack(n, &[]), KEY));
        }
    });
    let bytes = std::fs::read(place.theirs()).unwrap();
    std::fs::write(place.theirs(), &bytes[..bytes.len() / 2]).unwrap();
    let error = place.try_import().unwrap_err();
    assert!(matches!(error, ImportError::Damaged { .. }), "{error}");
}

#[test]
fn a_running_corescope_is_read_with_what_is_only_in_its_log() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[]), KEY));
    });
    let live = Connection::open(place.theirs()).unwrap();
    live.pragma_update(None, "journal_mode", "WAL").unwrap();
    live.execute_batch(
        "PRAGMA wal_autocheckpoint = 0;
         INSERT INTO transmissions (raw_hex, hash, first_seen) VALUES ('0D00AABBCCDD', 'x', '2025-06-01T00:00:00Z');",
    )
    .unwrap();
    let report = place.import();
    assert_eq!(report.transmissions.taken, 2, "{report}");
    // It goes on writing as if nobody had looked.
    live.execute_batch("DELETE FROM observations").unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_taken_for_read() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[]), KEY));
    });
    let storage = place.open();
    let source = Source::open(&place.theirs()).unwrap();
    Connection::open(place.theirs())
        .unwrap()
        .execute_batch("CREATE TABLE more (x); PRAGMA wal_checkpoint")
        .unwrap();
    let target = corescope::Target::Storage(&storage);
    let error = corescope::import(&source, target, &crate::support::options(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, ImportError::Changed { .. }), "{error}");
    storage.close().unwrap();
}

#[test]
fn what_is_not_read_is_said() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[]), KEY));
        db.execute(
            "CREATE TABLE neighbor_edges (node_a, node_b); INSERT INTO neighbor_edges VALUES ('a', 'b'), ('a', 'c');
             CREATE TABLE \"odd \"\"name\" (x); INSERT INTO \"odd \"\"name\" VALUES (1);",
        );
    });
    let report = place.import();
    let wanted = [("neighbor_edges".to_owned(), 2), ("odd \"name".to_owned(), 1)];
    assert_eq!(report.passed_over, wanted.into());
    assert!(report.to_string().contains("not read          2  neighbor_edges"), "{report}");
}
