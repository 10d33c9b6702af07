//! What a node's packets add up to equals a naive count over plain lists.

use std::collections::{BTreeMap, BTreeSet};

use index::{HopResolver, Index, PacketsOf};
use meshcore::{FrameBuilder, NodeKey, PathBuf, PayloadType, Route};
use model::{ObserverId, TransmissionId, UnixMillis};
use proptest::prelude::*;

use crate::history::{Heard, History, OBSERVERS, START, advert, events, node_key};
use crate::naive::{self, Packet};

/// Nodes of the histories: repeaters 0 and 3, a companion, a room, and one that never says what it is.
pub(crate) const NODES: u8 = 5;

/// One copy of an advert that was relayed by some of the nodes.
#[derive(Clone, Debug)]
pub(crate) struct Relayed {
    pub(crate) node: u8,
    pub(crate) advert: u8,
    pub(crate) observer: u16,
    pub(crate) hops: Vec<u8>,
    pub(crate) hash_size: u8,
    pub(crate) direct: bool,
    pub(crate) secs: u16,
}

pub(crate) fn relayed() -> impl Strategy<Value = Relayed> {
    let hops = proptest::collection::vec(0..NODES + 1, 0..4);
    (0..NODES, 0..3u8, 0..OBSERVERS as u16, hops, 1..4u8, proptest::bool::weighted(0.2), 0..9000u16).prop_map(
        |(node, advert, observer, hops, hash_size, direct, secs)| Relayed {
            node,
            advert,
            observer,
            hops,
            hash_size,
            direct,
            secs,
        },
    )
}

/// A history in which nodes relay each other's adverts.
pub(crate) fn mesh(before: &[crate::history::Event], copies: &[Relayed]) -> History {
    let mut history = History::of(before);
    let app_data: [&[u8]; NODES as usize] = [b"\x82Dam", b"\x81Ann", b"\x83Room", b"\x82Hill", b""];
    for copy in copies {
        let app_data = app_data[usize::from(copy.node)];
        let payload = advert(copy.node, 1_000 + u32::from(copy.advert), app_data);
        let mut path = PathBuf::new(copy.hash_size).unwrap();
        for hop in &copy.hops {
            path.push(&node_key(*hop)[..usize::from(copy.hash_size)]).unwrap();
        }
        let route = if copy.direct { Route::Direct } else { Route::Flood };
        let frame = FrameBuilder::new(route, &payload).path(path.as_path()).encode();
        let time = history.now.plus_ms(i64::from(copy.secs) * 1000);
        history.hear(&frame, ObserverId(copy.observer), time, false);
    }
    history.index.refresh_hops();
    history
}

/// The packets of the set as the naive reader has them, newest first.
fn listed<'a>(history: &'a History, packets: &PacketsOf) -> Vec<Packet<'a>> {
    let ids: BTreeSet<TransmissionId> = packets.newest().map(|row| history.index.view(row).id()).collect();
    let mut found: Vec<_> =
        naive::packets(history).into_iter().filter(|packet| ids.contains(&packet.id)).collect();
    found.reverse();
    found
}

fn hops(heard: &Heard) -> usize {
    meshcore::Frame::parse(&heard.frame).unwrap().path().count()
}

fn best<'a>(packet: &Packet<'a>) -> &'a Heard {
    let longest = packet.heard.iter().map(|heard| hops(heard)).max();
    packet.heard.iter().find(|heard| Some(hops(heard)) == longest).unwrap()
}

fn longest_hash(history: &History, key: &NodeKey) -> u8 {
    let mut longest = 0;
    for heard in &history.heard {
        let frame = meshcore::Frame::parse(&heard.frame).unwrap();
        let is_named = frame.path().hops().any(|hop| hop.bytes().len() > 1 && key.0.starts_with(hop.bytes()));
        if is_named && frame.payload_type() != PayloadType::Trace {
            longest = longest.max(frame.path().hash_size());
        }
    }
    longest
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-6,
        (a, b) => a == b,
    }
}

fn check_health(history: &History, packets: &PacketsOf) -> Result<(), TestCaseError> {
    let listed = listed(history, packets);
    let from = START.plus_ms(600_000);
    let health = history.index.node_health(packets, from);
    prop_assert_eq!(health.transmissions, listed.len() as u64);
    prop_assert_eq!(health.observations as usize, listed.iter().map(|p| p.heard.len()).sum::<usize>());
    prop_assert_eq!(health.recent as usize, listed.iter().filter(|p| p.first_seen() >= from).count());
    prop_assert_eq!(health.last_heard, listed.iter().map(Packet::latest).max());
    let snr = listed.iter().filter_map(|packet| best(packet).snr).map(|snr| f64::from(snr.0));
    prop_assert!(close(health.snr.mean(), mean(snr)));
    let lengths = listed.iter().map(|packet| hops(best(packet))).filter(|hops| *hops > 0);
    prop_assert!(close(health.hops.mean(), mean(lengths.map(|hops| hops as f64))));

    let mut counts: BTreeMap<ObserverId, Vec<&Heard>> = BTreeMap::new();
    listed.iter().for_each(|packet| counts.entry(best(packet).observer).or_default().push(best(packet)));
    prop_assert_eq!(health.observers.len(), counts.len());
    prop_assert!(health.observers.is_sorted_by(|a, b| a.packets >= b.packets));
    for share in &health.observers {
        let heard = &counts[&share.observer];
        prop_assert_eq!(share.packets as usize, heard.len());
        prop_assert_eq!(Some(share.first), heard.iter().map(|heard| heard.time).min());
        prop_assert_eq!(Some(share.last), heard.iter().map(|heard| heard.time).max());
        let rssi = heard.iter().filter_map(|heard| heard.rssi).map(f64::from);
        prop_assert!(close(share.rssi.mean(), mean(rssi)));
        let snr = heard.iter().filter_map(|heard| heard.snr).map(|snr| f64::from(snr.0));
        prop_assert!(close(share.snr.mean(), mean(snr)));
    }
    Ok(())
}

fn check_activity(history: &History, packets: &PacketsOf) -> Result<(), TestCaseError> {
    let listed = listed(history, packets);
    let activity = history.index.node_activity(packets);
    prop_assert_eq!(activity.packets, listed.len() as u64);
    let mut hours: BTreeMap<UnixMillis, u32> = BTreeMap::new();
    let mut types: BTreeMap<u8, u64> = BTreeMap::new();
    let mut by_hops = [0u64; 5];
    for packet in &listed {
        let time = packet.first_seen();
        *hours.entry(UnixMillis(time.0 - time.0 % 3_600_000)).or_default() += 1;
        *types.entry(packet.frame.payload_type().code()).or_default() += 1;
        by_hops[hops(best(packet)).min(4)] += 1;
    }
    prop_assert_eq!(&activity.hours, &hours.into_iter().collect::<Vec<_>>());
    let types = types.into_iter().map(|(code, count)| (PayloadType::from_bits(code), count));
    prop_assert_eq!(&activity.types, &types.collect::<Vec<_>>());
    prop_assert_eq!(activity.hops, by_hops);

    let mut times: Vec<_> = listed.iter().map(Packet::first_seen).collect();
    times.sort();
    let longest = times.windows(2).map(|pair| pair[1].0 - pair[0].0).max().filter(|ms| *ms > 0);
    prop_assert_eq!(activity.longest_silence.map(|silence| silence.ms), longest);
    if let Some(silence) = activity.longest_silence {
        let after = times.iter().find(|time| **time > silence.from).unwrap();
        prop_assert_eq!((times.contains(&silence.from), after.0 - silence.from.0), (true, silence.ms));
    }
    let mut signals: Vec<_> = listed.iter().map(best).collect();
    signals.retain(|heard| heard.snr.is_some() || heard.rssi.is_some());
    signals.sort_by_key(|heard| (heard.time, heard.observer));
    prop_assert_eq!(activity.signals.len(), signals.len());
    prop_assert!(
        activity.signals.iter().zip(&signals).all(|(a, b)| (a.time, a.observer) == (b.time, b.observer))
    );
    let deviation =
        mean(signals.iter().filter_map(|heard| heard.snr).map(|snr| f64::from(snr.0))).map(|of_all| {
            let squares =
                signals.iter().filter_map(|heard| heard.snr).map(|snr| (f64::from(snr.0) - of_all).powi(2));
            mean(squares).unwrap().sqrt()
        });
    prop_assert!(close(activity.snr.deviation(), deviation));
    Ok(())
}

/// The nodes of the hops of the best copy, as far as they are likely, and the hashes.
fn way(index: &Index, id: TransmissionId, resolver: &HopResolver) -> Vec<(Option<NodeKey>, String)> {
    let best = index.transmission(id).unwrap().best();
    let resolved = best.resolve_path(resolver);
    let hashes = best.path().hops().map(|hop| format!("{:02x?}", hop.bytes()));
    hashes.zip(resolved).map(|(hash, hop)| (hop.likely(), hash)).collect()
}

fn check_paths(history: &History, key: &NodeKey, packets: &PacketsOf) -> Result<(), TestCaseError> {
    let resolver = history.index.hops();
    let hidden = NodeKey(node_key(3));
    let found = history.index.node_paths(key, packets, &resolver, |key| *key != hidden);
    let mut expected: BTreeMap<Vec<String>, (u32, UnixMillis)> = BTreeMap::new();
    for packet in listed(history, packets) {
        let best = history.index.transmission(packet.id).unwrap().best();
        let resolved = best.resolve_path(&resolver);
        if !resolved.iter().any(|hop| hop.likely() == Some(*key)) {
            continue;
        }
        let hashes = best.path().hops().map(|hop| format!("{:02x?}", hop.bytes()));
        let names = hashes.zip(resolved).map(|(hash, hop)| match (hop.likely(), hop.named()) {
            (Some(node), _) if node == *key => node.to_string(),
            (_, Some(node)) if node != hidden => node.to_string(),
            _ => hash,
        });
        let (count, last) = expected.entry(names.collect()).or_insert((0, packet.first_seen()));
        (*count, *last) = (*count + 1, packet.first_seen().max(*last));
    }
    prop_assert_eq!(found.packets, expected.values().map(|(count, _)| u64::from(*count)).sum::<u64>());
    let mut ranks: Vec<_> = expected.into_values().collect();
    ranks.sort_by(|a, b| b.cmp(a));
    prop_assert_eq!(found.paths.iter().map(|path| (path.packets, path.last_seen)).collect::<Vec<_>>(), ranks);
    for path in &found.paths {
        let sample = history.index.view(path.sample).best();
        prop_assert_eq!(sample.path().count(), path.nodes.len());
        prop_assert!(path.nodes.contains(&Some(*key)));
        prop_assert!(*key == hidden || !path.nodes.contains(&Some(hidden)));
    }
    Ok(())
}

fn check_peers(history: &History, key: &NodeKey, packets: &PacketsOf) -> Result<(), TestCaseError> {
    let resolver = history.index.hops();
    let mut expected: BTreeMap<NodeKey, u32> = BTreeMap::new();
    for packet in listed(history, packets) {
        let view = history.index.transmission(packet.id).unwrap();
        let hops = way(&history.index, packet.id, &resolver);
        let mut stations: Vec<_> = hops.into_iter().map(|(node, _)| node).collect();
        if !view.best().route().is_direct() || view.best().path().is_empty() {
            stations.insert(0, packet.node());
            stations.push(view.best().observer().key.parse().ok());
        }
        let pairs = stations.windows(2).flat_map(|pair| [(pair[0], pair[1]), (pair[1], pair[0])]);
        let beside = pairs.filter_map(|(a, b)| (a == Some(*key)).then_some(b?)).filter(|b| b != key);
        for peer in beside.collect::<BTreeSet<_>>() {
            *expected.entry(peer).or_default() += 1;
        }
    }
    let found = history.index.node_peers(key, packets, &resolver).peers;
    prop_assert!(found.is_sorted_by(|a, b| (b.packets, a.key) < (a.packets, b.key) || b.packets < a.packets));
    let found: BTreeMap<_, _> = found.into_iter().map(|peer| (peer.key, peer.packets)).collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_figure_of_a_node_equals_a_naive_count(
        before in events(60), copies in proptest::collection::vec(relayed(), 1..40), since in 0..9000i64,
    ) {
        let history = mesh(&before, &copies);
        let since = START.plus_ms(since * 1000);
        for node in 0..NODES {
            let key = NodeKey(node_key(node));
            let of = history.index.packets_of(&key);
            let by = history.index.packets_by(&key);
            let adverts = naive::packets(&history).into_iter().filter(|p| p.node() == Some(key));
            prop_assert_eq!(by.len() as usize, adverts.count());
            let recent = history.index.packets_since(&of, since);
            let expected = listed(&history, &of).iter().filter(|p| p.first_seen() > since).count();
            prop_assert_eq!(recent.len() as usize, expected);
            for packets in [&of, &by, &recent] {
                check_health(&history, packets)?;
                check_activity(&history, packets)?;
                check_paths(&history, &key, packets)?;
                check_peers(&history, &key, packets)?;
            }
        }
        for node in 0..=NODES {
            let key = NodeKey(node_key(node));
            prop_assert_eq!(history.index.longest_hop_hash(&key), longest_hash(&history, &key));
        }
        // Ways over a node are worth testing only where some lead over it: those of the others' adverts.
        for (node, sender) in (0..NODES).flat_map(|node| (0..NODES).map(move |sender| (node, sender))) {
            let (key, sender) = (NodeKey(node_key(node)), NodeKey(node_key(sender)));
            let packets = history.index.packets_by(&sender);
            check_paths(&history, &key, &packets)?;
            check_peers(&history, &key, &packets)?;
        }
    }
}

#[test]
fn ways_and_peers_are_found_at_all() {
    let copy = |node, hops: &[u8], secs| Relayed {
        node,
        advert: secs as u8,
        observer: 1,
        hops: hops.to_vec(),
        hash_size: 2,
        direct: false,
        secs,
    };
    let adverts = [copy(0, &[], 0), copy(2, &[], 0), copy(3, &[], 0)];
    let ways = [copy(1, &[0, 2], 1), copy(1, &[0, 2], 2), copy(1, &[2], 3), copy(1, &[3, 4], 4)];
    let history = mesh(&[], &[&adverts[..], &ways].concat());
    let (packets, resolver) = (history.index.packets_by(&NodeKey(node_key(1))), history.index.hops());
    let room = NodeKey(node_key(2));
    let found = history.index.node_paths(&room, &packets, &resolver, |_| true);
    let repeater = Some(NodeKey(node_key(0)));
    assert_eq!((found.packets, found.bounded), (3, false));
    let nodes: Vec<_> = found.paths.iter().map(|path| (path.packets, path.nodes.to_vec())).collect();
    assert_eq!(nodes, [(2, vec![repeater, Some(room)]), (1, vec![Some(room)])]);
    let peers = history.index.node_peers(&room, &packets, &resolver).peers;
    // Observer 1 is node 1, who also sent all of them.
    let peers: Vec<_> = peers.iter().map(|peer| (peer.key, peer.packets)).collect();
    assert_eq!(peers, [(NodeKey(node_key(1)), 3), (NodeKey(node_key(0)), 2)]);
    // Somebody stands between sender and observer, also when nobody knows yet who.
    let relayed = mesh(&[], &[Relayed { observer: 0, ..copy(1, &[2], 1) }]);
    let (sender, packets) = (NodeKey(node_key(1)), relayed.index.packets_by(&NodeKey(node_key(1))));
    assert_eq!(relayed.index.node_peers(&sender, &packets, &HopResolver::default()).peers, []);
}

#[test]
fn of_very_many_packets_counts_are_exact_and_signals_those_of_the_newest() {
    const ADVERTS: u32 = 1_100;
    let mut history = History::new();
    for number in 0..ADVERTS {
        let observer = ObserverId(u16::from(number < 200));
        let payload = advert(3, number, b"\x82Hill");
        let frame = FrameBuilder::new(Route::Flood, &payload).encode();
        history.hear(&frame, observer, START.plus_ms(i64::from(number) * 60_000), false);
    }
    let packets = history.index.packets_by(&NodeKey(node_key(3)));
    let half = START.plus_ms(i64::from(ADVERTS / 2) * 60_000);
    let health = history.index.node_health(&packets, half);
    let counts = (health.transmissions, health.observations, health.recent);
    assert_eq!(counts, (u64::from(ADVERTS), u64::from(ADVERTS), u64::from(ADVERTS / 2)));
    let shares: Vec<_> = health.observers.iter().map(|share| (share.observer.0, share.packets)).collect();
    assert_eq!((shares, health.bounded), (vec![(0, 900), (1, 100)], true), "the newest 1,000");
    let activity = history.index.node_activity(&packets);
    let by_hour: u32 = activity.hours.iter().map(|(_, packets)| packets).sum();
    assert_eq!((activity.packets, by_hour, activity.bounded), (u64::from(ADVERTS), ADVERTS, true));
    let recent = history.index.packets_since(&packets, half);
    assert!(!history.index.node_health(&recent, half).bounded);
}
