//! Pages from memory and storage while the window moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use index::{
    Budget, ColdRows, ColdSegment, Compaction, Eviction, Found, Index, Limit, Order, PacketQuery, Reach,
    SharedIndex,
};
use meshcore::{FrameBuilder, NodeKey, Path, PayloadBuf, PayloadType, Route};
use model::{Change, Observation, ObserverId, Transmission, TransmissionId};
use parking_lot::{Mutex, RwLock};
use proptest::prelude::*;

use crate::history::{Event, History, START, events, options};

/// Storage that moves the window whenever it is read, up to so often: two indexes with other windows take turns.
struct Restless<'a> {
    history: &'a History,
    hot: &'a SharedIndex,
    other: Mutex<Index>,
    moves_left: AtomicU32,
}

impl ColdRows for Restless<'_> {
    fn segment(&self, segment: &ColdSegment) -> Option<Arc<Index>> {
        let (transmissions, observations) = rows_of(self.history, segment);
        let changes = self.hot.read().revive(transmissions, observations);
        let mut index = Index::new(options());
        changes.iter().for_each(|change| index.apply(change).unwrap());
        let next = |left: u32| left.checked_sub(1);
        if self.moves_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() {
            std::mem::swap(&mut *self.hot.write(), &mut *self.other.lock());
        }
        Some(Arc::new(index))
    }
}

fn rows_of(history: &History, segment: &ColdSegment) -> (Vec<Transmission>, Vec<Observation>) {
    let is_in = |id: TransmissionId| (segment.first..=segment.last).contains(&id);
    let (mut transmissions, mut observations) = (Vec::new(), Vec::new());
    for change in &history.changes {
        match change {
            Change::Transmission(one) if is_in(one.id) => transmissions.push(one.clone()),
            Change::Observation(one) if is_in(one.transmission) => observations.push(*one),
            _ => {}
        }
    }
    (transmissions, observations)
}

fn history() -> History {
    History::of(&(0..60).map(Event::of_packet).collect::<Vec<_>>())
}

fn windowed(history: &History, least_kept: u32) -> Index {
    let mut index = Index::new(options());
    history.changes.iter().for_each(|change| index.apply(change).unwrap());
    let eviction = Eviction {
        keep_observations: 0,
        least_kept,
        stored: TransmissionId(u64::MAX),
        most_hashes: 1_000,
        segment_transmissions: 2,
        segment_observations: 20,
    };
    if let Some(compaction) = Compaction::evict(&index, eviction) {
        compaction.finish(&mut index).unwrap();
    }
    index
}

/// The ids of all packets, oldest first, or what kept them from being found.
fn all(moves: u32, patience: Duration) -> Result<Vec<TransmissionId>, Limit> {
    let history = history();
    // Both have an odd number of segments, so that the window at the end of a page is never the one at its beginning.
    let hot: SharedIndex = Arc::new(RwLock::new(windowed(&history, 4)));
    let other = Mutex::new(windowed(&history, 8));
    assert!([hot.read().cold_segments(), other.lock().cold_segments()].iter().all(|all| all.len() % 2 == 1));
    let cold = Restless { history: &history, hot: &hot, other, moves_left: AtomicU32::new(moves) };
    let until = Instant::now() + Duration::from_secs(60);
    let reach = Reach { hot: &hot, cold: &cold, until };
    let query = PacketQuery { limit: 1_000, order: Order::Ascending, ..PacketQuery::default() };
    let mut budget = Budget::until(Instant::now() + patience);
    let page = reach.packets(&query, &mut budget).map_err(|over| over.what)?;
    assert_eq!((page.total, page.next), (page.rows.len() as u64, None));
    Ok(page
        .rows
        .iter()
        .map(|found| match found {
            Found::Hot(id) => *id,
            Found::Cold(index, row) => index.view(*row).id(),
        })
        .collect())
}

#[test]
fn a_page_is_whole_however_often_the_window_moves_under_it() {
    let expected: Vec<_> = history().packets.iter().map(|packet| packet.id).collect();
    for moves in [0, 1, 2, 13, 40, 200] {
        assert_eq!(all(moves, Duration::from_secs(60)), Ok(expected.clone()), "{moves} moves");
    }
}

#[test]
fn a_window_that_never_stands_still_makes_an_error_of_the_question_and_no_empty_page() {
    assert_eq!(all(u32::MAX, Duration::from_millis(50)), Err(Limit::Time));
}

#[test]
fn what_storage_forgets_and_what_is_learned_of_hops_make_another_version() {
    let history = history();
    let mut index = windowed(&history, 6);
    let before = index.version();
    assert_eq!(index.version(), before);
    index.refresh_hops();
    let learned = index.version();
    assert_ne!(learned, before, "resolved paths may have changed");
    let segment = index.cold_segments()[0].clone();
    let (transmissions, observations) = rows_of(&history, &segment);
    assert!(index.forget_cold(&segment, &transmissions, &observations).is_some());
    assert_ne!(index.version(), learned, "lists are shorter");
}

#[test]
fn more_packets_than_are_read_for_a_node_make_the_total_a_lower_bound() {
    let mut history = History::new();
    let key = |second: u8| NodeKey(std::array::from_fn(|place| [0x77, second][place.min(1)]));
    // Two repeaters whose hashes of one byte are the same.
    for (number, second) in [1, 2].into_iter().enumerate() {
        let bytes = [&key(second).0[..], &(number as u32).to_le_bytes(), &[0xEE; 64], b"\x82Twin"].concat();
        let payload = PayloadBuf::new(PayloadType::Advert, bytes).unwrap();
        let frame = FrameBuilder::new(Route::Flood, &payload).encode();
        history.hear(&frame, ObserverId(0), history.now, false);
    }
    let path = Path::new(1, &[0x77]).unwrap();
    let relay = |history: &mut History, from: u32, to: u32| {
        for number in from..to {
            let payload = PayloadBuf::new(PayloadType::Ack, number.to_le_bytes().to_vec()).unwrap();
            let frame = FrameBuilder::new(Route::Flood, &payload).path(path).encode();
            history.hear(&frame, ObserverId(0), history.now, false);
        }
        history.index.refresh_hops();
    };
    let is_bounded = |history: &mut History, query: &PacketQuery| {
        let hot: SharedIndex =
            Arc::new(RwLock::new(std::mem::replace(&mut history.index, Index::new(options()))));
        let reach = Reach { hot: &hot, cold: &Nothing, until: Instant::now() + Duration::from_secs(60) };
        let page =
            reach.packets(query, &mut Budget::until(Instant::now() + Duration::from_secs(60))).unwrap();
        history.index = Arc::into_inner(hot).unwrap().into_inner();
        page.total_is_lower_bound
    };
    let one = PacketQuery { node: Some(key(1)), limit: 10, ..PacketQuery::default() };
    let two = PacketQuery { nodes: vec![key(1), key(2)], limit: 10, ..PacketQuery::default() };
    relay(&mut history, 0, 1_000);
    assert_eq!([is_bounded(&mut history, &one), is_bounded(&mut history, &two)], [false, true]);
    relay(&mut history, 1_000, 1_001);
    assert_eq!(
        [is_bounded(&mut history, &one), is_bounded(&mut history, &PacketQuery::default())],
        [true, false]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn scopes_and_times_are_the_same_wherever_the_packets_are(
        happened in events(80), least_kept in 0..8u32, since in -10..9_000i64,
    ) {
        let history = History::of(&happened);
        let hot: SharedIndex = Arc::new(RwLock::new(windowed(&history, least_kept)));
        let other = Mutex::new(Index::new(options()));
        let cold = Restless { history: &history, hot: &hot, other, moves_left: AtomicU32::new(0) };
        let reach = Reach { hot: &hot, cold: &cold, until: Instant::now() + Duration::from_secs(60) };
        let since = START.plus_ms(since * 1_000);
        let (scopes, times) = (reach.scope_stats(since, 300_000), reach.first_seen_since(since));
        prop_assert!(!scopes.bounded && !times.bounded);
        prop_assert_eq!(scopes.found, history.index.scope_stats(since, 300_000));
        let mut expected: Vec<_> = history.index.first_seen_since(since).collect();
        expected.sort();
        prop_assert_eq!(times.found, expected);
    }
}

/// Storage that has nothing.
struct Nothing;

impl ColdRows for Nothing {
    fn segment(&self, _: &ColdSegment) -> Option<Arc<Index>> {
        None
    }
}
