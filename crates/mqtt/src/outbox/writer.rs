//! Empties an outbox into a socket.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::{Outbox, Taken};

/// Writes what an [`Outbox`] holds. It can be cancelled and run again at any point without losing or repeating a byte.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    socket: W,
    outbox: Arc<Outbox>,
    unwritten: BytesMut,
    /// A peer that accepts no byte for this long is gone.
    patience: Duration,
    written: Arc<AtomicU64>,
}

/// Why a writer ended.
#[derive(Debug)]
pub(crate) enum WriteEnd {
    /// The outbox was closed and all of it is written.
    Finished,
    /// A message of this peer was abandoned.
    Abandoned,
    /// The socket failed, or the peer reads nothing.
    Failed(io::Error),
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// `written` counts bytes.
    pub(crate) fn new(socket: W, outbox: Arc<Outbox>, patience: Duration, written: Arc<AtomicU64>) -> Self {
        Self { socket, outbox, unwritten: BytesMut::new(), patience, written }
    }

    pub(crate) async fn run(&mut self) -> WriteEnd {
        loop {
            if let Err(error) = self.write_taken().await {
                return WriteEnd::Failed(error);
            }
            match self.outbox.take(&mut self.unwritten) {
                Taken::Bytes => {}
                Taken::Nothing => self.outbox.filled.notified().await,
                Taken::Finished => return WriteEnd::Finished,
                Taken::Abandoned => return WriteEnd::Abandoned,
            }
        }
    }

    /// Closes the outbox, writes the rest if the peer takes it within `limit`, and ends the stream.
    pub(crate) async fn finish(mut self, limit: Duration) {
        self.outbox.close();
        let rest = async {
            if matches!(self.run().await, WriteEnd::Finished) {
                // The connection is over either way; an error here changes nothing.
                let _ = self.socket.shutdown().await;
            }
        };
        let _ = timeout(limit, rest).await;
    }

    async fn write_taken(&mut self) -> io::Result<()> {
        while self.unwritten.has_remaining() {
            let write = self.socket.write_buf(&mut self.unwritten);
            let count = timeout(self.patience, write).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.written.fetch_add(count as u64, Ordering::Relaxed);
        }
        Ok(())
    }
}
