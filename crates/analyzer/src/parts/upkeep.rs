//! A thread that keeps the history short and the file small, some minutes after the start and then once a day.

use anyhow::{Context as _, Result};
use feed::FeedHandle;
use ingest::{Retention, RetentionError, RetentionReport};
use model::UnixMillis;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Long enough for observers to have come back after a start, and for a clock to have been set.
const FIRST_AFTER: Duration = Duration::from_secs(120);

/// A day's packets at once: a pass builds the index anew, which takes about a second and twice the memory for a million
/// observations.
const INTERVAL: Duration = Duration::from_secs(24 * 3_600);

/// The thread.
pub(crate) struct Upkeep {
    // Dropping it ends the thread between two steps.
    wake: Sender<()>,
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Upkeep {
    /// `vacuum_first`: all free pages are given back at once.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(retention: Retention, feed: FeedHandle, vacuum_first: bool) -> Result<Self> {
        let (wake, woken) = channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let mut job = Job { retention, feed };
        let thread = std::thread::Builder::new()
            .name("upkeep".to_owned())
            .spawn(move || {
                let go_on = || !stop.load(Ordering::Relaxed);
                if vacuum_first {
                    job.give_all_back(&go_on);
                }
                let mut pause = FIRST_AFTER;
                while woken.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                    job.pass(&go_on);
                    pause = INTERVAL;
                }
            })
            .context("cannot start the upkeep thread")?;
        Ok(Self { wake, stopping, thread })
    }

    /// Ends it after the step at hand.
    pub(crate) fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.wake);
        if self.thread.join().is_err() {
            tracing::error!("the upkeep thread panicked");
        }
    }
}

struct Job {
    retention: Retention,
    feed: FeedHandle,
}

impl Job {
    fn pass(&mut self, go_on: &dyn Fn() -> bool) {
        match self.retention.pass(UnixMillis::now(), go_on) {
            Ok(report) if report == RetentionReport::default() => {}
            Ok(report) => {
                let RetentionReport { transmissions, observations, samples, pages } = report;
                tracing::info!(transmissions, observations, samples, pages, "old rows were removed");
                if transmissions > 0 {
                    self.feed.removed();
                }
            }
            Err(error @ RetentionError::Clock { .. }) => tracing::warn!(%error, "retention is put off"),
            Err(error) => tracing::error!(%error, "retention ended early and will be tried again"),
        }
    }

    fn give_all_back(&self, go_on: &dyn Fn() -> bool) {
        match self.retention.give_back(u32::MAX, go_on) {
            Ok(0) => {}
            Ok(pages) => tracing::info!(pages, "free pages were given back to the file system"),
            Err(error) => tracing::error!(%error, "free pages could not be given back"),
        }
    }
}
