//! Coverage of mobile clients equals a naive look at all receptions, and nodes taken off the list stay away.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use index::{Compaction, Coverage, CoverageQuery, Index, NodeQuery};
use meshcore::{FrameBuilder, NodeKey, Route};
use model::{
    Change, ClientId, ClientObserver, NodeRecord, ObserverId, PrunedNode, Reception, ReceptionId,
    SnrQuarterDb, UnixMillis,
};
use proptest::prelude::*;

use crate::history::{History, START, advert, node_key, options};
use crate::snapshot::snapshot;

const CLIENTS: u16 = 4;

fn client(id: u16) -> Change {
    let (key, name) = (format!("{id:064x}").into(), Some(format!("client {id}").into()));
    Change::Client(ClientObserver { id: ClientId(id), key, name, last_seen: UnixMillis(0) })
}

fn key_of(node: u8, bytes: usize) -> Box<[u8]> {
    (0..bytes as u8).map(|place| node.wrapping_mul(place + 1)).collect()
}

/// Receptions within some kilometres, by a handful of clients, of a handful of nodes.
fn receptions(most: usize) -> impl Strategy<Value = Vec<Reception>> {
    let one = (
        0..CLIENTS,
        0..5_000i64,
        1..6u8,
        0..3usize,
        (0..40_000i32, 0..40_000i32),
        proptest::option::of(-100..100i8),
    );
    proptest::collection::vec(one, 0..most).prop_map(|rows| {
        let mut seen = HashSet::new();
        let new = rows.into_iter().filter(|row| seen.insert((row.0, row.1, row.2, row.3)));
        let rows = new.zip(1..).map(|((client, secs, node, length, (lat, lon), snr), id)| Reception {
            id: ReceptionId(id),
            client: ClientId(client),
            time: UnixMillis(secs * 1_000),
            heard: key_of(node, [2, 3, 32][length]),
            location: (47_300_000 + lat, 8_500_000 + lon),
            accuracy_m: None,
            rssi: None,
            snr: snr.map(SnrQuarterDb),
        });
        rows.collect()
    })
}

fn index_of(receptions: &[Reception]) -> Index {
    let mut index = Index::new(options());
    (0..CLIENTS).for_each(|id| index.apply(&client(id)).unwrap());
    receptions.iter().for_each(|row| index.apply(&Change::Reception(row.clone())).unwrap());
    index
}

/// Count, best signal, and the nodes with theirs.
type Cell = (u64, Option<i8>, BTreeSet<(Vec<u8>, u64, Option<i8>)>);

/// The same while it is added up.
type Sum = (u64, Option<i8>, BTreeMap<Vec<u8>, (u64, Option<i8>)>);

/// Everything of a map but where its cells are, which the grid's own tests hold to the ground.
fn by_cell(coverage: &Coverage) -> BTreeMap<String, Cell> {
    let node = |node: &index::HeardNode| (node.heard.to_vec(), node.count, node.best_snr.map(|snr| snr.0));
    let cell = |cell: &index::CoverageCell| {
        let nodes = cell.nodes.iter().map(node).collect();
        (cell.cell.to_string(), (cell.count, cell.best_snr.map(|snr| snr.0), nodes))
    };
    coverage.cells.iter().map(cell).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_map_is_what_the_receptions_in_it_add_up_to(
        rows in receptions(300), south in 0..40_000i32, west in 0..40_000i32, size in 0..40_000i32,
        since in 0..5_000i64, node in proptest::option::of(1..6u8), shown in 0..16u8, resolution in 3..=18u8,
    ) {
        let index = index_of(&rows);
        let clients: Vec<bool> = (0..CLIENTS).map(|id| shown & (1 << id) != 0).collect();
        let (south_west, node) = ((47_300_000 + south, 8_500_000 + west), node.map(|node| {
            NodeKey(key_of(node, 32).as_ref().try_into().unwrap())
        }));
        let north_east = (south_west.0 + size, south_west.1 + size);
        let since = UnixMillis(since * 1_000);
        let query = CoverageQuery {
            south_west, north_east, resolution, since: Some(since), node, clients: &clients,
            max_cells: usize::MAX, max_nodes: usize::MAX,
        };
        let found = index.receptions().coverage(&query);
        let fits = |row: &&Reception| {
            (south_west.0..=north_east.0).contains(&row.location.0)
                && (south_west.1..=north_east.1).contains(&row.location.1)
                && row.time >= since
                && clients[usize::from(row.client.0)]
                && node.is_none_or(|node| node.0.starts_with(&row.heard))
        };
        let fitting: Vec<&Reception> = rows.iter().filter(fits).collect();
        prop_assert_eq!(found.receptions, fitting.len() as u64);
        let heard_by: HashSet<ClientId> = fitting.iter().map(|row| row.client).collect();
        prop_assert_eq!((found.clients, found.truncated), (heard_by.len() as u64, false));
        // One reception at a time gives the cell that it is in.
        let mut naive: BTreeMap<_, Sum> = BTreeMap::new();
        for row in fitting {
            let alone = Reception { id: ReceptionId(1), ..row.clone() };
            let all = CoverageQuery { clients: &[true; CLIENTS as usize], node: None, since: None, ..query };
            let map = index_of(&[alone]).receptions().coverage(&all);
            let cell = naive.entry(map.cells[0].cell.to_string()).or_default();
            let snr = row.snr.map(|snr| snr.0);
            cell.0 += 1;
            cell.1 = cell.1.max(snr);
            let node = cell.2.entry(row.heard.to_vec()).or_default();
            *node = (node.0 + 1, node.1.max(snr));
        }
        let naive: BTreeMap<_, _> = naive.into_iter().map(|(cell, (count, snr, nodes))| {
            (cell, (count, snr, nodes.into_iter().map(|(key, (count, snr))| (key, count, snr)).collect()))
        }).collect();
        prop_assert_eq!(by_cell(&found), naive);
        let capped = index.receptions().coverage(&CoverageQuery { max_cells: 2, max_nodes: 1, ..query });
        prop_assert!(capped.cells.len() <= 2 && capped.cells.iter().all(|cell| cell.nodes.len() <= 1));
        prop_assert_eq!(capped.truncated, found.cells.len() > 2);
        let most: Option<u64> = found.cells.iter().map(|cell| cell.count).max();
        prop_assert_eq!(capped.cells.iter().map(|cell| cell.count).max(), most);
    }

    #[test]
    fn the_leaderboard_counts_receptions_nodes_and_cells_and_shares_cells(rows in receptions(300), since in 0..5_000i64) {
        let index = index_of(&rows);
        let since = UnixMillis(since * 1_000);
        let board = index.receptions().leaderboard(since, &[true; CLIENTS as usize]);
        let cell_of = |row: &Reception| {
            let everywhere = CoverageQuery {
                south_west: (-85_000_000, -180_000_000), north_east: (85_000_000, 180_000_000), resolution: 13,
                since: None, node: None, clients: &[true; CLIENTS as usize], max_cells: 1, max_nodes: 1,
            };
            let alone = index_of(&[Reception { id: ReceptionId(1), ..row.clone() }]);
            alone.receptions().coverage(&everywhere).cells[0].cell
        };
        let recent: Vec<(&Reception, _)> =
            rows.iter().filter(|row| row.time >= since).map(|row| (row, cell_of(row))).collect();
        for row in &board {
            let own = || recent.iter().filter(|(it, _)| it.client == row.client);
            let nodes: HashSet<_> = own().map(|(it, _)| &it.heard).collect();
            let cells: BTreeSet<_> = own().map(|(_, cell)| *cell).collect();
            let share = |cell| {
                let there: HashSet<_> = recent.iter().filter(|it| it.1 == cell).map(|it| it.0.client).collect();
                1.0 / there.len() as f64
            };
            let score: f64 = cells.iter().map(|cell| share(*cell)).sum();
            prop_assert_eq!(
                (row.receptions, row.nodes, row.cells),
                (own().count() as u64, nodes.len() as u64, cells.len() as u64)
            );
            prop_assert!((row.score - score).abs() < 1e-9);
        }
        prop_assert_eq!(board.len(), recent.iter().map(|it| it.0.client).collect::<HashSet<_>>().len());
        prop_assert!(board.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }

    #[test]
    fn receptions_survive_the_forgetting_of_packets_and_a_late_index_catches_up(
        rows in receptions(60), events in crate::history::events(40), part in 0.0..=1.0f64,
    ) {
        let mut history = History::of(&events);
        (0..CLIENTS).for_each(|id| history.apply(client(id)));
        let cut = (rows.len() as f64 * part) as usize;
        rows[..cut].iter().for_each(|row| history.apply(Change::Reception(row.clone())));
        let mut late = Index::new(options());
        history.changes.iter().for_each(|change| late.apply(change).unwrap());
        rows[cut..].iter().for_each(|row| history.apply(Change::Reception(row.clone())));
        for change in history.index.changes_from(late.next_ids()) {
            late.apply(&change).unwrap();
        }
        prop_assert_eq!(snapshot(&late, history.now), snapshot(&history.index, history.now));
        let before = history.index.receptions().leaderboard(UnixMillis(0), &[true; CLIENTS as usize]);
        prop_assert_eq!(late.receptions().leaderboard(UnixMillis(0), &[true; CLIENTS as usize]), before.clone());
        if let Some(mut compaction) = Compaction::begin(&history.index, UnixMillis(i64::MAX)) {
            while !compaction.step(&history.index, 10).unwrap() {}
            compaction.finish(&mut history.index).unwrap();
        }
        let after = history.index.receptions().leaderboard(UnixMillis(0), &[true; CLIENTS as usize]);
        prop_assert_eq!(after, before);
        prop_assert_eq!(history.index.next_ids().reception, ReceptionId(rows.len() as u64 + 1));
    }
}

#[test]
fn forgotten_receptions_are_not_shown() {
    let row = |id: u64| Reception {
        id: ReceptionId(id),
        client: ClientId(0),
        time: UnixMillis(id.cast_signed() * 1_000),
        heard: [1, 2].into(),
        location: (0, 0),
        accuracy_m: None,
        rssi: None,
        snr: None,
    };
    let mut index = index_of(&[row(1), row(2), row(3)]);
    index.forget_receptions_before(UnixMillis(2_000));
    assert_eq!(index.receptions().leaderboard(UnixMillis(0), &[true])[0].receptions, 2);
    assert!(index.has_reception(ClientId(0), &[1, 2], UnixMillis(3_000)));
    assert!(!index.has_reception(ClientId(0), &[1, 2], UnixMillis(4_000)));
}

fn record(last_seen: i64) -> NodeRecord {
    NodeRecord {
        key: NodeKey([7; 32]),
        name: None,
        role: 2,
        location: None,
        first_seen: UnixMillis(1),
        last_seen: UnixMillis(last_seen),
        adverts: 1,
        default_scope: None,
    }
}

#[test]
fn a_pruned_node_is_not_listed_until_a_later_advert_whatever_comes_first() {
    let pruned = |time| Change::Pruned(PrunedNode { key: NodeKey([7; 32]), time: UnixMillis(time) });
    let is_pruned = |changes: &[Change]| {
        let mut index = Index::new(options());
        changes.iter().for_each(|change| index.apply(change).unwrap());
        let node = index.node(&NodeKey([7; 32])).unwrap().is_pruned();
        assert_eq!(index.totals(UnixMillis(0)).nodes_all_time, u64::from(!node));
        node
    };
    let node = |time| Change::Node(record(time));
    assert!(is_pruned(&[node(5), pruned(5)]) && is_pruned(&[pruned(5), node(5)]));
    assert!(!is_pruned(&[node(6), pruned(5)]) && !is_pruned(&[pruned(5), node(6)]));
    assert!(is_pruned(&[pruned(6), node(6), pruned(5)]));
    assert!(is_pruned(&[node(1), pruned(5), node(2)]));
}

#[test]
fn an_advert_heard_after_the_pruning_brings_the_node_back_and_a_late_copy_does_not() {
    let key = NodeKey(node_key(0));
    let frame = |timestamp| {
        let payload = advert(0, timestamp, b"\x82Dam");
        FrameBuilder::new(Route::Flood, &payload).encode()
    };
    let at = |secs: i64| START.plus_ms(secs * 1_000);
    let mut history = History::new();
    history.hear(&frame(1), ObserverId(0), at(0), false);
    history.apply(Change::Pruned(PrunedNode { key, time: at(10) }));
    history.hear(&frame(1), ObserverId(1), at(20), false);
    assert!(history.index.node(&key).unwrap().is_pruned(), "a late copy of an old advert");
    let query = NodeQuery { limit: 10, ..NodeQuery::default() };
    assert_eq!((history.index.nodes(&query).total, history.index.totals(at(0)).nodes_all_time), (0, 0));
    history.hear(&frame(2), ObserverId(2), at(30), false);
    assert!(!history.index.node(&key).unwrap().is_pruned());
    assert_eq!((history.index.nodes(&query).total, history.index.totals(at(0)).nodes_all_time), (1, 1));
    // Said first, as a load does, it is the same.
    let mut changes = history.changes.clone();
    changes.sort_by_key(|change| !matches!(change, Change::Pruned(_)));
    let mut replayed = Index::new(options());
    changes.iter().for_each(|change| replayed.apply(change).unwrap());
    assert_eq!(snapshot(&replayed, history.now), snapshot(&history.index, history.now));
}
