//! Every query equals a naive scan.

use std::collections::HashMap;
use std::sync::Arc;

use index::{ChannelFilter, ChannelRef, Hidden, Index, NodeQuery, Order, PacketQuery, Sort};
use meshcore::{NodeKey, PacketHash, PayloadType, Route};
use model::{ObserverId, TransmissionId, UnixMillis};
use proptest::option::weighted;
use proptest::prelude::*;

use crate::history::{Event, History, OBSERVERS, START, event, events, node_key};
use crate::messages::{MessageQuery, messages};
use crate::naive;

pub(crate) fn ids(index: &Index, rows: &[index::TxRow]) -> Vec<TransmissionId> {
    rows.iter().map(|row| index.view(*row).id()).collect()
}

/// The hash of a packet is given by its place.
pub(crate) fn query() -> impl Strategy<Value = (PacketQuery, Option<usize>)> {
    let types = [PayloadType::Advert, PayloadType::GroupText, PayloadType::GroupData, PayloadType::Ack];
    let key = || (0..5u8).prop_map(|node| NodeKey(node_key(node)));
    let region = prop_oneof![Just("SFO"), Just("oak"), Just("MRY"), Just("XXX")].prop_map(str::to_owned);
    let name = prop_oneof![Just("Public"), Just("test"), Just("#test"), Just("ours"), Just("none")];
    let channel = prop_oneof![
        name.prop_map(|name| ChannelRef::Name(name.into())),
        Just(ChannelRef::HashByte(0x11)),
        Just(ChannelRef::Encrypted(0x11)),
        any::<u8>().prop_map(ChannelRef::Encrypted),
    ];
    let time = || (-9000..20_000i64).prop_map(|secs| START.plus_ms(secs * 1000));
    let observers = proptest::collection::vec((0..OBSERVERS as u16 + 2).prop_map(ObserverId), 0..3);
    let hidden_observers = proptest::collection::vec((0..OBSERVERS as u16 + 1).prop_map(ObserverId), 0..4);
    let hidden = (hidden_observers, proptest::collection::vec(key(), 0..2))
        .prop_map(|(observers, nodes)| Hidden::new(observers, nodes));
    let order = (any::<bool>(), any::<bool>(), 0..40usize, prop_oneof![4 => Just(0usize), 1 => 0..20usize]);
    let first = (
        weighted(0.3, proptest::sample::select(types.to_vec())),
        weighted(0.2, proptest::sample::select(Route::ALL.to_vec())),
        prop_oneof![2 => Just(Vec::new()), 1 => observers],
        weighted(0.2, proptest::collection::vec(region, 0..3)),
    );
    let second = (
        weighted(0.1, key()),
        prop_oneof![8 => Just(Vec::new()), 1 => proptest::collection::vec(key(), 0..3)],
        weighted(0.2, channel),
        weighted(0.1, 0..30usize),
        weighted(0.3, time()),
        weighted(0.2, time()),
        weighted(0.1, proptest::collection::vec(key(), 0..3)),
        prop_oneof![2 => Just(Hidden::default()), 1 => hidden],
    );
    (order, first, second).prop_map(|((up, latest, limit, offset), first, second)| {
        let query = PacketQuery {
            limit,
            offset,
            cursor: None,
            order: if up { Order::Ascending } else { Order::Descending },
            sort: if latest { Sort::Latest } else { Sort::Id },
            payload_type: first.0,
            route: first.1,
            observers: first.2,
            regions: first.3,
            node: second.0,
            nodes: second.1,
            channel: second.2,
            readable_texts: false,
            hash: None,
            since: second.4,
            until: second.5,
            area_nodes: second.6,
            filter: None,
            hidden: Arc::new(second.7),
            now: START.plus_ms(20_000_000),
        };
        (query, second.3)
    })
}

fn check_query(
    history: &History,
    mut query: PacketQuery,
    packet: Option<usize>,
) -> Result<(), TestCaseError> {
    query.hash =
        packet.map(|place| history.packets.get(place).map_or(PacketHash([0; 8]), |packet| packet.hash));
    let expected = naive::matching(history, &query);
    let page = history.index.packets(&query);
    prop_assert_eq!(page.total, expected.len() as u64);
    let of_page: Vec<_> = expected.iter().skip(query.offset).take(query.limit).copied().collect();
    prop_assert_eq!(ids(&history.index, &page.rows), of_page);
    let more = expected.len() > query.offset.saturating_add(query.limit) && query.limit > 0;
    prop_assert_eq!(page.next.is_some(), more);

    // The same by cursors, page by page.
    let mut visited = Vec::new();
    let mut paged = PacketQuery { offset: 0, limit: query.limit.max(1), ..query };
    loop {
        let page = history.index.packets(&paged);
        prop_assert_eq!(page.total, expected.len() as u64);
        visited.extend(ids(&history.index, &page.rows));
        let Some(next) = page.next else { break };
        paged.cursor = Some(next.to_string().parse().unwrap());
    }
    prop_assert_eq!(visited, expected);
    Ok(())
}

fn check_packets(history: &History) -> Result<(), TestCaseError> {
    let options = crate::history::options();
    for packet in naive::packets(history) {
        let view = history.index.transmission(packet.id).unwrap();
        prop_assert_eq!(view.frame(), packet.frame);
        prop_assert_eq!(history.index.by_hash(packet.frame.content_hash()).unwrap().id(), packet.id);
        prop_assert_eq!((view.first_seen(), view.latest()), (packet.first_seen(), packet.latest()));
        let mut observers: Vec<_> = packet.heard.iter().map(|heard| heard.observer).collect();
        observers.sort();
        observers.dedup();
        prop_assert_eq!(view.observer_count() as usize, observers.len());
        prop_assert_eq!(view.observation_count() as usize, packet.heard.len());
        prop_assert_eq!(view.node().map(|node| node.key), packet.node());
        prop_assert_eq!(view.channel().cloned(), packet.channel());
        let scoped = packet.frame.transport_codes().is_some_and(|codes| codes.scope != 0);
        prop_assert_eq!(view.scope(), scoped.then(|| options.scopes.recognise(&packet.frame).unwrap_or("")));
        let hops = |bytes: &[u8]| meshcore::Frame::parse(bytes).unwrap().path().count();
        let longest = packet.heard.iter().map(|heard| hops(&heard.frame)).max();
        let best = packet.heard.iter().find(|heard| Some(hops(&heard.frame)) == longest).unwrap();
        prop_assert_eq!(view.best().id(), best.id);
        prop_assert_eq!(view.first().id(), packet.heard[0].id);
        for (view, heard) in view.observations().zip(&packet.heard) {
            prop_assert_eq!(view.frame_bytes(), &heard.frame[..]);
            let frame = meshcore::Frame::parse(&heard.frame).unwrap();
            prop_assert_eq!((view.route(), view.path()), (frame.route(), frame.path()));
            prop_assert_eq!(
                (view.id(), view.observer().id, view.time()),
                (heard.id, heard.observer, heard.time)
            );
            prop_assert_eq!((view.snr(), view.rssi()), (heard.snr, heard.rssi));
            prop_assert_eq!(history.index.observation(heard.id).unwrap().transmission().id(), packet.id);
        }
    }
    Ok(())
}

fn check_nodes(history: &History) -> Result<(), TestCaseError> {
    let mut count = 0u64;
    for node in 0..5 {
        let key = NodeKey(node_key(node));
        let (found, expected) = (history.index.node(&key), naive::node(history, key));
        prop_assert_eq!(found.is_some(), expected.is_some());
        let (Some(found), Some(expected)) = (found, expected) else { continue };
        count += 1;
        let sizes = &expected.hash_sizes;
        prop_assert_eq!(found.hash_size, sizes.last().copied());
        prop_assert_eq!(
            found.hash_sizes_seen.to_vec(),
            (1..4).filter(|size| sizes.contains(size)).collect::<Vec<u8>>()
        );
        let changes = sizes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let unsettled =
            sizes.len() >= 3 && sizes[sizes.len() - 3..].windows(2).any(|pair| pair[0] != pair[1]);
        prop_assert_eq!(found.hash_size_inconsistent, changes >= 2 && unsettled);
        let found = naive::NaiveNode {
            name: found.name.as_ref().map(|name| name.raw.to_vec()),
            role: found.role,
            location: found.location,
            times: (found.first_seen, found.last_seen),
            advert_count: found.advert_count,
            hash_sizes: expected.hash_sizes.clone(),
            default_scope: found.default_scope.as_deref().map(str::to_owned),
            last_advert_timestamp: found.last_advert_timestamp,
        };
        prop_assert_eq!(found, expected);
    }
    let page = history.index.nodes(&NodeQuery { limit: 2, offset: 1, ..NodeQuery::default() });
    prop_assert_eq!((page.total, page.nodes.len()), (count, 2.min(count.saturating_sub(1) as usize)));
    for region in ["SFO", "oak"] {
        let regions = [region.to_owned()];
        let packets = naive::packets(history);
        let heard = |key: NodeKey| packets.iter().any(|p| p.node() == Some(key) && p.heard_in(&regions));
        let expected = (0..5).filter(|node| heard(NodeKey(node_key(*node)))).count() as u64;
        let query = NodeQuery { regions: Some(&regions), ..NodeQuery::default() };
        prop_assert_eq!(history.index.nodes(&query).total, expected);
    }
    Ok(())
}

fn check_observers(history: &History) -> Result<(), TestCaseError> {
    let minute = |time: UnixMillis| time.0.div_euclid(60_000);
    let within = |time: UnixMillis, minutes: i64| minute(time) > minute(history.now) - minutes;
    let mut last_hour = 0;
    for view in history.index.observers(history.now) {
        let heard: Vec<_> = history.heard.iter().filter(|heard| heard.observer == view.record.id).collect();
        let last_packet = heard.iter().map(|heard| heard.time).max();
        let recent = heard.iter().filter(|heard| within(heard.time, 60)).count() as u64;
        last_hour += recent;
        prop_assert_eq!(view.packet_count, heard.len() as u64);
        prop_assert_eq!(view.last_packet, last_packet);
        prop_assert_eq!(view.packets_last_hour, recent);
        prop_assert_eq!(view.last_seen, view.record.last_status.max(last_packet).unwrap_or(START));
        let node = view.record.key.parse().ok().and_then(|key| history.index.node(&key));
        prop_assert_eq!(view.role, node.map(|node| node.role));
    }
    let totals = history.index.totals(history.now);
    prop_assert_eq!(totals.observations_last_hour, last_hour);
    let last_day = history.heard.iter().filter(|heard| within(heard.time, 1440)).count() as u64;
    prop_assert_eq!(totals.observations_last_24h, last_day);
    prop_assert_eq!(totals.observations, history.heard.len() as u64);
    prop_assert_eq!(totals.transmissions, history.packets.len() as u64);
    prop_assert_eq!(totals.oldest, history.heard.iter().map(|heard| heard.time).min());
    prop_assert_eq!(totals.newest, history.heard.iter().map(|heard| heard.time).max());
    Ok(())
}

fn check_channels(history: &History) -> Result<(), TestCaseError> {
    let packets = naive::packets(history);
    let oak = ["OAK".to_owned()];
    for regions in [None, Some(&oak[..])] {
        let mut texts: HashMap<ChannelRef, Vec<(UnixMillis, TransmissionId)>> = HashMap::new();
        // Copies heard there, the last of them, and in which packet that was.
        let mut there: HashMap<ChannelRef, (u64, (UnixMillis, TransmissionId))> = HashMap::new();
        for packet in packets.iter().filter(|packet| packet.frame.payload_type() == PayloadType::GroupText) {
            let Some(channel) = packet.channel() else { continue };
            let heard: Vec<_> = packet.heard_of(regions).map(|heard| (heard.time, packet.id)).collect();
            let Some(last) = heard.iter().max().copied() else { continue };
            texts.entry(channel.clone()).or_default().push((packet.latest(), packet.id));
            let (count, newest) = there.entry(channel).or_insert((0, last));
            (*count, *newest) = (*count + heard.len() as u64, last.max(*newest));
        }
        let listed = history.index.channels(&ChannelFilter { regions, include_encrypted: true });
        prop_assert_eq!(listed.len(), texts.len());
        prop_assert!(listed.is_sorted_by_key(|view| std::cmp::Reverse(view.last_activity)));
        for view in listed {
            let texts = texts.get_mut(view.channel).unwrap();
            texts.sort();
            let (copies, last) = there[view.channel];
            let count = if regions.is_some() { copies } else { texts.len() as u64 };
            prop_assert_eq!(view.message_count, count);
            prop_assert_eq!((view.last_activity, view.last), last);
            let query = MessageQuery {
                channel: Some(view.channel),
                regions,
                limit: 2,
                offset: 1,
                ..MessageQuery::default()
            };
            let page = messages(&history.index, &query);
            let end = texts.len() - 1;
            let expected = &texts[end.saturating_sub(2)..end];
            prop_assert_eq!(page.total, texts.len() as u64);
            let found: Vec<_> = page.messages.iter().map(|m| (m.time(), m.transmission.id())).collect();
            prop_assert_eq!(&found[..], expected);
            prop_assert!(page.messages.iter().all(|message| message.message.is_none() == view.encrypted));
        }
        let named = history.index.channels(&ChannelFilter { regions, include_encrypted: false });
        let names = texts.keys().filter(|channel| matches!(channel, ChannelRef::Name(_))).count();
        prop_assert_eq!(named.len(), names);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_query_equals_a_naive_scan(
        events in events(160), queries in proptest::collection::vec(query(), 1..20),
    ) {
        let history = History::of(&events);
        for (query, packet) in queries {
            check_query(&history, query, packet)?;
        }
    }

    #[test]
    fn every_figure_equals_a_naive_count(events in events(160)) {
        let history = History::of(&events);
        check_packets(&history)?;
        check_nodes(&history)?;
        check_observers(&history)?;
        check_channels(&history)?;
        let since = START.plus_ms(60_000);
        let mut expected: Vec<_> = naive::packets(&history).iter().map(naive::Packet::first_seen).collect();
        expected.retain(|time| *time > since);
        expected.sort();
        let mut found: Vec<_> = history.index.first_seen_since(since).collect();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn pages_visit_every_row_once_while_rows_are_added(
        before in events(80), between in proptest::collection::vec(proptest::collection::vec(event(), 0..4), 1..40),
        limit in 1..5usize, up in any::<bool>(), latest in any::<bool>(),
    ) {
        let order = if up { Order::Ascending } else { Order::Descending };
        let sort = if latest { Sort::Latest } else { Sort::Id };
        check_paging(before, between, PacketQuery { limit, order, sort, ..PacketQuery::default() })?;
    }
}

fn check_paging(
    before: Vec<Event>,
    between: Vec<Vec<Event>>,
    mut query: PacketQuery,
) -> Result<(), TestCaseError> {
    let mut history = History::of(&before);
    let at_start: HashMap<_, _> =
        naive::packets(&history).iter().map(|packet| (packet.id, packet.latest())).collect();
    let mut between = between.into_iter();
    let mut visits: HashMap<TransmissionId, u32> = HashMap::new();
    loop {
        let page = history.index.packets(&query);
        for id in ids(&history.index, &page.rows) {
            *visits.entry(id).or_default() += 1;
        }
        let Some(next) = page.next else { break };
        query.cursor = Some(next);
        between.next().into_iter().flatten().for_each(|event| history.happen(event));
    }
    let at_end = naive::packets(&history);
    for packet in &at_end {
        let visited = visits.get(&packet.id).copied().unwrap_or(0);
        let stayed = query.sort == Sort::Id || at_start.get(&packet.id) == Some(&packet.latest());
        if at_start.contains_key(&packet.id) && stayed {
            prop_assert_eq!(visited, 1);
        } else if query.sort == Sort::Id || query.order == Order::Descending {
            prop_assert!(visited <= 1);
        }
    }
    Ok(())
}
