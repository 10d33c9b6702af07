//! Observers, nodes, metrics and evidence.

use meshcore::{Location, NodeKey, Role};
use model::{
    Change, ClientId, DroppedPacket, ObserverRecord, PacketHash, Reception, ReceptionId, SnrQuarterDb,
    UnixMillis,
};
use storage::Snapshot;
use testkit::Age;

use crate::support::{KEY, NOON, Place, ack, advert, copy, hex, node_key};

fn record(place: &Place, key: &str) -> ObserverRecord {
    place.index().observer(key, UnixMillis(0)).unwrap().record.clone()
}

fn at(text: &str) -> UnixMillis {
    ingest::past_time(&ingest::Scalar::Text(text.into())).unwrap()
}

#[test]
fn all_that_is_known_of_an_observer_is_taken_over() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.execute(&format!(
            "INSERT INTO observers (id, name, iata, last_seen, first_seen, model, firmware, client_version, radio,
                 battery_mv, uptime_secs, noise_floor, clock_skew_seconds, clock_last_naive_at, can_relay, can_relay_seen)
             VALUES ('{}', 'Dune', ' ams ', '2025-06-01T12:00:00Z', '2025-05-01T00:00:00Z', 'Heltec V3', 'v1.17', 'c/1',
                 '869.6,62.5,8,8', 4100, 86400, -112.5, 3600, '2025-05-31T00:00:00Z', 0, 1),
                 ('never-said', NULL, '<b>', '2025-06-01T12:00:00Z', NULL, NULL, NULL, NULL, NULL, -1, 'x', 9000, NULL,
                 NULL, 1, 0)",
            KEY.to_lowercase()
        ));
    });
    let report = place.import();
    assert_eq!((report.observers.taken, report.observers.repaired["time_unreadable"]), (2, 1), "{report}");
    let dune = record(&place, KEY);
    let texts = [&dune.name, &dune.iata, &dune.model, &dune.firmware, &dune.client_version, &dune.radio];
    let wanted = ["Dune", "AMS", "Heltec V3", "v1.17", "c/1", "869.6,62.5,8,8"];
    assert_eq!(texts.map(|text| text.as_deref().unwrap_or_default()), wanted);
    assert_eq!((&*dune.key, dune.battery_mv, dune.uptime_secs), (KEY, Some(4100), Some(86_400)));
    assert_eq!(
        (dune.noise_floor, dune.can_relay, dune.clock_skew_secs),
        (Some(-112.5), Some(false), Some(3600))
    );
    assert_eq!(dune.first_seen, at("2025-05-01T00:00:00Z"));
    assert_eq!(dune.clock_last_naive, Some(at("2025-05-31T00:00:00Z")));
    assert_eq!(place.index().observer(KEY, NOON).unwrap().last_seen, NOON);
    let other = record(&place, "never-said");
    assert_eq!((other.iata, other.can_relay, other.battery_mv, other.noise_floor), (None, None, None, None));
    assert_eq!(other.first_seen, NOON);
}

#[test]
fn two_rows_of_one_observer_become_one_and_the_newer_word_holds() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.execute(
            "INSERT INTO observers (id, name, model, first_seen, last_seen) VALUES
                 ('obs-1', 'New', NULL, '2025-05-02T00:00:00Z', '2025-06-01T00:00:00Z'),
                 ('OBS-1', 'Old', 'T-Beam', '2025-05-01T00:00:00Z', '2025-05-20T00:00:00Z'),
                 ('two words', 'x', NULL, '2025-05-01T00:00:00Z', '2025-05-20T00:00:00Z')",
        );
    });
    let report = place.import();
    assert_eq!((report.observers.taken, report.observers.merged), (1, 1), "{report}");
    assert_eq!(report.observers.refused["rejected_bad_observer_key"], 1);
    let one = record(&place, "obs-1");
    assert_eq!((one.name.as_deref(), one.model.as_deref()), (Some("New"), Some("T-Beam")));
    assert_eq!(one.first_seen, at("2025-05-01T00:00:00Z"));
}

#[test]
fn a_node_counts_the_adverts_that_are_stored_once() {
    let place = Place::new();
    let key = node_key(1);
    place.make(Age::Today, |db| {
        db.copy(&copy(&advert(1, 1_748_779_000, "Dune"), KEY));
        db.copy(&copy(&advert(1, 1_748_779_100, "Dune"), KEY));
        db.execute(&format!(
            "UPDATE nodes SET advert_count = 40, first_seen = '2025-01-01T00:00:00Z', default_scope = '#ams'
                 WHERE public_key = '{key}';
             UPDATE nodes SET public_key = upper(public_key);",
        ));
    });
    place.import();
    let index = place.index();
    let node = index.node(&key).unwrap();
    assert_eq!((node.advert_count, node.first_seen), (40, at("2025-01-01T00:00:00Z")));
    assert_eq!((node.role, node.default_scope.as_deref()), (Role::Repeater, Some("#ams")));
    assert_eq!(node.last_seen, NOON);
    // Once more, now that the adverts are known already.
    place.import();
    assert_eq!(place.index().node(&key).unwrap().advert_count, 40);
}

#[test]
fn a_node_that_was_put_aside_and_came_back_is_one() {
    let place = Place::new();
    let (key, gone, copied) = ("a1".repeat(32), "B2".repeat(32), "c3".repeat(32));
    let insert = |table: &str, key: &str, name: &str, first: &str, last: &str, adverts: u32| {
        format!(
            "INSERT INTO {table} (public_key, name, role, lat, lon, first_seen, last_seen, advert_count)
             VALUES ('{key}', '{name}', 'room_server', 52.37, 4.89, '{first}', '{last}', {adverts});"
        )
    };
    place.make(Age::Today, |db| {
        db.execute(&insert("nodes", &key, "Back", "2025-05-20 00:00:00", "2025-06-01T00:00:00Z", 3));
        db.execute(&insert(
            "inactive_nodes",
            &key,
            "Before",
            "2025-01-01 00:00:00",
            "2025-02-01T00:00:00Z",
            10,
        ));
        db.execute(&insert("inactive_nodes", &gone, "Gone", "2025-01-01", "2025-02-01T00:00:00Z", 5));
        for table in ["nodes", "inactive_nodes"] {
            db.execute(&insert(table, &copied, "Copied", "2025-01-01 00:00:00", "2025-02-01T00:00:00Z", 5));
        }
    });
    let nowhere = "d4".repeat(32);
    place.extend(|conn| {
        let sql = "INSERT INTO nodes (public_key, lat, lon, last_seen) VALUES (?1, 0.0, 0.0, '2025-02-01T00:00:00Z')";
        conn.execute(sql, [&nowhere]).unwrap();
    });
    let report = place.import();
    assert_eq!((report.nodes.taken, report.nodes.merged), (4, 2), "{report}");
    let index = place.index();
    let node = |key: &str| index.node(&key.parse::<NodeKey>().unwrap()).unwrap().clone();
    let back = node(&key);
    assert_eq!((&*back.name.unwrap().display, back.role, back.advert_count), ("Back", Role::Room, 13));
    assert_eq!((back.first_seen, back.last_seen), (at("2025-01-01 00:00:00"), at("2025-06-01 00:00:00")));
    assert_eq!(back.location, Some(Location { lat_e6: 52_370_000, lon_e6: 4_890_000 }));
    assert_eq!(node(&nowhere).location, None);
    assert_eq!((node(&gone).advert_count, node(&copied).advert_count), (5, 5));
}

#[test]
fn metrics_come_with_their_observer_and_keep_their_times() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[]), KEY));
        db.execute(&format!(
            "INSERT INTO observer_metrics VALUES
                 ('{KEY}', '2025-06-01T12:00:00Z', -110.5, 10, 20, 30, 4000, 50, 60),
                 ('{}', '2025-06-01 12:05:00', NULL, 11, NULL, -1, 'x', NULL, NULL),
                 ('late', 1748779200, -1, 1, 1, 1, 1, 1, 1), ('no key', 1748779200, -1, 1, 1, 1, 1, 1, 1),
                 ('{KEY}', 'noon', -1, 1, 1, 1, 1, 1, 1)",
            KEY.to_lowercase()
        ));
    });
    let report = place.import();
    assert_eq!((report.metrics.taken, report.metrics.refused_rows()), (3, 2), "{report}");
    let storage = place.open();
    let observer = place.index().observer_by_key(KEY).unwrap();
    let found = storage.reader().unwrap().metrics(observer, UnixMillis(0), UnixMillis(i64::MAX)).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].time, found[0].noise_floor, found[0].packets_recv), (NOON, Some(-110.5), Some(60)));
    assert_eq!(
        (found[1].time, found[1].tx_air_secs, found[1].recv_errors),
        (NOON.plus_ms(300_000), Some(11), None)
    );
    let late = place.index().observer_by_key("late").unwrap();
    assert_eq!(Snapshot::open(&place.ours()).unwrap().metric_times(late).unwrap(), [NOON]);
}

#[test]
fn evidence_is_taken_once() {
    let place = Place::new();
    let raw = hex(&advert(1, 1, "Forged"));
    place.make(Age::Today, |db| {
        let row = format!("('0011223344556677', '{raw}', 'invalid signature', '{KEY}', 'Dune', '{}', 'Forged', '2025-06-01 12:00:00')", node_key(1));
        let columns = "hash, raw_hex, reason, observer_id, observer_name, node_pubkey, node_name, dropped_at";
        db.execute(&format!("INSERT INTO dropped_packets ({columns}) VALUES {row}, {row}"));
        db.execute(&format!("INSERT INTO dropped_packets ({columns}) VALUES (NULL, 'zz', NULL, NULL, NULL, 'x', NULL, 'never'), (NULL, 'zz', NULL, NULL, NULL, 'x', NULL, 1748779200)"));
    });
    let report = place.import();
    assert_eq!(
        (report.dropped.taken, report.dropped.merged, report.dropped.refused_rows()),
        (2, 1, 1),
        "{report}"
    );
    let second = place.import();
    assert_eq!((second.dropped.taken, second.dropped.known), (0, 3), "{second}");
    let found = place.dropped();
    let wanted = DroppedPacket {
        time: NOON,
        reason: "invalid signature".into(),
        hash: Some(PacketHash([0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77])),
        raw: advert(1, 1, "Forged").into(),
        observer: Some(KEY.into()),
        observer_name: Some("Dune".into()),
        node: Some(node_key(1)),
        node_name: Some("Forged".into()),
    };
    assert_eq!(found[0], wanted);
    assert_eq!((found.len(), &*found[1].reason, found[1].raw.len()), (2, "unknown", 0));
}

#[test]
fn mobile_clients_and_what_they_heard_are_taken_once() {
    let place = Place::new();
    let key = KEY.to_lowercase();
    place.make(Age::Today, |db| {
        db.execute(&format!(
            "INSERT INTO client_observers VALUES ('{key}', 'Ana', '2025-06-01T12:00:00Z'), ('xyz', 'Nobody', NULL);
             INSERT INTO client_receptions (rx_pubkey, heard_key, heard_keylen, rssi, snr, lat, lon, pos_acc_m, rx_at, src) VALUES
                 ('{key}', 'ABcd', 4, -101, -7.25, 52.370216, 4.895168, 7.6, '2025-06-01T12:00:00Z', 'rxlog'),
                 ('{KEY}', 'abcd', 4, -90, 1, 52, 4, NULL, '2025-06-01 12:00:00', 'rxlog'),
                 ('beef', '{}', 64, NULL, NULL, -33.5, 151.25, NULL, 1748779260, 'advert'),
                 ('beef', 'ab', 2, NULL, NULL, 1, 1, NULL, '2025-06-01T12:00:01Z', 'rxlog'),
                 ('beef', 'abcd', 4, NULL, NULL, 0, 0, NULL, '2025-06-01T12:00:02Z', 'rxlog'),
                 ('beef', 'abcd', 4, NULL, NULL, NULL, 1, NULL, '2025-06-01T12:00:03Z', 'rxlog'),
                 ('beef', 'abcd', 4, 9999, 1, 1, 1, NULL, '2025-06-01T12:00:04Z', 'rxlog'),
                 ('zz', 'abcd', 4, NULL, NULL, 1, 1, NULL, '2025-06-01T12:00:00Z', 'rxlog'),
                 ('beef', 'abcd', 4, NULL, NULL, 1, 1, NULL, 'never', 'rxlog')",
            node_key(1)
        ));
    });
    let report = place.import();
    assert_eq!((report.clients.taken, report.clients.refused_rows()), (1, 1), "{report}");
    let of = &report.receptions;
    assert_eq!(
        (of.taken, of.merged, of.refused_rows(), of.repaired.values().sum()),
        (3, 1, 5, 1u64),
        "{report}"
    );
    let receptions = |changes: Vec<Change>| {
        let reception = |it| if let Change::Reception(it) = it { Some(it) } else { None };
        changes.into_iter().filter_map(reception).collect::<Vec<_>>()
    };
    let found = receptions(place.contents());
    let wanted = Reception {
        id: ReceptionId(1),
        client: ClientId(0),
        time: NOON,
        heard: [0xab, 0xcd].into(),
        location: (52_370_216, 4_895_168),
        accuracy_m: Some(8),
        rssi: Some(-101),
        snr: Some(SnrQuarterDb(-29)),
    };
    assert_eq!(found[0], wanted);
    assert_eq!((&*found[1].heard, found[1].location), (&node_key(1).0[..], (-33_500_000, 151_250_000)));
    let index = place.index();
    assert_eq!(index.client(ClientId(0)).unwrap().name.as_deref(), Some("Ana"));
    assert_eq!(index.client_by_key("beef"), Some(ClientId(1)));
    let second = place.import();
    assert_eq!(
        (second.receptions.taken, second.receptions.known, second.clients.known),
        (0, 4, 1),
        "{second}"
    );
    assert!(second.adds_nothing());
    assert_eq!(receptions(place.contents()), found);
}
