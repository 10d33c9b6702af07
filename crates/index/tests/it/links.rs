//! Whom a node hears and who hears it equals a naive count over the paths as they are resolved.

use std::collections::BTreeMap;

use index::{NodeLinks, PacketQuery};
use meshcore::{NodeKey, PayloadType};
use model::UnixMillis;
use proptest::prelude::*;

use crate::history::{History, START, events, node_key};
use crate::node_stats::{NODES, Relayed, mesh, relayed};

/// What a naive reader counts: links as (we hear, they hear), observations by observer, packets relayed.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    links: BTreeMap<NodeKey, (u32, u32)>,
    observers: BTreeMap<u16, u32>,
    relayed: u32,
}

fn naive(history: &History, key: NodeKey, since: UnixMillis) -> Counted {
    let (index, resolver) = (&history.index, history.index.hops());
    let mut counted = Counted::default();
    for row in index.packets(&PacketQuery { limit: usize::MAX, ..PacketQuery::default() }).rows {
        let packet = index.view(row);
        if packet.first_seen() <= since || packet.payload_type() == PayloadType::Trace {
            continue;
        }
        let floods = packet.observations().filter(|copy| copy.path().is_empty() || !copy.route().is_direct());
        let floods: Vec<_> = floods.collect();
        for copy in &floods {
            let way = |copy: &index::ObservationView<'_>| {
                let size = if copy.path().is_empty() { 0 } else { copy.path().hash_size() };
                (size, copy.path().bytes().to_vec())
            };
            let first = floods.iter().find(|other| way(other) == way(copy)).unwrap();
            let hops = first.resolve_path(&resolver);
            let observer = copy.observer().key.parse().ok();
            let mut stations = vec![(packet.sender(), packet.sender())];
            stations.extend(hops.iter().map(|hop| (hop.likely(), hop.named())));
            stations.push((None, observer));
            for place in (0..stations.len() - 1).filter(|place| stations[*place].0 == Some(key)) {
                counted.relayed += u32::from(place > 0);
                let before = place.checked_sub(1).and_then(|before| stations[before].1);
                if let Some(before) = before.filter(|before| *before != key) {
                    counted.links.entry(before).or_default().0 += 1;
                }
                if let Some(after) = stations[place + 1].1.filter(|after| *after != key) {
                    counted.links.entry(after).or_default().1 += 1;
                }
                if place + 2 == stations.len() {
                    let id = index.observer_by_key(&copy.observer().key).unwrap();
                    *counted.observers.entry(id.0).or_default() += 1;
                }
            }
        }
    }
    counted
}

fn counted(links: &NodeLinks) -> Counted {
    Counted {
        links: links.links.iter().map(|link| (link.key, (link.we_hear, link.they_hear))).collect(),
        observers: links.observers.iter().map(|direct| (direct.observer.0, direct.count)).collect(),
        relayed: links.relayed,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn links_of_a_node_equal_a_naive_count(
        before in events(60), copies in proptest::collection::vec(relayed(), 1..60), since in 0..9000i64,
    ) {
        let history = mesh(&before, &copies);
        for since in [UnixMillis(0), START.plus_ms(since * 1000)] {
            for node in 0..NODES {
                let key = NodeKey(node_key(node));
                let links = history.index.node_links(&key, since, &history.index.hops());
                prop_assert!(!links.bounded);
                prop_assert_eq!(counted(&links), naive(&history, key, since));
            }
        }
    }
}

fn copy(node: u8, hops: &[u8], direct: bool, secs: u16) -> Relayed {
    Relayed { node, advert: secs as u8, observer: 5, hops: hops.to_vec(), hash_size: 2, direct, secs }
}

#[test]
fn who_stands_before_is_heard_and_who_stands_after_hears() {
    let key = |node| NodeKey(node_key(node));
    // Repeaters 0 and 3 and room 2 have adverted; observer 5 is no node.
    let copies = [
        copy(0, &[], false, 0),
        copy(3, &[], false, 0),
        copy(2, &[], false, 0),
        copy(1, &[0, 3], false, 1),
        copy(1, &[0, 3], false, 2),
        copy(1, &[3, 0], false, 3),
    ];
    let history = mesh(&[], &copies);
    let links = history.index.node_links(&key(3), UnixMillis(0), &history.index.hops());
    // It heard repeater 0 twice, and was heard by it once; the sender only once.
    let found: Vec<_> = links.links.iter().map(|link| (link.key, link.we_hear, link.they_hear)).collect();
    let observer: NodeKey = history.index.observer_record(model::ObserverId(5)).unwrap().key.parse().unwrap();
    assert_eq!(found, [(key(0), 2, 1), (key(1), 1, 0), (observer, 0, 3)]);
    assert_eq!((links.relayed, links.observers[0].count), (3, 3), "twice relayed and once sent");
}

#[test]
fn a_direct_packet_tells_of_nobody() {
    let key = NodeKey(node_key(3));
    let history = mesh(&[], &[copy(3, &[], false, 0), copy(1, &[0, 3], true, 1), copy(1, &[3], true, 2)]);
    let links = history.index.node_links(&key, UnixMillis(0), &history.index.hops());
    assert_eq!((links.relayed, links.links.len()), (0, 1), "only the observer of its own advert");
}
