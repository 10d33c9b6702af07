//! Any filter, however it is planned, finds what trying it on each packet finds.

use std::sync::Arc;

use filter::{Field, Filter, Kind};
use index::{Budget, Index, Limit, OverBudget, PacketQuery, search};
use model::{TransmissionId, UnixMillis};
use parking_lot::RwLock;
use proptest::prelude::*;

use crate::history::{Event, History, events, options};
use crate::naive;
use crate::queries::{ids, query};

/// What stands in histories, and what does not.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "Observer 1",
        "Observer 3",
        "observer",
        "SFO",
        "oak",
        "MRY",
        "XXX",
        "Public",
        "#test",
        "ours",
        "enc_11",
        "Ann",
        "An",
        "Dam",
        "Dam Nieuw",
        "Room",
        "one",
        "two",
        "e",
        "zzz",
        "10",
        "1077",
        "107778",
        "01",
        "00",
        "1000",
        "1001",
        "decrypted",
        "no_key",
        "decryption_failed",
        "#bay",
        "#north",
        "companion",
        "repeater",
        "UNKNOWN",
        "15",
        "A",
        "^",
        "o",
        "1",
        "",
    ];
    proptest::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        (-130..130i32).prop_map(|n| n.to_string()),
        (0..12i32).prop_map(|n| n.to_string()),
        Just("1.25".to_owned())
    ]
}

fn moment() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..60u32, 0..10u32).prop_map(|(minute, hour)| format!("2026-01-01T{hour:02}:{minute:02}:00Z")),
        (0..300u32).prop_map(|minutes| format!("{minutes}m")),
    ]
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A comparison of the field with something of its kind.
fn test_of(field: Field) -> BoxedStrategy<String> {
    let name = field.name();
    let op = |ops: &'static [&'static str]| proptest::sample::select(ops);
    let texts = &["==", "!=", "contains", "starts_with", "ends_with", "~", "!~"];
    let orders = &["==", "!=", "<", "<=", ">", ">="];
    let usual = match field.kind() {
        Kind::Text | Kind::Texts => prop_oneof![
            4 => (op(texts), word()).prop_map(move |(op, word)| format!("{name} {op} {}", quoted(&word))),
            1 => (word(), word()).prop_map(move |(a, b)| format!("{name} in ({}, {})", quoted(&a), quoted(&b))),
        ]
        .boxed(),
        Kind::Number => prop_oneof![
            4 => (op(orders), number()).prop_map(move |(op, value)| format!("{name} {op} {value}")),
            1 => (number(), number()).prop_map(move |(a, b)| format!("{name} between {a} {b}")),
            1 => (number(), number()).prop_map(move |(a, b)| format!("{name} in ({a}, {b})")),
        ]
        .boxed(),
        Kind::Age => (op(orders), 0..300u32).prop_map(move |(op, m)| format!("{name} {op} {m}m")).boxed(),
        Kind::Time => prop_oneof![
            4 => (op(orders), moment()).prop_map(move |(op, value)| format!("{name} {op} {value}")),
            1 => (moment(), moment()).prop_map(move |(a, b)| format!("{name} between {a} {b}")),
        ]
        .boxed(),
        Kind::Flag => prop_oneof![Just("true"), Just("false")].prop_map(move |v| format!("{name} == {v}")).boxed(),
        Kind::PayloadType => (op(&["==", "!="]), op(&["ADVERT", "GRP_TXT", "TRACE", "ACK", "PATH", "unknown"]))
            .prop_map(move |(op, value)| format!("{name} {op} {value}"))
            .boxed(),
        Kind::Route => (op(&["==", "!="]), op(&["FLOOD", "DIRECT", "TRANSPORT_FLOOD"]))
            .prop_map(move |(op, value)| format!("{name} {op} {value}"))
            .boxed(),
    };
    prop_oneof![6 => usual, 1 => Just(name.to_owned())].boxed()
}

/// Any expression, with all fields.
fn expression() -> impl Strategy<Value = String> {
    // Those that sets and columns answer are asked of more often.
    let plain: Vec<Field> = Field::all().filter(|field| !matches!(field, Field::Payload(_))).collect();
    let of_observation: Vec<Field> =
        plain.iter().copied().filter(|field| field.is_of_observation()).collect();
    let all: Vec<Field> = Field::all().collect();
    let test = |fields: Vec<Field>| proptest::sample::select(fields).prop_flat_map(test_of);
    let leaf = prop_oneof![
        3 => test(plain),
        2 => test(of_observation),
        2 => test(all),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("any({a})")),
            inner.prop_map(|a| format!("all({a})")),
        ]
    })
}

fn passing(index: &Index, filter: &Filter, now: UnixMillis, ids: Vec<TransmissionId>) -> Vec<TransmissionId> {
    let passes = |id: &TransmissionId| filter.matches(&index.transmission(*id).unwrap(), now.0);
    ids.into_iter().filter(passes).collect()
}

fn check(history: &mut History, query: PacketQuery, text: &str, portion: u32) -> Result<(), TestCaseError> {
    let filter =
        Arc::new(Filter::parse(text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?);
    let expected = naive::matching(history, &query);
    let expected = passing(&history.index, &filter, query.now, expected);
    let query = PacketQuery { filter: Some(filter), ..query };
    let page = history.index.packets(&query);
    prop_assert_eq!(page.total, expected.len() as u64, "{}", text);
    let of_page: Vec<_> = expected.iter().skip(query.offset).take(query.limit).copied().collect();
    prop_assert_eq!(ids(&history.index, &page.rows), of_page, "{}", text);

    // The same in portions, and page by page.
    let shared = Arc::new(RwLock::new(std::mem::replace(&mut history.index, Index::new(options()))));
    let searched = |query: &PacketQuery| {
        let found = search(&shared, query, &mut Budget::default(), portion).unwrap();
        found.page(&shared.read(), query).unwrap()
    };
    let found = searched(&query);
    prop_assert_eq!(&found, &page, "{} in portions of {}", text, portion);
    let mut visited = Vec::new();
    let mut paged = PacketQuery { offset: 0, limit: query.limit.max(1), ..query };
    loop {
        let page = searched(&paged);
        visited.extend(ids(&shared.read(), &page.rows));
        let Some(next) = page.next else { break };
        paged.cursor = Some(next.to_string().parse().unwrap());
    }
    prop_assert_eq!(visited, expected, "{} by cursors", text);
    Ok(())
}

#[test]
fn a_search_without_time_ends_and_one_in_a_replaced_index_begins_anew() {
    let mut history = History::new();
    for packet in 0..40 {
        history.happen(Event::of_packet(packet));
    }
    let all = history.index.packets(&PacketQuery { limit: 100, ..PacketQuery::default() });
    let other = History::of(&[Event::of_packet(0)]).index;
    let shared = Arc::new(RwLock::new(std::mem::replace(&mut history.index, Index::new(options()))));
    let filter = Some(Arc::new(Filter::parse("size > 0").unwrap()));
    let query = PacketQuery { limit: 100, filter, ..PacketQuery::default() };

    let mut spent = Budget::until(std::time::Instant::now());
    assert_eq!(search(&shared, &query, &mut spent, 5), Err(OverBudget { what: Limit::Time }));
    let mut few = Budget::default().with_rows(20);
    assert_eq!(search(&shared, &query, &mut few, 5), Err(OverBudget { what: Limit::Rows }));
    let found = search(&shared, &query, &mut Budget::default(), 5).unwrap();
    assert_eq!(found.page(&shared.read(), &query), Some(all.clone()));

    // Another index takes the place of the first one while a slow search is on its way.
    let started = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        let guard = shared.write();
        let searching = scope.spawn(|| {
            started.wait();
            search(&shared, &query, &mut Budget::default(), 1)
        });
        started.wait();
        drop(guard);
        *shared.write() = other;
        let found = searching.join().unwrap().unwrap();
        let is_of_other = found.page(&shared.read(), &query).is_some();
        assert_eq!(found.len(), if is_of_other { 1 } else { all.total });
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_filter_finds_what_trying_it_on_each_packet_finds(
        events in events(80), (query, _) in query(), text in expression(), narrow in any::<bool>(),
        portion in prop_oneof![1..8u32, Just(index::ROWS_PER_GUARD)], resolves in any::<bool>(),
    ) {
        let mut history = History::of(&events);
        if resolves {
            history.index.refresh_hops();
        }
        // Half of the filters stand alone.
        let alone = PacketQuery {
            limit: query.limit, offset: query.offset, order: query.order, sort: query.sort, now: query.now,
            ..PacketQuery::default()
        };
        // Where hops are resolved, a node's packets are also those that it relayed; the tests of hops compare these.
        let query = if resolves { PacketQuery { node: None, nodes: Vec::new(), ..query } } else { query };
        check(&mut history, if narrow { query } else { alone }, &text, portion)?;
    }
}
