//! Garbage in every cell: nothing panics, everything is accounted for, and what is kept is bounded.

use model::Change;
use proptest::prelude::*;
use testkit::Age;

use crate::support::{KEY, Place, ack, advert, copy};

/// Literals of SQL that no column expects.
const GARBAGE: &[&str] = &[
    "NULL",
    "''",
    "'x'",
    "-1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "1e300",
    "-0.0",
    "9e999",
    "x'00ff00'",
    "x'ffffffff'",
    "CAST(x'c3280a1b5b33316d' AS TEXT)",
    "'=1+1' || char(0, 10, 27, 8238)",
    "'[\"AA\",\"AA\"'",
    "'<script>alert(1)</script>'",
    "hex(zeroblob(100000))",
    "'2025-13-45T99:99:99Z'",
    "'9999-12-31T23:59:59Z'",
    "'0001-01-01 00:00:00'",
    "1e15",
];

const TABLES: &[&str] = &[
    "nodes",
    "inactive_nodes",
    "observers",
    "transmissions",
    "observations",
    "observer_metrics",
    "dropped_packets",
    "client_observers",
    "client_receptions",
];

/// A database with one sound row in each table and one more that a test spoils. No column says what it must hold.
fn prepare(db: &testkit::CoreScopeDb) {
    for table in TABLES {
        let row = match *table {
            "nodes" | "observers" | "transmissions" | "observations" => String::new(),
            "observer_metrics" => {
                format!("INSERT INTO {table} VALUES ('{KEY}', 1748779200, 1, 1, 1, 1, 1, 1, 1);")
            }
            "dropped_packets" => {
                format!("INSERT INTO {table} (reason, raw_hex, dropped_at) VALUES ('r', '00', 1748779200);")
            }
            "client_observers" => format!("INSERT INTO {table} VALUES ('{KEY}', 'n', 1748779200);"),
            "client_receptions" => format!(
                "INSERT INTO {table} (rx_pubkey, heard_key, rssi, snr, lat, lon, pos_acc_m, rx_at) \
                 VALUES ('{KEY}', 'abcd', -100, 1.5, 52, 4, 5, 1748779200);"
            ),
            _ => format!("INSERT INTO {table} SELECT * FROM nodes;"),
        };
        db.execute(&format!("{row} CREATE TABLE loose_{table} AS SELECT * FROM {table};"));
        db.execute(&format!("DROP TABLE {table}; ALTER TABLE loose_{table} RENAME TO {table};"));
    }
}

fn columns(db: &testkit::CoreScopeDb) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for table in TABLES {
        let mut statement = db.conn().prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
        let names = statement.query_map([table], |row| row.get(0)).unwrap();
        all.extend(names.map(|name| (*table, name.unwrap())));
    }
    all
}

#[test]
fn garbage_in_any_column_panics_nowhere_and_is_accounted_for() {
    for garbage in GARBAGE {
        let place = Place::new();
        place.make(Age::Today, |db| {
            db.copy(&copy(&advert(1, 1_748_779_000, "Dune"), KEY));
            db.copy(&copy(&ack(1, &[1, 2]), KEY));
            db.execute("PRAGMA legacy_alter_table = ON;");
            prepare(db);
            // One spoiled row for each column, beside the sound ones.
            for (n, (table, column)) in columns(db).into_iter().enumerate() {
                let has_id = !matches!(
                    table,
                    "nodes" | "inactive_nodes" | "observers" | "observer_metrics" | "client_observers"
                );
                let id =
                    if has_id { format!("UPDATE spoiled SET id = {};", 1000 + n) } else { String::new() };
                db.execute(&format!(
                    "CREATE TEMP TABLE spoiled AS SELECT * FROM {table} ORDER BY rowid LIMIT 1;
                     {id} UPDATE spoiled SET {column} = {garbage};
                     INSERT INTO {table} SELECT * FROM spoiled; DROP TABLE spoiled;"
                ));
            }
        });
        let report = place.import();
        assert!(report.tables().iter().all(|(_, table)| table.read > 1), "{garbage}: {report}");
        let faults = report
            .tables()
            .iter()
            .filter(|(_, table)| table.refused.contains_key("rejected_internal"))
            .count();
        assert_eq!(faults, 0, "what the index would refuse is refused before: {garbage}: {report}");
        for change in place.contents() {
            let radio = if let Change::Observer(it) = &change { it.radio.as_deref() } else { None };
            assert!(radio.is_none_or(|radio| radio.len() <= 32), "{garbage}: {change:?}");
            assert!(texts(&change).iter().all(|text| text.len() <= 64), "{garbage}: {change:?}");
            assert!(!texts(&change).iter().any(|text| text.chars().any(char::is_control)), "{change:?}");
        }
        assert!(place.index().find(meshcore::Frame::parse(&ack(1, &[])).unwrap().content_hash()).is_some());
        assert!(place.import().adds_nothing(), "{garbage}");
    }
}

fn texts(change: &Change) -> Vec<String> {
    let some = |texts: &[&Option<Box<str>>]| {
        texts.iter().filter_map(|it| it.as_deref().map(str::to_owned)).collect()
    };
    match change {
        Change::Observer(it) => some(&[
            &Some(it.key.clone()),
            &it.name,
            &it.iata,
            &it.model,
            &it.firmware,
            &it.client_version,
            &it.radio,
        ]),
        Change::Node(it) => some(&[&it.default_scope]),
        Change::Client(it) => some(&[&Some(it.key.clone()), &it.name]),
        Change::Dropped(it) => {
            some(&[&Some(it.reason.clone()), &it.observer, &it.observer_name, &it.node_name])
        }
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_a_frame_and_any_text_as_a_path_come_to_one_end(
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..20),
        path in ".{0,30}",
    ) {
        let place = Place::new();
        place.make(Age::Today, |db| {
            for (n, frame) in frames.iter().enumerate() {
                let sql = "INSERT INTO transmissions (raw_hex, hash, first_seen) VALUES (?1, ?2, '2025-06-01T00:00:00Z')";
                db.conn().execute(sql, (crate::support::hex(frame), n.to_string())).unwrap();
                let sql = "INSERT INTO observations (transmission_id, path_json, timestamp) VALUES (?1, ?2, 1748779200)";
                db.conn().execute(sql, (n as i64 + 1, &path)).unwrap();
            }
        });
        let report = place.import();
        prop_assert_eq!(report.observations.read, frames.len() as u64);
        prop_assert!(place.import().adds_nothing());
    }
}
