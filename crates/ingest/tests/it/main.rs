//! Ingest as its neighbours see it: messages in, changes and counters out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capture;
mod clocks;
mod coverage;
mod dialects;
mod durability;
mod evidence;
mod filters;
mod history;
mod hop_calibration;
mod identity;
mod packets;
mod rejections;
mod retention;
mod statuses;
mod support;
