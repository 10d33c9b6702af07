//! Packets that only storage has are answered as if they were in memory.

#[allow(
    dead_code,
    reason = "the random histories are those of the index's own tests, which need more of them"
)]
#[path = "../../../index/tests/it/history.rs"]
mod random;

use crate::app::TestApp;
use crate::fuzz::encode;
use api::ApiConfig;
use index::{Compaction, Eviction, Index, SharedIndex};
use model::{Change, NodeKey, TransmissionId, UnixMillis};
use parking_lot::RwLock;
use proptest::prelude::*;
use random::{Event, History, START, events, node_key, observer_record, options};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use storage::{Reader, Removal, Storage, StorageOptions, WriteBatch};

/// When packets are let go (after so many changes), and the share of observations that stays.
type Cuts = Vec<(usize, f64)>;

fn cuts() -> impl Strategy<Value = Cuts> {
    proptest::collection::vec((0..400_usize, 0.0..1.0_f64), 1..6)
}

fn evict(index: &mut Index, share: f64) {
    let observations = index.in_memory().1;
    let eviction = Eviction {
        keep_observations: (observations as f64 * share) as u64,
        least_kept: 0,
        stored: TransmissionId(u64::MAX),
        most_hashes: 1_000,
        segment_transmissions: 3,
        segment_observations: 20,
    };
    if let Some(mut compaction) = Compaction::evict(index, eviction) {
        compaction.prepare();
        compaction.finish(index).unwrap();
    }
}

/// What the changes come to when packets are let go in between. Ingest and the loader apply a transmission and its first
/// observation together, so nothing is let go between the two.
fn replay(changes: &[Change], cuts: &Cuts) -> Index {
    let mut index = Index::new(options());
    let mut waiting = cuts.clone();
    for (number, change) in changes.iter().enumerate() {
        index.apply(change).unwrap();
        if matches!(change, Change::Observation(_)) {
            for (_, share) in waiting.extract_if(.., |(at, _)| *at <= number) {
                evict(&mut index, share);
            }
        }
    }
    index
}

fn store(changes: &[Change], folder: &Path) -> (Storage, Arc<Reader>) {
    let path = folder.join("packets.db");
    let storage = Storage::open(StorageOptions::new(path.clone())).unwrap();
    storage.writer().submit(WriteBatch { changes: changes.to_vec(), on_durable: None }).unwrap();
    storage.writer().flush().unwrap();
    (storage, Arc::new(Reader::open(&path).unwrap()))
}

/// All that is stored, in the order in which a start reads it.
fn stored(reader: &Reader) -> Vec<Change> {
    let mut stored = Vec::new();
    reader.load(&mut |_| {}, &mut |change| stored.push(change)).unwrap();
    stored
}

/// Forgets what was last heard before a time and only storage has, there too; says how many packets and observations.
fn forget(index: &mut Index, before: UnixMillis, storage: &Storage, reader: &Reader) -> (u64, u64) {
    let mut gone = (0, 0);
    while let Some(segment) = index.cold_before(before).cloned() {
        let rows = reader.segment((segment.first, segment.last), &segment.observation_ids).unwrap();
        let removed = index.forget_cold(&segment, &rows.transmissions, &rows.observations).unwrap();
        let packets = removed.packets.iter();
        let removal = Removal {
            transmissions: packets.clone().map(|packet| packet.transmission).collect(),
            observations: packets.flat_map(|packet| packet.observations.clone()).collect(),
            nodes: removed.nodes,
        };
        let rows = storage.writer().remove_packets(removal).unwrap().value;
        gone = (gone.0 + rows.transmissions, gone.1 + rows.observations);
    }
    gone
}

fn app(index: Index, reader: Option<Arc<Reader>>, config: &ApiConfig) -> TestApp {
    let index: SharedIndex = Arc::new(RwLock::new(index));
    let app = TestApp::over(index, config.clone());
    *app.services.reader.lock().unwrap() = reader;
    app
}

/// All lists with their filters, but for the page that is wanted.
fn lists(history: &History) -> Vec<String> {
    let packet = &history.packets[history.packets.len() / 2];
    let middle = history.heard[history.heard.len() / 2].time;
    let middle = jiff::Timestamp::from_millisecond(middle.0).unwrap();
    let mut lists = vec![String::new()];
    for filter in ["type=4", "type=5", "route=1", "region=SFO", "region=nowhere", "node=Dam", "channel=test"]
    {
        lists.push(filter.to_owned());
    }
    for filter in
        ["snr > 0", "any(rssi) < -90 && type != ADVERT", "hops == 0 || iata == SFO", "!(text contains a)"]
    {
        lists.push(format!("filter={}", encode(filter)));
    }
    lists.push(format!("hash={}", packet.hash));
    lists.push(format!("since={middle}&type=4"));
    lists.push(format!("until={middle}"));
    let observer = history.index.observers(history.now)[0].record.key.clone();
    lists.push(format!("observer={observer}"));
    let with_order = lists.iter().flat_map(|list| {
        ["", "&order=asc", "&groupByHash=true", "&groupByHash=true&order=asc", "&expand=observations"]
            .map(|order| format!("/api/packets?{list}{order}"))
    });
    with_order.collect()
}

/// The rows of all pages, one after the other.
async fn walk(app: &TestApp, list: &str, limit: usize) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    for _ in 0..1_000 {
        let page = app.get(&format!("{list}&limit={limit}{cursor}")).await.good();
        rows.extend(page["packets"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
    panic!("{list} has no last page");
}

/// One page, read again when the machine was too busy to read all of it in time.
async fn page(app: &TestApp, path: &str) -> Value {
    for _ in 0..10 {
        let page = app.get(path).await.good();
        let rows = page["packets"].as_array().unwrap().len() as u64;
        let is_short = rows < page["limit"].as_u64().unwrap() && !page["nextCursor"].is_null();
        if !is_short {
            return page;
        }
    }
    panic!("{path} is never whole");
}

async fn same_pages(hot: &TestApp, windowed: &TestApp, list: &str) {
    let all = walk(hot, list, 10_000).await;
    assert_eq!(walk(windowed, list, 10_000).await, all, "{list}");
    assert_eq!(walk(windowed, list, 3).await, all, "{list}");
    for (limit, offset) in [(1, 0), (4, 2), (5, 9), (50, 1), (2, 1_000)] {
        let path = format!("{list}&limit={limit}&offset={offset}");
        let (expected, mut found) = (page(hot, &path).await, page(windowed, &path).await);
        if let Some(bounded) = found.as_object_mut().unwrap().remove("totalIsLowerBound") {
            assert_eq!(bounded, true);
            assert!(found["total"].as_u64() <= expected["total"].as_u64(), "{path}");
            found["total"] = expected["total"].clone();
        }
        assert_eq!(found, expected, "{path}");
    }
}

/// Everything that can be asked of packets, and what they add up to.
async fn same_answers(history: &History, hot: &TestApp, windowed: &TestApp, tidy: fn(Value) -> Value) {
    for list in lists(history) {
        same_pages(hot, windowed, &list).await;
    }
    let mut paths = vec!["/api/packets/timestamps?since=2026-01-01T00:00:00Z".to_owned()];
    for packet in &history.packets {
        paths.push(format!("/api/packets/{}", packet.hash));
        paths.push(format!("/api/packets/{}", packet.id.0));
        paths.push(format!("/api/traces/{}", packet.hash));
    }
    for heard in history.heard.iter().step_by(7) {
        paths.push(format!("/api/packets/{}", heard.id.0));
    }
    for channel in ["%23test", "ours", "Public", "enc_11"] {
        for page in ["limit=500", "limit=2&offset=1", "limit=3&region=SFO"] {
            paths.push(format!("/api/channels/{channel}/messages?{page}"));
        }
    }
    for path in
        ["/api/nodes?limit=500", "/api/observers", "/api/stats", "/api/channels?includeEncrypted=true"]
    {
        paths.push(path.to_owned());
    }
    for search in ["q=a", "q=e&limit=2", "q=", "q=o&region=SFO"] {
        paths.push(format!("/api/messages/search?{search}"));
        paths.push(format!("/api/channels/%23test/messages?{search}"));
    }
    let observers =
        hot.index.read().observers(history.now).iter().map(|view| view.record.key.to_string()).collect();
    paths.extend(of_observers(observers));
    for node in 0..6 {
        paths.push(format!("/api/nodes/{}", NodeKey(node_key(node))));
    }
    for path in paths {
        let (expected, found) = (hot.get(&path).await, windowed.get(&path).await);
        assert_eq!(found.status, expected.status, "{path}");
        let mut found = found.json();
        if found.get("totalIsLowerBound").is_some() {
            found.as_object_mut().unwrap().remove("totalIsLowerBound");
            found["total"] = expected.json()["total"].clone();
        }
        assert_eq!(tidy(found), tidy(expected.json()), "{path}");
    }
    let hashes: Vec<String> = history.packets.iter().map(|packet| packet.hash.to_string()).collect();
    let asked = json!({ "hashes": hashes });
    let found = windowed.post("/api/packets/observations", asked.clone()).await.good();
    assert_eq!(found, hot.post("/api/packets/observations", asked).await.good());
}

/// What is asked of observers alone and in pairs.
fn of_observers(keys: Vec<String>) -> Vec<String> {
    let mut paths = Vec::new();
    let span = "from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z";
    for (number, key) in keys.iter().enumerate() {
        paths.push(format!("/api/observers/{key}/analytics?days=365"));
        let other = &keys[(number + 1) % keys.len()];
        paths.push(format!("/api/observers/compare?a={key}&b={other}&{span}"));
    }
    paths
}

/// Some answers say when they were made. Who relays is learned from the packets in memory alone.
fn without_clocks(mut answer: Value) -> Value {
    for node in answer.get_mut("nodes").and_then(Value::as_array_mut).into_iter().flatten() {
        node.as_object_mut().unwrap().retain(|name, _| !is_learned(name));
    }
    // What kind of packet a late copy is of, and who had a part in it, only storage knows.
    if let Some(fields) = answer.as_object_mut().filter(|fields| fields.contains_key("nodesTimeline")) {
        fields.remove("nodesTimeline");
        fields.remove("packetTypes");
    }
    if let Some(node) = answer.get_mut("node").and_then(Value::as_object_mut) {
        node.retain(|name, _| !is_learned(name));
    }
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("server_time");
        fields.remove("memory");
        fields.retain(|name, _| !name.to_lowercase().contains("mb"));
    }
    answer
}

/// What was the newest and is gone leaves a gap until something newer comes, since only storage knows what was there before
/// it: the last text of a channel, the last packet of an observer and one of its newest.
fn without_newest(answer: Value) -> Value {
    let mut answer = without_clocks(answer);
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("recentPackets");
    }
    for (list, key) in [("channels", "hash"), ("observers", "id")] {
        let Some(rows) = answer.get_mut(list).and_then(Value::as_array_mut) else { continue };
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.retain(|name, _| !name.starts_with("last"));
        }
        rows.sort_by_key(|row| row[key].to_string());
    }
    answer
}

fn is_learned(name: &str) -> bool {
    name.contains("relay")
        || name.ends_with("_score")
        || name.starts_with("usefulness")
        || name.starts_with("multi_byte")
        || name == "transported_scopes"
}

/// Hides two nodes, one by a name that not all of its adverts have, and two observers.
fn hiding() -> ApiConfig {
    let observers = [1, 3].map(|id| observer_record(id).key);
    let node = model::NodeKey(node_key(2)).to_string();
    serde_json::from_value(json!({
        "observerBlacklist": observers, "nodeBlacklist": [node], "hiddenNamePrefixes": ["Dam"],
    }))
    .unwrap()
}

fn check(events: &[Event], cuts: &Cuts, config: &ApiConfig) {
    let history = History::of(events);
    let folder = tempfile::tempdir().unwrap();
    let (_storage, reader) = store(&history.changes, folder.path());
    let stored = stored(&reader);
    let hot = app(replay(&history.changes, &Vec::new()), None, config);
    let live = app(replay(&history.changes, cuts), Some(Arc::clone(&reader)), config);
    // What a start comes to: the same rows in the order in which storage has them, let go at other moments.
    let later = cuts.iter().map(|(at, share)| (at * 2 / 3 + 10, *share)).collect();
    let loaded = app(replay(&stored, &later), Some(reader), config);
    // Who relays is learned from what is in memory; with the same knowledge, the answers are the same.
    for windowed in [&live, &loaded] {
        windowed.index.write().set_hops(hot.index.read().hops());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        same_answers(&history, &hot, &live, without_clocks).await;
        same_answers(&history, &hot, &loaded, without_clocks).await;
    });
}

/// Retention removes the oldest packets, which only storage has; `share` of the time is behind it.
fn check_forgotten(events: &[Event], cuts: &Cuts, share: f64) {
    let history = History::of(events);
    let folder = tempfile::tempdir().unwrap();
    let (storage, reader) = store(&history.changes, folder.path());
    let mut index = replay(&history.changes, cuts);
    let count = |index: &Index| {
        let totals = index.totals(history.now);
        (totals.transmissions, totals.observations)
    };
    let before = START.plus_ms(((history.now.0 - START.0) as f64 * share) as i64);
    let all = count(&index);
    let gone = forget(&mut index, before, &storage, &reader);
    assert_eq!(count(&index), (all.0 - gone.0, all.1 - gone.1));

    // What a start without a budget finds.
    let hot = app(replay(&stored(&reader), &Vec::new()), None, &ApiConfig::default());
    assert_eq!(count(&hot.index.read()), (all.0 - gone.0, all.1 - gone.1));
    let windowed = app(index, Some(reader), &ApiConfig::default());
    windowed.index.write().set_hops(hot.index.read().hops());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(same_answers(&history, &hot, &windowed, without_newest));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn hot_cold_and_mixed_windows_answer_the_same(events in events(160), cuts in cuts()) {
        check(&events, &cuts, &ApiConfig::default());
    }

    #[test]
    fn they_hide_the_same_as_well(events in events(160), cuts in cuts()) {
        check(&events, &cuts, &hiding());
    }

    #[test]
    fn what_retention_takes_from_storage_alone_is_gone_as_if_it_had_never_been(
        events in events(160), cuts in cuts(), share in 0.0..1.0_f64,
    ) {
        check_forgotten(&events, &cuts, share);
    }
}
