//! The thread that keeps what is known of the mesh up to date: who relays, and who is beside whom.

use super::jobs::HOPS_INTERVAL;
use super::ticker::Ticker;
use anyhow::Result;
use index::{HopKeeper, SharedIndex};
use model::UnixMillis;
use xray::{Job, StepReport};

/// Begins: `keeper` has made the first step, when the history was loaded; `job` is told of each further one.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn start(mut keeper: HopKeeper, index: SharedIndex, job: Option<Job>) -> Result<Ticker> {
    Ticker::start("hops", move |rest| {
        while rest.over(HOPS_INTERVAL) {
            step(&mut keeper, &index, job.as_ref());
        }
    })
}

fn step(keeper: &mut HopKeeper, index: &SharedIndex, job: Option<&Job>) {
    let run = job.map(Job::begin);
    let did_something = keeper.step(index, UnixMillis::now());
    if let Some(run) = run {
        run.step(StepReport { examined: u64::from(did_something), ..StepReport::default() });
    }
}
