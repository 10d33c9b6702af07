//! Batches that are committed together, sorted by write source.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use model::{Change, ClientId, ObserverId, UnixMillis};

use super::WriteBatch;
use super::queue::FlushAnswer;
use crate::WriteSource;

pub(crate) struct Group {
    /// When its oldest batch came.
    pub(crate) oldest: Instant,
    /// Heads, transmissions and observations, in the order of their arrival.
    packets: Vec<Change>,
    /// Only the newest state of each observer: the rows between would be written over within the same transaction.
    observers: Vec<Change>,
    observer_places: HashMap<ObserverId, usize>,
    metrics: Vec<Change>,
    metrics_places: HashMap<(ObserverId, UnixMillis), usize>,
    nodes: Vec<Change>,
    dropped: Vec<Change>,
    /// Receptions in the order of their arrival, and the newest state of each client.
    coverage: Vec<Change>,
    client_places: HashMap<ClientId, usize>,
    on_durable: Vec<Box<dyn FnOnce() + Send>>,
    flushes: Vec<FlushAnswer>,
}

impl Group {
    pub(crate) fn new(oldest: Instant) -> Self {
        Self {
            oldest,
            packets: Vec::new(),
            observers: Vec::new(),
            observer_places: HashMap::new(),
            metrics: Vec::new(),
            metrics_places: HashMap::new(),
            nodes: Vec::new(),
            dropped: Vec::new(),
            coverage: Vec::new(),
            client_places: HashMap::new(),
            on_durable: Vec::new(),
            flushes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, batch: WriteBatch) {
        for change in batch.changes {
            match &change {
                Change::Head(_) | Change::Transmission(_) | Change::Observation(_) => {
                    self.packets.push(change);
                }
                Change::Observer(observer) => {
                    let place = *self.observer_places.entry(observer.id).or_insert(self.observers.len());
                    put(&mut self.observers, place, change);
                }
                Change::Metrics(metrics) => {
                    let key = (metrics.observer, metrics.time);
                    let place = *self.metrics_places.entry(key).or_insert(self.metrics.len());
                    put(&mut self.metrics, place, change);
                }
                Change::Node(_) | Change::Pruned(_) => self.nodes.push(change),
                Change::Dropped(_) => self.dropped.push(change),
                Change::Client(client) => {
                    let place = *self.client_places.entry(client.id).or_insert(self.coverage.len());
                    put(&mut self.coverage, place, change);
                }
                Change::Reception(_) => self.coverage.push(change),
            }
        }
        self.on_durable.extend(batch.on_durable);
    }

    pub(crate) fn add_flush(&mut self, answer: FlushAnswer) {
        self.flushes.push(answer);
    }

    pub(crate) fn rows(&self, source: WriteSource) -> &[Change] {
        match source {
            WriteSource::Packets => &self.packets,
            WriteSource::Observers => &self.observers,
            WriteSource::Metrics => &self.metrics,
            WriteSource::Nodes => &self.nodes,
            WriteSource::Dropped => &self.dropped,
            WriteSource::Coverage => &self.coverage,
            // They come in steps, not in groups.
            WriteSource::Retention | WriteSource::Vacuum | WriteSource::Rewrite => &[],
        }
    }

    pub(crate) fn row_count(&self) -> usize {
        WriteSource::ALL.iter().map(|source| self.rows(*source).len()).sum()
    }

    /// Tells those who wait for a flush that it will take longer. They are not told again.
    pub(crate) fn fail_flushes(&mut self, reason: &str) {
        for answer in self.flushes.drain(..) {
            // Whoever asked may have gone away.
            let _ = answer.send(Err(reason.to_owned()));
        }
    }

    /// Acknowledges.
    pub(crate) fn durable(self) {
        for acknowledge in self.on_durable {
            // A caller's mistake must not end the only writer.
            if catch_unwind(AssertUnwindSafe(acknowledge)).is_err() {
                tracing::error!("an acknowledgement panicked");
            }
        }
        for answer in self.flushes {
            let _ = answer.send(Ok(()));
        }
    }
}

fn put(rows: &mut Vec<Change>, place: usize, change: Change) {
    match rows.get_mut(place) {
        Some(row) => *row = change,
        None => rows.push(change),
    }
}
