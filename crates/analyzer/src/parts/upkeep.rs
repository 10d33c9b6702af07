//! Threads that keep the history short and the file small, some minutes after the start and then once a day. Each step is
//! asked of its job, which makes it wait when it is over its budget or in the way of ingest.

use super::jobs::{BackgroundJobs, UPKEEP_INTERVAL};
use anyhow::{Context as _, Result};
use feed::FeedHandle;
use ingest::{Overseer, Retention, RetentionError, RetentionReport, StepDone};
use model::UnixMillis;
use std::thread::JoinHandle;
use std::time::Duration;
use storage::WriterHandle;
use xray::{Job, Run, StepReport, Wake};

/// Long enough for observers to have come back after a start, and for a clock to have been set.
const FIRST_AFTER: Duration = Duration::from_secs(120);

/// After a start there may be pages that an earlier process has freed and not given back; later, removals ask for it.
const VACUUM_AFTER: Duration = Duration::from_secs(300);

/// The threads.
pub(crate) struct Upkeep {
    jobs: xray::Jobs,
    threads: Vec<JoinHandle<()>>,
}

impl Upkeep {
    /// `vacuum_first`: all free pages are given back at once.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(
        jobs: &BackgroundJobs,
        mut retention: Retention,
        (writer, vacuum_pages): (WriterHandle, u32),
        feed: FeedHandle,
        vacuum_first: bool,
    ) -> Result<Self> {
        let give_back = writer.clone();
        let mut threads = vec![
            each_day("retention", jobs.retention.clone(), FIRST_AFTER, {
                let vacuum = jobs.vacuum.clone();
                move |run| {
                    if remove(&mut retention, run, &feed) {
                        vacuum.ask();
                    }
                }
            })?,
            each_day(
                "vacuum",
                jobs.vacuum.clone(),
                if vacuum_first { Duration::ZERO } else { VACUUM_AFTER },
                {
                    let mut first = vacuum_first;
                    move |run| {
                        let most = if std::mem::take(&mut first) { u32::MAX } else { vacuum_pages };
                        vacuum(&give_back, most, run);
                    }
                },
            )?,
        ];
        #[cfg(debug_assertions)]
        threads.extend(super::rewrite::start_if_asked_for(jobs.rewrite.clone(), writer)?);
        #[cfg(not(debug_assertions))]
        drop(writer);
        threads.shrink_to_fit();
        Ok(Self { jobs: jobs.registry.clone(), threads })
    }

    /// Ends them after the step at hand.
    pub(crate) fn stop(self) {
        self.jobs.stop();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("an upkeep thread panicked");
            }
        }
    }
}

/// Starts a thread that runs a job once a day, and whenever somebody asks for it.
fn each_day(
    name: &str,
    job: Job,
    first_after: Duration,
    mut work: impl FnMut(&Run) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let mut pause = first_after;
        while job.wait(pause) != Wake::Stop {
            work(&job.begin());
            pause = UPKEEP_INTERVAL;
        }
    });
    thread.with_context(|| format!("cannot start the {name} thread"))
}

/// A run as retention sees it.
pub(super) struct Watched<'a>(pub(super) &'a Run);

impl Overseer for Watched<'_> {
    fn go_on(&self) -> bool {
        self.0.go_on()
    }

    fn stepped(&self, done: &StepDone) {
        self.0.step(StepReport {
            examined: done.rows,
            changed: done.rows,
            unchanged: 0,
            written_bytes: done.figures.written_bytes,
            suffered: done.figures.waited,
            inflicted: done.figures.delayed_ingest,
        });
        if let Some((so_far, total)) = done.progress {
            self.0.progress(so_far, total);
        }
    }
}

/// Says whether something was removed.
fn remove(retention: &mut Retention, run: &Run, feed: &FeedHandle) -> bool {
    match retention.pass(UnixMillis::now(), &Watched(run)) {
        Ok(report) if report == RetentionReport::default() => false,
        Ok(report) => {
            let RetentionReport { transmissions, observations, samples, receptions } = report;
            tracing::info!(transmissions, observations, samples, receptions, "old rows were removed");
            if transmissions > 0 || receptions > 0 {
                feed.removed();
            }
            true
        }
        Err(error @ RetentionError::Clock { .. }) => {
            run.failed(error.to_string());
            tracing::warn!(%error, "retention is put off");
            false
        }
        Err(error) => {
            run.failed(error.to_string());
            tracing::error!(%error, "retention ended early and will be tried again");
            false
        }
    }
}

fn vacuum(writer: &WriterHandle, most: u32, run: &Run) {
    match ingest::give_back(writer, most, &Watched(run)) {
        Ok(0) => {}
        Ok(pages) => tracing::info!(pages, "free pages were given back to the file system"),
        Err(error) => {
            run.failed(error.to_string());
            tracing::error!(%error, "free pages could not be given back");
        }
    }
}
