//! Imports of databases made by the tests, in the shapes that CoreScope has had.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod again;
mod ages;
mod directories;
mod hostile;
mod opening;
mod packets;
mod support;
