//! Mobile clients, their receptions, and nodes taken off the list.

use model::{Change, ClientId, NodeKey, Reception, ReceptionId, UnixMillis};
use storage::{LastIds, Reader, Snapshot, Tail};

use crate::support::{Place, client, dropped, intruder, load, pruned, reception, submit};

fn of_client(id: u64, client: u16) -> Change {
    let Change::Reception(reception) = reception(id) else { unreachable!() };
    Change::Reception(Reception { client: ClientId(client), ..reception })
}

#[test]
fn clients_receptions_and_prunings_come_back_in_an_order_that_can_be_applied() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, vec![client(0), reception(1), reception(2), pruned(7)]);
    storage.close().unwrap();
    let (found, report) = place.contents();
    assert_eq!(found, [pruned(7), client(0), reception(1), reception(2)]);
    assert_eq!((report.clients, report.receptions, report.skipped_rows), (1, 2, 0));
    assert_eq!(report.last_ids.reception, Some(ReceptionId(2)));
    let mut receptions = Vec::new();
    let snapshot = Snapshot::open(&place.database()).unwrap();
    snapshot.receptions(&mut |reception| receptions.push(Change::Reception(reception))).unwrap();
    assert_eq!(receptions, [reception(1), reception(2)]);
}

#[test]
fn receptions_without_their_client_and_malformed_ones_are_left_out() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, vec![client(0), reception(1), of_client(2, 9)]);
    let short = Reception {
        heard: [1].into(),
        ..match reception(3) {
            Change::Reception(reception) => reception,
            _ => unreachable!(),
        }
    };
    submit(&storage, vec![Change::Reception(short)]);
    storage.writer().flush().unwrap();
    intruder(&place.database())
        .execute("INSERT INTO client_receptions VALUES (4, 0, 1, x'00', 0, 0, NULL, NULL, NULL)", [])
        .unwrap();
    let (found, report) = load(&storage);
    assert_eq!(found, [client(0), reception(1)]);
    // The short one never came into the table.
    assert_eq!((report.skipped.coverage, storage.stats().rows_set_aside.get()), (2, 1));
    storage.close().unwrap();
}

#[test]
fn a_load_gives_the_newest_receptions_only() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, vec![client(0)]);
    storage.writer().flush().unwrap();
    intruder(&place.database())
        .execute_batch(&format!(
            "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {} + 10)
             INSERT INTO client_receptions SELECT id, 0, id, x'abcd', 0, 0, NULL, NULL, NULL FROM n",
            storage::RECEPTIONS_LOADED
        ))
        .unwrap();
    let mut first = None;
    let report = storage
        .load(&mut |_| {}, &mut |change| {
            if let Change::Reception(reception) = change {
                first.get_or_insert(reception.id);
            }
        })
        .unwrap();
    assert_eq!((first, report.receptions), (Some(ReceptionId(11)), u64::from(storage::RECEPTIONS_LOADED)));
    storage.close().unwrap();
}

#[test]
fn a_tail_gives_new_receptions_with_their_clients_and_prunings_once() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, vec![client(0), reception(1), pruned(1)]);
    storage.writer().flush().unwrap();
    let mut tail = Tail::open(&place.database(), LastIds::default()).unwrap();
    assert_eq!(tail.look().unwrap().changes, [pruned(1), client(0), reception(1)]);
    submit(&storage, vec![client(1), reception(2), of_client(3, 1), pruned(2)]);
    storage.writer().flush().unwrap();
    assert_eq!(tail.look().unwrap().changes, [pruned(2), client(1), reception(2), of_client(3, 1)]);
    assert_eq!(tail.look().unwrap().changes, []);
    storage.close().unwrap();
}

#[test]
fn old_receptions_go_in_bounded_steps_and_followers_notice() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, [vec![client(0)], (1..=30).map(reception).collect()].concat());
    storage.writer().flush().unwrap();
    let mut tail = Tail::open(&place.database(), LastIds::default()).unwrap();
    tail.look().unwrap();
    let before = tail.removals().unwrap();
    let step = || storage.writer().remove_receptions_before(UnixMillis(21_000), 15).unwrap().value;
    assert_eq!([step(), step(), step()], [15, 5, 0]);
    assert_eq!(tail.removals().unwrap(), before + 2);
    let (found, _) = load(&storage);
    assert_eq!(found.len(), 1 + 10);
    storage.close().unwrap();
}

#[test]
fn refused_packets_are_found_newest_first_by_observer_and_node() {
    let place = Place::new();
    let storage = place.open();
    for time in 1..=3 {
        let other = model::DroppedPacket {
            time: UnixMillis(time),
            observer: Some("B".into()),
            node: None,
            ..dropped()
        };
        submit(&storage, vec![Change::Dropped(dropped()), Change::Dropped(other)]);
    }
    storage.writer().flush().unwrap();
    let reader = Reader::open(&place.database()).unwrap();
    let ids = |observer, node, limit| {
        let found = reader.dropped(observer, node, limit, &|packet| packet.time.0 != 3).unwrap();
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, 4), [5, 4, 3, 2]);
    assert_eq!(ids(Some("b"), None, 10), [4, 2]);
    assert_eq!(ids(None, Some(NodeKey([9; 32])), 2), [5, 3]);
    assert_eq!(ids(Some("B"), Some(NodeKey([9; 32])), 10), [0i64; 0]);
    storage.close().unwrap();
}
