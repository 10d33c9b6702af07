//! The API as its clients see it. The folder mirrors the paths.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod app;
mod examples;
mod fuzz;
mod golden;
mod live;
mod metrics;
mod packaging;
mod page;
mod window;
