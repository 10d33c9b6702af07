//! The other parts of the program, as far as the API needs them: kept in memory and set by the test.

use super::{TestBooks, TestRegistry};
use api::{
    BackupError, BackupFile, BackupMaking, Count, DbFigures, FileIo, Freshness, IngestReport, IoRates,
    LoadStatus, MqttSourceRow, ObserverAccount, PacketSubmission, ProcessIo, RecentRejection, Services,
    SourceAccount, SourceLiveness, Submission, SubmitError, SubmittedPacket, WriteSourcesSnapshot,
    WriterPerf,
};
use model::{TransmissionId, UnixMillis};
use std::collections::BTreeMap;
use std::io::{Seek, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

pub(crate) struct TestServices {
    pub(crate) books: TestBooks,
    pub(crate) registry: Arc<TestRegistry>,
    pub(crate) load: Mutex<LoadStatus>,
    pub(crate) submitted: Mutex<Vec<PacketSubmission>>,
    pub(crate) refuse: Mutex<Option<SubmitError>>,
    /// Whether submitted packets are never answered.
    pub(crate) hold_submissions: Mutex<bool>,
    /// What a backup has in it.
    pub(crate) backup: Mutex<Result<Vec<u8>, BackupError>>,
    /// Permits that backups wait for, one each.
    pub(crate) backups: Arc<Semaphore>,
    /// Backups whose future was dropped before it was done.
    pub(crate) given_up: Arc<AtomicUsize>,
    /// A database, where a test has made one.
    pub(crate) reader: Mutex<Option<Arc<storage::Reader>>>,
}

impl Default for TestServices {
    fn default() -> Self {
        Self {
            books: TestBooks,
            registry: Arc::default(),
            load: Mutex::new(LoadStatus::Ready),
            submitted: Mutex::default(),
            refuse: Mutex::default(),
            hold_submissions: Mutex::default(),
            backup: Mutex::new(Ok(b"a database".to_vec())),
            backups: Arc::new(Semaphore::new(100)),
            given_up: Arc::default(),
            reader: Mutex::default(),
        }
    }
}

/// The time of everything that these services report.
const NOW: UnixMillis = UnixMillis(1_779_033_699_000);

impl Services for TestServices {
    fn reader(&self) -> Option<Arc<storage::Reader>> {
        self.reader.lock().unwrap().clone()
    }

    fn ingest_report(&self) -> IngestReport {
        let counts = || vec![count("stored_observation", 2), count("rejected_not_json", 1)];
        IngestReport {
            since: NOW,
            received: 3,
            outcomes: counts(),
            remarks: vec![count("snr_placeholder", 1)],
            sources: vec![SourceAccount {
                name: "embedded".to_owned(),
                received: 3,
                last_message: Some(NOW),
                outcomes: counts(),
                remarks: Vec::new(),
            }],
            observers: vec![ObserverAccount {
                observer_id: "1F445B75F5EB65EEC244A17A1E8660812A2529727A2329DDA37C44684D8841EA".to_owned(),
                observer_name: None,
                received: 3,
                last_message: None,
                outcomes: counts(),
                remarks: Vec::new(),
                naive_clock_24h: 7,
            }],
            recent_rejections: vec![RecentRejection {
                time: NOW,
                source: "embedded".to_owned(),
                topic: "meshcore/OAK/1F/packets".to_owned(),
                reason: "rejected_not_json".to_owned(),
                detail: "expected value at line 1 column 1".to_owned(),
            }],
        }
    }

    fn mqtt_sources(&self) -> Vec<MqttSourceRow> {
        vec![
            MqttSourceRow {
                name: "embedded".to_owned(),
                broker: "mqtt://127.0.0.1:1883".to_owned(),
                connected: true,
                last_connect_unix: NOW.secs(),
                last_packet_unix: NOW.secs(),
                connect_count: 2,
                packets_total: 3,
                packets_last5m: 1,
                liveness: Some(SourceLiveness {
                    last_receipt_unix: NOW.secs(),
                    last_message_unix: NOW.secs(),
                }),
                ..MqttSourceRow::default()
            },
            MqttSourceRow {
                name: "far".to_owned(),
                broker: "mqtt://user:****@far.example:1883".to_owned(),
                last_error: Some("connection refused".to_owned()),
                ..MqttSourceRow::default()
            },
        ]
    }

    fn write_sources(&self) -> WriteSourcesSnapshot {
        let sources = [("obs_inserted", 2), ("tx_inserted", 1), ("sig_drops", 0)];
        let log = FileIo { written_bytes: 8_240, writes: 4, read_bytes: 0, reads: 0, syncs: 1 };
        WriteSourcesSnapshot {
            sources: sources.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect(),
            sample_at: Some(NOW),
            writer_perf: [("storage_writer".to_owned(), WriterPerf { count: 4, ..WriterPerf::default() })]
                .into(),
            io: [("packets".to_owned(), [("wal".to_owned(), log)].into())].into(),
            ..WriteSourcesSnapshot::default()
        }
    }

    fn write_counts(&self) -> BTreeMap<String, u64> {
        self.write_sources().sources
    }

    fn db_figures(&self) -> Option<DbFigures> {
        Some(DbFigures {
            db_bytes: 5 * 1_048_576,
            wal_bytes: 1_048_576,
            freelist_pages: 256,
            page_count: 1_280,
            page_size: 4_096,
            cache_size: -2_000,
            cache_hits: 3,
            cache_misses: 1,
            wal_frames: 254,
            wal_checkpointed: 200,
            frames_pending: 54,
            ..DbFigures::default()
        })
    }

    fn io_rates(&self) -> IoRates {
        let process = ProcessIo {
            write_bytes_per_sec: 4_096.5,
            syscalls_write: 2.0,
            available: true,
            ..ProcessIo::default()
        };
        let ingestor = ProcessIo { sampled_at: Some(NOW), ..process.clone() };
        IoRates { process, ingestor: Some(ingestor), ingestor_status: Some(Freshness::default()) }
    }

    fn rss_bytes(&self) -> Option<u64> {
        Some(64 << 20)
    }

    fn load_status(&self) -> LoadStatus {
        *self.load.lock().unwrap()
    }

    fn books(&self) -> &dyn xray::Books {
        &self.books
    }

    fn submit_packet(&self, packet: PacketSubmission) -> Submission {
        let answer = match self.refuse.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(SubmittedPacket { transmission: TransmissionId(4_711) }),
        };
        self.submitted.lock().unwrap().push(packet);
        if *self.hold_submissions.lock().unwrap() {
            return Box::pin(std::future::pending());
        }
        Box::pin(async move { answer })
    }

    fn registry(&self) -> Arc<dyn api::Registry> {
        self.registry.clone()
    }

    fn backup(&self) -> BackupMaking {
        let content = self.backup.lock().unwrap().clone();
        let permits = Arc::clone(&self.backups);
        let mut watched = CountUnlessDone { count: Arc::clone(&self.given_up), done: false };
        Box::pin(async move {
            // Taken in as a whole, so that it is dropped with this future.
            let watched = &mut watched;
            permits.acquire().await.unwrap().forget();
            watched.done = true;
            let content = content?;
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&content).unwrap();
            file.rewind().unwrap();
            Ok(BackupFile { content: file, bytes: content.len() as u64 })
        })
    }
}

fn count(name: &str, count: u64) -> Count {
    Count { name: name.to_owned(), count }
}

struct CountUnlessDone {
    count: Arc<AtomicUsize>,
    done: bool,
}

impl Drop for CountUnlessDone {
    fn drop(&mut self) {
        if !self.done {
            self.count.fetch_add(1, Ordering::SeqCst);
        }
    }
}
