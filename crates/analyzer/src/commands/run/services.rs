//! What the API asks of ingest, storage, the brokers and the process, answered from counters that they keep anyway.

use super::load::LoadProgress;
use super::sources::{EMBEDDED, Unusable};
use anyhow::Result;
use api::{
    BackupError, BackupFile, BackupMaking, Count, DbFigures, IngestReport, IoRates, LoadStatus,
    MqttSourceRow, ObserverAccount, PacketSubmission, ProcessIo, RecentRejection, Services, SourceAccount,
    SourceLiveness, Submission, SubmitError, SubmittedPacket, WriteSourcesSnapshot, WriterPerf,
};
use ingest::{Ingest, IngestLedger, Outcome, SubmitAnswer, SubmitHandle};
use meshcore::Hex;
use model::UnixMillis;
use mqtt::{Broker, Source, SourceStatus};
use parking_lot::Mutex;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use storage::{BackupOptions, Reader, Storage, StorageError, WriteStats};
use telemetry::ProcessSampler;

/// How often /proc is read; the rates that are shown span several of these.
const SAMPLING: Duration = Duration::from_secs(1);

/// The running parts, as far as the API may see them.
pub(super) struct RunningServices {
    ledger: Arc<IngestLedger>,
    submit: SubmitHandle,
    progress: Arc<LoadProgress>,
    write_stats: Arc<WriteStats>,
    reader: Reader,
    database: PathBuf,
    sampler: ProcessSampler,
    /// Taken out when the program stops.
    brokers: Mutex<Brokers>,
}

#[derive(Default)]
struct Brokers {
    embedded: Option<Broker>,
    outside: Vec<Source>,
    unusable: Vec<Unusable>,
}

impl RunningServices {
    /// # Errors
    /// When the database cannot be opened for reading.
    pub(super) fn new(
        storage: &Storage,
        ingest: &Ingest,
        progress: Arc<LoadProgress>,
        embedded: Option<Broker>,
        (outside, unusable): (Vec<Source>, Vec<Unusable>),
    ) -> Result<Self> {
        storage::remove_unfinished_backup(storage.path());
        Ok(Self {
            ledger: ingest.ledger(),
            submit: ingest.submit_handle(),
            progress,
            write_stats: storage.stats(),
            reader: storage.reader()?,
            database: storage.path().to_path_buf(),
            sampler: ProcessSampler::spawn(SAMPLING),
            brokers: Mutex::new(Brokers { embedded, outside, unusable }),
        })
    }

    /// Packets that were heard before: by another observer or path, or not new at all.
    fn duplicates(&self) -> u64 {
        let report = self.ledger.report();
        report.count(Outcome::Duplicate) + report.count(Outcome::StoredObservation)
    }

    /// Says goodbye to all brokers and clients; nothing is received any more.
    pub(super) async fn disconnect(&self) {
        let Brokers { embedded, outside, .. } = std::mem::take(&mut *self.brokers.lock());
        for source in outside {
            source.shutdown().await;
        }
        if let Some(broker) = embedded {
            broker.shutdown().await;
        }
    }
}

impl Services for RunningServices {
    fn ingest_report(&self) -> IngestReport {
        let report = self.ledger.report();
        let source_name = |number| {
            let named = report.sources.iter().find(|source| source.source == number);
            named.map_or_else(|| "api".to_owned(), |source| source.name.to_string())
        };
        let rejections = report.recent_rejections.iter().rev().map(|rejection| RecentRejection {
            time: rejection.time,
            source: source_name(rejection.source),
            topic: rejection.topic.to_string(),
            reason: rejection.reason.to_owned(),
            detail: rejection.detail.to_string(),
        });
        let sources = report.sources.iter().map(|source| SourceAccount {
            name: source.name.to_string(),
            received: source.received,
            last_message: source.last_message,
            outcomes: counts(&source.outcomes),
            remarks: counts(&source.remarks),
        });
        let observers = report.observers.iter().map(|observer| ObserverAccount {
            observer_id: observer.key.to_string(),
            observer_name: None,
            received: observer.received,
            last_message: observer.last_message,
            outcomes: counts(&observer.outcomes),
            remarks: counts(&observer.remarks),
        });
        IngestReport {
            since: report.since,
            received: report.received,
            outcomes: counts(&report.outcomes),
            remarks: counts(&report.remarks),
            sources: sources.collect(),
            observers: observers.collect(),
            recent_rejections: rejections.collect(),
        }
    }

    fn mqtt_sources(&self) -> Vec<MqttSourceRow> {
        let brokers = self.brokers.lock();
        let embedded = brokers.embedded.as_ref().map(embedded_row);
        let outside = brokers.outside.iter().map(|source| outside_row(source.status()));
        let unusable = brokers.unusable.iter().map(|broker| MqttSourceRow {
            name: broker.name.clone(),
            last_error: Some(broker.reason.clone()),
            ..MqttSourceRow::default()
        });
        embedded.into_iter().chain(outside).chain(unusable).collect()
    }

    fn write_sources(&self) -> WriteSourcesSnapshot {
        let stats = &self.write_stats;
        let counts = [
            ("tx_inserted", stats.tx_inserted.get()),
            ("obs_inserted", stats.obs_inserted.get()),
            ("tx_dupes", self.duplicates()),
            ("head_inserted", stats.head_inserted.get()),
            ("observer_upserts", stats.observer_upserts.get()),
            ("metrics_upserts", stats.metrics_upserts.get()),
            ("write_errors", stats.write_errors.get()),
            ("sig_drops", self.ledger.report().count(Outcome::InvalidSignature)),
            ("walCommits", stats.wal_commits.get()),
            ("groupCommitFlushes", stats.batches.get()),
            ("checkpoints", stats.checkpoints.get()),
        ];
        let (wait, hold) = (stats.batch_wait.summary(), stats.batch_hold.summary());
        let writer = WriterPerf {
            count: hold.count,
            contention_total: 0,
            wait_ms_p50: ms(wait.p50),
            wait_ms_p95: ms(wait.p95),
            wait_ms_p99: ms(wait.p99),
            wait_ms_max: ms(wait.max),
            hold_ms_p50: ms(hold.p50),
            hold_ms_p95: ms(hold.p95),
            hold_ms_p99: ms(hold.p99),
            hold_ms_max: ms(hold.max),
        };
        WriteSourcesSnapshot {
            sources: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            sample_at: Some(UnixMillis::now()),
            writer_perf: [("storage_writer".to_owned(), writer)].into(),
        }
    }

    fn db_figures(&self) -> Option<DbFigures> {
        let figures = self.reader.db_figures().ok()?;
        let stats = &self.write_stats;
        Some(DbFigures {
            db_bytes: figures.db_bytes,
            wal_bytes: figures.wal_bytes,
            freelist_pages: figures.freelist_count,
            page_count: figures.page_count,
            page_size: figures.page_size,
            // Negative, as SQLite itself says that it means KiB.
            cache_size: -(figures.cache_size_kib as i64),
            cache_hits: stats.cache_hits.get(),
            cache_misses: stats.cache_misses.get(),
            wal_frames: stats.wal_frames_now.get(),
            wal_checkpointed: stats.checkpointed_frames.get(),
        })
    }

    fn io_rates(&self) -> IoRates {
        let rates = self.sampler.rates();
        let process = ProcessIo {
            read_bytes_per_sec: rates.read_bytes_per_sec,
            write_bytes_per_sec: rates.write_bytes_per_sec,
            cancelled_write_bytes_per_sec: rates.cancelled_write_bytes_per_sec,
            syscalls_read: rates.syscalls_read_per_sec,
            syscalls_write: rates.syscalls_write_per_sec,
        };
        IoRates { process, ingestor: None }
    }

    fn rss_bytes(&self) -> Option<u64> {
        self.sampler.rss_bytes()
    }

    fn load_status(&self) -> LoadStatus {
        self.progress.status()
    }

    fn submit_packet(&self, packet: PacketSubmission) -> Submission {
        let submit = self.submit.clone();
        Box::pin(async move {
            let submission = ingest::PacketSubmission {
                raw: format!("{:X}", Hex(&packet.frame)),
                observer: packet.observer,
                snr: packet.snr,
                rssi: packet.rssi,
                region: packet.region,
            };
            match submit.submit(submission).await {
                Ok(SubmitAnswer::Stored { transmission, .. } | SubmitAnswer::Duplicate { transmission }) => {
                    Ok(SubmittedPacket { transmission })
                }
                Ok(SubmitAnswer::Refused { outcome, detail }) if detail.is_empty() => {
                    Err(SubmitError::Refused(outcome.name().to_owned()))
                }
                Ok(SubmitAnswer::Refused { outcome, detail }) => {
                    Err(SubmitError::Refused(format!("{}: {detail}", outcome.name())))
                }
                Err(_) => Err(SubmitError::Unavailable),
            }
        })
    }

    fn backup(&self) -> BackupMaking {
        let database = self.database.clone();
        let wanted = Arc::new(AtomicBool::new(true));
        Box::pin(async move {
            // Dropped with this future, that is when the client goes away; the copy then ends at its next step.
            let held = Holder(Arc::clone(&wanted));
            let making = tokio::task::spawn_blocking(move || {
                let watcher = &mut |_| match wanted.load(Ordering::Relaxed) {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                };
                storage::temporary_backup(&database, &BackupOptions::default(), watcher)
            });
            let made = making.await.map_err(|_panic| BackupError::Failed("internal error".to_owned()))?;
            drop(held);
            match made {
                Ok((content, report)) => Ok(BackupFile { content, bytes: report.bytes }),
                Err(error) => Err(backup_error(&error)),
            }
        })
    }
}

/// Whoever waits for a backup; what it holds says whether somebody still does.
struct Holder(Arc<AtomicBool>);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn backup_error(error: &StorageError) -> BackupError {
    tracing::warn!(%error, "a backup was asked for and could not be made");
    match error {
        StorageError::BackupUnderWay { .. } => BackupError::UnderWay,
        StorageError::DiskFull { .. } => BackupError::NoRoom(error.to_string()),
        _ => BackupError::Failed(error.to_string()),
    }
}

fn counts(counts: &[ingest::Count]) -> Vec<Count> {
    counts.iter().map(|count| Count { name: count.name.to_owned(), count: count.count }).collect()
}

fn embedded_row(broker: &Broker) -> MqttSourceRow {
    let stats = broker.stats();
    let newest = stats.clients.iter().filter_map(|client| client.last_message).max();
    let connected_at = stats.clients.iter().map(|client| client.connected_at).max();
    MqttSourceRow {
        name: EMBEDDED.0.to_owned(),
        broker: format!("mqtt://{}", stats.listen),
        connected: stats.clients_connected > 0,
        last_connect_unix: unix_secs(connected_at),
        last_packet_unix: unix_secs(newest),
        connect_count: stats.connects_total,
        disconnect_count: stats.connects_total.saturating_sub(stats.clients_connected as u64),
        packets_total: stats.messages.total(),
        packets_last5m: stats.messages_last_5m,
        liveness: newest.map(|at| SourceLiveness {
            last_receipt_unix: unix_secs(Some(at)),
            last_message_unix: unix_secs(Some(at)),
        }),
        ..MqttSourceRow::default()
    }
}

fn outside_row(status: SourceStatus) -> MqttSourceRow {
    let last = unix_secs(status.last_message);
    MqttSourceRow {
        name: status.name,
        broker: status.broker,
        connected: status.connected,
        last_connect_unix: unix_secs(status.last_connect),
        last_disconnect_unix: unix_secs(status.last_disconnect),
        last_packet_unix: last,
        connect_count: status.connect_count,
        disconnect_count: status.disconnect_count,
        packets_total: status.messages_total,
        packets_last5m: status.messages_last_5m,
        last_error: status.last_error,
        liveness: status
            .last_message
            .map(|_| SourceLiveness { last_receipt_unix: last, last_message_unix: last }),
    }
}

/// Seconds since 1970; 0 for never, as in the contract.
fn unix_secs(time: Option<SystemTime>) -> i64 {
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
