//! What must hold of the index as a whole, by its public interface.
#![allow(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

mod clocks;
mod compaction;
mod contract;
mod coverage;
mod filters;
mod history;
mod hops;
mod inspect;
mod invalid;
mod links;
mod messages;
mod naive;
mod node_stats;
mod observers;
mod queries;
mod reach;
mod replay;
mod snapshot;
