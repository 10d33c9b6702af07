//! The storage from outside: what goes in comes out, whatever happens between.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod batches;
mod coverage;
mod crash;
mod damage;
mod disk_full;
mod figures;
mod info;
mod io;
mod lost_files;
mod opening;
mod outage;
mod pages;
mod put_aside;
mod restore;
mod round_trip;
mod snapshot;
mod steps;
mod support;
mod tail;
