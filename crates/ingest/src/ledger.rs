//! The books: how many messages came, and what became of each, by source and by observer.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{SourceId, UnixMillis};
use parking_lot::Mutex;

use crate::config::IngestConfig;
use crate::message::API_SOURCE;

use crate::outcome::{Outcome, Remark, Remarks};
use crate::text;

mod day;
mod report;

use day::DayCounts;
pub use report::{Count, IngestReport, ObserverReport, Rejection, SourceReport};

/// How many of the latest rejections are kept for a look.
const RECENT_REJECTIONS: usize = 100;
/// Longest topic and detail kept of a rejection, in bytes.
const MAX_SHOWN_BYTES: usize = 160;
/// How many sources that are not in the configuration get rows of their own.
const MAX_UNLISTED_SOURCES: usize = 64;

/// Counters of every message, readable while ingest runs.
///
/// A batch is booked as one step, so any report adds up: over the outcomes, over the sources and over the observers
/// the sum is the number of messages received.
pub struct IngestLedger {
    books: Mutex<Books>,
}

struct Books {
    since: UnixMillis,
    received: u64,
    received_bytes: u64,
    max_sources: usize,
    sources: Vec<(SourceId, Box<str>, Tally)>,
    observers: Vec<(Box<str>, Tally)>,
    recent: VecDeque<Rejection>,
}

/// Sums over all sources since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngestTotals {
    /// Messages received.
    pub received: u64,
    /// Bytes of their payloads.
    pub received_bytes: u64,
    /// Their ends, in the order of [`Outcome::ALL`]; the sum is `received`.
    pub outcomes: [u64; Outcome::ALL.len()],
}

impl IngestTotals {
    /// How many ended so.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Packets that were heard before: by another observer or path, or not new at all.
    pub fn heard_before(&self) -> u64 {
        self.count(Outcome::Duplicate) + self.count(Outcome::StoredObservation)
    }
}

/// The row of an observer in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObserverRow(u32);

impl ObserverRow {
    /// Messages that name no observer.
    pub(crate) const NOBODY: ObserverRow = ObserverRow(0);
    /// Messages of observers that got no row of their own.
    pub(crate) const OTHERS: ObserverRow = ObserverRow(1);
}

/// One message, closed.
pub(crate) struct Entry {
    pub(crate) source: SourceId,
    pub(crate) observer: ObserverRow,
    pub(crate) received: UnixMillis,
    pub(crate) outcome: Outcome,
    pub(crate) remarks: Remarks,
}

/// The counters of a row.
#[derive(Clone)]
struct Tally {
    received: u64,
    last: UnixMillis,
    outcomes: [u64; Outcome::ALL.len()],
    remarks: [u64; Remark::ALL.len()],
    /// Times without a zone that could not be believed; few observers have any.
    naive_clock: Option<Box<DayCounts>>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            received: 0,
            last: UnixMillis::default(),
            outcomes: [0; Outcome::ALL.len()],
            remarks: [0; Remark::ALL.len()],
            naive_clock: None,
        }
    }
}

impl Tally {
    fn book(&mut self, entry: &Entry) {
        self.received += 1;
        self.last = self.last.max(entry.received);
        self.outcomes[entry.outcome as usize] += 1;
        if !entry.remarks.is_empty() {
            for remark in Remark::ALL.iter().filter(|remark| entry.remarks.contains(**remark)) {
                self.remarks[*remark as usize] += 1;
            }
            if entry.remarks.contains(Remark::ClockWithoutZone) {
                self.naive_clock.get_or_insert_default().add(entry.received);
            }
        }
    }
}

impl IngestLedger {
    pub(crate) fn new(config: &IngestConfig) -> Arc<IngestLedger> {
        let sources = config.sources.iter();
        let books = Books {
            since: UnixMillis::now(),
            received: 0,
            received_bytes: 0,
            max_sources: config.sources.len() + MAX_UNLISTED_SOURCES,
            sources: sources.map(|s| (s.source, s.name.as_str().into(), Tally::default())).collect(),
            observers: vec![("".into(), Tally::default()), ("others".into(), Tally::default())],
            recent: VecDeque::with_capacity(RECENT_REJECTIONS),
        };
        Arc::new(IngestLedger { books: Mutex::new(books) })
    }

    /// All counters as they stand after a whole number of batches.
    pub fn report(&self) -> IngestReport {
        self.books.lock().report()
    }

    /// Sums over everything, read without allocating.
    pub fn totals(&self) -> IngestTotals {
        let books = self.books.lock();
        let mut outcomes = [0; Outcome::ALL.len()];
        for (_, _, tally) in &books.sources {
            outcomes.iter_mut().zip(&tally.outcomes).for_each(|(sum, count)| *sum += count);
        }
        IngestTotals { received: books.received, received_bytes: books.received_bytes, outcomes }
    }

    /// Messages received so far.
    pub fn received(&self) -> u64 {
        self.books.lock().received
    }

    /// A row for an observer; the caller sees to it that there are not too many.
    pub(crate) fn open_row(&self, key: &str) -> ObserverRow {
        let mut books = self.books.lock();
        books.observers.push((key.into(), Tally::default()));
        ObserverRow(u32::try_from(books.observers.len() - 1).unwrap_or(ObserverRow::OTHERS.0))
    }

    /// Books a batch: as many entries as messages came, and the bytes of their payloads.
    pub(crate) fn book(
        &self,
        received: usize,
        received_bytes: usize,
        entries: &[Entry],
        rejections: Vec<Rejection>,
    ) {
        debug_assert_eq!(received, entries.len(), "every message has one outcome");
        let mut books = self.books.lock();
        books.received += received as u64;
        books.received_bytes += received_bytes as u64;
        for entry in entries {
            books.source(entry.source).book(entry);
            let row = entry.observer.0 as usize;
            if let Some((_, tally)) = books.observers.get_mut(row) {
                tally.book(entry);
            }
        }
        for rejection in rejections {
            if books.recent.len() == RECENT_REJECTIONS {
                books.recent.pop_front();
            }
            books.recent.push_back(rejection);
        }
    }
}

impl Books {
    fn source(&mut self, source: SourceId) -> &mut Tally {
        let known = self.sources.iter().position(|(id, ..)| *id == source);
        let place = known.unwrap_or_else(|| {
            // Sources come from the program's own wiring, so running out of rows means a fault there; the last
            // row then takes the rest.
            if self.sources.len() < self.max_sources {
                let name =
                    if source == API_SOURCE { "api".into() } else { format!("source {}", source.0).into() };
                self.sources.push((source, name, Tally::default()));
            }
            self.sources.len() - 1
        });
        &mut self.sources[place].2
    }
}

impl Rejection {
    pub(crate) fn new(
        time: UnixMillis,
        source: SourceId,
        topic: &str,
        outcome: Outcome,
        detail: &str,
    ) -> Rejection {
        let shown = |text| text::clean(text, MAX_SHOWN_BYTES).unwrap_or_default();
        Rejection { time, source, topic: shown(topic), reason: outcome.name(), detail: shown(detail) }
    }
}
