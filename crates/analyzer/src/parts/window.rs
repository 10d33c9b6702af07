//! The thread that keeps the packets in memory within their budget.

use super::ticker::Ticker;
use crate::memory;
use anyhow::Result;
use api::WindowFigures;
use index::{Index, SharedIndex};
use ingest::Window;
use model::TransmissionId;
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Duration;
use storage::Reader;

/// How often it is looked whether the index has outgrown its share. At 2,000 observations a second that is a megabyte.
const INTERVAL: Duration = Duration::from_secs(5);

/// Without a budget of its own, packets may take this share of the machine's memory, or of what the container may use.
const SHARE_OF_MACHINE: u64 = 2;

/// Begins to keep it.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn start(
    window: Arc<Window>,
    index: SharedIndex,
    reader: impl Fn() -> Option<Arc<Reader>> + Send + 'static,
) -> Result<Ticker> {
    Ticker::start("window", move |rest| {
        while rest.over(INTERVAL) {
            // What is not committed yet cannot be read back.
            keep_within(&window, &index, || reader()?.last_ids().ok()?.transmission);
        }
    })
}

/// Looks once; see [`Window::keep`].
pub(crate) fn keep_within(
    window: &Window,
    index: &RwLock<Index>,
    stored: impl FnOnce() -> Option<TransmissionId>,
) {
    if let Err(error) = window.keep(index, stored) {
        tracing::error!(%error, "the packets in memory cannot be made fewer");
    }
}

/// The budget: what the operator says, else a share of the machine.
pub(crate) fn window(max_memory_mb: Option<u64>) -> Arc<Window> {
    let said = max_memory_mb.map(|megabytes| megabytes << 20);
    let machine = || memory::of_machine("MemTotal:").map(|machine| machine.min(memory::allowed()));
    Arc::new(Window::new(said.or_else(|| Some(machine()? / SHARE_OF_MACHINE))))
}

/// Its figures, as the API shows them.
pub(crate) fn figures(window: &Window) -> WindowFigures {
    WindowFigures {
        budget_bytes: window.budget(),
        cache_bytes: window.cache_bytes(),
        let_go: window.let_go(),
    }
}
