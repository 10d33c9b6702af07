//! Forgetting packets gives the index that never had them, and nodes keep what their adverts told.

use std::collections::HashSet;

use index::{Compaction, Index, NodeQuery, Removed};
use model::{Change, NodeRecord, TransmissionId, UnixMillis};
use proptest::prelude::*;

use crate::history::{History, events, options};
use crate::snapshot::snapshot;

/// Forgets what was first seen in the first `share` of the time so far.
fn cutoff(history: &History, share: f64) -> UnixMillis {
    let times: Vec<i64> = history.heard.iter().map(|heard| heard.time.0).collect();
    let (first, last) = (times.iter().min().copied().unwrap_or(0), times.iter().max().copied().unwrap_or(0));
    UnixMillis(first + ((last - first) as f64 * share) as i64)
}

/// What was never there, but for the records of the nodes.
fn replay_without(history: &History, removed: &Removed, records: &[NodeRecord]) -> Index {
    let gone: HashSet<TransmissionId> = removed.packets.iter().map(|packet| packet.transmission).collect();
    let mut index = Index::new(options());
    for record in records {
        index.apply(&Change::Node(record.clone())).unwrap();
    }
    for change in &history.changes {
        match change {
            Change::Transmission(transmission) if gone.contains(&transmission.id) => {}
            Change::Observation(seen) if gone.contains(&seen.transmission) => {}
            other => index.apply(other).unwrap(),
        }
    }
    let next = history.index.next_ids();
    index
        .pass_over_ids(TransmissionId(next.transmission.0 - 1), model::ObservationId(next.observation.0 - 1));
    index
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_is_as_if_the_rest_had_never_been(
        before in events(120), meanwhile in events(30), share in 0.0..1.1_f64, rows in 1..20_u32,
    ) {
        let mut history = History::of(&before);
        let before = cutoff(&history, share);
        let old_enough: HashSet<TransmissionId> =
            history.index.packets(&index::PacketQuery { limit: usize::MAX, ..Default::default() }).rows.iter()
                .map(|row| history.index.view(*row))
                .filter(|packet| packet.first_seen() < before)
                .map(|packet| packet.id())
                .collect();
        let Some(mut compaction) = Compaction::begin(&history.index, before) else {
            prop_assert!(old_enough.is_empty());
            return Ok(());
        };
        for event in meanwhile {
            compaction.step(&history.index, rows).unwrap();
            history.happen(event);
        }
        let mut index = std::mem::replace(&mut history.index, Index::new(options()));
        let (removed, old) = compaction.finish(&mut index).unwrap();
        history.index = old;

        let ids: HashSet<TransmissionId> = removed.packets.iter().map(|packet| packet.transmission).collect();
        prop_assert_eq!(&ids, &old_enough);
        let heard_of_them = history.changes.iter().filter(
            |change| matches!(change, Change::Observation(seen) if ids.contains(&seen.transmission)));
        let observations: usize = removed.packets.iter().map(|packet| packet.observations.len()).sum();
        prop_assert_eq!(observations, heard_of_them.count());
        let expected = replay_without(&history, &removed, &removed.nodes);
        prop_assert_eq!(snapshot(&index, history.now), snapshot(&expected, history.now));
    }

    #[test]
    fn nodes_keep_what_their_adverts_told_however_often_packets_are_forgotten(
        events in events(160), shares in proptest::collection::vec(0.0..1.1_f64, 1..4),
    ) {
        let history = History::of(&events);
        let mut index = replay_without(&history, &Removed::default(), &[]);
        for share in shares {
            if let Some(compaction) = Compaction::begin(&index, cutoff(&history, share)) {
                compaction.finish(&mut index).unwrap();
            }
        }
        let everyone = NodeQuery { limit: usize::MAX, ..NodeQuery::default() };
        let told = |index: &Index| -> Vec<_> {
            let mut nodes: Vec<_> = index.nodes(&everyone).nodes.iter().map(|node| (
                node.key, node.name.clone(), node.role, node.location, node.first_seen, node.last_seen,
                node.advert_count, node.default_scope.clone(),
            )).collect();
            nodes.sort_by_key(|node| node.0);
            nodes
        };
        prop_assert_eq!(told(&index), told(&history.index));
    }
}

#[test]
fn nothing_old_enough_changes_nothing() {
    let history = History::new();
    assert!(Compaction::begin(&history.index, UnixMillis(i64::MAX)).is_none());
}
