//! A thread that tells others once a second how ingest is doing: the stats file, and serving processes.

use super::books::OwnBooks;
use super::figures::Figures;
use super::stats_file::StatsFile;
use super::ticker::Ticker;
use anyhow::Result;
use feed::FeedHandle;
use std::sync::Arc;
use std::time::{Duration, Instant};
use xray::{Job, StepReport};

/// The contract's interval of the stats file.
const INTERVAL: Duration = Duration::from_secs(1);

/// A follower that took the place of another unnoticed waits so many reports for the list of series.
const SERIES_EVERY: u32 = 10;

/// Begins to tell; told to stop, it tells a last time.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn start(
    figures: Arc<Figures>,
    books: Arc<OwnBooks>,
    feed: FeedHandle,
    (mut stats_file, job): (Option<StatsFile>, Job),
) -> Result<Ticker> {
    // How many followers there were at the last report, and for how many reports.
    let mut told = (0, 0);
    let mut tell = move || {
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
    Ticker::start("reporter", move |rest| {
        tell();
        while rest.over(INTERVAL) {
            tell();
        }
        // Once more, so that the file has the last commit.
        tell();
    })
}
