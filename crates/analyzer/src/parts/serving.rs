//! The half that serves: the page, the API and the live feed.

use super::runtime;
use anyhow::{Context as _, Result};
use api::{ApiError, ApiState};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long requests that are under way at the end may take to finish.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The port, open, and nobody answering yet.
pub(crate) struct Port {
    threads: Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

/// Answering.
pub(crate) struct Serving {
    threads: Runtime,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), ApiError>>,
}

impl Port {
    /// Opens it. This comes first of all, so that a second start fails before it touches the database.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let threads = runtime("http", 2)?;
        let listener = threads.block_on(TcpListener::bind(address)).with_context(|| {
            format!("cannot listen for HTTP on {address}; choose another address with --http ADDR:PORT")
        })?;
        let address = listener.local_addr()?;
        Ok(Self { threads, listener, address })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to answer.
    pub(crate) fn serve(self, state: ApiState) -> Serving {
        let (stop, stopped) = watch::channel(false);
        let task = self.threads.spawn(api::serve(self.listener, state, until(stopped)));
        Serving { threads: self.threads, stop, task }
    }
}

impl Serving {
    /// Lets requests that are under way finish, and ends.
    ///
    /// # Errors
    /// When serving had ended by itself with an error.
    pub(crate) fn stop(self) -> Result<()> {
        let _ = self.stop.send(true);
        let served = self.threads.block_on(async { tokio::time::timeout(DRAIN_LIMIT, self.task).await });
        self.threads.shutdown_background();
        if let Ok(Ok(result)) = served {
            result?;
        }
        Ok(())
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}
