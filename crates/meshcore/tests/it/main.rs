//! Against the outside: recorded frames, invented bad ones, and whatever chance makes.
#![expect(
    clippy::unwrap_used,
    reason = "a test may fail where it stands, and clippy sees only `#[test]` functions as tests"
)]

mod fuzz;
mod mutations;
mod packets;
mod properties;
mod render;
mod vectors;
