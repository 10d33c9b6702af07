//! What a history of 100,000 transmissions and 1,000,000 observations costs: to apply, in memory, and per query.
//!
//! `cargo bench -p index` prints the memory first; `-- page` runs only the queries.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use filter::Filter;
use index::{
    Budget, ChannelFilter, ChannelRef, CompareRange, Index, IndexOptions, MessageView, NodeQuery, Order,
    PacketQuery, ROWS_PER_GUARD, Sort, search,
};
use meshcore::{
    ChannelKey, Frame, FrameBuilder, KeyRing, NodeKey, PathBuf, PayloadBuf, PayloadType, Route, ScopeSet,
};
use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, ObserverMetrics, ObserverRecord,
    SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use parking_lot::RwLock;

const TRANSMISSIONS: u64 = 100_000;
const COPIES: u64 = 10;
const OBSERVERS: u64 = 80;
const NODES: u64 = 400;
const REGIONS: [&str; 5] = ["SFO", "OAK", "SJC", "MRY", "SMF"];

/// Of the first transmission; one follows every six seconds, for a week.
const START: UnixMillis = UnixMillis(1_767_225_600_000);
const STEP_MS: i64 = 6_000;

/// Pseudorandom numbers, the same each time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

fn options() -> IndexOptions {
    let mut keys = KeyRing::with_public();
    (0..300).for_each(|i| keys.add_hashtag(&format!("#channel{i}")));
    IndexOptions { keys: Arc::new(keys), scopes: Arc::new(ScopeSet::from_names(["#bay", "#north"])) }
}

fn node_key(node: u64) -> NodeKey {
    let mut key = [0; 32];
    let mut numbers = Numbers(node);
    key.iter_mut().for_each(|byte| *byte = numbers.below(256) as u8);
    NodeKey(key)
}

fn payload(number: u64, numbers: &mut Numbers) -> PayloadBuf {
    let mut random = |len: usize| (0..len).map(|_| numbers.below(256) as u8).collect::<Vec<u8>>();
    let kind = random(1)[0];
    let (payload_type, bytes) = match kind % 20 {
        0..5 => {
            let node = u64::from(kind) * 7 % NODES;
            let app_data = [&[0x82][..], format!("Repeater {node}").as_bytes()].concat();
            let timestamp = (number as u32).to_le_bytes();
            (PayloadType::Advert, [&node_key(node).0, &timestamp[..], &random(64), &app_data].concat())
        }
        5..10 => {
            let key = match kind / 20 {
                0..6 => ChannelKey::public(),
                channel @ 6..10 => ChannelKey::hashtag(&format!("#channel{channel}")),
                stranger => ChannelKey::hashtag(&format!("#stranger{stranger}")),
            };
            let text = format!("message number {number} of a synthetic mesh");
            return key.encrypt_message(number as u32, "Ann", &text).expect("the text is short");
        }
        10..13 => (PayloadType::Text, random(36)),
        13..15 => (PayloadType::Ack, random(6)),
        15..17 => (PayloadType::PathReturn, random(20)),
        17..19 => (PayloadType::Request, random(20)),
        _ => (PayloadType::AnonRequest, random(51)),
    };
    PayloadBuf::new(payload_type, bytes).expect("payloads have 4 to 140 bytes")
}

/// One of the ways from a place in the mesh to an observer: some 12 different ones each, of up to seven hops.
fn way(origin: u64, observer: u64, numbers: &mut Numbers) -> PathBuf {
    let mut hops = Numbers(origin << 32 | observer << 16 | numbers.below(12));
    let mut path = PathBuf::new(1).expect("one byte is a hash size");
    for _ in 0..hops.below(8) {
        path.push(&[hops.below(250) as u8]).expect("seven hops fit");
    }
    path
}

/// The history in the order of events. Observations apart from the rest, which is much larger.
struct History {
    /// With the number of observations that come before it.
    rest: Vec<(usize, Change)>,
    observations: Vec<Observation>,
}

impl History {
    fn new() -> History {
        let mut history = History { rest: Vec::new(), observations: Vec::new() };
        let mut numbers = Numbers(1);
        let mut heads = std::collections::HashMap::new();
        (0..OBSERVERS).for_each(|id| history.rest.push((0, Change::Observer(observer(id)))));
        for number in 0..TRANSMISSIONS {
            let payload = payload(number, &mut numbers);
            let origin = numbers.below(100);
            let first_observer = numbers.below(OBSERVERS);
            for copy in 0..COPIES {
                let observer = (first_observer + copy * 7) % OBSERVERS;
                let path = way(origin, observer, &mut numbers);
                let frame = FrameBuilder::new(Route::Flood, &payload).path(path.as_path()).encode();
                if copy == 0 {
                    history.store(number, &frame);
                }
                let head: Box<[u8]> = [&[1, path.as_path().byte()], path.as_path().bytes()].concat().into();
                let next = heads.len() as u32;
                let id = *heads.entry(head.clone()).or_insert(next);
                if id == next {
                    let change = Change::Head(FrameHead { id: HeadId(id), bytes: head });
                    history.rest.push((history.observations.len(), change));
                }
                let late = (copy * 400 + numbers.below(300)) as i64;
                history.observe(number, observer, HeadId(id), START.plus_ms(number as i64 * STEP_MS + late));
            }
        }
        history
    }

    fn store(&mut self, number: u64, raw: &[u8]) {
        let hash = Frame::parse(raw).expect("just built").content_hash();
        let transmission = Transmission { id: TransmissionId(number + 1), hash, raw: raw.into() };
        self.rest.push((self.observations.len(), Change::Transmission(transmission)));
    }

    fn observe(&mut self, number: u64, observer: u64, head: HeadId, time: UnixMillis) {
        let id = ObservationId(self.observations.len() as u64 + 1);
        self.observations.push(Observation {
            id,
            transmission: TransmissionId(number + 1),
            observer: ObserverId(observer as u16),
            time,
            head,
            snr: Some(SnrQuarterDb(id.0 as i8)),
            rssi: Some(-100),
            score: None,
        });
    }

    fn replay(&self) -> Index {
        let mut index = Index::new(options());
        let mut rest = self.rest.iter().peekable();
        for (place, observation) in self.observations.iter().enumerate() {
            while let Some((_, change)) = rest.next_if(|(before, _)| *before <= place) {
                index.apply(change).expect("the history is in order");
            }
            index.apply(&Change::Observation(*observation)).expect("the history is in order");
        }
        index
    }
}

fn observer(id: u64) -> ObserverRecord {
    ObserverRecord {
        id: ObserverId(id as u16),
        key: node_key(id).to_string().to_uppercase().into(),
        name: Some(format!("Observer {id}").into()),
        iata: Some(REGIONS[id as usize % REGIONS.len()].into()),
        model: None,
        firmware: None,
        client_version: None,
        radio: None,
        battery_mv: None,
        uptime_secs: None,
        noise_floor: None,
        can_relay: None,
        first_seen: START,
        last_status: None,
        online: None,
        clock_skew_secs: None,
        clock_last_naive: None,
    }
}

/// Resident kilobytes, where the system says.
fn resident_kb() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}

fn queries() -> Vec<(&'static str, PacketQuery)> {
    let page = PacketQuery { limit: 50, ..PacketQuery::default() };
    let end = START.plus_ms(TRANSMISSIONS as i64 * STEP_MS);
    let sfo = || Some(vec!["SFO".to_owned()]);
    let text = Some(PayloadType::GroupText);
    let latest = PacketQuery { sort: Sort::Latest, ..page.clone() };
    vec![
        ("newest", page.clone()),
        ("offset 50,000", PacketQuery { offset: 50_000, ..page.clone() }),
        ("type", PacketQuery { payload_type: text, ..page.clone() }),
        (
            "type and observer",
            PacketQuery { payload_type: text, observers: vec![ObserverId(3)], ..page.clone() },
        ),
        ("region", PacketQuery { regions: sfo(), ..page.clone() }),
        (
            "type, region, last day",
            PacketQuery {
                payload_type: text,
                regions: sfo(),
                since: Some(end.plus_ms(-86_400_000)),
                ..page.clone()
            },
        ),
        (
            "middle of the week",
            PacketQuery {
                since: Some(START.plus_ms(200_000_000)),
                until: Some(START.plus_ms(400_000_000)),
                ..page.clone()
            },
        ),
        ("node", PacketQuery { node: Some(node_key(7)), ..page.clone() }),
        ("channel", PacketQuery { channel: Some(ChannelRef::Name("#channel7".into())), ..page.clone() }),
        ("nothing: no such region", PacketQuery { regions: Some(vec!["XXX".into()]), ..page.clone() }),
        (
            "nothing: all filters",
            PacketQuery {
                payload_type: Some(PayloadType::Trace),
                regions: sfo(),
                since: Some(START),
                ..page.clone()
            },
        ),
        ("latest", latest.clone()),
        ("latest, ascending", PacketQuery { order: Order::Ascending, ..latest.clone() }),
        ("latest, type and region", PacketQuery { payload_type: text, regions: sfo(), ..latest.clone() }),
        ("latest, rare node", PacketQuery { node: Some(node_key(7)), ..latest.clone() }),
        ("latest, only old ones", PacketQuery { until: Some(START.plus_ms(100_000_000)), ..latest }),
    ]
}

fn apply(c: &mut Criterion) {
    let history = History::new();
    let (before, started) = (resident_kb(), Instant::now());
    let index = history.replay();
    let (took, after) = (started.elapsed(), resident_kb());
    let heads = index.next_ids().head.0;
    println!("{TRANSMISSIONS} transmissions, {} observations, {heads} heads", history.observations.len());
    println!("applied in {took:?}; resident +{} KB", after.saturating_sub(before));
    let memory = index.memory();
    memory.parts.iter().for_each(|(part, bytes)| println!("  {part:26} {bytes:>12}"));
    println!("  {:26} {:>12}", "total", memory.total());
    drop(index);

    let mut group = c.benchmark_group("apply");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    group.throughput(criterion::Throughput::Elements(history.observations.len() as u64));
    group.bench_function("whole history", |b| {
        b.iter_batched(|| (), |()| history.replay(), BatchSize::PerIteration);
    });
    group.finish();
}

fn page(c: &mut Criterion) {
    let index = History::new().replay();
    let now = START.plus_ms(TRANSMISSIONS as i64 * STEP_MS);
    let mut group = c.benchmark_group("page");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (name, query) in queries() {
        group.bench_function(name, |b| b.iter(|| index.packets(black_box(&query))));
    }
    group.finish();

    let mut group = c.benchmark_group("figures");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group.bench_function("totals", |b| b.iter(|| index.totals(black_box(now))));
    group.bench_function("observers", |b| b.iter(|| index.observers(black_box(now)).len()));
    group.bench_function("nodes", |b| {
        b.iter(|| index.nodes(black_box(&NodeQuery { limit: 50, ..NodeQuery::default() })).total);
    });
    let all = ChannelFilter { regions: None, include_encrypted: true };
    group.bench_function("channels", |b| b.iter(|| index.channels(black_box(&all)).len()));
    let public = ChannelRef::Name("Public".into());
    group.bench_function("100 messages", |b| {
        let query = PacketQuery { channel: Some(public.clone()), limit: 100, ..texts() };
        b.iter(|| {
            let rows = index.packets(black_box(&query)).rows.into_iter();
            rows.filter_map(|row| MessageView::of(index.view(row)).message).count()
        });
    });
    let frames = PacketQuery { limit: 50, ..PacketQuery::default() };
    group.bench_function("50 rows read", |b| {
        b.iter(|| {
            let rows = index.packets(&frames).rows;
            rows.into_iter().map(|row| index.view(row).best().frame_bytes().len()).sum::<usize>()
        });
    });
    group.finish();
}

/// Texts to channels, the one heard last first.
fn texts() -> PacketQuery {
    PacketQuery { sort: Sort::Latest, payload_type: Some(PayloadType::GroupText), ..PacketQuery::default() }
}

fn listeners(c: &mut Criterion) {
    let index = History::new().replay();
    let now = START.plus_ms(TRANSMISSIONS as i64 * STEP_MS);
    let mut group = c.benchmark_group("listeners");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (name, days, bucket_hours) in
        [("analytics of a day", 1, 1), ("of 7 days", 7, 4), ("of 30 days", 30, 24)]
    {
        let since = now.plus_ms(-days * 86_400_000);
        group.bench_function(name, |b| {
            b.iter(|| index.observer_activity(ObserverId(3), black_box(since), bucket_hours).buckets.len());
        });
    }
    for (name, days) in [("comparison of a day", 1), ("of the week", 7)] {
        let range =
            CompareRange { from: now.plus_ms(-days * 86_400_000), to: now, bucket_ms: 3_600_000, newest: 20 };
        group.bench_function(name, |b| {
            b.iter(|| {
                index.compare(ObserverId(3), ObserverId(10), black_box(&range)).map(|found| found.packets)
            });
        });
    }
    for (name, days, bucket_ms) in [("scopes of a day", 1, 3_600_000), ("of 7 days", 7, 21_600_000)] {
        let since = now.plus_ms(-days * 86_400_000);
        group.bench_function(format!("scopes {name}"), |b| {
            b.iter(|| index.scope_stats(black_box(since), bucket_ms).scoped);
        });
    }
    group.bench_function("eight of each kind", |b| b.iter(|| index.sample_by_length(black_box(8)).len()));
    let regions = ["SFO".to_owned()];
    let there = ChannelFilter { regions: Some(&regions), include_encrypted: true };
    group.bench_function("channels of a region", |b| b.iter(|| index.channels(black_box(&there)).len()));
    let all = PacketQuery { limit: 5_000, readable_texts: true, ..texts() };
    let rows = index.packets(&all).rows;
    group.bench_function("places of 5,000 messages", |b| {
        b.iter(|| index.packets(black_box(&all)).rows.len());
    });
    group.bench_function("5,000 messages decrypted", |b| {
        b.iter(|| rows.iter().filter(|row| MessageView::of(index.view(**row)).message.is_some()).count());
    });
    group.finish();
    samples(c);
}

/// The last day of many observers at once.
fn samples(c: &mut Criterion) {
    let mut group = c.benchmark_group("samples of a day");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for observers in [50, 2_000] {
        let mut index = Index::new(options());
        for id in 0..observers {
            index.apply(&Change::Observer(observer(id))).expect("ids rise");
            for sample in 0..288 {
                let metrics = ObserverMetrics {
                    observer: ObserverId(id as u16),
                    time: START.plus_ms(sample * 300_000),
                    noise_floor: Some(-110.0 + (sample % 9) as f32),
                    tx_air_secs: None,
                    rx_air_secs: None,
                    recv_errors: None,
                    battery_mv: Some(4_000),
                    packets_sent: None,
                    packets_recv: None,
                };
                index.apply(&Change::Metrics(metrics)).expect("the observer is there");
            }
        }
        group.bench_function(format!("{observers} observers"), |b| {
            b.iter(|| {
                let all = (0..observers).flat_map(|id| index.observer_samples(ObserverId(id as u16)));
                all.filter(|sample| sample.time >= black_box(START))
                    .filter_map(|sample| sample.noise_floor)
                    .sum::<f32>()
            });
        });
    }
    group.finish();
}

/// Filters that match nothing, and some that match.
const FILTERS: [&str; 22] = [
    "hash == 0000000000000000",
    "snr > 31",
    "any(snr) > 31",
    "any(rssi) > 0",
    "hops > 63",
    "any(hops) > 63",
    "payload.text contains \"zzz\"",
    "text ~ \"zzz\"",
    "payload.name ~ \"^zzz\"",
    "observer == nobody",
    "any(observer == nobody)",
    "routed_through == nobody",
    "path == ZZ",
    "any(path == ZZ)",
    "any(age < 1s)",
    "any(snr > 31 && iata == SFO)",
    "type == ADVERT && any(rssi) > 0",
    "raw contains \"zzz\"",
    "type == ADVERT && hops > 2",
    "any(snr) > 5",
    "age < 1d && iata == SFO",
    "routed_through == \"Repeater 7\"",
];

/// The time that this thread was on a processor, which others on the machine do not change.
fn cpu_time(work: impl FnOnce()) -> Duration {
    let spent = || -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let before = spent();
    work();
    Duration::from_nanos(spent().zip(before).map_or(0, |(after, before)| after - before))
}

fn filter(c: &mut Criterion) {
    let index = History::new().replay();
    let started = Instant::now();
    index.refresh_hops();
    println!("hops learned in {:?}", started.elapsed());
    let now = START.plus_ms(TRANSMISSIONS as i64 * STEP_MS);
    let index = Arc::new(RwLock::new(index));
    let mut group = c.benchmark_group("filter");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    for text in FILTERS {
        let filter = Some(Arc::new(Filter::parse(text).expect("the filters are well-formed")));
        let query = PacketQuery { limit: 50, filter, now, ..PacketQuery::default() };
        let find = || {
            let budget = &mut Budget::default();
            let found = search(&index, black_box(&query), budget, ROWS_PER_GUARD);
            found.map(|found| found.page(&index.read(), &query).map(|page| page.total))
        };
        let took = cpu_time(|| {
            for _ in 0..20 {
                let _ = black_box(find());
            }
        }) / 20;
        println!("{text}: {:?} packets, {took:?} of processor time", find());
        group.bench_function(text, |b| b.iter(find));
    }
    group.finish();
}

criterion_group!(benches, apply, page, listeners, filter);
criterion_main!(benches);
