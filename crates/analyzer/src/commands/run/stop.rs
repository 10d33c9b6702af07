//! The wish to stop, from a service manager, a container or a person.

use anyhow::{Context as _, Result};

/// SIGTERM and SIGINT (Ctrl-C), caught from the moment this value is made. It is made before the program says where it
/// listens: whoever reads that may ask it to stop at once, and an uncaught signal would end it without a last commit.
pub(crate) struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub(crate) fn listen() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| signal(kind).context("cannot listen for the signals that stop the program");
            Ok(Self {
                terminate: listen(SignalKind::terminate())?,
                interrupt: listen(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns when one has come, at once if it has come before.
    pub(crate) async fn wait(#[cfg_attr(not(unix), expect(unused_mut))] mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        // An error means that Ctrl-C cannot be caught; the program then runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
