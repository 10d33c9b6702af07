use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use model::Change;
use proptest::prelude::*;
use storage::{SkippedRows, Storage, StorageError};

use crate::support::{Place, expected, intruder, observers, packet, submit};

fn filled(packets: u64) -> Place {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..packets).for_each(|number| submit(&storage, packet(number)));
    storage.close().unwrap();
    place
}

#[test]
fn a_damaged_page_is_an_error_that_names_the_file_and_what_to_do() {
    let place = filled(2_000);
    let pages = fs::metadata(place.database()).unwrap().len() / 4_096;
    let file = OpenOptions::new().write(true).open(place.database()).unwrap();
    // The last pages are leaves full of rows.
    for page in pages - 10..pages {
        file.write_all_at(&[0xff; 4_096], page * 4_096).unwrap();
    }
    let storage = place.open();
    let error = storage.load(&mut |_| {}, &mut |_| {}).unwrap_err();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(place.database().to_str().unwrap()) && text.contains(".recover"), "{text}");
}

#[test]
fn rows_that_are_not_well_formed_are_skipped_and_counted() {
    let place = filled(10);
    let conn = intruder(&place.database());
    conn.execute_batch(
        "UPDATE heads SET bytes = x'00' WHERE id = 9;
         UPDATE observers SET can_relay = 'x' WHERE id = 99;
         INSERT INTO observers (id, key, first_seen) VALUES (70000, 'beyond 16 bits', 0);
         UPDATE transmissions SET hash = x'0011' WHERE id = 9;
         UPDATE transmissions SET raw = zeroblob(256) WHERE id = 8;
         DELETE FROM transmissions WHERE id = 7;
         UPDATE observations SET snr = 128 WHERE id = 1;
         UPDATE observations SET observer = -1 WHERE id = 2;
         INSERT INTO observations VALUES (-5, 1, 0, 0, 0, NULL, NULL, NULL);
         INSERT INTO observations VALUES (1000, 1, 500, 0, 0, NULL, NULL, NULL);
         INSERT INTO observations VALUES (1001, 1000, 0, 0, 0, NULL, NULL, NULL);",
    )
    .unwrap();
    let (found, report) = place.contents();
    // The head of packet 9 (transmission 10) and the transmissions 7 to 9 are gone, with their observations.
    let skipped = SkippedRows {
        heads: 1,
        observers: 1,
        transmissions: 2,
        observations: 3,
        orphans: 18,
        ..Default::default()
    };
    assert_eq!(report.skipped, skipped);
    assert_eq!(report.skipped_rows, 25);
    let sound = |change: &Change| match change {
        Change::Head(head) => head.id.0 != 9,
        Change::Transmission(transmission) => transmission.id.0 < 7,
        Change::Observation(observation) => observation.transmission.0 < 7 && observation.id.0 > 2,
        _ => true,
    };
    let mut wanted = expected(10);
    wanted.retain(sound);
    assert_eq!(found, wanted);
    assert_eq!(report.unheard_transmissions, 1);
}

#[test]
fn a_deleted_log_leaves_a_database_that_opens() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    let copy = Place::new();
    // As a backup would be that had forgotten the log.
    fs::copy(place.database(), copy.database()).unwrap();
    let opened = Storage::open(copy.options());
    assert!(opened.is_ok() || matches!(opened, Err(StorageError::Damaged { .. })), "{opened:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_damage_makes_opening_or_loading_panic(
        spots in proptest::collection::vec((0.0f64..1.0, proptest::collection::vec(any::<u8>(), 1..64)), 1..6),
        cut in proptest::option::of(0.0f64..1.0),
    ) {
        let place = filled(60);
        let file = OpenOptions::new().read(true).write(true).open(place.database()).unwrap();
        let length = file.metadata().unwrap().len();
        for (at, bytes) in spots {
            file.write_all_at(&bytes, (at * length as f64) as u64).unwrap();
        }
        if let Some(cut) = cut {
            file.set_len((cut * length as f64) as u64).unwrap();
        }
        if let Ok(storage) = Storage::open(place.options()) {
            let _ = storage.load(&mut |_| {}, &mut |_| {});
            let _ = storage.reader().map(|reader| reader.db_figures());
        }
    }
}
