//! An import from begin to end: what is here already, then table after table.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use index::{Index, IndexOptions};
use ingest::{History, IngestConfig};
use model::{Change, DroppedPacket, NodeKey, NodeRecord, ObservationId, ReceptionId, TransmissionId};
use storage::{LoadReport, Snapshot, Storage, StorageError, WriteBatch, WriterHandle};

use crate::observers::Observers;
use crate::packets::Packets;
use crate::{ImportError, Report, Source, coverage, dropped, metrics, nodes, observers};

/// What an import needs to know beside the file.
#[derive(Clone)]
pub struct ImportOptions {
    /// As for live packets; what matters is whether signatures are checked, and how many observers there may be.
    pub ingest: IngestConfig,
    /// Keys and scopes, as for live packets.
    pub index: IndexOptions,
}

/// Where the rows go.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// Into this database.
    Storage(&'a Storage),
    /// Nowhere: everything is read and judged as if for this file, which need not exist.
    DryRun(&'a Path),
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// What our own database has already.
    Known,
    /// The directory of observers.
    Observers,
    /// Observations and what was heard.
    Observations,
    /// Transmissions of which no observation is left.
    Unheard,
    /// The directory of nodes.
    Nodes,
    /// Samples of observers' counters.
    Metrics,
    /// Refused packets kept as evidence.
    Dropped,
    /// What mobile clients heard.
    Receptions,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub phase: Phase,
    /// Rows of it that were read.
    pub done: u64,
    /// About how many there are.
    pub total: u64,
}

/// Called every thousand rows or so.
pub type OnProgress<'a> = dyn FnMut(Progress) + 'a;

impl Phase {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Known => "known rows",
            Phase::Observers => "observers",
            Phase::Observations => "observations",
            Phase::Unheard => "transmissions",
            Phase::Nodes => "nodes",
            Phase::Metrics => "metrics",
            Phase::Dropped => "refused packets",
            Phase::Receptions => "receptions",
        }
    }
}

/// Imports everything that is in `source`.
///
/// Rows go to the writer as they are read. When this ends early, by an error or because the process is killed, what was
/// written stays, and the next import of the same file takes up what is missing: the result is the same as in one go.
///
/// # Errors
/// When either database cannot be read, ours cannot be written, or the file was changed while it was read.
pub fn import(
    source: &Source,
    target: Target<'_>,
    options: &ImportOptions,
    progress: &mut OnProgress<'_>,
) -> Result<Report, ImportError> {
    let mut run = Run::begin(source, target, options, progress)?;
    let observers = observers::import(&mut run)?;
    run.flush()?;
    packets(&mut run, observers)?;
    run.flush()?;
    nodes::import(&mut run)?;
    metrics::import(&mut run)?;
    dropped::import(&mut run)?;
    coverage::import(&mut run)?;
    run.flush()?;
    run.report.passed_over = source.other_tables()?;
    source.check_unchanged()?;
    Ok(run.report)
}

fn packets(run: &mut Run<'_, '_>, observers: Observers) -> Result<(), ImportError> {
    let mut packets = Packets::new(run, observers)?;
    packets.observations()?;
    packets.unheard_transmissions()?;
    packets.finish();
    Ok(())
}

/// An import under way.
pub(crate) struct Run<'a, 'p> {
    pub(crate) source: &'a Source,
    pub(crate) history: History,
    pub(crate) known: Known,
    pub(crate) report: Report,
    target: Target<'a>,
    writer: Option<WriterHandle>,
    progress: &'a mut OnProgress<'p>,
}

/// What was here before.
pub(crate) struct Known {
    /// The first ids that are new.
    pub(crate) transmission: TransmissionId,
    pub(crate) observation: ObservationId,
    pub(crate) nodes: HashMap<NodeKey, NodeRecord>,
    pub(crate) dropped: HashSet<DroppedKey>,
}

/// What two records of the same refused packet share.
pub(crate) type DroppedKey = (i64, Box<str>, Box<[u8]>, Option<Box<str>>, Option<NodeKey>);

pub(crate) fn dropped_key(packet: &DroppedPacket) -> DroppedKey {
    let DroppedPacket { time, reason, raw, observer, node, .. } = packet.clone();
    (time.0, reason, raw, observer, node)
}

impl<'a, 'p> Run<'a, 'p> {
    fn begin(
        source: &'a Source,
        target: Target<'a>,
        options: &ImportOptions,
        progress: &'a mut OnProgress<'p>,
    ) -> Result<Self, ImportError> {
        let mut index = Index::new(options.index.clone());
        let mut nodes = HashMap::new();
        let mut dropped = HashSet::new();
        if let Some(snapshot) = snapshot(target)? {
            load(&snapshot, &mut index, &mut nodes, progress)?;
            snapshot.dropped(&mut |packet| {
                dropped.insert(dropped_key(&packet));
            })?;
        }
        let next = index.next_ids();
        let known = Known { transmission: next.transmission, observation: next.observation, nodes, dropped };
        let writer = match target {
            Target::Storage(storage) => Some(storage.writer()),
            Target::DryRun(_) => None,
        };
        let history = History::new(index, &options.ingest);
        Ok(Self { source, history, known, report: Report::default(), target, writer, progress })
    }

    /// Our own database as it is now; `None` when there is none.
    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, ImportError> {
        snapshot(self.target)
    }

    /// Hands over the changes decided so far. Waits while the writer has enough to do.
    pub(crate) fn submit(&mut self) -> Result<(), ImportError> {
        let changes = self.history.take_changes();
        if let Some(writer) = self.writer.as_ref().filter(|_| !changes.is_empty()) {
            writer.submit(WriteBatch { changes, on_durable: None })?;
        }
        Ok(())
    }

    /// Waits until all that was handed over is durable. A disk that is full is waited for, as in life.
    fn flush(&mut self) -> Result<(), ImportError> {
        self.submit()?;
        let Some(writer) = &self.writer else { return Ok(()) };
        loop {
            match writer.flush() {
                Err(StorageError::WriteFailing { path, reason }) => {
                    tracing::warn!(path = %path.display(), reason, "waiting until the database can be written");
                    std::thread::sleep(std::time::Duration::from_secs(1));
                }
                flushed => return Ok(flushed?),
            }
        }
    }

    pub(crate) fn progress(&mut self, phase: Phase, done: u64, total: u64) {
        (self.progress)(Progress { phase, done, total: total.max(done) });
    }
}

fn snapshot(target: Target<'_>) -> Result<Option<Snapshot>, ImportError> {
    match target {
        Target::Storage(storage) => Ok(Some(Snapshot::open(storage.path())?)),
        // A look must leave nothing behind.
        Target::DryRun(path) if path.exists() => Ok(Some(Snapshot::open_without_trace(path)?)),
        Target::DryRun(_) => Ok(None),
    }
}

/// Rebuilds the index of what is stored, as a start of the program does.
fn load(
    snapshot: &Snapshot,
    index: &mut Index,
    nodes: &mut HashMap<NodeKey, NodeRecord>,
    progress: &mut OnProgress<'_>,
) -> Result<(), ImportError> {
    let mut refused = 0_u64;
    let mut said = |at: storage::LoadProgress| {
        progress(Progress { phase: Phase::Known, done: at.done, total: at.total });
    };
    let LoadReport { last_ids, skipped_rows, .. } = snapshot.load(&mut said, &mut |change| {
        if let Err(error) = index.apply(&change) {
            refused += 1;
            tracing::debug!(%error, "the index refused a stored row");
        }
        if let Change::Node(record) = change {
            nodes.insert(record.key, record);
        }
    })?;
    index.pass_over_receptions(last_ids.reception.unwrap_or(ReceptionId(0)));
    index.pass_over_ids(
        last_ids.transmission.unwrap_or(TransmissionId(0)),
        last_ids.observation.unwrap_or(ObservationId(0)),
    );
    if refused > 0 || skipped_rows > 0 {
        tracing::warn!(refused, unreadable = skipped_rows, "stored rows were left out");
    }
    Ok(())
}
