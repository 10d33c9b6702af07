//! A database that takes no more rows for a reason that does not pass: they are put aside, and come back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use model::{Change, NodeRecord, ObserverRecord, UnixMillis};
use rusqlite::Connection;
use storage::{Storage, StorageOptions};

use crate::support::{
    DEADLINE, Place, dropped, expected, intruder, load, metrics, node, observer, observers, packet, stats,
    submit, submit_acknowledged, wait_until,
};

fn aside(place: &Place) -> PathBuf {
    place.folder.path().join("test.db-aside")
}

/// Takes a table away, as a damaged schema would.
fn hide(place: &Place, table: &str) {
    let sql = format!("ALTER TABLE {table} RENAME TO hidden_{table}");
    intruder(&place.database()).execute_batch(&sql).unwrap();
}

fn show(place: &Place, table: &str) {
    let sql = format!("ALTER TABLE hidden_{table} RENAME TO {table}");
    intruder(&place.database()).execute_batch(&sql).unwrap();
}

fn count(place: &Place, table: &str) -> i64 {
    let conn: Connection = intruder(&place.database());
    conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// One packet written, two put aside, and one row of each other kind; closed, and the table still hidden.
fn with_rows_aside() -> Place {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit_acknowledged(&storage, packet(0)).recv_timeout(DEADLINE).unwrap();
    hide(&place, "observations");
    submit_acknowledged(&storage, packet(1)).recv_timeout(DEADLINE).unwrap();
    assert_eq!(stats(&storage).rows_put_aside.get(), 6);
    assert!(stats(&storage).last_error().unwrap().text.contains("no such table"));
    hide(&place, "nodes");
    hide(&place, "dropped_packets");
    hide(&place, "observer_metrics");
    let others = vec![Change::Node(node(1)), Change::Dropped(dropped()), Change::Metrics(metrics(300))];
    submit_acknowledged(&storage, others).recv_timeout(DEADLINE).unwrap();
    submit_acknowledged(&storage, packet(2)).recv_timeout(DEADLINE).unwrap();
    assert!(storage.writer().is_failing());
    storage.close().unwrap();
    place
}

fn make_sound(place: &Place) {
    for table in ["observations", "nodes", "dropped_packets", "observer_metrics"] {
        show(place, table);
    }
}

/// All that [`with_rows_aside`] was given.
fn everything() -> Vec<Change> {
    let mut wanted = expected(3);
    wanted.insert(3 + 8, Change::Node(node(1)));
    wanted
}

#[test]
fn rows_put_aside_are_readable_only_by_the_owner_and_come_back_when_the_database_is_sound() {
    let place = with_rows_aside();
    assert_eq!(fs::metadata(aside(&place)).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(aside(&place)).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(r#""row":"batch""#)).count(), 5);
    assert!(text.contains("no such table"));
    // As long as it is not, a start says so and leaves the file.
    assert!(Storage::open(place.options()).is_err());
    assert_eq!(fs::read_to_string(aside(&place)).unwrap(), text);
    make_sound(&place);
    let storage = place.open();
    assert_eq!(stats(&storage).rows_taken_in.get(), 15);
    let mut loaded = load(&storage).0;
    loaded.retain(|change| !matches!(change, Change::Metrics(_)));
    assert_eq!(loaded, everything());
    assert_eq!((count(&place, "dropped_packets"), count(&place, "observer_metrics")), (1, 1));
    storage.close().unwrap();
    assert!(!aside(&place).exists());
    // As after a start that was killed just before it removed the file.
    fs::write(aside(&place), text).unwrap();
    assert_eq!(place.contents().0, everything());
    assert_eq!((count(&place, "dropped_packets"), count(&place, "set_aside")), (1, 0));
    assert!(!aside(&place).exists());
}

#[test]
fn lines_that_are_no_rows_or_contradict_the_database_stay_and_the_others_come_back() {
    let place = with_rows_aside();
    make_sound(&place);
    let text = fs::read_to_string(aside(&place)).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let odd = [
        "not json",
        r#"{"row":"head","id":1,"bytes":"zz"}"#,
        r#"{"row":"transmission","id":9,"hash":"00","raw":"000000"}"#,
        // The id of a packet that was written before.
        r#"{"row":"transmission","id":1,"hash":"0000000000000000","raw":"010203"}"#,
        // Of a packet that is nowhere.
        r#"{"row":"observation","id":90,"transmission":4000,"observer":0,"time":0,"head":0,"snr_quarter_db":null,"rssi":null,"score":null}"#,
        // A last line that was cut short.
        r#"{"row":"head","id":7,"by"#,
    ];
    fs::write(aside(&place), format!("{head}\n{}\n{rows}{}", odd[..5].join("\n"), odd[5])).unwrap();
    assert_eq!(place.contents().0, everything());
    let left = fs::read_to_string(aside(&place)).unwrap();
    let lines: Vec<&str> = left.lines().filter(|line| !line.contains(r#""row":"batch""#)).collect();
    assert_eq!(lines, odd);
    assert!(left.starts_with(head));
    assert_eq!(place.contents().0, everything());
    assert_eq!(fs::read_to_string(aside(&place)).unwrap(), left);
}

#[test]
fn rows_of_another_database_are_not_mixed_in() {
    let place = with_rows_aside();
    let another = Place::new();
    // A new database has other ids for the same packets.
    std::thread::sleep(Duration::from_millis(2));
    another.contents();
    fs::copy(aside(&place), aside(&another)).unwrap();
    assert_eq!(another.contents().0, []);
    assert_eq!(fs::read(aside(&another)).unwrap(), fs::read(aside(&place)).unwrap());
}

#[test]
fn what_the_database_knows_newer_is_not_undone_by_rows_put_aside_before() {
    let place = Place::new();
    let storage = place.open();
    let status = |time, battery| {
        let (last_status, battery_mv) = (Some(UnixMillis(time)), Some(battery));
        Change::Observer(ObserverRecord { last_status, battery_mv, ..observer(0) })
    };
    let advert = |time, adverts| Change::Node(NodeRecord { last_seen: UnixMillis(time), adverts, ..node(1) });
    hide(&place, "observers");
    hide(&place, "nodes");
    submit_acknowledged(&storage, vec![status(1, 1), advert(1, 1)]).recv_timeout(DEADLINE).unwrap();
    show(&place, "observers");
    show(&place, "nodes");
    submit_acknowledged(&storage, vec![status(2, 2), advert(2, 2)]).recv_timeout(DEADLINE).unwrap();
    assert!(!storage.writer().is_failing(), "it takes rows again");
    storage.close().unwrap();
    assert!(aside(&place).exists());
    assert_eq!(place.contents().0, [status(2, 2), advert(2, 2)]);
    assert!(!aside(&place).exists());
}

#[test]
fn a_planted_link_is_not_followed_and_nothing_is_acknowledged_meanwhile() {
    let place = Place::new();
    let options = StorageOptions { close_patience: Duration::ZERO, ..place.options() };
    let storage = Storage::open(options).unwrap();
    let target = place.folder.path().join("precious");
    fs::write(&target, "untouched").unwrap();
    std::os::unix::fs::symlink(&target, aside(&place)).unwrap();
    hide(&place, "observers");
    let answer = submit_acknowledged(&storage, observers());
    wait_until("the attempt", || {
        stats(&storage).last_error().is_some_and(|error| error.text.contains("-aside"))
    });
    assert!(answer.try_recv().is_err());
    fs::remove_file(aside(&place)).unwrap();
    answer.recv_timeout(DEADLINE).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
    assert!(aside(&place).exists());
    storage.close().unwrap();
    show(&place, "observers");
    assert_eq!(place.contents().0, observers());
}
