//! What adverts tell of the clocks of nodes equals a naive computation.

use std::collections::BTreeMap;

use index::{ClockSeverity, NodeClock};
use meshcore::{FrameBuilder, NodeKey, Payload, Route};
use model::{ObserverId, UnixMillis};
use proptest::prelude::*;

use crate::history::{History, OBSERVERS, START, advert, node_key};
use crate::naive::{self, Packet};
use crate::observers::{clock_deviations, middle};

/// One copy of an advert, sent at some minute by a clock that is wrong by so much.
#[derive(Clone, Copy, Debug)]
struct Copy {
    node: u8,
    minute: u16,
    wrong_secs: i64,
    observer: u16,
    delay_ms: i64,
}

fn copy() -> impl Strategy<Value = Copy> {
    let wrong = prop_oneof![4 => -400..400_i64, 2 => -4_000..4_000_i64, 1 => -200_000..200_000_i64, 1 => Just(i64::MIN)];
    (0..3u8, 0..40u16, wrong, 0..OBSERVERS as u16, -20_000..20_000_i64).prop_map(
        |(node, minute, wrong_secs, observer, delay_ms)| Copy {
            node,
            minute,
            wrong_secs,
            observer,
            delay_ms,
        },
    )
}

/// Adverts of the same node in the same minute are the same advert, by whatever clock the first copy says.
fn heard(copies: &[Copy]) -> History {
    let mut history = History::new();
    let mut clocks: BTreeMap<(u8, u16), i64> = BTreeMap::new();
    for copy in copies {
        let wrong = *clocks.entry((copy.node, copy.minute)).or_insert(copy.wrong_secs);
        let time = START.plus_ms(i64::from(copy.minute) * 411_000);
        let sent = u32::try_from((time.0 / 1000).saturating_add(wrong)).unwrap_or(1_000_000);
        let payload = advert(copy.node, sent, b"\x82Hill");
        let frame = FrameBuilder::new(Route::Flood, &payload).encode();
        history.hear(&frame, ObserverId(copy.observer), time.plus_ms(copy.delay_ms), false);
    }
    history
}

/// By advert: when it was heard and how wrong it was, as the offsets of observers say.
fn samples(packets: &[Packet<'_>], offsets: &BTreeMap<u16, i64>) -> Vec<(i64, i64)> {
    let mut samples = Vec::new();
    for packet in packets {
        let Ok(Payload::Advert(advert)) = packet.frame.payload() else { continue };
        if advert.timestamp < 1_577_836_800 {
            continue;
        }
        let sent = i64::from(advert.timestamp) * 1000;
        let mut first: BTreeMap<u16, i64> = BTreeMap::new();
        for heard in &packet.heard {
            let time = first.entry(heard.observer.0).or_insert(heard.time.0);
            *time = heard.time.0.min(*time);
        }
        let corrected = first.iter().map(|(id, time)| sent - time + offsets.get(id).copied().unwrap_or(0));
        let skew = middle(corrected.collect());
        samples.push((sent - skew, skew));
    }
    samples.sort();
    samples
}

fn clock_of(history: &History, node: u8, most: usize) -> Option<NodeClock> {
    history.index.clocks().of_node(&NodeKey(node_key(node)), most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn clocks_of_nodes_equal_a_naive_count(copies in proptest::collection::vec(copy(), 1..120), most in 1..30_usize) {
        let history = heard(&copies);
        let offsets: BTreeMap<u16, i64> =
            clock_deviations(&history).into_iter().map(|(id, all)| (id, middle(all))).collect();
        for node in 0..4 {
            let key = NodeKey(node_key(node));
            let adverts: Vec<_> =
                naive::packets(&history).into_iter().filter(|packet| packet.node() == Some(key)).collect();
            let newest = &adverts[adverts.len().saturating_sub(most)..];
            let expected = samples(newest, &offsets);
            let Some(clock) = clock_of(&history, node, most) else {
                prop_assert!(expected.is_empty());
                continue;
            };
            let mut found: Vec<_> =
                clock.samples.iter().map(|sample| (sample.heard.0, sample.skew_ms)).collect();
            prop_assert!(found.is_sorted_by_key(|(heard, _)| *heard));
            found.sort();
            prop_assert_eq!(&found, &expected);
            let mut within_a_day: Vec<i64> =
                expected.iter().map(|(_, skew)| *skew).filter(|skew| skew.abs() <= 86_400_000).collect();
            if within_a_day.is_empty() {
                within_a_day = expected.iter().map(|(_, skew)| *skew).collect();
            }
            prop_assert_eq!(clock.median_ms, middle(within_a_day.clone()));
            let mean = within_a_day.iter().sum::<i64>() as f64 / within_a_day.len() as f64;
            prop_assert!((clock.mean_ms - mean).abs() < 1e-6);
            let last = expected.last().unwrap().0;
            let hour = expected.iter().filter(|(heard, _)| last - heard <= 3_600_000).count();
            prop_assert_eq!(clock.recent, hour.min(5));
            let recent = clock.recent_samples();
            let good = recent.iter().filter(|sample| sample.skew_ms.abs() <= 3_600_000).count();
            prop_assert!((clock.good_fraction() - good as f64 / recent.len() as f64).abs() < 1e-9);
            prop_assert!(clock.drift_per_day_secs.abs() <= 86_400.0);
            let readings: usize =
                clock.samples.iter().map(|sample| history.index.clocks().readings(sample.row).len()).sum();
            prop_assert_eq!(clock.readings, readings);
        }
    }
}

#[test]
fn a_node_is_not_blamed_for_the_clock_of_an_observer() {
    let mut copies = Vec::new();
    // Node 0 tells that observer 2 is two minutes behind; node 1 is heard by observer 2 only.
    for minute in 0..5 {
        for (observer, delay_ms) in [(0, 0), (1, 0), (2, -120_000)] {
            copies.push(Copy { node: 0, minute, wrong_secs: 0, observer, delay_ms });
        }
        let (node, observer, delay_ms) = (1, 2, -120_000);
        copies.push(Copy { node, minute: minute + 10, wrong_secs: 0, observer, delay_ms });
    }
    let history = heard(&copies);
    let clock = clock_of(&history, 1, 200).unwrap();
    // Adverts tell whole seconds, and the history begins 567 ms after one.
    assert_eq!((clock.median_ms, clock.severity), (-567, ClockSeverity::Ok));
    let readings = history.index.clocks().readings(clock.samples[0].row);
    assert_eq!((readings[0].raw_ms, readings[0].offset_ms), (119_433, Some(-120_000)));
    assert_eq!((clock.readings, clock.calibrated), (5, 5));
}

#[test]
fn a_clock_that_was_never_set_tells_nothing() {
    let copies = [Copy { node: 2, minute: 0, wrong_secs: i64::MIN, observer: 0, delay_ms: 0 }];
    assert_eq!(clock_of(&heard(&copies), 2, 200), None);
    assert_eq!(clock_of(&History::new(), 2, 200), None, "nor does a node that is not known");
}

#[test]
fn a_clock_that_runs_fast_drifts() {
    let copies: Vec<Copy> = (0..40)
        .map(|minute| Copy { node: 0, minute, wrong_secs: i64::from(minute), observer: 0, delay_ms: 0 })
        .collect();
    let clock = clock_of(&heard(&copies), 0, 200).unwrap();
    // A second in 411.
    assert!((clock.drift_per_day_secs - 86_400.0 / 411.0).abs() < 1.0, "{}", clock.drift_per_day_secs);
    assert_eq!(clock.samples.len(), 40);
    assert!(UnixMillis(clock.samples[39].heard.0) > START);
}
