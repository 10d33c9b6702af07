//! The seam for other ways to carry MQTT: everything above works on any [`Transport`]. Today there is plain TCP; TLS and WebSocket are
//! further implementations.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Silence after which the operating system asks whether a peer is still there; it catches clients without an MQTT keep-alive.
const PROBE_AFTER: Duration = Duration::from_secs(120);
/// Between such questions.
const PROBE_INTERVAL: Duration = Duration::from_secs(30);

/// Reads and forgets until the peer closes, at most for `limit`. Closing a socket with unread bytes makes the operating system reset the
/// connection, and then the peer may never see the last thing it was told.
pub(crate) async fn drain<R: AsyncRead + Unpin>(mut reading: R, limit: Duration) {
    let mut forgotten = vec![0; 16 << 10];
    let until_closed = async { while reading.read(&mut forgotten).await.is_ok_and(|count| count > 0) {} };
    let _ = tokio::time::timeout(limit, until_closed).await;
}

/// A connected byte stream in two halves.
pub(crate) trait Transport: Send + 'static {
    /// The half that is read.
    type Read: AsyncRead + Send + Unpin;
    /// The half that is written.
    type Write: AsyncWrite + Send + Unpin;

    /// Both halves.
    fn split(self) -> (Self::Read, Self::Write);
}

impl Transport for TcpStream {
    type Read = OwnedReadHalf;
    type Write = OwnedWriteHalf;

    fn split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        self.into_split()
    }
}

/// Sends small packets at once, and finds out about peers that are gone.
pub(crate) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
