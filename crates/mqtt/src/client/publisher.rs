//! A client that publishes: for replay, simulation, demo and measurements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::backoff::random;
use super::connection::{Login, connect};
use super::source_config::SessionKind;
use crate::error::MqttError;
use crate::message::Qos;
use crate::outbox::{Delivery, DeliveryLimits, Outbox, Room, WriteEnd, Writer};
use crate::packet::frames::{FrameBuffer, Frames};
use crate::packet::{DISCONNECT, PINGREQ, ProtocolVersion, answered_packet_id, kind};
use crate::topic::topic_is_valid;
use crate::transport::drain;
use crate::url::{BrokerUrl, Credentials};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Told to the broker; a ping goes out each half of it.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// A broker that answers nothing for this long is gone. Longer than the keep-alive, because a broker that is full does not read pings.
const SILENCE: Duration = Duration::from_secs(300);
/// A broker that accepts no byte for this long is gone; the same reason.
const WRITE_PATIENCE: Duration = Duration::from_secs(300);
/// Time for the last packets when it is dropped.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// Publishing waits when this much is unwritten.
const MAX_UNWRITTEN: usize = 1 << 20;
/// Messages of QoS 1 on their way when nothing else is said.
const DEFAULT_WINDOW: u16 = 1000;
/// Largest payload, below the 256 MiB that a packet may have with its topic.
const MAX_PAYLOAD: usize = 255 << 20;

/// A connection that publishes, in MQTT 3.1.1. It does not reconnect: after an error make a new one.
///
/// Dropping it sends what was published before and says goodbye in the background.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    answered: watch::Receiver<u64>,
    window: u16,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    broker: String,
    outbox: Arc<Outbox>,
    pings: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Publisher {
    /// Connects. `credentials` go before those in the URL. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`MqttError::Connect`], [`MqttError::Timeout`], [`MqttError::Refused`] and the like.
    pub async fn connect(url: &BrokerUrl, credentials: Option<Credentials>) -> Result<Self, MqttError> {
        Self::connect_with_window(url, credentials, DEFAULT_WINDOW).await
    }

    /// Like [`connect`](Self::connect), with so many messages of QoS 1 on their way at most (default 1,000, at least 1).
    ///
    /// # Errors
    /// As there.
    pub async fn connect_with_window(
        url: &BrokerUrl,
        credentials: Option<Credentials>,
        window: u16,
    ) -> Result<Self, MqttError> {
        let credentials = credentials.or_else(|| url.credentials().cloned());
        let broker = match &credentials {
            Some(credentials) => url.clone().with_credentials(credentials.clone()).to_string(),
            None => url.to_string(),
        };
        let login = Login {
            url: url.clone(),
            broker: broker.clone(),
            client_id: format!("publish{:016x}", random()),
            credentials,
            version: ProtocolVersion::V3_1_1,
            session: SessionKind::Clean,
            keep_alive: KEEP_ALIVE.as_secs() as u16,
            receive_maximum: u16::MAX,
            max_payload: 0,
        };
        let connected = connect(&login, CONNECT_TIMEOUT).await.map_err(|failure| failure.error)?;
        let outbox = Arc::new(Outbox::new(DeliveryLimits {
            version: ProtocolVersion::V3_1_1,
            max_packet: usize::MAX,
            window: window.max(1).into(),
            max_bytes: usize::MAX,
        }));
        let shared = Arc::new(Shared {
            broker,
            outbox: Arc::clone(&outbox),
            pings: AtomicU64::new(0),
            failure: Mutex::default(),
        });
        let (answers, answered) = watch::channel(0);
        let writer = Writer::new(connected.writing, outbox, WRITE_PATIENCE, Arc::default());
        let reader = Answers {
            shared: Arc::clone(&shared),
            socket: connected.reading,
            buffer: connected.buffer,
            frames: connected.frames,
            answers,
        };
        let task = tokio::spawn(serve(reader, writer));
        Ok(Self { shared, answered, window: window.max(1), task })
    }

    /// Sends a message: waits while too many are on their way, not for its own acknowledgement.
    ///
    /// # Errors
    /// [`MqttError::BadPublish`] for an invalid topic, a payload above 255 MiB, and QoS 2, which is not offered; [`MqttError::Lost`]
    /// when the connection is gone.
    pub async fn publish(
        &mut self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        qos: Qos,
        retain: bool,
    ) -> Result<(), MqttError> {
        let payload = payload.as_ref();
        let problem = match qos {
            Qos::ExactlyOnce => Some("QoS 2 is not offered"),
            _ if !topic_is_valid(topic) => Some("the topic is empty, too long, or has a wildcard or NUL"),
            _ if payload.len() > MAX_PAYLOAD => Some("the payload is larger than 255 MiB"),
            _ => None,
        };
        if let Some(problem) = problem {
            let topic = topic.chars().take(100).collect();
            return Err(MqttError::BadPublish { topic, problem });
        }
        let acknowledged = qos == Qos::AtLeastOnce;
        let deliveries = if acknowledged { usize::from(self.window) - 1 } else { usize::MAX };
        self.shared.outbox.wait_for(Room { bytes: MAX_UNWRITTEN, deliveries, ..Room::UNLIMITED }).await;
        self.shared.check()?;
        self.shared.outbox.deliver(&Delivery { topic, payload, properties: &[], retain, acknowledged });
        Ok(())
    }

    /// Messages of QoS 1 that the broker has not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.shared.outbox.unacknowledged_deliveries()
    }

    /// Waits until the broker has read everything and acknowledged what it must.
    ///
    /// # Errors
    /// [`MqttError::Lost`] when the connection is gone before that.
    pub async fn flush(&mut self) -> Result<(), MqttError> {
        // A broker answers in order, so the answer to a ping says that all before it was read.
        let ping = self.shared.ping();
        if self.answered.wait_for(|answered| *answered >= ping).await.is_err() {
            return Err(self.shared.lost());
        }
        self.shared.outbox.wait_for(Room { deliveries: 0, ..Room::UNLIMITED }).await;
        self.shared.check()
    }

    /// [Flushes](Self::flush) and says goodbye.
    ///
    /// # Errors
    /// [`MqttError::Lost`] when the connection is gone before everything is acknowledged.
    pub async fn disconnect(mut self) -> Result<(), MqttError> {
        self.flush().await?;
        self.shared.goodbye();
        // It only fails if it panicked, and everything is acknowledged by now.
        let _ = (&mut self.task).await;
        Ok(())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.goodbye();
    }
}

impl Shared {
    fn check(&self) -> Result<(), MqttError> {
        if self.failure.lock().is_some() { Err(self.lost()) } else { Ok(()) }
    }

    fn lost(&self) -> MqttError {
        let reason = self.failure.lock().clone().unwrap_or_else(|| "closed".to_owned());
        MqttError::Lost { broker: self.broker.clone(), reason }
    }

    /// Queues a ping; its number is that of the answer to wait for.
    fn ping(&self) -> u64 {
        let mut number = 0;
        self.outbox.push_with(|out| {
            out.extend_from_slice(&PINGREQ);
            // Counted under the outbox's lock, so that numbers and pings are in the same order.
            number = self.pings.fetch_add(1, Ordering::Relaxed) + 1;
        });
        number
    }

    fn goodbye(&self) {
        self.outbox.push(&DISCONNECT);
        self.outbox.close();
    }
}

/// What comes back from the broker.
struct Answers<R> {
    shared: Arc<Shared>,
    socket: R,
    buffer: FrameBuffer,
    frames: Frames,
    answers: watch::Sender<u64>,
}

impl<R: AsyncRead + Unpin> Answers<R> {
    /// Reads until the connection is over; says why.
    async fn run(&mut self) -> String {
        loop {
            while let Some(frame) = self.frames.next() {
                let body = self.frames.body(frame);
                match frame.first_byte >> 4 {
                    kind::PUBACK => match answered_packet_id(body, ProtocolVersion::V3_1_1) {
                        Ok(packet_id) => {
                            self.shared.outbox.delivery_acknowledged(packet_id);
                        }
                        Err(violation) => return violation.to_string(),
                    },
                    kind::PINGRESP => self.answers.send_modify(|answered| *answered += 1),
                    _ => return "the broker sent a packet that was not asked for".to_owned(),
                }
            }
            match timeout(SILENCE, self.buffer.fill(&mut self.socket)).await {
                Err(_) => return "the broker answers nothing".to_owned(),
                Ok(Ok(0)) => return "closed by the broker".to_owned(),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
            }
            match self.buffer.take() {
                Ok(frames) => self.frames = frames,
                Err(violation) => return violation.to_string(),
            }
        }
    }
}

/// Serves the connection until one side ends it.
async fn serve<R, W>(mut answers: Answers<R>, mut writer: Writer<W>)
where
    R: AsyncRead + Unpin,
    W: tokio::io::AsyncWrite + Unpin,
{
    let shared = Arc::clone(&answers.shared);
    let pings = async {
        loop {
            sleep(KEEP_ALIVE / 2).await;
            shared.ping();
        }
    };
    let failure = tokio::select! {
        reason = answers.run() => Some(reason),
        end = writer.run() => match end {
            WriteEnd::Finished | WriteEnd::Abandoned => None,
            WriteEnd::Failed(error) => Some(error.to_string()),
        },
        () = pings => None,
    };
    *shared.failure.lock() = failure;
    let Answers { socket, answers, .. } = answers;
    // Wakes whoever waits for an answer, and the next line whoever waits for room; the failure is known before that.
    drop(answers);
    writer.finish(LAST_WORDS).await;
    drain(socket, LAST_WORDS).await;
}
