//! The rules of contract §1.4 to §1.7, §4.4, §4.5 and §7.7, one by one.

use index::{ApplyError, ChannelRef, NodeQuery, NodeSort, PacketQuery};
use meshcore::{ChannelKey, FrameBuilder, Location, NodeKey, PathBuf, PayloadBuf, PayloadType, Role, Route};
use model::{Change, NodeRecord, ObserverId, UnixMillis};

use crate::history::{History, START, advert, node_key};
use crate::messages::{MessageQuery, messages};

fn at(secs: i64) -> UnixMillis {
    START.plus_ms(secs * 1000)
}

fn copy(payload: &PayloadBuf, route: Route, hash_size: u8, hops: &[u8]) -> Vec<u8> {
    let mut path = PathBuf::new(hash_size).unwrap();
    for hop in hops {
        path.push(&[*hop; 3][..usize::from(hash_size)]).unwrap();
    }
    FrameBuilder::new(route, payload).path(path.as_path()).encode()
}

fn flood(payload: &PayloadBuf, hops: &[u8]) -> Vec<u8> {
    copy(payload, Route::Flood, 1, hops)
}

fn ack(number: u8) -> PayloadBuf {
    PayloadBuf::new(PayloadType::Ack, vec![number; 4]).unwrap()
}

#[test]
fn a_copy_is_new_by_observer_and_hops_and_by_nothing_else() {
    let mut history = History::new();
    let hear = |history: &mut History, observer: u16, frame: Vec<u8>| {
        history.hear(&frame, ObserverId(observer), at(0), false);
        history.index.totals(at(0)).observations
    };
    assert_eq!(hear(&mut history, 0, flood(&ack(1), &[])), 1);
    assert_eq!(hear(&mut history, 0, flood(&ack(1), &[])), 1, "the same again");
    assert_eq!(hear(&mut history, 0, copy(&ack(1), Route::Direct, 2, &[])), 1, "no hops of another size");
    assert_eq!(hear(&mut history, 0, copy(&ack(1), Route::TransportFlood, 1, &[])), 1, "with codes");
    assert_eq!(hear(&mut history, 1, flood(&ack(1), &[])), 2, "another observer");
    assert_eq!(hear(&mut history, 0, flood(&ack(1), &[7])), 3, "another path");
    assert_eq!(
        hear(&mut history, 0, copy(&ack(1), Route::Direct, 1, &[7])),
        3,
        "the same path by another route"
    );
    assert_eq!(hear(&mut history, 0, copy(&ack(1), Route::Flood, 2, &[7])), 4, "the same hop by two bytes");
    assert_eq!(history.index.totals(at(0)).transmissions, 1);
}

#[test]
fn first_seen_is_the_least_time_and_latest_the_greatest_whatever_the_order() {
    let mut history = History::new();
    for (observer, secs) in [(0, 100), (1, 50), (2, 200), (3, 150)] {
        history.hear(&flood(&ack(1), &[]), ObserverId(observer), at(secs), false);
    }
    let view = history.index.transmission(model::TransmissionId(1)).unwrap();
    assert_eq!((view.first_seen(), view.latest()), (at(50), at(200)));
    assert_eq!((view.observation_count(), view.observer_count()), (4, 4));
}

#[test]
fn the_best_observation_has_the_longest_path_and_the_first_wins_ties() {
    let mut history = History::new();
    for (observer, hops) in [(0, &[][..]), (1, &[1, 2]), (2, &[3, 4]), (3, &[5])] {
        history.hear(&flood(&ack(1), hops), ObserverId(observer), at(0), false);
    }
    let view = history.index.by_hash(history.packets[0].hash).unwrap();
    assert_eq!(view.best().observer().id, ObserverId(1));
    assert_eq!(view.first().observer().id, ObserverId(0));
}

#[test]
fn time_bounds_are_exclusive_and_of_the_first_observation() {
    let mut history = History::new();
    for number in 0..3 {
        history.hear(&flood(&ack(number), &[]), ObserverId(0), at(i64::from(number) * 10), false);
        history.hear(&flood(&ack(number), &[1]), ObserverId(0), at(500), false);
    }
    let total =
        |since, until| history.index.packets(&PacketQuery { since, until, ..Default::default() }).total;
    assert_eq!(total(Some(at(0)), None), 2);
    assert_eq!(total(None, Some(at(20))), 2);
    assert_eq!(total(Some(at(0)), Some(at(20))), 1);
    assert_eq!(total(Some(at(20)), None), 0);
    assert_eq!(total(Some(UnixMillis(i64::MAX)), Some(UnixMillis(i64::MIN))), 0);
}

#[test]
fn an_unknown_region_observer_node_or_channel_finds_nothing() {
    let mut history = History::new();
    history.hear(&flood(&ack(1), &[]), ObserverId(0), at(0), false);
    let key = NodeKey(node_key(9));
    for query in [
        PacketQuery { regions: Some(vec!["LHR".into()]), ..Default::default() },
        PacketQuery { regions: Some(Vec::new()), ..Default::default() },
        PacketQuery { observers: vec![ObserverId(77)], ..Default::default() },
        PacketQuery { node: Some(key), ..Default::default() },
        PacketQuery { area_nodes: Some(Vec::new()), ..Default::default() },
        PacketQuery { channel: Some(ChannelRef::Name("none".into())), ..Default::default() },
    ] {
        assert_eq!(history.index.packets(&PacketQuery { limit: 5, ..query }).total, 0);
    }
}

#[test]
fn a_region_is_where_the_observer_is_now() {
    let mut history = History::new();
    history.hear(&flood(&ack(1), &[]), ObserverId(0), at(0), false);
    let mut moved = crate::history::observer_record(0);
    moved.iata = Some("LAX".into());
    history.apply(Change::Observer(moved));
    let total = |region: &str| {
        let regions = Some(vec![region.to_owned()]);
        history.index.packets(&PacketQuery { regions, ..Default::default() }).total
    };
    assert_eq!((total("lax"), total("SFO")), (1, 0));
}

#[test]
fn a_repeated_advert_raises_last_seen_and_not_the_count() {
    let mut history = History::new();
    let payload = advert(0, 77, b"\x82Dam");
    history.hear(&flood(&payload, &[]), ObserverId(0), at(10), false);
    history.hear(&flood(&payload, &[1]), ObserverId(1), at(90), false);
    history.hear(&flood(&payload, &[2]), ObserverId(1), at(5), false);
    let node = history.index.node(&NodeKey(node_key(0))).unwrap();
    assert_eq!((node.advert_count, node.first_seen, node.last_seen), (1, at(5), at(90)));
    assert_eq!((node.role, node.last_advert_timestamp), (Role::Repeater, 77));
}

#[test]
fn an_advert_without_name_or_location_keeps_the_ones_before() {
    let mut history = History::new();
    let adverts = [&b"\x92\x01\x00\x00\x00\x02\x00\x00\x00Dam"[..], b"\x04", b"\x91\x01"];
    for (i, app_data) in adverts.into_iter().enumerate() {
        history.hear(&flood(&advert(0, i as u32, app_data), &[]), ObserverId(0), at(i as i64), false);
    }
    let node = history.index.node(&NodeKey(node_key(0))).unwrap();
    assert_eq!(&*node.name.as_ref().unwrap().display, "Dam");
    assert_eq!(node.location, Some(Location { lat_e6: 1, lon_e6: 2 }));
    assert_eq!(node.role, Role::Sensor, "the last that could be read");
    assert_eq!((node.advert_count, node.last_advert_timestamp), (3, 2));
}

#[test]
fn an_advert_that_was_heard_before_the_known_one_and_arrives_later_changes_no_name() {
    let mut history = History::new();
    history.hear(&flood(&advert(0, 2, b"\x82new"), &[]), ObserverId(0), at(100), false);
    history.hear(&flood(&advert(0, 1, b"\x82old"), &[]), ObserverId(0), at(50), false);
    let node = history.index.node(&NodeKey(node_key(0))).unwrap();
    assert_eq!(&*node.name.as_ref().unwrap().display, "new");
    assert_eq!((node.advert_count, node.first_seen, node.last_seen), (2, at(50), at(100)));
}

#[test]
fn adverts_to_neighbours_do_not_tell_the_hash_size() {
    let mut history = History::new();
    let mut hear = |number: u32, route, hash_size| {
        let frame = copy(&advert(0, number, b"\x82Dam"), route, hash_size, &[]);
        history.hear(&frame, ObserverId(0), at(i64::from(number)), false);
        history.index.node(&NodeKey(node_key(0))).unwrap().hash_size
    };
    assert_eq!(hear(0, Route::Direct, 1), None);
    assert_eq!(hear(1, Route::Flood, 2), Some(2));
    assert_eq!(hear(2, Route::Direct, 1), Some(2));
    assert_eq!(hear(3, Route::TransportFlood, 3), Some(3));
    let node = history.index.node(&NodeKey(node_key(0))).unwrap();
    assert_eq!(*node.hash_sizes_seen, [2, 3]);
}

#[test]
fn nodes_are_sorted_and_filtered_before_the_page_is_cut() {
    let mut history = History::new();
    for (node, name) in [(0, "beta"), (1, "Alpha"), (2, "gamma"), (3, "")] {
        for number in 0..=u32::from(node) {
            let payload = advert(node, number, &[&[0x82], name.as_bytes()].concat());
            history.hear(&flood(&payload, &[]), ObserverId(0), at(10 - i64::from(node)), false);
        }
    }
    let first_bytes = |query: NodeQuery<'_>| {
        let page = history.index.nodes(&query);
        (page.nodes.iter().map(|node| node.key.0[1]).collect::<Vec<u8>>(), page.total)
    };
    let all = NodeQuery { limit: 10, ..NodeQuery::default() };
    assert_eq!(first_bytes(all), (vec![0, 1, 2, 3], 4));
    assert_eq!(first_bytes(NodeQuery { sort: NodeSort::Name, ..all }), (vec![1, 0, 2, 3], 4));
    assert_eq!(first_bytes(NodeQuery { sort: NodeSort::PacketCount, ..all }), (vec![3, 2, 1, 0], 4));
    assert_eq!(first_bytes(NodeQuery { search: Some("A"), offset: 1, limit: 1, ..all }), (vec![1], 3));
    let keep = |node: &index::Node| node.key.0[1] != 0;
    assert_eq!(first_bytes(NodeQuery { keep: Some(&keep), limit: 2, ..all }), (vec![1, 2], 3));
    assert_eq!(first_bytes(NodeQuery { role: Some(Role::Room), ..all }), (vec![], 0));
    assert_eq!(first_bytes(NodeQuery { last_seen_after: Some(at(8)), ..all }), (vec![0, 1], 2));
    assert_eq!(first_bytes(NodeQuery { first_seen_before: Some(at(8)), ..all }), (vec![2, 3], 2));
    let found: Vec<u8> = history.index.search_nodes("10", 9).iter().map(|node| node.key.0[1]).collect();
    assert_eq!(found, [0], "by the beginning of its key");
    assert_eq!(history.index.search_nodes("ALPH", 9).len(), 1);
    assert_eq!(history.index.search_nodes("", 9).len(), 0);
    assert_eq!(history.index.nodes_by_prefix("1").len(), 4);
    assert_eq!(history.index.nodes_by_prefix("110").len(), 1);
}

#[test]
fn messages_are_paged_from_the_newest_and_listed_oldest_first() {
    let mut history = History::new();
    let key = ChannelKey::public();
    for (i, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let payload = key.encrypt_message(i as u32, "Ann", text).unwrap();
        history.hear(&flood(&payload, &[]), ObserverId(0), at(i as i64), false);
    }
    // The oldest is heard once more and so becomes the newest.
    let again = key.encrypt_message(0, "Ann", "a").unwrap();
    history.hear(&flood(&again, &[9]), ObserverId(2), at(50), false);
    let public = ChannelRef::Name("Public".into());
    let bodies = |limit, offset| {
        let page = messages(
            &history.index,
            &MessageQuery { channel: Some(&public), limit, offset, ..Default::default() },
        );
        assert_eq!(page.total, 4);
        page.messages.iter().map(|m| m.message.as_ref().unwrap().body().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(bodies(2, 0), ["d", "a"]);
    assert_eq!(bodies(2, 2), ["b", "c"]);
    assert_eq!(bodies(9, 0), ["b", "c", "d", "a"]);
    let oak = ["OAK".to_owned()];
    let there = MessageQuery { channel: Some(&public), regions: Some(&oak), limit: 9, ..Default::default() };
    assert_eq!(messages(&history.index, &there).total, 1);
}

#[test]
fn a_packet_heard_a_hundred_thousand_times_costs_each_time_the_same() {
    let mut history = History::new();
    history.hear(&flood(&ack(1), &[]), ObserverId(0), at(0), false);
    for way in 0..100_000u32 {
        let id = history.index.next_ids().head;
        let bytes = [&[1, 4][..], &way.to_be_bytes()].concat();
        let head = model::FrameHead { id, bytes: bytes.into() };
        if history.index.head_id(&head.bytes).is_none() {
            history.index.apply(&Change::Head(head)).unwrap();
        }
        let observation = model::Observation {
            id: history.index.next_ids().observation,
            transmission: model::TransmissionId(1),
            observer: ObserverId(0),
            time: at(i64::from(way) / 100),
            head: id,
            snr: None,
            rssi: None,
            score: None,
        };
        history.index.apply(&Change::Observation(observation)).unwrap();
    }
    let view = history.index.transmission(model::TransmissionId(1)).unwrap();
    assert_eq!((view.observation_count(), view.observer_count()), (100_001, 1));
    assert_eq!(view.observations().count(), 100_001);
}

#[test]
fn adverts_add_to_a_nodes_record_and_take_the_place_of_what_is_older() {
    let key = NodeKey(node_key(0));
    let record = |last_seen| NodeRecord {
        key,
        name: Some(b"Dam".as_slice().into()),
        role: Role::Room.code(),
        location: Some((52_000_000, 4_900_000)),
        first_seen: at(-1000),
        last_seen,
        adverts: 5,
        default_scope: None,
    };
    let mut history = History::new();
    history.apply(Change::Node(record(at(-100))));
    let node = history.index.node(&key).unwrap();
    assert_eq!((node.advert_count, node.first_seen, node.last_seen), (5, at(-1000), at(-100)));
    assert_eq!(node.location, Some(Location { lat_e6: 52_000_000, lon_e6: 4_900_000 }));
    assert_eq!((node.role, &*node.name.as_ref().unwrap().display), (Role::Room, "Dam"));

    history.hear(&flood(&advert(0, 7, b"\x82new"), &[]), ObserverId(0), at(0), false);
    let node = history.index.node(&key).unwrap();
    assert_eq!((node.advert_count, node.first_seen, node.last_seen), (6, at(-1000), at(0)));
    assert_eq!((node.role, &*node.name.as_ref().unwrap().display), (Role::Repeater, "new"));
    assert!(node.location.is_some(), "the new advert says no other");
    let late = history.index.apply(&Change::Node(record(at(0))));
    assert_eq!(late, Err(ApplyError::NodeRecordTooLate { key }));

    let mut history = History::new();
    history.apply(Change::Node(record(at(100))));
    history.hear(&flood(&advert(0, 7, b"\x82old"), &[]), ObserverId(0), at(0), false);
    let node = history.index.node(&key).unwrap();
    assert_eq!((node.role, &*node.name.as_ref().unwrap().display), (Role::Room, "Dam"), "heard before it");
}
