//! The ways that a path of hashes can have gone equal those of a search through all of them.

use std::collections::BTreeMap;

use index::{HopResolver, Index, Inspection, PathQuestion};
use meshcore::NodeKey;
use model::{Change, NodeRecord, UnixMillis};
use proptest::prelude::*;

use crate::history::{START, node_key};
use crate::node_stats::{NODES, Relayed, mesh, relayed};

const DAY_MS: i64 = 86_400_000;

/// A mesh in which some repeaters share their first byte with those of the history, and some are far away.
fn crowded(copies: &[Relayed], twins: u8) -> Index {
    let mut history = mesh(&[], copies);
    for twin in 0..twins {
        let mut key = NodeKey(node_key(twin % NODES));
        key.0[31] ^= 1 + twin;
        let record = NodeRecord {
            key,
            name: None,
            role: 2,
            location: Some((37_000_000 + i32::from(twin) * 1_300_000, -122_000_000)),
            first_seen: START,
            last_seen: START,
            adverts: 1,
            default_scope: None,
        };
        history.index.apply(&Change::Node(record)).unwrap();
    }
    history.index.refresh_hops();
    history.index
}

/// How well a node follows another, from what the resolver tells of both.
fn step(
    hops: &HopResolver,
    question: &PathQuestion,
    before: Option<NodeKey>,
    node: NodeKey,
    share: f64,
) -> f64 {
    let Some(before) = before else { return 0.7 + 0.3 * share };
    let met = hops.neighbours(&before).into_iter().find(|beside| beside.key == Some(node));
    let met = met.filter(|met| question.since.is_none_or(|since| met.last_seen >= since));
    let age = met.as_ref().map_or(0.0, |met| (question.at.0 - met.last_seen.0).max(0) as f64 / 3_600_000.0);
    let edge =
        met.as_ref().map_or(0.0, |met| (f64::from(met.count) / 100.0).min(1.0) * 0.5_f64.powf(age / 168.0));
    let recent = if met.is_none() { 0.0 } else { (24.0 / age.max(24.0)).max(0.1) };
    let km = hops.distance_km(&before, &node).map_or(0.0, f64::from);
    let near = if km > 50.0 { (50.0 / km).max(0.1) } else { 1.0 };
    (0.35 * edge + 0.2 * near + 0.15 * recent + 0.3 * share).max(0.05)
}

/// The scores of all ways, which are few.
fn all_ways(hops: &HopResolver, hashes: &[Vec<u8>], question: &PathQuestion) -> BTreeMap<Vec<NodeKey>, f64> {
    let mut ways: BTreeMap<Vec<NodeKey>, f64> = BTreeMap::from([(Vec::new(), 1.0)]);
    for hash in hashes {
        let candidates: Vec<NodeKey> = hops.candidates(hash).map(|node| node.key).collect();
        let share = 1.0 / candidates.len() as f64;
        let mut longer = BTreeMap::new();
        for (way, product) in &ways {
            for next in candidates.iter().filter(|next| !way.contains(next)) {
                let score = step(hops, question, way.last().copied(), *next, share);
                longer.insert([&way[..], &[*next]].concat(), product * score);
            }
        }
        ways = longer;
    }
    let observer = question.observer.filter(|key| hops.node(key).is_some());
    let steps = hashes.len() + usize::from(observer.is_some());
    let end = |(way, product): (Vec<NodeKey>, f64)| {
        let last = observer.map_or(1.0, |observer| step(hops, question, way.last().copied(), observer, 1.0));
        (way, (product * last).powf(1.0 / steps as f64))
    };
    ways.into_iter().map(end).collect()
}

/// The scores of the others that could stand where a node stands behind these, the best first.
fn alternatives(
    hops: &HopResolver,
    hash: &[u8],
    question: &PathQuestion,
    former: &[NodeKey],
    node: NodeKey,
) -> Vec<f64> {
    let candidates: Vec<NodeKey> = hops.candidates(hash).map(|node| node.key).collect();
    let others = candidates.iter().filter(|other| **other != node && !former.contains(other));
    let share = 1.0 / candidates.len() as f64;
    let mut scores: Vec<f64> =
        others.map(|other| step(hops, question, former.last().copied(), *other, share)).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_ways_of_a_path_equal_those_of_a_search_through_all(
        copies in proptest::collection::vec(relayed(), 1..60), twins in 0..7u8,
        path in proptest::collection::vec(0..NODES, 1..4), size in 1..3_usize,
        observer in proptest::option::of(0..8u8), days in 0..30_i64, since in proptest::option::of(0..9000_i64),
    ) {
        let index = crowded(&copies, twins);
        let hops = index.hops();
        let question = PathQuestion {
            observer: observer.map(|node| NodeKey(node_key(node))),
            since: since.map(|secs| START.plus_ms(secs * 1000)),
            at: START.plus_ms(days * DAY_MS),
        };
        let hashes: Vec<Vec<u8>> = path.iter().map(|node| node_key(*node)[..size].to_vec()).collect();
        let found = hops.inspect(&hashes, &question, |_| true);
        let expected = all_ways(&hops, &hashes, &question);
        prop_assert!(found.paths.is_sorted_by(|a, b| a.score >= b.score));
        // A beam may lose a way, but here there are never more than it is wide before the last hop.
        prop_assert_eq!(found.paths.len(), expected.len().min(Inspection::BEAM_WIDTH));
        for path in &found.paths {
            let way: Vec<NodeKey> = path.hops.iter().map(|hop| hop.node).collect();
            prop_assert!((path.score - expected[&way]).abs() < 1e-6, "{} {}", path.score, expected[&way]);
            for (hop, hash) in path.hops.iter().zip(&hashes) {
                prop_assert_eq!(hop.candidates, hops.candidates(hash).count());
                prop_assert!(hop.alternatives.len() <= 5 && hop.alternatives.is_sorted_by(|a, b| a.1 >= b.1));
                prop_assert!(hop.alternatives.iter().all(|(key, _)| key.0.starts_with(hash) && *key != hop.node));
            }
            for place in 0..way.len() {
                let found: Vec<f64> = path.hops[place].alternatives.iter().map(|(_, score)| *score).collect();
                let expected = alternatives(&hops, &hashes[place], &question, &way[..place], way[place]);
                prop_assert_eq!(found.len(), expected.len().min(5));
                let pairs = || found.iter().zip(&expected);
                prop_assert!(pairs().all(|(a, b)| (a - b).abs() < 1e-6), "{:?} {:?}", found, expected);
            }
        }
    }
}

fn question() -> PathQuestion {
    PathQuestion { observer: None, since: None, at: UnixMillis(START.0) }
}

#[test]
fn a_hash_without_a_node_ends_every_way_and_nothing_is_tried() {
    let index = crowded(&[], 5);
    let hashes = [node_key(0)[..1].to_vec(), vec![0xFF]];
    assert_eq!(index.hops().inspect(&hashes, &question(), |_| true), Inspection::default());
}

#[test]
fn who_may_not_be_named_stands_in_no_way() {
    let index = crowded(&[], 7);
    let hash = [node_key(0)[..1].to_vec()];
    let all = index.hops().inspect(&hash, &question(), |_| true);
    let hidden = all.paths[0].hops[0].node;
    let found = index.hops().inspect(&hash, &question(), |key| *key != hidden);
    assert_eq!((all.paths.len(), found.paths.len()), (2, 1));
    assert!(!format!("{found:?}").contains(&format!("{hidden:?}")));
}

#[test]
fn trials_are_counted_and_a_long_path_is_followed_along_a_beam_only() {
    let index = crowded(&[], 60);
    let of_one = index.hops().candidates(&node_key(1)[..1]).count() as u64;
    assert_eq!(of_one, 12);
    let hashes = vec![node_key(1)[..1].to_vec(); 4];
    let found = index.hops().inspect(&hashes, &question(), |_| true);
    assert_eq!(found.expansions, of_one + of_one * of_one + 2 * 20 * of_one);
    assert_eq!(found.paths.len(), Inspection::BEAM_WIDTH);
    let hashes = vec![node_key(1)[..1].to_vec(); 13];
    assert!(index.hops().inspect(&hashes, &question(), |_| true).paths.is_empty(), "nobody relays twice");
}
