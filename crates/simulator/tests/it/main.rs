//! What the mesh publishes, judged from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capture;
mod mesh;
