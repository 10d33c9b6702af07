//! What requests cost on a history of 100,000 transmissions and 1,000,000 observations, with everything around them but
//! the socket: `cargo bench -p api`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use api::{
    ApiConfig, ApiState, BackupError, BackupMaking, DbFigures, GeoFilter, GeoFilterError, IngestReport,
    IoRates, KnownChannels, LiveHub, LoadStatus, MqttSourceRow, PacketSubmission, PruneStatus,
    PruneUnavailable, Registry, Services, Submission, SubmitError, WriteSourcesSnapshot,
};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::BodyExt;
use index::{Index, IndexOptions, SharedIndex};
use meshcore::{
    AppData, ChannelKey, FrameBuilder, Identity, KeyRing, Location, PathBuf, PayloadBuf, PayloadType, Role,
    Route, ScopeSet,
};
use model::{
    Change, FrameHead, NodeKey, Observation, ObservationId, ObserverId, ObserverRecord, SnrQuarterDb,
    Transmission, TransmissionId, UnixMillis,
};
use parking_lot::RwLock;
use tower::ServiceExt;
use xray::{
    AlertsReport, Books, Delivery, HistoryAnswer, HistoryError, HistoryQuery, JobAction, JobError, JobReport,
    JobsReport, Ledger, SeriesReading,
};

const TRANSMISSIONS: u64 = 100_000;
const COPIES: u64 = 10;
const OBSERVERS: u16 = 80;
const NODES: u64 = 250;
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

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// Parts that have nothing to report.
struct Quiet;

impl Services for Quiet {
    fn ingest_report(&self) -> IngestReport {
        IngestReport::default()
    }
    fn mqtt_sources(&self) -> Vec<MqttSourceRow> {
        Vec::new()
    }
    fn write_sources(&self) -> WriteSourcesSnapshot {
        WriteSourcesSnapshot::default()
    }
    fn write_counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
    fn db_figures(&self) -> Option<DbFigures> {
        None
    }
    fn io_rates(&self) -> IoRates {
        IoRates::default()
    }
    fn rss_bytes(&self) -> Option<u64> {
        None
    }
    fn load_status(&self) -> LoadStatus {
        LoadStatus::Ready
    }
    fn books(&self) -> &dyn Books {
        self
    }
    fn reader(&self) -> Option<Arc<storage::Reader>> {
        None
    }
    fn submit_packet(&self, _packet: PacketSubmission) -> Submission {
        Box::pin(async { Err(SubmitError::Unavailable) })
    }
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::new(Quiet)
    }
    fn backup(&self) -> BackupMaking {
        Box::pin(async { Err(BackupError::Failed("there is no database".to_owned())) })
    }
}

impl Registry for Quiet {
    fn write_geo_filter(&self, _filter: Option<&GeoFilter>) -> Result<(), GeoFilterError> {
        Err(GeoFilterError::NoFile)
    }
    fn prune(&self, _nodes: Vec<NodeKey>) -> Result<String, PruneUnavailable> {
        Err(PruneUnavailable)
    }
    fn prune_status(&self, _request: &str) -> Result<Option<PruneStatus>, PruneUnavailable> {
        Err(PruneUnavailable)
    }
    fn known_channels(&self) -> Option<Arc<KnownChannels>> {
        None
    }
}

impl Books for Quiet {
    fn readings(&self) -> Vec<SeriesReading> {
        Vec::new()
    }
    fn history(&self, _query: &HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
        Ok(HistoryAnswer::default())
    }
    fn ledger(&self, _window_secs: u32) -> Ledger {
        Ledger::default()
    }
    fn jobs(&self) -> JobsReport {
        JobsReport::default()
    }
    fn control_job(&self, name: &str, _action: JobAction) -> Result<JobReport, JobError> {
        Err(JobError::Unknown(name.to_owned()))
    }
    fn alerts(&self, _events: usize) -> AlertsReport {
        AlertsReport::default()
    }
    fn black_box(&self, _event: u64) -> Option<HistoryAnswer> {
        None
    }
    fn test_webhooks(&self) -> Vec<Delivery> {
        Vec::new()
    }
}

fn payload(number: u64, nodes: &[Identity], numbers: &mut Numbers) -> PayloadBuf {
    let built = match numbers.below(4) {
        0 => {
            let node = number % NODES;
            let place = Location { lat_e6: 37_000_000 + node as i32 * 1_000, lon_e6: -122_000_000 };
            let name = format!("Repeater {node}");
            let app = AppData::new(Role::Repeater).with_location(place).with_name(&name).expect("a name");
            nodes[node as usize].advert(number as u32, &app)
        }
        1 => ChannelKey::public().encrypt_message(number as u32, "Ann", "a message of a synthetic mesh"),
        2 => PayloadBuf::new(PayloadType::Text, numbers.bytes(36)),
        _ => PayloadBuf::new(PayloadType::PathReturn, numbers.bytes(20)),
    };
    built.expect("short enough for a frame")
}

fn history() -> SharedIndex {
    let options = IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) };
    let mut index = Index::new(options);
    let nodes: Vec<Identity> = (0..NODES).map(|node| Identity::from_seed(&[node as u8; 32])).collect();
    let mut numbers = Numbers(1);
    for id in 0..OBSERVERS {
        let record = ObserverRecord {
            id: ObserverId(id),
            key: format!("{id:064X}").into(),
            name: Some(format!("Observer {id}").into()),
            iata: Some(["SFO", "OAK", "SJC", "MRY"][usize::from(id % 4)].into()),
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
        };
        index.apply(&Change::Observer(record)).expect("in order");
    }
    for number in 0..TRANSMISSIONS {
        let payload = payload(number, &nodes, &mut numbers);
        let frame = FrameBuilder::new(Route::Flood, &payload).encode();
        let hash = meshcore::Frame::parse(&frame).expect("built").content_hash();
        let id = TransmissionId(number + 1);
        index.apply(&Change::Transmission(Transmission { id, hash, raw: frame.into() })).expect("in order");
        for copy in 0..COPIES {
            hear(&mut index, id, number * COPIES + copy + 1, &mut numbers);
        }
    }
    Arc::new(RwLock::new(index))
}

fn hear(index: &mut Index, transmission: TransmissionId, number: u64, numbers: &mut Numbers) {
    let mut path = PathBuf::new(1).expect("a size");
    for _ in 0..numbers.below(6) {
        path.push(&[numbers.below(16) as u8]).expect("short");
    }
    let path = path.as_path();
    let bytes = [&[Route::Flood.code(), path.byte()], path.bytes()].concat();
    let next = index.next_ids().head;
    let head = index.head_id(&bytes).unwrap_or(next);
    if head == next {
        index.apply(&Change::Head(FrameHead { id: head, bytes: bytes.into() })).expect("in order");
    }
    let observation = Observation {
        id: ObservationId(number),
        transmission,
        observer: ObserverId((number % u64::from(OBSERVERS)) as u16),
        time: START.plus_ms(transmission.0 as i64 * STEP_MS + numbers.below(3_000) as i64),
        head,
        snr: Some(SnrQuarterDb(numbers.below(60) as i8 - 30)),
        rssi: Some(-90),
        score: None,
    };
    index.apply(&Change::Observation(observation)).expect("in order");
}

fn requests(criterion: &mut Criterion) {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("threads");
    let state = ApiState::new(history(), ApiConfig::default(), Arc::new(Quiet), LiveHub::new());
    let router = api::router(state);
    let observer = format!("{:064X}", 7);
    let paths = [
        ("packets, 50 rows", "/api/packets?limit=50".to_owned()),
        ("packets, 50 rows, grouped", "/api/packets?limit=50&groupByHash=true".to_owned()),
        ("packets, 50 rows with observations", "/api/packets?limit=50&expand=observations".to_owned()),
        ("packets, 50 adverts of an observer", format!("/api/packets?limit=50&type=4&observer={observer}")),
        (
            "packets, 50 rows of a region from the middle",
            "/api/packets?limit=50&region=OAK&offset=50000".to_owned(),
        ),
        ("one packet", "/api/packets/50000".to_owned()),
        ("nodes, 50 rows", "/api/nodes".to_owned()),
        ("observers", "/api/observers".to_owned()),
        ("messages, 100", "/api/channels/Public/messages".to_owned()),
        ("stats", "/api/stats".to_owned()),
        ("packets, 10,000 rows", "/api/packets?limit=10000".to_owned()),
    ];
    let mut group = criterion.benchmark_group("GET");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    for (name, path) in paths {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let request = Request::get(&path).body(Body::empty()).expect("a path");
                threads.block_on(async {
                    let response = router.clone().oneshot(request).await.expect("infallible");
                    assert_eq!(response.status(), StatusCode::OK);
                    black_box(response.into_body().collect().await.expect("in memory").to_bytes().len())
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
