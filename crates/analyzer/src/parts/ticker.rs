//! A thread that does something again and again until it is stopped.

use anyhow::{Context as _, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The thread.
pub(crate) struct Ticker {
    name: &'static str,
    // Dropping it ends the thread.
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// The thread's rest between two pieces of work.
pub(crate) struct Rest {
    stopped: Receiver<()>,
}

impl Ticker {
    /// `work` rests between its pieces, and returns once it is told to.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(name: &'static str, work: impl FnOnce(&Rest) + Send + 'static) -> Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&Rest { stopped }))
            .with_context(|| format!("cannot start the {name} thread"))?;
        Ok(Self { name, stop, thread })
    }

    /// Ends it after the piece of work at hand.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the {} thread panicked", self.name);
        }
    }
}

impl Rest {
    /// Rests; false when it is time to end.
    pub(crate) fn over(&self, pause: Duration) -> bool {
        self.stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout)
    }
}
