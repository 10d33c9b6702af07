//! The broker and the clients over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acknowledgements;
mod broker;
mod client;
mod hostile;
mod mosquitto;
mod publisher;
mod source;
mod subscribers;
mod support;
