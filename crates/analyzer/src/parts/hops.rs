//! The thread that keeps what is known of the mesh up to date: who relays, and who is beside whom.

use super::jobs::HOPS_INTERVAL;
use anyhow::{Context as _, Result};
use index::{HopKeeper, SharedIndex};
use model::UnixMillis;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use xray::{Job, StepReport};

/// The thread.
pub(crate) struct HopThread {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl HopThread {
    /// `keeper` has made the first step, when the history was loaded; `job` is told of each further one.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(mut keeper: HopKeeper, index: SharedIndex, job: Option<Job>) -> Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new()
            .name("hops".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(HOPS_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    step(&mut keeper, &index, job.as_ref());
                }
            })
            .context("cannot start the hops thread")?;
        Ok(Self { stop, thread })
    }

    /// Ends it after the step at hand.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the hops thread panicked");
        }
    }
}

fn step(keeper: &mut HopKeeper, index: &SharedIndex, job: Option<&Job>) {
    let run = job.map(Job::begin);
    let did_something = keeper.step(index, UnixMillis::now());
    if let Some(run) = run {
        run.step(StepReport { examined: u64::from(did_something), ..StepReport::default() });
    }
}
