//! From what the index holds to what the contract says: one definition of each object of the API.

pub(crate) mod channel;
pub(crate) mod counters;
pub(crate) mod hex;
pub(crate) mod hops;
pub(crate) mod node;
pub(crate) mod observer;
pub(crate) mod packet;
pub(crate) mod payload;
pub(crate) mod time;

/// Rounds to so many decimal places, as the contract has figures.
pub(crate) fn rounded(value: f64, places: i32) -> f64 {
    let scale = 10f64.powi(places);
    (value * scale).round() / scale
}
