//! The parts that a process is put together from: `run` has them all, `ingest` and `serve` have a half each.

pub(crate) mod backup;
pub(crate) mod books;
pub(crate) mod figures;
pub(crate) mod follow;
pub(crate) mod hops;
pub(crate) mod identity;
pub(crate) mod jobs;
pub(crate) mod known_channels;
pub(crate) mod load;
pub(crate) mod plan;
pub(crate) mod prunings;
pub(crate) mod receiving;
pub(crate) mod registry;
pub(crate) mod reporting;
#[cfg(debug_assertions)]
mod rewrite;
pub(crate) mod services;
pub(crate) mod serving;
pub(crate) mod sources;
pub(crate) mod stats_file;
pub(crate) mod stop;
pub(crate) mod summary;
mod ticker;
pub(crate) mod upkeep;
pub(crate) mod webhooks;
pub(crate) mod window;
mod write_figures;

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;

/// Threads for tasks that wait for the network.
///
/// # Errors
/// When the system has no more threads.
pub(crate) fn runtime(name: &'static str, threads: usize) -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .with_context(|| format!("cannot start the {name} threads"))
}
