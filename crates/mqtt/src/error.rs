//! What can fail in this crate, in words for the operator. No message ever contains a password.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// A failure to listen, to understand a setting, or to talk to a broker.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    /// Another program has the port.
    #[error(
        "cannot listen for MQTT on {address}: the address is in use; stop the other program or choose another port"
    )]
    AddressInUse {
        /// Where the broker should have listened.
        address: SocketAddr,
    },
    /// The operating system does not let this user listen there.
    #[error(
        "cannot listen for MQTT on {address}: permission denied; choose a port above 1023 or grant the right to bind it"
    )]
    ListenDenied {
        /// Where the broker should have listened.
        address: SocketAddr,
    },
    /// The address is not one of this machine.
    #[error("cannot listen for MQTT on {address}: no network interface of this machine has that address")]
    AddressNotLocal {
        /// Where the broker should have listened.
        address: SocketAddr,
    },
    /// Listening failed otherwise.
    #[error("cannot listen for MQTT on {address}: {cause}")]
    Listen {
        /// Where the broker should have listened.
        address: SocketAddr,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A setting has a value that cannot work.
    #[error("{setting}: {problem}")]
    Setting {
        /// The field of the configuration.
        setting: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The text is not the URL of a broker.
    #[error("broker url {url:?}: {problem}")]
    BadUrl {
        /// The URL with its password masked.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The URL is fine, but its transport is not built in yet.
    #[error("broker url {url:?}: transport {scheme} is not supported yet; use mqtt:// (plain TCP)")]
    TransportNotSupported {
        /// The URL with its password masked.
        url: String,
        /// `mqtts`, `ws` or `wss`.
        scheme: String,
    },
    /// No TCP connection to the broker.
    #[error("cannot connect to {broker}: {cause}")]
    Connect {
        /// The broker's URL with its password masked.
        broker: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The broker did not answer in time.
    #[error("{broker} did not answer within {} s", .waited.as_secs())]
    Timeout {
        /// The broker's URL with its password masked.
        broker: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The broker answered, and the answer was no.
    #[error("{broker} refused {what}: {reason}")]
    Refused {
        /// The broker's URL with its password masked.
        broker: String,
        /// The connection, or the subscription with its filter.
        what: String,
        /// The reason in words.
        reason: String,
    },
    /// The broker sent something that is not MQTT, or not allowed now.
    #[error("{broker} broke the protocol: {problem}")]
    Protocol {
        /// The broker's URL with its password masked.
        broker: String,
        /// What it did.
        problem: String,
    },
    /// The connection ended.
    #[error("lost the connection to {broker}: {reason}")]
    Lost {
        /// The broker's URL with its password masked.
        broker: String,
        /// Why, as far as known.
        reason: String,
    },
    /// A topic that cannot be published to, or a payload too long for MQTT.
    #[error("cannot publish to {topic:?}: {problem}")]
    BadPublish {
        /// The topic, cut to a readable length.
        topic: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl MqttError {
    pub(crate) fn listen(address: SocketAddr, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { address },
            io::ErrorKind::PermissionDenied => Self::ListenDenied { address },
            io::ErrorKind::AddrNotAvailable => Self::AddressNotLocal { address },
            _ => Self::Listen { address, cause },
        }
    }
}
