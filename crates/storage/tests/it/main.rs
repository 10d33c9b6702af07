//! The storage from outside: what goes in comes out, whatever happens between.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batches;
mod crash;
mod damage;
mod disk_full;
mod figures;
mod opening;
mod round_trip;
mod snapshot;
mod support;
