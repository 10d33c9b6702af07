//! A subscription to an outside broker that never gives up.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::connection::{ConnectFailure, Login, connect, ping};
use super::source_config::{SessionKind, SourceConfig, SourceProtocol};
use super::status::{SourceStatus, StatusBoard};
use super::subscription::{Subscription, SubscriptionEnd};
use crate::error::MqttError;
use crate::outbox::{DeliveryLimits, Outbox, Room, WriteEnd, Writer};
use crate::packet::{DISCONNECT, ProtocolVersion};
use crate::queue::MessageSender;
use crate::topic::TopicCache;

/// A connection that lasted this long was good: the next pause is short again. A broker that lets us in and throws us out at once is not.
const GOOD_CONNECTION: Duration = Duration::from_secs(30);
/// A broker that accepts no byte for this long is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// How long the last bytes for a broker may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A subscription to an outside broker: connects, subscribes, reconnects, for as long as it lives.
///
/// Its messages go into the queue it was given; a message of QoS 1 is acknowledged to the broker when its [`Ack`](crate::Ack) is, and with
/// a [persistent session](crate::SessionKind::Persistent) comes again if that never happens. Dropping it ends it at once.
#[derive(Debug)]
pub struct Source {
    status: Arc<StatusBoard>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Source {
    /// Starts it; a broker that cannot be reached is tried again and again. Must be called within a tokio runtime.
    ///
    /// Settings that cannot work (see [`SourceConfig::check`]) show as [`SourceStatus::last_error`], and then nothing is tried.
    pub fn spawn(config: SourceConfig, messages: MessageSender) -> Self {
        let status = Arc::new(StatusBoard::new(config.name.clone(), config.masked_broker()));
        let (stop, stopped) = watch::channel(false);
        let runner = Runner { config, status: Arc::clone(&status), messages: Some(messages), stopped };
        let task = tokio::spawn(runner.run());
        Self { status, stop, task }
    }

    /// How it is doing.
    pub fn status(&self) -> SourceStatus {
        self.status.snapshot()
    }

    /// Stops receiving at once and drops the queue's sender, then waits for held acknowledgements, at most
    /// [`shutdown_grace`](SourceConfig::shutdown_grace), and says goodbye to the broker.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // It only fails if it panicked, and then it has stopped as well.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Runner {
    config: SourceConfig,
    status: Arc<StatusBoard>,
    /// Given up when told to stop.
    messages: Option<MessageSender>,
    stopped: watch::Receiver<bool>,
}

/// How a connection ended.
enum Outcome {
    /// We were told to stop.
    Stopped,
    /// It was lost, or never came about.
    Failed,
    /// The other version is worth an attempt at once.
    TryOtherVersion,
    /// The broker may not want to know us, or keep anything for us.
    TryWithoutSession,
}

impl Runner {
    async fn run(mut self) {
        let name = self.config.name.clone();
        if let Err(error) = self.config.check() {
            warn!(source = name, %error, "mqtt source has a setting that cannot work");
            return self.status.failed(error.to_string());
        }
        let mut login = self.login();
        let mut backoff = Backoff::new(self.config.reconnect_min, self.config.reconnect_max);
        let mut other_version_tried = false;
        loop {
            let started = Instant::now();
            match self.connect_once(&login).await {
                Outcome::Stopped => return,
                Outcome::TryOtherVersion => {
                    login.version = match login.version {
                        ProtocolVersion::V5 => ProtocolVersion::V3_1_1,
                        ProtocolVersion::V3_1_1 => ProtocolVersion::V5,
                    };
                    other_version_tried = !other_version_tried;
                    if other_version_tried {
                        continue;
                    }
                }
                Outcome::TryWithoutSession => login = self.other_identity(login),
                Outcome::Failed => other_version_tried = false,
            }
            if started.elapsed() >= GOOD_CONNECTION {
                backoff.reset();
                self.status.was_well();
            }
            let pause = backoff.next_pause();
            let mut stopped = self.stopped.clone();
            tokio::select! {
                () = sleep(pause) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    fn login(&self) -> Login {
        let (client_id, session) = self.config.identity();
        Login {
            url: self.config.url.clone(),
            broker: self.config.masked_broker(),
            client_id,
            credentials: self.config.credentials(),
            version: match self.config.protocol {
                SourceProtocol::V3_1_1 => ProtocolVersion::V3_1_1,
                SourceProtocol::Auto | SourceProtocol::V5 => ProtocolVersion::V5,
            },
            session,
            keep_alive: u16::try_from(self.config.keep_alive.as_secs()).unwrap_or(u16::MAX),
            receive_maximum: self.config.max_in_flight,
            max_payload: self.config.max_payload,
        }
    }

    /// With a session and without in turn, so that neither a broker that never grants one nor one that refused for another
    /// reason is given up.
    fn other_identity(&self, login: Login) -> Login {
        let version = login.version;
        let lasting = self.login();
        if login.session == SessionKind::Clean {
            return Login { version, ..lasting };
        }
        Login { version, client_id: SourceConfig::passing_id(), session: SessionKind::Clean, ..lasting }
    }

    /// Notes that there is no connection, and what to try next.
    fn failed(&self, failure: &ConnectFailure) -> Outcome {
        let (source, error) = (&self.config.name, &failure.error);
        // A broker that is down for days is tried thousands of times, and once is enough to say so.
        if self.status.is_news(&error.to_string()) {
            warn!(source, %error, "mqtt source cannot connect and goes on trying");
        } else {
            debug!(source, %error, "mqtt source cannot connect yet");
        }
        self.status.failed(error.to_string());
        let lasting = self.config.identity().1 != SessionKind::Clean;
        if self.config.protocol == SourceProtocol::Auto && failure.try_other_version {
            Outcome::TryOtherVersion
        } else if lasting && failure.try_without_session {
            Outcome::TryWithoutSession
        } else {
            Outcome::Failed
        }
    }

    async fn connect_once(&mut self, login: &Login) -> Outcome {
        let Some(messages) = self.messages.clone() else { return Outcome::Stopped };
        let mut stopped = self.stopped.clone();
        let connected = tokio::select! {
            connected = connect(login, self.config.connect_timeout) => connected,
            _ = stopped.wait_for(|stopped| *stopped) => return Outcome::Stopped,
        };
        let connected = match connected {
            Ok(connected) => connected,
            Err(failure) => return self.failed(&failure),
        };
        if login.session != self.config.identity().1 {
            warn!(
                source = self.config.name,
                broker = login.broker,
                "mqtt broker keeps no session for us, so what is published while we are away is missed"
            );
        }
        info!(source = self.config.name, broker = login.broker, version = ?login.version, "mqtt source connected");
        self.status.connected();

        // It receives nothing from us but acknowledgements and pings.
        let outbox = Arc::new(Outbox::new(DeliveryLimits::default()));
        let mut writer = Writer::new(connected.writing, Arc::clone(&outbox), WRITE_PATIENCE, Arc::default());
        let keep_alive = connected.keep_alive;
        let mut subscription = Subscription {
            config: &self.config,
            login,
            status: &self.status,
            outbox: Arc::clone(&outbox),
            socket: connected.reading,
            buffer: connected.buffer,
            frames: connected.frames,
            queue: messages,
            batch: Vec::new(),
            topics: TopicCache::default(),
            keep_alive,
            outstanding: 0,
            received: SystemTime::now(),
        };
        let end = tokio::select! {
            end = subscription.run() => end,
            end = writer.run() => SubscriptionEnd::Failed(write_failed(&end, login)),
            () = ping(&outbox, keep_alive) => SubscriptionEnd::Stopped,
            _ = stopped.wait_for(|stopped| *stopped) => SubscriptionEnd::Stopped,
        };
        match end {
            SubscriptionEnd::Failed(error) => {
                if self.status.is_news(&error.to_string()) {
                    warn!(source = self.config.name, %error, "mqtt source lost its connection");
                }
                self.status.disconnected(Some(error.to_string()));
                // What was read is not lost, unless the program ends meanwhile.
                tokio::select! {
                    _ = subscription.flush() => Outcome::Failed,
                    _ = stopped.wait_for(|stopped| *stopped) => Outcome::Stopped,
                }
            }
            SubscriptionEnd::Stopped => {
                let _ = timeout(LAST_WORDS, subscription.flush()).await;
                drop(subscription);
                self.messages = None;
                tokio::select! {
                    _ = timeout(self.config.shutdown_grace, outbox.wait_for(Room::ALL_ANSWERED)) => {}
                    _ = writer.run() => {}
                }
                outbox.push(&DISCONNECT);
                writer.finish(LAST_WORDS).await;
                self.status.disconnected(None);
                Outcome::Stopped
            }
        }
    }
}

fn write_failed(end: &WriteEnd, login: &Login) -> MqttError {
    let reason = match end {
        WriteEnd::Abandoned => "a message could not be kept, so the broker shall send it again".to_owned(),
        WriteEnd::Failed(error) => error.to_string(),
        WriteEnd::Finished => "closed".to_owned(),
    };
    MqttError::Lost { broker: login.broker.clone(), reason }
}
