//! What observers heard, by hours and side by side, equals a naive count.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use index::{CompareRange, HeardCounts, PacketKind, SignalComparison};
use meshcore::{Frame, Payload, PayloadType};
use model::{Change, ObserverId, ObserverMetrics, TransmissionId, UnixMillis};
use proptest::prelude::*;

use crate::history::{Heard, History, START, event, events};
use crate::messages::{MessageQuery, messages};
use crate::naive::{self, Packet};

const HOUR_MS: i64 = 3_600_000;

/// The signs of nodes in a copy, as the API writes them; a source and a hop of one byte are written alike.
fn signs(frame: &Frame<'_>) -> Vec<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let hops = frame.path().hops().map(|hop| hex(hop.bytes()));
    match frame.payload() {
        Ok(Payload::Advert(advert)) => hops.chain([hex(&advert.key.0)]).collect(),
        Ok(Payload::Text(sealed)) => hops.chain([hex(&[sealed.source]), hex(&[sealed.dest])]).collect(),
        Ok(Payload::Trace(trace)) => {
            trace.entries().take(frame.path().bytes().len()).map(|hop| hex(hop.bytes())).collect()
        }
        _ => hops.collect(),
    }
}

fn check_activity(history: &History, since: UnixMillis, bucket_hours: u32) -> Result<(), TestCaseError> {
    let bucket_ms = i64::from(bucket_hours) * HOUR_MS;
    let bucket = |time: UnixMillis| time.0 / bucket_ms * bucket_ms;
    for observer in 0..6 {
        let id = ObserverId(observer);
        let own = |heard: &&Heard| heard.observer == id && heard.time.0 >= bucket(since);
        let heard: Vec<&Heard> = history.heard.iter().filter(own).collect();
        let mut buckets: BTreeMap<i64, (u64, BTreeSet<String>)> = BTreeMap::new();
        let (mut types, mut snr) = ([0; 16], [0; 32]);
        for heard in &heard {
            let frame = Frame::parse(&heard.frame).unwrap();
            let bucket = buckets.entry(bucket(heard.time)).or_default();
            bucket.0 += 1;
            bucket.1.extend(signs(&frame));
            types[usize::from(frame.payload_type().code())] += 1;
            if let Some(ratio) = heard.snr {
                snr[((ratio.db() + 32.0) / 2.0).floor() as usize] += 1;
            }
        }
        let mut newest: Vec<_> = heard.iter().map(|heard| (heard.time, heard.id)).collect();
        newest.sort();
        newest.reverse();
        newest.truncate(20);

        let found = history.index.observer_activity(id, since, bucket_hours);
        let found_buckets: Vec<_> =
            found.buckets.iter().map(|bucket| (bucket.start.0, bucket.observations, bucket.nodes)).collect();
        let expected: Vec<_> =
            buckets.iter().map(|(start, (count, nodes))| (*start, *count, nodes.len() as u64)).collect();
        prop_assert_eq!(found_buckets, expected);
        prop_assert_eq!((found.sums.types, found.sums.snr), (types, snr));
        let newest: Vec<_> = newest.into_iter().map(|(_, id)| id).collect();
        prop_assert_eq!(found.newest, newest);
    }
    Ok(())
}

/// Neither, only the first, both, only the second.
fn set_of(packet: &Packet<'_>, a: ObserverId, b: ObserverId) -> usize {
    let heard = |id| packet.heard.iter().any(|heard| heard.observer == id);
    match (heard(a), heard(b)) {
        (false, false) => 0,
        (true, false) => 1,
        (true, true) => 2,
        (false, true) => 3,
    }
}

fn count(counts: &mut HeardCounts, set: usize) {
    *[&mut 0, &mut counts.only_a, &mut counts.both, &mut counts.only_b][set] += 1;
}

fn check_comparison(
    history: &History,
    a: ObserverId,
    b: ObserverId,
    from: UnixMillis,
    to: UnixMillis,
) -> Result<(), TestCaseError> {
    let bucket_ms = 600_000;
    let packets = naive::packets(history);
    let inside = packets.iter().filter(|packet| packet.first_seen() >= from && packet.first_seen() <= to);
    let mut counts = HeardCounts::default();
    let mut by_type: BTreeMap<u8, HeardCounts> = BTreeMap::new();
    let mut series: BTreeMap<i64, HeardCounts> = BTreeMap::new();
    let mut rows: [Vec<TransmissionId>; 4] = Default::default();
    let mut signal = SignalComparison::default();
    for packet in inside {
        let set = set_of(packet, a, b);
        rows[set].push(packet.id);
        if set == 0 {
            continue;
        }
        count(&mut counts, set);
        count(by_type.entry(packet.frame.payload_type().code()).or_default(), set);
        count(series.entry(packet.first_seen().0 / bucket_ms * bucket_ms).or_default(), set);
        if set == 2 {
            let of = |id| packet.heard.iter().filter(move |heard| heard.observer == id);
            let first = |id| of(id).map(|heard| heard.time).min().unwrap();
            let best = |id| of(id).filter_map(|heard| heard.snr).max();
            signal.compared += 1;
            match first(a).cmp(&first(b)) {
                std::cmp::Ordering::Less => signal.first_a += 1,
                std::cmp::Ordering::Equal => signal.tied += 1,
                std::cmp::Ordering::Greater => signal.first_b += 1,
            }
            if let (Some(a), Some(b)) = (best(a), best(b)) {
                signal.with_snr += 1;
                signal.stronger_a += u64::from(a > b);
                signal.stronger_b += u64::from(b > a);
                signal.snr_sum_a += i64::from(a.0);
                signal.snr_sum_b += i64::from(b.0);
            }
        }
    }
    let range = CompareRange { from, to, bucket_ms, newest: 3 };
    let found = history.index.compare(a, b, &range).unwrap();
    prop_assert_eq!(found.packets, counts);
    let types: BTreeMap<u8, HeardCounts> =
        found.by_type.iter().map(|(kind, counts)| (kind.code(), *counts)).collect();
    prop_assert_eq!(types, by_type);
    let found_series: BTreeMap<i64, HeardCounts> =
        found.series.iter().map(|bucket| (bucket.start.0, bucket.packets)).collect();
    prop_assert_eq!(found_series, series);
    prop_assert_eq!(found.signal, signal);
    for (found, rows) in found.newest.iter().zip(&rows[1..]) {
        let expected: Vec<_> = rows.iter().rev().take(3).copied().collect();
        prop_assert_eq!(found, &expected);
    }
    Ok(())
}

fn check_scopes(history: &History, since: UnixMillis) -> Result<(), TestCaseError> {
    let scopes = crate::history::options().scopes;
    let found = history.index.scope_stats(since, 300_000);
    let packets = naive::packets(history);
    let inside: Vec<&Packet<'_>> = packets.iter().filter(|packet| packet.first_seen() >= since).collect();
    let transport = |packet: &&&Packet<'_>| packet.frame.route().has_transport_codes();
    prop_assert_eq!(found.transport_total, inside.iter().filter(transport).count() as u64);
    let is_scoped =
        |packet: &&Packet<'_>| packet.frame.transport_codes().is_some_and(|codes| codes.scope != 0);
    let scoped: Vec<&&Packet<'_>> = inside.iter().filter(|packet| is_scoped(packet)).collect();
    prop_assert_eq!(found.scoped, scoped.len() as u64);
    prop_assert_eq!(found.unscoped, (inside.len() - scoped.len()) as u64);
    let mut regions: BTreeMap<&str, u64> = BTreeMap::new();
    for packet in &scoped {
        *regions.entry(scopes.recognise(&packet.frame).unwrap_or("")).or_default() += 1;
    }
    prop_assert_eq!(found.unknown_scope, regions.remove("").unwrap_or(0));
    prop_assert!(found.by_region.is_sorted_by(|a, b| a.1 >= b.1));
    let found_regions = found.by_region.iter().map(|(region, count)| (&**region, *count));
    prop_assert_eq!(found_regions.collect::<BTreeMap<_, _>>(), regions);
    let mut series: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for packet in &inside {
        let bucket = series.entry(packet.first_seen().0 / 300_000 * 300_000).or_default();
        let count = if is_scoped(packet) { &mut bucket.0 } else { &mut bucket.1 };
        *count += 1;
    }
    let found: Vec<_> =
        found.series.iter().map(|bucket| (bucket.start.0, (bucket.scoped, bucket.unscoped))).collect();
    prop_assert_eq!(found, series.into_iter().collect::<Vec<_>>());
    Ok(())
}

pub(crate) fn middle(mut values: Vec<i64>) -> i64 {
    values.sort();
    let (lower, upper) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    lower + (upper - lower) / 2
}

/// By observer and advert: when it heard the advert, less the median of when all did.
pub(crate) fn clock_deviations(history: &History) -> BTreeMap<u16, Vec<i64>> {
    let mut deviations: BTreeMap<u16, Vec<i64>> = BTreeMap::new();
    for packet in naive::packets(history) {
        let mut first: BTreeMap<u16, i64> = BTreeMap::new();
        for heard in &packet.heard {
            let time = first.entry(heard.observer.0).or_insert(heard.time.0);
            *time = heard.time.0.min(*time);
        }
        let is_set = matches!(
            packet.frame.payload(), Ok(Payload::Advert(advert)) if advert.timestamp > 1_577_836_800);
        if is_set && first.len() > 1 {
            let all = middle(first.values().copied().collect());
            first.iter().for_each(|(id, time)| deviations.entry(*id).or_default().push(time - all));
        }
    }
    deviations
}

fn check_clocks(history: &History) -> Result<(), TestCaseError> {
    let deviations = clock_deviations(history);
    let found: BTreeMap<u16, (i64, usize)> = history
        .index
        .clock_offsets()
        .iter()
        .map(|offset| (offset.observer.0, (offset.offset_ms, offset.adverts)))
        .collect();
    let expected: BTreeMap<u16, (i64, usize)> =
        deviations.into_iter().map(|(id, all)| (id, (middle(all.clone()), all.len()))).collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

fn kind(packet: &Packet<'_>) -> PacketKind {
    match packet.frame.payload_type() {
        _ if packet.frame.version() != 0 => PacketKind::Unknown,
        PayloadType::GroupText if matches!(packet.channel(), Some(index::ChannelRef::Name(_))) => {
            PacketKind::ChannelMessage
        }
        payload_type => PacketKind::Payload(payload_type),
    }
}

fn check_samples(history: &History, count: usize) -> Result<(), TestCaseError> {
    let mut kinds: BTreeMap<PacketKind, Vec<(usize, TransmissionId)>> = BTreeMap::new();
    for packet in naive::packets(history) {
        let stored = history.packets.iter().find(|stored| stored.id == packet.id).unwrap();
        kinds.entry(kind(&packet)).or_default().push((stored.raw.len(), packet.id));
    }
    let mut found = BTreeMap::new();
    for sample in history.index.sample_by_length(count) {
        let ids: Vec<_> = sample.rows.iter().map(|row| history.index.view(*row).id()).collect();
        prop_assert!(found.insert(sample.kind, ids).is_none());
    }
    for packets in kinds.values_mut() {
        packets.sort();
    }
    let expected: BTreeMap<_, Vec<TransmissionId>> = kinds
        .into_iter()
        .map(|(kind, packets)| {
            let count = count.min(packets.len());
            (kind, (0..count).map(|i| packets[i * packets.len() / count].1).collect())
        })
        .collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_hours_of_an_observer_equal_a_naive_count(events in events(160), back in 0..100_000_i64) {
        let history = History::of(&events);
        for bucket_hours in [1, 4, 24] {
            check_activity(&history, history.now.plus_ms(-back * 1000), bucket_hours)?;
        }
    }

    #[test]
    fn a_comparison_equals_a_naive_one(
        events in events(160), a in 0..6_u16, b in 0..6_u16, back in 0..50_000_i64, length in 0..50_000_i64,
    ) {
        let history = History::of(&events);
        let from = history.now.plus_ms(-back * 1000);
        check_comparison(&history, ObserverId(a), ObserverId(b), from, from.plus_ms(length * 1000))?;
    }

    #[test]
    fn scopes_and_samples_equal_a_naive_count(
        events in events(160), back in 0..50_000_i64, count in 1..9_usize,
    ) {
        let history = History::of(&events);
        check_scopes(&history, history.now.plus_ms(-back * 1000))?;
        check_samples(&history, count)?;
    }

    #[test]
    fn offsets_of_clocks_equal_a_naive_count(
        heard in proptest::collection::vec((0..6_u32, 0..6_u16, -900..900_i64, 0..4_u8), 1..60),
    ) {
        let mut history = History::new();
        for (number, observer, seconds, hop) in heard {
            // The first was sent by a clock that was never set.
            let timestamp = if number == 0 { 1_000_000 } else { 1_767_225_600 + number };
            let mut path = meshcore::PathBuf::new(1).unwrap();
            path.push(&[hop]).unwrap();
            let advert = crate::history::advert(1, timestamp, b"\x82Dam");
            let frame = meshcore::FrameBuilder::new(meshcore::Route::Flood, &advert).path(path.as_path()).encode();
            history.hear(&frame, ObserverId(observer), START.plus_ms(seconds * 999), false);
        }
        check_clocks(&history)?;
    }

    #[test]
    fn messages_that_stay_are_met_once_while_others_come(
        before in events(80), between in proptest::collection::vec(proptest::collection::vec(event(), 0..4), 1..40),
        limit in 1..5_usize,
    ) {
        let mut history = History::of(&before);
        let mut between = between.into_iter();
        let texts = |history: &History| -> Vec<(TransmissionId, UnixMillis)> {
            let texts = naive::packets(history).into_iter().filter(|packet| {
                packet.frame.payload_type() == PayloadType::GroupText
                    && matches!(packet.channel(), Some(index::ChannelRef::Name(_)))
            });
            texts.map(|packet| (packet.id, packet.latest())).collect()
        };
        let at_start = texts(&history);
        let mut query = MessageQuery { limit, ..MessageQuery::default() };
        let (mut met, mut ends) = (Vec::new(), Vec::new());
        loop {
            let page = messages(&history.index, &query);
            met.extend(page.messages.iter().map(|message| message.transmission.id()));
            ends.extend(page.messages.first().map(index::MessageView::time));
            query.cursor = page.next;
            if page.next.is_none() {
                break;
            }
            between.next().into_iter().flatten().for_each(|event| history.happen(event));
        }
        let once: HashSet<_> = met.iter().copied().collect();
        prop_assert_eq!(once.len(), met.len());
        prop_assert!(ends.is_sorted_by(|a, b| a >= b));
        let at_end = texts(&history);
        for text in at_start {
            prop_assert!(!at_end.contains(&text) || once.contains(&text.0));
        }
        for end in ends {
            let older = at_end.iter().filter(|text| text.1 < end).count();
            let query = MessageQuery { limit: usize::MAX, before: Some(end), ..MessageQuery::default() };
            prop_assert_eq!(messages(&history.index, &query).messages.len(), older);
        }
    }
}

#[test]
fn samples_outlive_packets_and_reach_an_index_that_was_loaded_earlier() {
    let mut history = History::new();
    let mut late = index::Index::new(crate::history::options());
    history.changes.iter().for_each(|change| late.apply(change).unwrap());
    let sample = |minute: i64| ObserverMetrics {
        observer: ObserverId(1),
        time: START.plus_ms(minute * 300_000),
        noise_floor: Some(-100.0 - minute as f32),
        tx_air_secs: Some(1),
        rx_air_secs: None,
        recv_errors: None,
        battery_mv: Some(4_000),
        packets_sent: None,
        packets_recv: None,
    };
    (0..5).for_each(|minute| history.apply(Change::Metrics(sample(minute))));
    let payload = meshcore::PayloadBuf::new(PayloadType::Ack, vec![1; 4]).unwrap();
    let frame = meshcore::FrameBuilder::new(meshcore::Route::Flood, &payload).encode();
    history.hear(&frame, ObserverId(0), START, false);

    let samples = |index: &index::Index| index.observer_samples(ObserverId(1)).collect::<Vec<_>>();
    let told = samples(&history.index);
    assert_eq!(told.len(), 5);
    for change in history.index.changes_from(late.next_ids()) {
        late.apply(&change).unwrap();
    }
    assert_eq!(samples(&late), told);
    index::Compaction::begin(&late, START.plus_ms(1)).unwrap().finish(&mut late).unwrap();
    assert_eq!(samples(&late), told);
}
