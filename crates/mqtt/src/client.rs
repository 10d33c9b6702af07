//! The other side: connections that this program opens to brokers.

mod backoff;
mod connection;
pub(crate) mod publisher;
pub(crate) mod source;
pub(crate) mod source_config;
pub(crate) mod status;
mod subscription;
