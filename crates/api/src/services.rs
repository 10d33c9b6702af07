//! What the API asks of the parts that it does not know: ingest, storage, the brokers, the process.

mod backups;
mod registry;
mod reports;

pub use backups::{BackupError, BackupFile, BackupMaking};
pub use registry::{
    GeoFilterError, KnownChannel, KnownChannels, MAX_PRUNED_AT_ONCE, PruneState, PruneStatus,
    PruneUnavailable, Registry,
};
pub use reports::{
    CheckpointResult, Count, DbFigures, FileIo, Freshness, IngestReport, IoRates, LoadStatus, MqttSourceRow,
    ObserverAccount, ProcessIo, RecentRejection, SourceAccount, SourceLiveness, SourceRate, SubmitError,
    SubmittedPacket, WriteSourcesSnapshot, WriterPerf,
};

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use storage::Reader;

/// A packet handed in over HTTP, as the body of `POST /api/packets` gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketSubmission {
    /// The whole frame.
    pub frame: Vec<u8>,
    /// The key of the observer that heard it; the API itself when absent.
    pub observer: Option<String>,
    /// Signal-to-noise ratio in decibels.
    pub snr: Option<f64>,
    /// Received signal strength in dBm.
    pub rssi: Option<f64>,
    /// Region code of the observer.
    pub region: Option<String>,
}

/// The window of packets in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowFigures {
    /// Bytes that packets may take.
    pub budget_bytes: Option<u64>,
    /// Of these, for segments of storage that are looked at.
    pub cache_bytes: Option<u64>,
    /// Packets that were let go since the start.
    pub let_go: u64,
}

/// The answer to a submission, once it is decided.
pub type Submission = Pin<Box<dyn Future<Output = Result<SubmittedPacket, SubmitError>> + Send>>;

/// What the API needs from the rest of the program. The binary implements it over ingest, storage, mqtt and telemetry.
///
/// All methods but [`Services::submit_packet`] and [`Services::backup`] are called on request threads and must answer from memory, at once.
pub trait Services: Send + Sync + 'static {
    /// Where every message that was received has ended.
    fn ingest_report(&self) -> IngestReport;

    /// The brokers, with credentials masked.
    fn mqtt_sources(&self) -> Vec<MqttSourceRow>;

    /// What wrote how many rows since the start.
    fn write_sources(&self) -> WriteSourcesSnapshot;

    /// Rows since the start, by what wrote them: the counters of [`Services::write_sources`] alone, for who needs no rates.
    fn write_counts(&self) -> BTreeMap<String, u64>;

    /// Sizes of the database; `None` while they are not known.
    fn db_figures(&self) -> Option<DbFigures>;

    /// Disk traffic of this process.
    fn io_rates(&self) -> IoRates;

    /// Resident memory of this process in bytes, where the system tells.
    fn rss_bytes(&self) -> Option<u64>;

    /// How far the history is loaded.
    fn load_status(&self) -> LoadStatus;

    /// The books on what is written.
    fn books(&self) -> &dyn xray::Books;

    /// Takes a packet in as if an observer had published it; resolves when it is stored or refused.
    fn submit_packet(&self, packet: PacketSubmission) -> Submission;

    /// Reads what the index does not hold; `None` while there is no database that can be read. Reading takes the disk's
    /// time, so only on threads that may wait.
    fn reader(&self) -> Option<Arc<Reader>>;

    /// What an operator may change beside packets, and the list of known channels.
    fn registry(&self) -> Arc<dyn Registry>;

    /// The window of packets in memory, if it is bounded.
    fn window(&self) -> Option<WindowFigures> {
        None
    }

    /// Copies the database as it is now; takes as long as the database is large. Dropping the future gives the copy up.
    fn backup(&self) -> BackupMaking;
}
