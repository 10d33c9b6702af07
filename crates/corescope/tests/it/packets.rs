//! Faults in packets: what is put right, what is left out, and that each is counted once.

use ingest::Outcome;
use meshcore::PacketHash;
use model::{Change, Observation, SnrQuarterDb, Transmission, UnixMillis};
use testkit::{Age, CoreScopeCopy};

use crate::support::{KEY, NOON, OTHER_KEY, Place, ack, advert, copy, hex};

fn observations(place: &Place) -> Vec<Observation> {
    let observation = |change| if let Change::Observation(it) = change { Some(it) } else { None };
    place.contents().into_iter().filter_map(observation).collect()
}

fn transmissions(place: &Place) -> Vec<Transmission> {
    let transmission = |change| if let Change::Transmission(it) = change { Some(it) } else { None };
    place.contents().into_iter().filter_map(transmission).collect()
}

#[test]
fn wrong_hashes_are_recomputed_and_rows_that_become_one_are_merged() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[]), KEY));
        db.copy(&copy(&ack(2, &[]), KEY));
        let (again, path) = (hex(&ack(1, &[9])), "[\"09\"]");
        db.execute(&format!(
            "UPDATE transmissions SET hash = 'ffffffffffffffff' WHERE id = 2;
             INSERT INTO transmissions (id, raw_hex, hash, first_seen) VALUES (3, '{again}', 'eeee', '2025-06-01');
             INSERT INTO observations (transmission_id, observer_idx, path_json, timestamp, raw_hex)
                 VALUES (3, 1, '{path}', {}, '{again}');",
            NOON.secs()
        ));
    });
    let report = place.import();
    let table = &report.transmissions;
    assert_eq!((table.taken, table.merged, table.repaired["hash_recomputed"]), (2, 1, 2), "{report}");
    assert_eq!(report.observations.taken, 3);
    let hashes: Vec<PacketHash> = transmissions(&place).iter().map(|it| it.hash).collect();
    let of = |raw: &[u8]| meshcore::Frame::parse(raw).unwrap().content_hash();
    assert_eq!(hashes, [of(&ack(1, &[])), of(&ack(2, &[]))]);
}

#[test]
fn without_the_index_against_duplicates_they_are_merged_here() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[5]), KEY));
        db.execute(
            "DROP INDEX idx_observations_dedup;
             INSERT INTO observations (transmission_id, observer_idx, snr, path_json, timestamp, raw_hex)
                 SELECT transmission_id, observer_idx, 1.0, path_json, timestamp + 9, raw_hex FROM observations;",
        );
    });
    let report = place.import();
    assert_eq!((report.observations.taken, report.observations.merged), (1, 1), "{report}");
    // The first one's measurements stay, as in life.
    assert_eq!(observations(&place)[0].snr, SnrQuarterDb::from_db(7.5));
}

#[test]
fn what_nobody_known_has_heard_is_kept_under_one_observer() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        for n in 0..4 {
            db.copy(&copy(&ack(n, &[]), KEY));
        }
        db.execute(
            "UPDATE observations SET observer_idx = NULL WHERE id = 1;
             UPDATE observations SET observer_idx = 99 WHERE id = 2;
             DELETE FROM observations WHERE id = 3;",
        );
    });
    let report = place.import();
    assert_eq!(report.observations.repaired["observer_unknown"], 2, "{report}");
    assert_eq!(report.transmissions.repaired["unheard_kept_as_heard_by_unknown"], 1);
    assert_eq!((report.transmissions.taken, report.observations.taken), (4, 3));
    let index = place.index();
    let unknown = index.observer("unknown", UnixMillis(0)).unwrap();
    assert_eq!((unknown.packet_count, unknown.record.first_seen), (3, NOON));
    assert_eq!(index.observer(KEY, UnixMillis(0)).unwrap().packet_count, 1);
}

#[test]
fn measurements_are_rounded_and_impossible_ones_left_out() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        for (n, (snr, rssi, score)) in
            [(7.3, -88.4, 612.5), (99.0, -88.0, 1.0), (7.0, -1000.0, 1.0), (7.0, 0.0, -3.0)]
                .into_iter()
                .enumerate()
        {
            let raw = ack(n as u32, &[]);
            db.copy(&CoreScopeCopy {
                snr: Some(snr),
                rssi: Some(rssi),
                score: Some(score),
                ..copy(&raw, KEY)
            });
        }
        db.copy(&copy(&ack(9, &[]), KEY));
        db.execute("UPDATE observations SET snr = 'loud', rssi = '-77 dBm', score = 'n/a' WHERE id = 5");
    });
    let report = place.import();
    assert_eq!(report.observations.repaired["signal_out_of_range_left_out"], 4, "{report}");
    assert_eq!(report.observations.repaired["score_rounded"], 1);
    let of = |it: &Observation| (it.snr.map(|snr| snr.0), it.rssi, it.score);
    let wanted = [
        (Some(29), Some(-88), Some(613)),
        (None, Some(-88), Some(1)),
        (Some(28), None, Some(1)),
        (Some(28), Some(0), None),
        (None, Some(-77), None),
    ];
    assert_eq!(observations(&place).iter().map(of).collect::<Vec<_>>(), wanted);
}

#[test]
fn both_forms_of_times_are_read_wherever_they_stand() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        for n in 0..8 {
            db.copy(&copy(&ack(n, &[]), KEY));
        }
        db.execute(
            "UPDATE observations SET timestamp = '2025-06-01T12:00:01Z' WHERE id = 1;
             UPDATE observations SET timestamp = '2025-06-01 12:00:02' WHERE id = 2;
             UPDATE observations SET timestamp = '2025-06-01T14:00:03.250+02:00' WHERE id = 3;
             UPDATE observations SET timestamp = 1748779204000 WHERE id = 4;
             UPDATE observations SET timestamp = '1748779205' WHERE id = 5;
             UPDATE observations SET timestamp = 'yesterday' WHERE id = 6;
             UPDATE observations SET timestamp = -5 WHERE id IN (7, 8);
             UPDATE transmissions SET first_seen = '2025-06-01 12:00:06' WHERE id = 6;
             UPDATE transmissions SET first_seen = 1748779207 WHERE id = 7;
             UPDATE transmissions SET first_seen = 'once upon a time' WHERE id = 8;",
        );
    });
    let report = place.import();
    let offsets: Vec<i64> = observations(&place).iter().map(|it| it.time.0 - NOON.0).collect();
    assert_eq!(offsets, [1000, 2000, 3250, 4000, 5000, 6000, 7000]);
    assert_eq!(report.observations.repaired["time_taken_from_transmission"], 2, "{report}");
    assert_eq!(report.observations.refused["time_unreadable"], 1);
    assert_eq!(report.transmissions.refused["time_unreadable"], 1);
}

#[test]
fn what_is_no_packet_is_refused_by_the_reasons_of_live_ones() {
    let place = Place::new();
    let mut forged = advert(1, 1_748_779_000, "Forged");
    let last = forged.len() - 1;
    forged[last] ^= 1;
    place.make(Age::Today, |db| {
        db.copy(&copy(&advert(2, 1_748_779_000, "True"), KEY));
        db.copy(&copy(&forged, KEY));
        db.copy(&copy(&forged, OTHER_KEY));
        for n in 0..4 {
            db.copy(&copy(&ack(n, &[]), KEY));
        }
        // A companion's message has no bytes; the others are no frames.
        for (id, raw) in [(3, ""), (4, "zz"), (5, "4D00DEADBEEF"), (6, "0DFF")] {
            db.execute(&format!(
                "UPDATE transmissions SET raw_hex = '{raw}' WHERE id = {id};
                 UPDATE observations SET raw_hex = NULL WHERE transmission_id = {id};"
            ));
        }
    });
    let report = place.import();
    let counts = |table: &corescope::TableReport| {
        let of = |outcome: Outcome| table.refused.get(outcome.name()).copied().unwrap_or(0);
        [
            Outcome::InvalidSignature,
            Outcome::MissingRaw,
            Outcome::RawNotHex,
            Outcome::FrameVersion,
            Outcome::FramePathMode3,
        ]
        .map(of)
    };
    assert_eq!(counts(&report.observations), [2, 1, 1, 1, 1], "{report}");
    assert_eq!(counts(&report.transmissions), [1, 1, 1, 1, 1], "{report}");
    assert_eq!((report.transmissions.taken, report.observations.taken), (1, 1));
}

#[test]
fn a_copy_is_the_frame_that_was_kept_of_it_or_the_first_by_its_path() {
    let place = Place::new();
    let (first, second, third) = (ack(1, &[1]), ack(1, &[2, 3]), ack(1, &[4]));
    place.make(Age::Today, |db| {
        db.copy(&copy(&first, KEY));
        db.copy(&copy(&second, KEY));
        db.copy(&copy(&third, OTHER_KEY));
        db.execute(
            "UPDATE observations SET raw_hex = NULL WHERE id = 2;
             UPDATE observations SET path_json = 'garbage' WHERE id = 3;",
        );
    });
    place.import();
    let index = place.index();
    let frames: Vec<_> =
        observations(&place).iter().map(|it| index.observation(it.id).unwrap().frame_bytes()).collect();
    assert_eq!(frames, [first, second, third]);
}

#[test]
fn an_observation_of_a_lost_transmission_is_kept_by_its_own_frame() {
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.copy(&copy(&ack(1, &[]), KEY));
        db.copy(&copy(&ack(2, &[]), KEY));
        db.execute(
            "DELETE FROM transmissions;
             UPDATE observations SET raw_hex = NULL WHERE id = 2;",
        );
    });
    let report = place.import();
    assert_eq!(report.observations.repaired["transmission_missing"], 1, "{report}");
    assert_eq!(report.observations.refused["transmission_missing"], 1);
    assert_eq!((observations(&place).len(), transmissions(&place).len()), (1, 1));
}
