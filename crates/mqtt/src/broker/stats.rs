//! Counters of the broker. Every connection ends in exactly one refusal or close reason, so they add up to the connections accepted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use telemetry::RateWindow;

use crate::message::Qos;
use crate::packet::{ProtocolVersion, Violation};

/// What the broker has done since it started.
#[derive(Debug, Clone)]
pub struct BrokerStats {
    /// Where it listens.
    pub listen: SocketAddr,
    /// TCP connections accepted: those in their handshake, connected, refused and closed.
    pub connections_total: u64,
    /// Clients connected now.
    pub clients_connected: usize,
    /// Clients that ever completed their handshake.
    pub connects_total: u64,
    /// Connections that never became a client, by reason; all reasons, in the order of [`RefuseReason::ALL`].
    pub refused: Vec<(RefuseReason, u64)>,
    /// Clients that are gone, by reason; all reasons, in the order of [`CloseReason::ALL`].
    pub closed: Vec<(CloseReason, u64)>,
    /// Messages received, wills included.
    pub messages: MessagesByQos,
    /// Those of the last five minutes.
    pub messages_last_5m: u64,
    /// When the newest came, also from a client that has gone.
    pub last_message: Option<SystemTime>,
    /// When a client last completed its handshake.
    pub last_connect: Option<SystemTime>,
    /// When a client was last gone.
    pub last_disconnect: Option<SystemTime>,
    /// Bytes read from sockets.
    pub bytes_in: u64,
    /// Bytes written to sockets.
    pub bytes_out: u64,
    /// Copies of messages handed to subscribers.
    pub deliveries: u64,
    /// Copies not handed over because the subscriber was too slow or the packet too large for it.
    pub deliveries_dropped: u64,
    /// Messages that wait for their acknowledgement now, of all clients.
    pub unacknowledged: usize,
    /// Subscriptions now.
    pub subscriptions: usize,
    /// Retained messages now.
    pub retained: usize,
    /// Their topics and payloads, in bytes.
    pub retained_bytes: usize,
    /// Messages that should have been retained and were only passed on, because the limits were reached.
    pub retained_refused: u64,
    /// Failures to accept a connection, usually for want of file descriptors.
    pub accept_errors: u64,
    /// The clients connected now, longest first.
    pub clients: Vec<ClientStats>,
}

/// Messages received, by the quality of service they were sent with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessagesByQos {
    /// QoS 0.
    pub at_most_once: u64,
    /// QoS 1.
    pub at_least_once: u64,
    /// QoS 2, from 3.1.1 clients.
    pub exactly_once: u64,
}

impl MessagesByQos {
    /// All of them.
    pub fn total(self) -> u64 {
        self.at_most_once + self.at_least_once + self.exactly_once
    }
}

/// One connected client.
#[derive(Debug, Clone)]
pub struct ClientStats {
    /// The client identifier, its own or the one it was given.
    pub client_id: Arc<str>,
    /// Its address.
    pub peer: SocketAddr,
    /// The user it logged in as.
    pub username: Option<Arc<str>>,
    /// The version it speaks.
    pub version: ProtocolVersion,
    /// When its handshake was complete.
    pub connected_at: SystemTime,
    /// Messages it published.
    pub messages: u64,
    /// When it last published.
    pub last_message: Option<SystemTime>,
    /// Bytes read from it.
    pub bytes_in: u64,
    /// Bytes written to it.
    pub bytes_out: u64,
    /// Its messages that wait for their acknowledgement.
    pub unacknowledged: usize,
    /// Its subscriptions.
    pub subscriptions: usize,
    /// Copies of messages handed to it.
    pub deliveries: u64,
    /// Copies it was too slow for.
    pub deliveries_dropped: u64,
}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A short name for metrics and tables: lower case, words joined by `_`.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }
        }
    };
}

reasons! {
    /// Why a connection never became a client.
    RefuseReason {
        /// The first bytes are not a valid CONNECT.
        NotMqtt = "not_mqtt",
        /// A version other than 3.1.1 and 5.
        Version = "version",
        /// The client identifier is empty without a clean session, or too long.
        ClientId = "client_id",
        /// Unknown user or wrong password, or none where one is needed.
        BadLogin = "bad_login",
        /// The will has an invalid topic, or QoS 2 in MQTT 5.
        Will = "will",
        /// As many clients as allowed are connected.
        Full = "full",
        /// No complete CONNECT in time.
        Timeout = "timeout",
        /// The peer went away before its CONNECT was complete.
        Gone = "gone",
        /// The broker was stopping.
        Shutdown = "shutdown",
    }
}

reasons! {
    /// Why a client's connection ended.
    CloseReason {
        /// It said goodbye.
        Disconnected = "disconnected",
        /// The connection broke or was closed without a goodbye.
        Lost = "lost",
        /// It was silent for one and a half times its keep-alive.
        KeepAlive = "keep_alive",
        /// It took no bytes for the write timeout.
        WriteTimeout = "write_timeout",
        /// Bytes that are not MQTT.
        Malformed = "malformed",
        /// A packet that was not allowed.
        Protocol = "protocol",
        /// A packet above the limit.
        TooLarge = "too_large",
        /// A topic with wildcards, an empty one, or one that is too long.
        Topic = "topic",
        /// QoS 2 in MQTT 5.
        Qos = "qos",
        /// Another connection came with the same client identifier.
        TakenOver = "taken_over",
        /// A message of it could not be kept, so it has to send it again.
        NotKept = "not_kept",
        /// The broker was stopping.
        Shutdown = "shutdown",
    }
}

impl From<Violation> for CloseReason {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::Malformed(_) => Self::Malformed,
            Violation::Protocol(_) | Violation::TopicAlias | Violation::SubscriptionIdentifier => {
                Self::Protocol
            }
            Violation::TooLarge(_) => Self::TooLarge,
            Violation::TopicInvalid(_) => Self::Topic,
            Violation::QosNotSupported => Self::Qos,
        }
    }
}

/// The counters behind [`BrokerStats`]. Relaxed: they order nothing.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) connects: AtomicU64,
    refused: [AtomicU64; RefuseReason::ALL.len()],
    closed: [AtomicU64; CloseReason::ALL.len()],
    messages: [AtomicU64; 3],
    /// The messages of the last five minutes.
    recent: RateWindow,
    last_message: LastTime,
    last_connect: LastTime,
    last_disconnect: LastTime,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) deliveries: AtomicU64,
    pub(crate) deliveries_dropped: AtomicU64,
    pub(crate) retained_refused: AtomicU64,
    pub(crate) accept_errors: AtomicU64,
}

impl Counters {
    pub(crate) fn count_refused(&self, reason: RefuseReason) {
        add(&self.refused[reason as usize], 1);
    }

    pub(crate) fn count_closed(&self, reason: CloseReason) {
        add(&self.closed[reason as usize], 1);
        self.last_disconnect.is_now();
    }

    pub(crate) fn count_connect(&self) {
        add(&self.connects, 1);
        self.last_connect.is_now();
    }

    /// `counts` by QoS.
    pub(crate) fn count_messages(&self, counts: [u64; 3]) {
        for (counter, count) in self.messages.iter().zip(counts) {
            if count > 0 {
                add(counter, count);
            }
        }
        let all: u64 = counts.iter().sum();
        self.recent.record(u32::try_from(all).unwrap_or(u32::MAX));
        if all > 0 {
            self.last_message.is_now();
        }
    }

    /// Of the newest message, connect and disconnect.
    pub(crate) fn last_times(&self) -> [Option<SystemTime>; 3] {
        [&self.last_message, &self.last_connect, &self.last_disconnect].map(LastTime::get)
    }

    pub(crate) fn refused(&self) -> Vec<(RefuseReason, u64)> {
        RefuseReason::ALL.iter().zip(&self.refused).map(|(&reason, count)| (reason, read(count))).collect()
    }

    pub(crate) fn closed(&self) -> Vec<(CloseReason, u64)> {
        CloseReason::ALL.iter().zip(&self.closed).map(|(&reason, count)| (reason, read(count))).collect()
    }

    pub(crate) fn messages_last_5m(&self) -> u64 {
        self.recent.count()
    }

    pub(crate) fn messages(&self) -> MessagesByQos {
        let of = |qos: Qos| read(&self.messages[qos as usize]);
        MessagesByQos {
            at_most_once: of(Qos::AtMostOnce),
            at_least_once: of(Qos::AtLeastOnce),
            exactly_once: of(Qos::ExactlyOnce),
        }
    }
}

/// When something last happened, in milliseconds since 1970; 0 for never.
#[derive(Debug, Default)]
struct LastTime(AtomicU64);

impl LastTime {
    fn is_now(&self) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.0.store(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn get(&self) -> Option<SystemTime> {
        let millis = read(&self.0);
        (millis > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
