//! The broker and the clients over real sockets.

mod acknowledgements;
mod broker;
mod client;
mod hostile;
mod mosquitto;
mod publisher;
mod source;
mod subscribers;
mod support;
