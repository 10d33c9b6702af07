//! The embedded broker: MQTT 3.1.1 and 5 on one TCP port.
//!
//! What it does not do, and says so where the protocol lets it: sessions that outlive a connection (a client that asks for one is told
//! that there is none), QoS 2 to subscribers (they get 1), QoS 2 from clients of MQTT 5 (refused as announced; 3.1.1 clients, who cannot
//! be told, get the full exchange), topic aliases, subscription identifiers, shared subscriptions, enhanced authentication.

pub(crate) mod config;
mod handshake;
pub(crate) mod hub;
pub(crate) mod retained;
mod session;
pub(crate) mod stats;
pub(crate) mod subscriptions;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::error::MqttError;
use crate::outbox::{Room, WriteEnd, Writer};
use crate::packet::frames::FrameBuffer;
use crate::packet::{ProtocolVersion, disconnect_with_reason};
use crate::queue::MessageSender;
use crate::transport::{Transport, drain, tune};
use config::BrokerConfig;
use handshake::{Refusal, admit, read_connect_in_time};
use hub::Hub;
use session::{End, Session};
use stats::{BrokerStats, CloseReason, RefuseReason, add};

/// Connections that may be in their handshake beside the clients. More wait in the operating system's backlog.
const MAX_HANDSHAKES: usize = 128;
/// How long the last bytes for a client may take: its last acknowledgements, a DISCONNECT, a refusal.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Pause after a failed accept: it usually means that file descriptors ran out, and then trying at once helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running broker. Dropping it closes all connections soon, without the care of [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct Broker {
    hub: Arc<Hub>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    connections: Arc<Semaphore>,
    max_connections: u32,
}

impl Broker {
    /// Listens, and serves clients from now on; their messages go into `messages`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`MqttError::AddressInUse`] and its relatives when the port cannot be had, [`MqttError::Setting`] for a setting that cannot work.
    pub async fn bind(config: BrokerConfig, messages: MessageSender) -> Result<Self, MqttError> {
        config.check()?;
        let wanted = config.listen;
        let listen = |cause| MqttError::listen(wanted, cause);
        let listener = TcpListener::bind(wanted).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let max_connections =
            u32::try_from(config.max_clients.saturating_add(MAX_HANDSHAKES)).unwrap_or(u32::MAX);
        let max_connections =
            max_connections.min((Semaphore::MAX_PERMITS as u64).min(u64::from(u32::MAX)) as u32);
        let hub = Arc::new(Hub::new(config));
        let connections = Arc::new(Semaphore::new(max_connections as usize));
        let (stop, stopped) = watch::channel(false);
        let acceptor = Acceptor {
            hub: Arc::clone(&hub),
            listener,
            messages,
            connections: Arc::clone(&connections),
            stopped,
        };
        let accepting = tokio::spawn(acceptor.run());
        info!(%address, "mqtt broker is listening");
        Ok(Self { hub, address, stop, accepting, connections, max_connections })
    }

    /// Where it listens; with the real port if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A snapshot of its counters and its clients.
    pub fn stats(&self) -> BrokerStats {
        self.hub.stats(self.address)
    }

    /// Stops in good order. At once nothing more is accepted or read, and all [`MessageSender`]s of the broker are dropped, so that whoever drains the
    /// queue comes to its end. Then every client gets the acknowledgements of its messages as they are confirmed, for at most
    /// [`shutdown_grace`](BrokerConfig::shutdown_grace), and a DISCONNECT if it speaks MQTT 5. Wills are not published: the clients are not to blame.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // It only fails if it panicked, and then it has stopped as well.
        let _ = self.accepting.await;
        let limit = self.hub.config.shutdown_grace + 2 * LAST_WORDS;
        if timeout(limit, self.connections.acquire_many(self.max_connections)).await.is_err() {
            warn!("mqtt broker stopped before all clients were gone");
        }
    }
}

struct Acceptor {
    hub: Arc<Hub>,
    listener: TcpListener,
    messages: MessageSender,
    connections: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Acceptor {
    async fn run(mut self) {
        loop {
            let mut stopped = self.stopped.clone();
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                () = self.accept() => {}
            }
        }
    }

    async fn accept(&mut self) {
        let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
        match self.listener.accept().await {
            Ok((stream, peer)) => {
                add(&self.hub.counters.connections, 1);
                // Without these options the connection works, only worse.
                let _ = tune(&stream);
                let connection = Connection {
                    hub: Arc::clone(&self.hub),
                    peer,
                    messages: self.messages.clone(),
                    stopped: self.stopped.clone(),
                    _permit: permit,
                };
                tokio::spawn(connection.serve(stream));
            }
            Err(error) => {
                add(&self.hub.counters.accept_errors, 1);
                warn!(%error, "mqtt broker cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One TCP connection, from accept to close.
struct Connection {
    hub: Arc<Hub>,
    peer: SocketAddr,
    messages: MessageSender,
    stopped: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve<T: Transport>(mut self, transport: T) {
        let (mut reading, writing) = transport.split();
        let mut buffer = FrameBuffer::new(self.hub.config.max_packet());
        let connect = tokio::select! {
            connect = read_connect_in_time(&mut reading, &mut buffer, self.hub.config.handshake_timeout) => connect,
            () = is_stopped(&mut self.stopped) => Err(Refusal::silent(RefuseReason::Shutdown)),
        };
        let (connect, frames, bytes_read) = match connect {
            Ok(read) => read,
            Err(refusal) => return self.refuse(reading, writing, refusal).await,
        };
        let mut admitted = match admit(&self.hub, connect, self.peer).await {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse(reading, writing, refusal).await,
        };
        let client = Arc::clone(&admitted.registration.client);
        client.count_read(bytes_read);
        debug!(peer = %client.peer, client.id = ?client.id, version = ?client.version, "mqtt client connected");

        let outbox = Arc::clone(&client.outbox);
        let patience = self.hub.config.write_timeout;
        let mut writer = Writer::new(writing, Arc::clone(&outbox), patience, Arc::clone(&client.bytes_out));
        let mut session = Session::new(
            Arc::clone(&self.hub),
            Arc::clone(&client),
            reading,
            buffer,
            frames,
            self.messages.clone(),
            admitted.silence,
        );
        let end = tokio::select! {
            end = session.run() => end,
            end = writer.run() => End::Other(write_failed(&end)),
            reason = client.stopped() => End::Other(reason),
            () = is_stopped(&mut self.stopped) => End::Other(CloseReason::Shutdown),
        };
        admitted.registration.reason = end.reason();
        debug!(peer = %client.peer, client.id = ?client.id, %end, "mqtt client gone");

        if end == End::Other(CloseReason::Shutdown) {
            let grace = self.hub.config.shutdown_grace;
            let _ = timeout(LAST_WORDS, session.flush()).await;
            drop(session);
            // From here on nothing of this connection keeps the queue open.
            drop(self.messages);
            let all_answered = outbox.wait_for(Room::ALL_ANSWERED);
            tokio::select! {
                _ = timeout(grace, all_answered) => {}
                _ = writer.run() => {}
            }
            say_goodbye(end, &client);
            return writer.finish(LAST_WORDS).await;
        }
        say_goodbye(end, &client);
        writer.finish(LAST_WORDS).await;
        // Only a full queue makes this wait, and then it must: the messages were sent properly.
        if session.flush().await.is_ok()
            && let Some(will) = admitted.will.take_if(|_| end.is_unexpected())
        {
            session.publish_will(will).await;
        }
        drop(admitted);
        drain(session.into_socket(), LAST_WORDS).await;
    }

    async fn refuse<R, W>(self, reading: R, mut writing: W, refusal: Refusal)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        self.hub.counters.count_refused(refusal.reason);
        debug!(peer = %self.peer, reason = refusal.reason.label(), "mqtt connection refused");
        let answer = async {
            if let Some(packet) = &refusal.answer {
                writing.write_all(packet).await?;
            }
            writing.shutdown().await
        };
        // The peer is told if it listens; it is refused either way.
        let _ = timeout(LAST_WORDS, answer).await;
        if refusal.answer.is_some() {
            drain(reading, LAST_WORDS).await;
        }
    }
}

fn say_goodbye(end: End, client: &hub::Client) {
    if client.version == ProtocolVersion::V5
        && let Some(code) = end.reason_code()
    {
        client.outbox.push(&disconnect_with_reason(code));
    }
}

fn write_failed(end: &WriteEnd) -> CloseReason {
    match end {
        WriteEnd::Abandoned => CloseReason::NotKept,
        WriteEnd::Failed(error) if error.kind() == std::io::ErrorKind::TimedOut => CloseReason::WriteTimeout,
        WriteEnd::Failed(_) | WriteEnd::Finished => CloseReason::Lost,
    }
}

/// A broker that was dropped has stopped as well.
async fn is_stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
