//! Replaying the log equals having been there.

use index::Index;
use model::{Change, ObserverId};
use proptest::prelude::*;

use crate::history::{History, events, options};
use crate::snapshot::snapshot;

fn replay<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Index {
    let mut index = Index::new(options());
    for change in changes {
        index.apply(change).unwrap();
    }
    index
}

/// How storage reads them back: one table after the other.
fn table_of(change: &Change) -> u8 {
    match change {
        Change::Head(_) => 0,
        Change::Observer(_) => 1,
        Change::Transmission(_) => 2,
        Change::Metrics(_) => 3,
        Change::Observation(_) => 4,
        Change::Node(_) | Change::Dropped(_) | Change::Client(_) | Change::Pruned(_) => 5,
        Change::Reception(_) => 6,
    }
}

#[test]
fn memory_follows_the_index_however_often_it_is_asked_for() {
    let mut history = History::new();
    for number in 0_u32..1_200 {
        let frame = [&[0x0D, 1, number as u8][..], &number.to_le_bytes()].concat();
        let time = history.now.plus_ms(i64::from(number) * 1_000);
        history.hear(&frame, ObserverId(number as u16 % 3), time, false);
        let known = history.index.memory().total();
        if number % 75 == 0 {
            let exact = replay(&history.changes).memory().total();
            let error = known.abs_diff(exact) as f64 / exact as f64;
            assert!(error < 0.01, "{known} instead of {exact} after {} changes", history.changes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn replaying_the_log_equals_having_been_there(events in events(160)) {
        let history = History::of(&events);
        let there = snapshot(&history.index, history.now);
        prop_assert_eq!(&snapshot(&replay(&history.changes), history.now), &there);

        let mut by_table: Vec<&Change> = history.changes.iter().collect();
        by_table.sort_by_key(|change| table_of(change));
        prop_assert_eq!(&snapshot(&replay(by_table), history.now), &there);
    }

    #[test]
    fn an_observer_is_what_its_last_record_says(events in events(80), region in "[A-Z]{3}") {
        let mut history = History::of(&events);
        let mut record = crate::history::observer_record(2);
        record.iata = Some(region.as_str().into());
        record.name = None;
        history.apply(Change::Observer(record.clone()));
        let there = snapshot(&history.index, history.now);

        // Storage keeps only the last row of an observer.
        let is_older = |change: &Change| matches!(change, Change::Observer(old) if old.id == record.id);
        let kept = history.changes.iter().filter(|change| !is_older(change));
        let last = Change::Observer(record.clone());
        prop_assert_eq!(&snapshot(&replay([&last].into_iter().chain(kept)), history.now), &there);
        let query = index::PacketQuery { regions: Some(vec![region]), ..Default::default() };
        let heard = history.heard.iter().filter(|heard| heard.observer == record.id);
        let packets: std::collections::HashSet<_> = heard.map(|heard| heard.packet).collect();
        prop_assert!(history.index.packets(&query).total >= packets.len() as u64);
    }

    #[test]
    fn an_index_that_was_loaded_earlier_catches_up(events in events(160), part in 0.0..=1.0_f64) {
        let history = History::of(&events);
        let end = (history.changes.len() as f64 * part) as usize;
        let mut late = replay(&history.changes[..end]);
        for change in history.index.changes_from(late.next_ids()) {
            late.apply(&change).unwrap();
        }
        prop_assert_eq!(snapshot(&late, history.now), snapshot(&history.index, history.now));
    }
}
