//! A second import adds nothing, a half one is completed, and a look changes nothing.

use corescope::{Phase, Progress, Source, Target, import};
use model::Change;
use simulator::{Mesh, SimConfig, SimMessage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use testkit::Age;

use crate::support::{KEY, Place, ack, copy, options};

fn messages(count: usize) -> Vec<SimMessage> {
    Mesh::new(SimConfig { nodes: 60, observers: 8, ..SimConfig::default() }).take(count).collect()
}

fn with_everything(place: &Place, count: usize) {
    place.make(Age::Today, |db| {
        db.fill(messages(count));
        db.execute(
            "UPDATE observations SET observer_idx = NULL WHERE id % 50 = 0;
             INSERT INTO transmissions (raw_hex, hash, first_seen) VALUES ('0D00AABBCCDD', 'x', '2025-06-01T00:00:00Z');
             INSERT INTO dropped_packets (hash, raw_hex, reason, observer_id, dropped_at)
                 VALUES ('0011223344556677', '1100', 'invalid signature', 'OBS', '2025-06-01 00:00:00');
             INSERT INTO client_observers VALUES ('c0ffee', 'Ana', '2025-06-01T00:00:00Z');
             INSERT INTO client_receptions (rx_pubkey, heard_key, lat, lon, rx_at)
                 VALUES ('c0ffee', 'abcd', 52.0, 4.0, '2025-06-01T00:00:00Z');
             INSERT INTO inactive_nodes (public_key, name, role, last_seen, first_seen, advert_count)
                 VALUES ('A1' || hex(zeroblob(31)), 'Gone', 'room', '2025-05-01T00:00:00Z', '2025-04-01T00:00:00Z', 7);",
        );
    });
}

#[test]
fn a_second_import_adds_nothing() {
    let place = Place::new();
    with_everything(&place, 3_000);
    let first = place.import();
    let after_first = place.contents();
    let second = place.import();
    assert!(second.adds_nothing(), "{second}");
    assert_eq!(place.contents(), after_first);
    for ((name, first), (_, second)) in first.tables().into_iter().zip(second.tables()) {
        assert!(first.taken > 0, "{name}: {first:?}");
        assert_eq!(
            second.known,
            first.taken + if name == "observations" { first.merged } else { 0 },
            "{name}"
        );
    }
}

#[test]
fn an_import_that_ends_in_the_middle_is_completed_by_the_next() {
    let (whole, cut) = (Place::new(), Place::new());
    with_everything(&whole, 6_000);
    std::fs::copy(whole.theirs(), cut.theirs()).unwrap();
    whole.import();

    let storage = cut.open();
    let source = Source::open(&cut.theirs()).unwrap();
    let mut stop = |at: Progress| assert!(at.phase != Phase::Observations || at.done < 3_000, "cut short");
    let ended =
        catch_unwind(AssertUnwindSafe(|| import(&source, Target::Storage(&storage), &options(), &mut stop)));
    assert!(ended.is_err(), "the first import did not come to its end");
    storage.close().unwrap();
    let half = cut.contents().len();
    assert!(half > 2_000 && half < whole.contents().len());

    let second = cut.import();
    assert!(second.observations.known >= 2_000, "{second}");
    assert_eq!(cut.contents(), whole.contents());
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let place = Place::new();
    with_everything(&place, 2_000);
    let said = place.dry_run();
    assert!(!place.folder.path().join("data").exists(), "not even the folder is made");
    assert_eq!(said, place.import());

    let before = files(&place);
    assert!(place.dry_run().adds_nothing());
    assert_eq!(files(&place), before);
}

/// Names and contents of all files.
fn files(place: &Place) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let data = place.folder.path().join("data");
    let all = [place.folder.path(), &data].map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = all.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut files: Vec<_> = paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn the_source_stays_as_it_is_and_nothing_appears_beside_it() {
    let place = Place::new();
    with_everything(&place, 1_000);
    let before = std::fs::read(place.theirs()).unwrap();
    place.import();
    assert_eq!(std::fs::read(place.theirs()).unwrap(), before);
    for ending in ["-wal", "-shm", "-journal"] {
        let beside = place.folder.path().join(format!("meshcore.db{ending}"));
        assert!(!beside.exists(), "{}", beside.display());
    }
}

#[test]
fn what_came_later_is_added_to_what_was_imported_before() {
    let place = Place::new();
    let all = messages(3_000);
    place.make(Age::Today, |db| {
        db.fill(all[..2_000].to_vec());
    });
    place.import();
    std::fs::remove_file(place.theirs()).unwrap();
    place.make(Age::Today, |db| {
        db.fill(all.clone());
    });
    let second = place.import();
    assert!(second.observations.known > 1_000 && second.observations.taken > 500, "{second}");
    assert!(second.observers.updated > 0, "{second}");

    let fresh = Place::new();
    std::fs::copy(place.theirs(), fresh.theirs()).unwrap();
    fresh.import();
    let sorted = |place: &Place| {
        let mut rows: Vec<String> = place.contents().iter().map(|change| format!("{change:?}")).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&place), sorted(&fresh));
}

#[test]
fn what_is_here_from_life_is_not_doubled() {
    let place = Place::new();
    let frame = ack(1, &[7]);
    place.make(Age::Today, |db| {
        db.copy(&copy(&frame, KEY));
    });
    place.import();
    // The same observer heard it by another path, in a file that knows nothing of the first hearing.
    std::fs::remove_file(place.theirs()).unwrap();
    let other = ack(1, &[7, 8]);
    place.make(Age::Middle, |db| {
        db.copy(&copy(&other, &KEY.to_lowercase()));
        db.copy(&copy(&frame, &KEY.to_lowercase()));
    });
    let report = place.import();
    assert_eq!((report.observations.taken, report.observations.known), (1, 1), "{report}");
    assert_eq!((report.transmissions.taken, report.transmissions.known), (0, 1));
    let transmissions = place.contents().into_iter().filter(|it| matches!(it, Change::Transmission(_)));
    assert_eq!(transmissions.count(), 1);
}
