//! Old packets leave the index and the database, ingest goes on, and a restart finds what the index has.

use std::time::Duration;

use index::{NodeQuery, SharedIndex};
use ingest::{Ingest, IngestConfig, Outcome, Retention, RetentionError, RetentionRules};
use model::UnixMillis;
use storage::{Reader, Storage, StorageOptions};

use crate::support::{KEY, ack, advert, empty_index, flood, message, packets_topic};

const DAY_MS: i64 = 24 * 3_600_000;

const TEN_DAYS: RetentionRules =
    RetentionRules { packets: Some(Duration::from_secs(10 * 86_400)), metrics: None, receptions: None };

/// Ingest into a real database.
struct Station {
    storage: Storage,
    index: SharedIndex,
    ingest: Ingest,
    now: UnixMillis,
    // Last, so that it goes after the storage has closed.
    _folder: tempfile::TempDir,
}

impl Station {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = StorageOptions {
            max_batch_delay: Duration::from_millis(5),
            durability: storage::Durability::ProcessEnd,
            ..StorageOptions::new(folder.path().join("test.db"))
        };
        let storage = Storage::open(options).unwrap();
        let index = empty_index();
        let ingest = Ingest::new(IngestConfig::default(), index.clone(), storage.writer(), Box::new(|_| {}));
        Self { _folder: folder, storage, index, ingest, now: UnixMillis::now() }
    }

    fn retention(&self, rules: RetentionRules) -> Retention {
        Retention::new(rules, self.index.clone(), self.storage.writer())
    }

    /// An observer heard this so many days ago.
    fn hear(&mut self, raw: &str, days_ago: i64) {
        let heard = self.now.plus_ms(-days_ago * DAY_MS);
        let payload = format!("{{\"raw\":\"{raw}\"}}");
        self.ingest.handle_batch(vec![message(0, &packets_topic("AMS", KEY), payload.as_bytes(), heard)]);
    }

    fn stored(&self) -> u64 {
        let report = self.ingest.ledger().report();
        report.count(Outcome::StoredTransmission) + report.count(Outcome::StoredObservation)
    }
}

/// What a reader sees: packets newest first with their frames and hearings, and the nodes.
fn seen(index: &SharedIndex) -> String {
    let index = index.read();
    let everything = index::PacketQuery { limit: usize::MAX, ..Default::default() };
    let packets: Vec<String> = index
        .packets(&everything)
        .rows
        .iter()
        .map(|row| index.view(*row))
        .map(|packet| {
            let heard: Vec<_> =
                packet.observations().map(|heard| (heard.frame_bytes(), heard.time())).collect();
            format!("{:?} {heard:?}", packet.id())
        })
        .collect();
    let mut nodes: Vec<String> = index
        .nodes(&NodeQuery { limit: usize::MAX, ..Default::default() })
        .nodes
        .iter()
        .map(|node| {
            format!(
                "{} {:?} {} {:?} {:?}",
                node.key, node.name, node.advert_count, node.first_seen, node.last_seen
            )
        })
        .collect();
    nodes.sort();
    format!("{packets:#?} {nodes:#?} {:?}", index.next_ids())
}

fn reloaded(storage: &Storage) -> SharedIndex {
    let index = empty_index();
    let report = Reader::open(storage.path())
        .unwrap()
        .load(&mut |_| {}, &mut |change| index.write().apply(&change).unwrap())
        .unwrap();
    assert_eq!(report.skipped_rows, 0, "{report:?}");
    let last = report.last_ids;
    index.write().pass_over_ids(last.transmission.unwrap(), last.observation.unwrap());
    index
}

#[test]
fn old_packets_go_and_what_is_left_is_what_a_restart_finds() {
    let mut station = Station::new();
    for number in 0..1_500 {
        station.hear(&ack(number, &[]), 20);
        station.hear(&ack(number, &[1]), 20);
    }
    for days_ago in [25, 22, 15, 3] {
        station.hear(&flood(&advert(1, &format!("{days_ago} days ago")), &[]), days_ago);
    }
    station.hear(&flood(&advert(2, "long gone"), &[]), 25);
    station.hear(&ack(9_000, &[]), 1);
    let before = station.stored();
    let mut retention = station.retention(TEN_DAYS);
    let report = retention.pass(station.now, &|| true).unwrap();
    assert_eq!((report.transmissions, report.observations), (1_504, 3_004));
    let given = ingest::give_back(&station.storage.writer(), 10_000, &|| true).unwrap();
    assert!(given > 0, "the file shrinks");
    {
        let index = station.index.read();
        let totals = index.totals(station.now);
        assert_eq!((totals.transmissions, totals.observations), (2, before - 3_004));
        assert_eq!(totals.nodes_all_time, 2, "nodes are known longer than their packets");
    }
    // A copy of a packet that is gone is a new packet.
    station.hear(&ack(7, &[]), 0);
    station.storage.writer().flush().unwrap();
    assert_eq!(seen(&station.index), seen(&reloaded(&station.storage)));
    assert_eq!(station.index.read().totals(station.now).transmissions, 3);
    assert_eq!(retention.pass(station.now, &|| true).unwrap().transmissions, 0);
}

#[test]
fn after_each_step_the_records_of_nodes_say_what_is_true_then() {
    let mut station = Station::new();
    // More than a step of other packets between two adverts of one node.
    station.hear(&flood(&advert(1, "first"), &[]), 20);
    for number in 0..1_200 {
        station.hear(&ack(number, &[]), 20);
    }
    station.hear(&flood(&advert(1, "second"), &[]), 19);
    station.hear(&ack(9_000, &[]), 1);
    let steps_taken = std::cell::Cell::new(0);
    let mut retention = station.retention(TEN_DAYS);
    let one_step = || steps_taken.replace(steps_taken.get() + 1) == 0;
    let first = retention.pass(station.now, &one_step).unwrap();
    assert!((1..1_202).contains(&first.transmissions), "{first:?}");
    let adverts = |index: &SharedIndex| {
        let index = index.read();
        let page = index.nodes(&NodeQuery { limit: 10, ..Default::default() });
        page.nodes.iter().map(|node| node.advert_count).collect::<Vec<_>>()
    };
    assert_eq!(adverts(&reloaded(&station.storage)), [2], "stopped half-way");
    let rest = retention.pass(station.now, &|| true).unwrap();
    assert_eq!(first.transmissions + rest.transmissions, 1_202);
    assert_eq!(adverts(&reloaded(&station.storage)), [2]);
    assert_eq!(adverts(&station.index), [2]);
}

#[test]
fn a_clock_that_jumps_takes_no_history() {
    let mut station = Station::new();
    station.hear(&ack(1, &[]), 9);
    station.hear(&ack(2, &[]), 1);
    let mut retention = station.retention(TEN_DAYS);
    let a_day_ahead = station.now.plus_ms(2 * DAY_MS);
    let refused = retention.pass(a_day_ahead, &|| true);
    assert!(matches!(refused, Err(RetentionError::Clock { moved_secs: 172_000.. })), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("clock"));
    assert_eq!(station.index.read().totals(station.now).transmissions, 2);
}

#[test]
fn a_mesh_that_has_been_silent_keeps_its_last_packets() {
    let mut station = Station::new();
    // As after a start with a clock that is wrong by weeks, or after a holiday.
    station.hear(&ack(1, &[]), 29);
    station.hear(&ack(2, &[]), 27);
    let mut retention = station.retention(TEN_DAYS);
    assert_eq!(retention.pass(station.now, &|| true).unwrap().transmissions, 0);
}

#[test]
fn without_rules_nothing_goes() {
    let mut station = Station::new();
    station.hear(&ack(1, &[]), 29);
    station.hear(&ack(2, &[]), 0);
    let report = station.retention(RetentionRules::default()).pass(station.now, &|| true).unwrap();
    assert_eq!(report, ingest::RetentionReport::default());
}
