//! A thread that tells others once a second how ingest is doing: the stats file, and serving processes.

use super::books::OwnBooks;
use super::figures::Figures;
use super::stats_file::StatsFile;
use anyhow::{Context as _, Result};
use feed::FeedHandle;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use xray::{Job, StepReport};

/// The contract's interval of the stats file.
const INTERVAL: Duration = Duration::from_secs(1);

/// A follower that took the place of another unnoticed waits so many reports for the list of series.
const SERIES_EVERY: u32 = 10;

/// The thread.
pub(crate) struct Reporter {
    // Dropping it ends the thread.
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Reporter {
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(
        figures: Arc<Figures>,
        books: Arc<OwnBooks>,
        feed: FeedHandle,
        (mut stats_file, job): (Option<StatsFile>, Job),
    ) -> Result<Self> {
        let (stop, stopped) = channel();
        // How many followers there were at the last report, and for how many reports.
        let mut told = (0, 0);
        let tell = move || {
            if let Some(file) = &mut stats_file {
                let started = Instant::now();
                let written_bytes = file.write(&figures);
                job.observed(StepReport { written_bytes, ..StepReport::default() }, started.elapsed());
            }
            // The list of series goes with the reports for as long as somebody may have missed it.
            let followers = feed.followers();
            if followers != told.0 {
                told = (followers, 0);
            }
            let with_series = told.1 % SERIES_EVERY == 0;
            told.1 += 1;
            // A report is plain data, which can always be written as JSON.
            feed.report(|| {
                serde_json::to_vec(&(figures.report(), books.report(with_series))).unwrap_or_default()
            });
        };
        let thread = std::thread::Builder::new()
            .name("reporter".to_owned())
            .spawn(move || {
                let mut tell = tell;
                loop {
                    tell();
                    if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                        // Once more, so that the file has the last commit.
                        return tell();
                    }
                }
            })
            .context("cannot start the reporter thread")?;
        Ok(Self { stop, thread })
    }

    /// Tells a last time and ends.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the reporter thread panicked");
        }
    }
}
