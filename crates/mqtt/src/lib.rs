//! The embedded MQTT broker and the client for outside brokers.
//!
//! Observers publish to a [`Broker`] inside this process, or to a broker elsewhere that a [`Source`] subscribes to. Either way every
//! PUBLISH becomes one [`Message`] in one bounded [`queue`], and carries an [`Ack`] that answers its publisher only when the
//! program says that the message is safe. A [`Publisher`] is the other direction: it sends messages, for replay and simulation.
//!
//! This crate must never know what the payloads mean, drop a message it has read because somebody is slow (the sockets wait
//! instead), acknowledge a message nobody took, or let one client's bytes, silence or slowness harm another client.
//!
//! ```
//! use mqtt::{Broker, BrokerConfig, BrokerUrl, Publisher, Qos};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! let (sender, mut messages) = mqtt::queue(1_000);
//! let config = BrokerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..BrokerConfig::default() };
//! let broker = Broker::bind(config, sender).await.unwrap();
//!
//! let url = BrokerUrl::parse(&format!("mqtt://{}", broker.local_addr())).unwrap();
//! let mut publisher = Publisher::connect(&url, None).await.unwrap();
//! publisher.publish("a/topic", &b"hello"[..], Qos::AtLeastOnce, false).await.unwrap();
//!
//! let message = messages.recv().await.unwrap();
//! assert_eq!((&*message.topic, &message.payload[..]), ("a/topic", &b"hello"[..]));
//! message.ack.confirm(); // Only now does the publisher get its PUBACK.
//! publisher.flush().await.unwrap();
//! broker.shutdown().await;
//! # });
//! ```
#![forbid(unsafe_code)]

mod broker;
mod client;
mod error;
mod message;
mod outbox;
mod packet;
mod queue;
mod topic;
mod transport;
mod url;

pub use broker::Broker;
pub use broker::config::{BrokerConfig, User};
pub use broker::stats::{BrokerStats, ClientStats, CloseReason, MessagesByQos, RefuseReason};
pub use client::publisher::Publisher;
pub use client::source::Source;
pub use client::source_config::{Secret, SessionKind, SourceConfig, SourceProtocol};
pub use client::status::SourceStatus;
pub use error::MqttError;
pub use message::{Ack, Message, Qos};
pub use packet::ProtocolVersion;
pub use queue::{MessageReceiver, MessageSender, QueueClosed, queue, queue_with_limit};
pub use topic::{filter_is_valid, filter_matches, topic_is_valid};
pub use url::{BrokerUrl, Credentials};
