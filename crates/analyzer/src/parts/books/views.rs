//! Samples with their history, and the views on them that the API asks for.

use super::sources::now_ms;
use super::wire::Facts;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use xray::{
    Catalogue, History, HistoryAnswer, HistoryError, HistoryQuery, Ledger, LedgerView, ProcessLedger, Recent,
    SeriesKind, SeriesReading, Wear,
};

/// Over how many seconds the rate of a reading is taken.
const RATE_SECS: u32 = 30;

/// Longer windows than this are asked of the history: the seconds are kept in memory for twenty minutes.
const RECENT_SECS: u32 = 1_200;

/// Samples are a second apart, more or less.
const YOUNG_SECS: f64 = 3.0;

/// Wear is measured over a day, because meshes and jobs have a daily rhythm.
const WEAR_SECS: u32 = 86_400;

/// The newest samples and the history of a process, shared by those who add and those who ask.
#[derive(Clone)]
pub(crate) struct Samples {
    recent: Arc<Mutex<Recent>>,
    history: Arc<History>,
}

impl Samples {
    /// Of this catalogue, with this history.
    pub(crate) fn new(catalogue: Arc<Catalogue>, history: History) -> Self {
        Self { recent: Arc::new(Mutex::new(Recent::new(catalogue))), history: Arc::new(history) }
    }

    /// Those of another process, which writes its history in this folder.
    pub(crate) fn following(catalogue: Arc<Catalogue>, folder: &Path) -> Self {
        Self::new(Arc::clone(&catalogue), History::read_only(folder, catalogue))
    }

    /// Adds a sample.
    pub(crate) fn push(&self, at_ms: i64, sample: &[u64]) {
        self.recent.lock().push(at_ms, sample);
        self.history.push(at_ms, sample);
    }

    /// Asks the newest samples.
    pub(crate) fn recent<T>(&self, ask: impl FnOnce(&Recent) -> T) -> T {
        ask(&self.recent.lock())
    }

    /// Writes down what only memory has.
    pub(crate) fn close(&self) {
        self.history.close();
    }

    /// Why the history cannot be written down at present.
    pub(crate) fn history_error(&self) -> Option<String> {
        self.history.error()
    }

    /// Bytes that the history has cost.
    pub(crate) fn history_bytes(&self) -> u64 {
        self.history.written().bytes.get()
    }

    pub(crate) fn readings(&self) -> Vec<SeriesReading> {
        self.recent(|recent| {
            let catalogue = Arc::clone(recent.catalogue());
            let readings = catalogue.under("").map(|(id, name)| {
                let info = catalogue.info(id);
                SeriesReading {
                    name: name.to_owned(),
                    kind: info.kind,
                    unit: info.unit,
                    help: info.help.clone(),
                    value: recent.last(id),
                    per_sec: if info.kind == SeriesKind::Counter { recent.rate(id, RATE_SECS) } else { None },
                }
            });
            readings.collect()
        })
    }

    pub(crate) fn history(&self, query: &HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
        self.history.query(query, now_ms())
    }

    pub(crate) fn process_ledger(&self, process: &str, window_secs: u32, facts: &Facts) -> ProcessLedger {
        self.grown(window_secs, |view| {
            view.ledger(process, facts.threads.clone(), facts.unknown_because.clone())
        })
    }

    pub(crate) fn wear(&self, facts: &Facts) -> Wear {
        self.grown(WEAR_SECS, |view| view.wear(facts.device()))
    }

    /// Asks for the growth over the last so many seconds, or over what is known of them.
    fn grown<T>(&self, window_secs: u32, ask: impl FnOnce(&LedgerView<'_>) -> T) -> T {
        let (catalogue, (mut grown, mut secs)) = self.recent(|recent| {
            (Arc::clone(recent.catalogue()), recent.all_grown(window_secs.min(RECENT_SECS)))
        });
        // Of before the start, and of longer ago than the seconds are kept, the files know.
        if secs + YOUNG_SECS < f64::from(window_secs) {
            let now = now_ms();
            let longer = self.history.growth(now - i64::from(window_secs) * 1_000, now, now);
            if longer.covered_secs as f64 > secs {
                (grown, secs) = (longer.values, longer.covered_secs as f64);
            }
        }
        ask(&LedgerView { catalogue: &catalogue, grown: &grown, secs })
    }
}

/// The ledgers of processes over a window that ends now.
pub(crate) fn ledger(window_secs: u32, processes: Vec<ProcessLedger>, wear: Wear) -> Ledger {
    let to_ms = now_ms();
    Ledger { from_ms: to_ms - i64::from(window_secs) * 1_000, to_ms, processes, wear }
}
