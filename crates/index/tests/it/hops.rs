//! Hops and what follows from them: equal to a naive reading, however the index came to know.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use index::{Compaction, HopKeeper, HopResolver, Index, NAMED_FROM, Node, PacketQuery, TxRow};
use meshcore::{Frame, NodeKey, Payload, PayloadType};
use model::{Change, PrunedNode, UnixMillis};
use parking_lot::RwLock;
use proptest::prelude::*;

use crate::history::{Event, History, events, node_key, options};

/// All that a resolver tells of an index, as text.
fn told(index: &Index) -> String {
    index.refresh_hops();
    let hops = index.hops();
    let mut text = String::new();
    for node in hops.nodes() {
        let key = &node.key;
        writeln!(text, "{node:?} {:?} {:?}", hops.relay(key), hops.scores(key)).unwrap();
        writeln!(text, "  {:?} {:?}", hops.links(key), hops.neighbours(key)).unwrap();
        let packets: Vec<_> = index.packets_of(key).newest().map(|row| index.view(row).id()).collect();
        writeln!(text, "  {packets:?}").unwrap();
    }
    for edge in hops.edges() {
        let neighbour = edge.neighbour();
        let told = (edge.other(), edge.prefix().into_boxed_slice(), edge.count());
        assert_eq!(told, (neighbour.key, neighbour.prefix.clone(), neighbour.count));
        let is_unresolved = neighbour.key.is_none() && neighbour.candidates.is_empty();
        assert_eq!(edge.is_unresolved(), is_unresolved);
        writeln!(text, "{} {neighbour:?}", edge.node()).unwrap();
    }
    for row in all(index) {
        for heard in index.view(row).observations() {
            writeln!(text, "{heard:?} {:?}", heard.resolve_path(&hops)).unwrap();
        }
    }
    text
}

fn all(index: &Index) -> Vec<TxRow> {
    index.packets(&PacketQuery { limit: usize::MAX, ..PacketQuery::default() }).rows
}

fn replay<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Index {
    let mut index = Index::new(options());
    changes.into_iter().for_each(|change| index.apply(change).unwrap());
    index
}

/// The hashes in a frame's path, unless it is a TRACE.
fn hashes(frame: &Frame<'_>) -> Vec<Vec<u8>> {
    if frame.payload_type() == PayloadType::Trace {
        return Vec::new();
    }
    frame.path().hops().map(|hop| hop.bytes().to_vec()).collect()
}

/// How many times two were found beside each other at an end of a path.
fn edges_of(history: &History) -> u64 {
    let of_copy = |heard: &crate::history::Heard| {
        let frame = Frame::parse(&heard.frame).unwrap();
        let is_trace = frame.payload_type() == PayloadType::Trace;
        let sender = match Frame::parse(&history.packets[heard.packet].raw).unwrap().payload() {
            Ok(Payload::Advert(advert)) => Some(advert.key),
            _ => None,
        };
        let observer = history.index.observer_record(heard.observer).unwrap().key.parse().ok();
        match (frame.path().is_empty(), sender) {
            _ if is_trace => 0,
            (true, Some(sender)) => u64::from(Some(sender) != observer),
            (true, None) => 0,
            (false, _) if frame.route().is_direct() => 0,
            (false, sender) => 1 + u64::from(sender.is_some()),
        }
    };
    history.heard.iter().map(of_copy).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn hashes_find_the_packets_that_name_them_and_no_others(events in events(160)) {
        let history = History::of(&events);
        let named: BTreeSet<Vec<u8>> =
            history.heard.iter().flat_map(|heard| hashes(&Frame::parse(&heard.frame).unwrap())).collect();
        for hash in named.iter().chain([&vec![0xEE], &vec![0xEE; 2], &vec![], &vec![1; 4]]) {
            let naming = history.heard.iter().filter(
                |heard| hashes(&Frame::parse(&heard.frame).unwrap()).contains(hash));
            let expected: BTreeSet<_> = naming.map(|heard| history.packets[heard.packet].id).collect();
            let found: Vec<_> =
                history.index.packets_with_hop(hash).map(|row| history.index.view(row).id()).collect();
            prop_assert!(found.iter().rev().eq(expected.iter()), "{:?} {:?} {:?}", hash, found, expected);
        }
    }

    #[test]
    fn every_copy_is_counted_at_the_ends_of_its_path(events in events(160)) {
        let history = History::of(&events);
        history.index.refresh_hops();
        let counted: u64 = history.index.hops().edges().map(|edge| u64::from(edge.count())).sum();
        prop_assert_eq!(counted, edges_of(&history));
    }

    #[test]
    fn what_is_known_of_hops_does_not_depend_on_how_it_came(events in events(160), share in 0.0..1.1_f64) {
        let mut history = History::of(&events);
        let there = told(&history.index);
        prop_assert_eq!(&told(&replay(&history.changes)), &there);
        let mut by_table: Vec<&Change> = history.changes.iter().collect();
        by_table.sort_by_key(|change| matches!(change, Change::Observation(_)));
        prop_assert_eq!(&told(&replay(by_table)), &there);

        let times = history.heard.iter().map(|heard| heard.time.0);
        let (first, last) = (times.clone().min().unwrap(), times.max().unwrap());
        let before = UnixMillis(first + ((last - first) as f64 * share) as i64);
        if let Some(compaction) = Compaction::begin(&history.index, before) {
            let (removed, _) = compaction.finish(&mut history.index).unwrap();
            let gone: BTreeSet<_> = removed.packets.iter().map(|packet| packet.transmission).collect();
            let records: Vec<Change> = removed.nodes.into_iter().map(Change::Node).collect();
            let kept = history.changes.iter().filter(|change| match change {
                Change::Transmission(transmission) => !gone.contains(&transmission.id),
                Change::Observation(seen) => !gone.contains(&seen.transmission),
                _ => true,
            });
            let never_had = replay(records.iter().chain(kept));
            prop_assert_eq!(told(&history.index), told(&never_had));
        }
    }

    #[test]
    fn probabilities_are_probabilities_and_names_fit_their_hashes(events in events(160)) {
        let history = History::of(&events);
        history.index.refresh_hops();
        let hops = history.index.hops();
        for row in all(&history.index) {
            for heard in history.index.view(row).observations() {
                let resolved = heard.resolve_path(&hops);
                let is_trace = heard.transmission().payload_type() == PayloadType::Trace;
                prop_assert_eq!(resolved.len(), if is_trace { 0 } else { heard.path().count() });
                for (hop, resolved) in heard.path().hops().zip(resolved) {
                    prop_assert!((0.0..=1.0).contains(&resolved.posterior));
                    prop_assert!(resolved.node.is_none_or(|key| hop.matches(&key)));
                    prop_assert_eq!(resolved.named().is_some(), resolved.posterior >= NAMED_FROM);
                }
            }
        }
    }
}

#[test]
fn an_empty_index_knows_nobody_and_names_nothing() {
    let index = Index::new(options());
    for resolver in [HopResolver::default(), {
        index.refresh_hops();
        HopResolver::clone(&index.hops())
    }] {
        let path = meshcore::Path::new(3, &[1, 2, 3]).unwrap();
        let resolved = resolver.resolve(path, &index::PathContext::default());
        assert!(resolved.len() == 3 && resolved.iter().all(|hop| hop.node.is_none() && hop.posterior == 0.0));
        assert_eq!(resolver.edges().count(), 0);
    }
    assert!(index.packets_of(&NodeKey(node_key(0))).is_empty());
}

#[test]
fn a_node_taken_off_the_list_is_no_longer_named_though_nothing_new_is_heard() {
    let history = History::of(&(0..40).map(Event::of_packet).collect::<Vec<_>>());
    let index = Arc::new(RwLock::new(replay(&history.changes)));
    let mut keeper = HopKeeper::hiding(Box::new(|_, node| node.is_some_and(Node::is_pruned)));
    assert!(keeper.step(&index, history.now));
    let key = NodeKey(node_key(0));
    let is_hidden = || index.read().hops().node(&key).expect("it adverts").is_hidden;
    assert!(!is_hidden());
    assert!(!keeper.step(&index, history.now), "nothing is new");
    let pruned = PrunedNode { key, time: history.now.plus_ms(1) };
    index.write().apply(&Change::Pruned(pruned)).unwrap();
    assert!(keeper.step(&index, history.now));
    assert!(is_hidden());
}
