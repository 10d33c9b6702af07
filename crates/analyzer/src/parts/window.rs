//! The thread that keeps the packets in memory within their budget.

use super::ticker::Ticker;
use anyhow::Result;
use api::WindowFigures;
use index::SharedIndex;
use ingest::Window;
use std::fs;
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
            let stored = reader().and_then(|reader| reader.last_ids().ok()?.transmission);
            if let Err(error) = window.keep(&index, stored) {
                tracing::error!(%error, "the packets in memory cannot be made fewer");
            }
        }
    })
}

/// The budget: what the operator says, else a share of the machine.
pub(crate) fn window(max_memory_mb: Option<u64>) -> Arc<Window> {
    let said = max_memory_mb.map(|megabytes| megabytes << 20);
    Arc::new(Window::new(said.or_else(|| Some(machine_bytes()? / SHARE_OF_MACHINE))))
}

/// Its figures, as the API shows them.
pub(crate) fn figures(window: &Window) -> WindowFigures {
    WindowFigures {
        budget_bytes: window.budget(),
        cache_bytes: window.cache_bytes(),
        let_go: window.let_go(),
    }
}

fn machine_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let machine = line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1_024)?;
    // A container may be allowed less than the machine has.
    let allowed = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let allowed = allowed.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(u64::MAX);
    Some(machine.min(allowed))
}
