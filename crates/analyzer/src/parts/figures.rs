//! What is known of the receiving half, from counters that ingest, storage and the brokers keep anyway.

use super::books::{OwnBooks, pages_written};
use super::sources::{EMBEDDED, Unusable};
use super::write_figures::{ROWS, checkpoint, file_io, writer_perf};
use anyhow::Result;
use api::{
    Count, DbFigures, IngestReport, MqttSourceRow, ObserverAccount, ProcessIo, RecentRejection,
    SourceAccount, SourceLiveness, WriteSourcesSnapshot, WriterPerf,
};
use ingest::{Ingest, IngestLedger, Outcome};
use model::UnixMillis;
use mqtt::{Broker, Source, SourceStatus};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use storage::{Reader, Storage, WriteStats};
use telemetry::ProcessSampler;

/// How often /proc is read; the rates that are shown span several of these.
const SAMPLING: Duration = Duration::from_secs(1);

/// Ingest, storage and the brokers, as far as others may see them.
pub(crate) struct Figures {
    ledger: Arc<IngestLedger>,
    write_stats: Arc<WriteStats>,
    books: Arc<OwnBooks>,
    reader: Arc<Reader>,
    sampler: ProcessSampler,
    /// Taken out when the program stops.
    brokers: Mutex<Brokers>,
}

/// What the receiving half tells serving processes about itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) ingest: IngestReport,
    pub(crate) mqtt_sources: Vec<(MqttSourceRow, Option<SourceLiveness>)>,
    pub(crate) write_sources: WriteSourcesSnapshot,
    pub(crate) db_figures: Option<DbFigures>,
    pub(crate) io: ProcessIo,
}

#[derive(Default)]
struct Brokers {
    embedded: Option<Broker>,
    outside: Vec<Source>,
    unusable: Vec<Unusable>,
}

impl Figures {
    /// # Errors
    /// When the database cannot be opened for reading.
    pub(super) fn new(
        storage: &Storage,
        ingest: &Ingest,
        books: Arc<OwnBooks>,
        embedded: Option<Broker>,
        (outside, unusable): (Vec<Source>, Vec<Unusable>),
    ) -> Result<Self> {
        storage::remove_unfinished_backup(storage.path());
        Ok(Self {
            ledger: ingest.ledger(),
            write_stats: storage.stats(),
            books,
            reader: Arc::new(storage.reader()?),
            sampler: ProcessSampler::spawn(SAMPLING),
            brokers: Mutex::new(Brokers { embedded, outside, unusable }),
        })
    }

    /// Says goodbye to all brokers and clients; nothing is received any more.
    pub(crate) async fn disconnect(&self) {
        let Brokers { embedded, outside, .. } = std::mem::take(&mut *self.brokers.lock());
        // All at once: each waits until what it has received is stored.
        let leaving: Vec<_> = outside.into_iter().map(|source| tokio::spawn(source.shutdown())).collect();
        for source in leaving {
            // It only fails if it panicked, and then it has left as well.
            let _ = source.await;
        }
        if let Some(broker) = embedded {
            broker.shutdown().await;
        }
    }

    /// Reads the database beside the writer.
    pub(crate) fn reader(&self) -> Arc<Reader> {
        Arc::clone(&self.reader)
    }

    /// All of it.
    pub(crate) fn report(&self) -> Report {
        let sources = self.mqtt_sources().into_iter();
        Report {
            ingest: self.ingest_report(),
            mqtt_sources: sources.map(|source| (source.clone(), source.liveness)).collect(),
            write_sources: self.write_sources(),
            db_figures: self.db_figures(),
            io: self.io(),
        }
    }

    /// Where every message that was received has ended.
    pub(crate) fn ingest_report(&self) -> IngestReport {
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
            naive_clock_24h: observer.naive_clock_24h,
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

    /// The brokers, with credentials masked.
    pub(crate) fn mqtt_sources(&self) -> Vec<MqttSourceRow> {
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

    /// Rows since the start by what wrote them, and the states that go with them.
    pub(crate) fn write_counts(&self) -> BTreeMap<String, u64> {
        let stats = &*self.write_stats;
        let ended = self.ledger.totals();
        let rows = ROWS.iter().map(|row| (row.name, (row.of)(stats).get()));
        let others = [
            ("tx_dupes", ended.heard_before()),
            ("sig_drops", ended.count(Outcome::InvalidSignature)),
            ("write_failing", stats.failing.get()),
            ("rows_waiting", stats.queued_rows.get()),
        ];
        let rewritten = self.books.rewritten_rows().into_iter();
        let backfills = rewritten.map(|(job, rows)| (format!("backfill_{job}"), rows));
        rows.chain(others).map(|(name, count)| (name.to_owned(), count)).chain(backfills).collect()
    }

    /// How long the parts of the write path waited and held the writer.
    pub(crate) fn writer_perf(&self) -> BTreeMap<String, WriterPerf> {
        writer_perf(&self.write_stats)
    }

    /// What wrote how many rows since the start, how quickly, and what reached the files.
    pub(crate) fn write_sources(&self) -> WriteSourcesSnapshot {
        WriteSourcesSnapshot {
            sources: self.write_counts(),
            sample_at: Some(UnixMillis::now()),
            writer_perf: self.writer_perf(),
            io: file_io(&self.write_stats.io),
            rates: self.books.source_rates(),
            ..WriteSourcesSnapshot::default()
        }
    }

    /// Sizes of the database; `None` while they are not known.
    pub(crate) fn db_figures(&self) -> Option<DbFigures> {
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
            frames_pending: stats.frames_pending.get(),
            cache_writes: pages_written(stats),
            cache_spills: stats.cache_spills.get(),
            checkpoints: stats.checkpoints.get(),
            last_checkpoint: stats.last_checkpoint().map(|last| checkpoint(&last)),
        })
    }

    /// Disk traffic of this process.
    pub(crate) fn io(&self) -> ProcessIo {
        process_io(&self.sampler)
    }

    /// Resident memory of this process in bytes, where the system tells.
    pub(crate) fn rss_bytes(&self) -> Option<u64> {
        self.sampler.rss_bytes()
    }
}

/// What a sampler says.
pub(super) fn process_io(sampler: &ProcessSampler) -> ProcessIo {
    let rates = sampler.rates();
    ProcessIo {
        read_bytes_per_sec: rates.read_bytes_per_sec,
        write_bytes_per_sec: rates.write_bytes_per_sec,
        cancelled_write_bytes_per_sec: rates.cancelled_write_bytes_per_sec,
        syscalls_read: rates.syscalls_read_per_sec,
        syscalls_write: rates.syscalls_write_per_sec,
        available: rates.available,
        reason: rates.reason,
        window_ms: rates.window_ms,
        sampled_at: rates.available.then_some(UnixMillis(rates.sampled_at_unix_ms)),
    }
}

fn counts(counts: &[ingest::Count]) -> Vec<Count> {
    counts.iter().map(|count| Count { name: count.name.to_owned(), count: count.count }).collect()
}

fn embedded_row(broker: &Broker) -> MqttSourceRow {
    let stats = broker.stats();
    let newest = stats.last_message;
    MqttSourceRow {
        name: EMBEDDED.0.to_owned(),
        broker: format!("mqtt://{}", stats.listen),
        connected: stats.clients_connected > 0,
        last_connect_unix: unix_secs(stats.last_connect),
        last_disconnect_unix: unix_secs(stats.last_disconnect),
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
