//! From what the index holds to what the contract says: one definition of each object of the API.

pub(crate) mod channel;
pub(crate) mod hex;
pub(crate) mod hops;
pub(crate) mod node;
pub(crate) mod observer;
pub(crate) mod packet;
pub(crate) mod payload;
pub(crate) mod time;
