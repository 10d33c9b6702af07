//! A deterministic synthetic mesh, as its observers publish it, for the demo, tests and benchmarks.
//!
//! Nodes with real identities stand around some towns. Links follow a log-distance law with shadowing and fading; floods
//! run from repeater to repeater, their paths grow, and observers hear several copies of each packet with the signal
//! that belongs to the distance. Adverts are signed, channel texts are encrypted with the channels' real keys, scoped
//! floods have real codes. What only two nodes could read is random bytes of the right length. The observers write
//! in the three dialects that are in use.
//!
//! The same [`SimConfig`] gives the same messages on every machine. This crate must never depend on the wall clock or on
//! the order of a hash table, and is linked by nothing but the program and tests.
//!
//! ```
//! use simulator::{Mesh, SimConfig};
//!
//! let config = SimConfig { nodes: 50, observers: 5, ..SimConfig::default() };
//! let messages: Vec<_> = Mesh::new(config.clone()).take(100).collect();
//! assert!(messages.iter().any(|message| message.topic.ends_with("/packets")));
//! assert!(messages.is_sorted_by_key(|message| message.time));
//! assert!(Mesh::new(config).take(100).eq(messages));
//! ```
//!
//! [`capture`] gives the real packets that are shipped beside this crate, and [`shift_to`] moves messages to now:
//!
//! ```
//! let mut messages = simulator::capture();
//! simulator::shift_to(&mut messages, model::UnixMillis(1_767_225_600_000));
//! assert_eq!(messages.len(), 288);
//! assert!(messages.iter().any(|message| message.payload.contains("2026-01-01T00:00:00.000000+00:00")));
//! ```

#![forbid(unsafe_code)]

mod air;
mod capture;
mod clock;
mod config;
mod dialect;
mod exact;
mod mesh;
mod observer;
mod rng;
mod traffic;
mod truth;
mod words;
mod world;

pub use capture::{capture, capture_line, shift_to};
pub use config::{Area, SimConfig};
pub use mesh::{Mesh, SimMessage, SimNode};
pub use truth::{TrueCopy, Truth};
