//! The packet filter language on the index.
//!
//! [`packet`] says what a packet and an observation are to a filter. [`compile`] turns a filter into a [`plan`]: what the
//! index keeps sets of becomes sets, also through `||` and `!`, and what is left is asked of rows, the cheap questions first.
//! [`search`] goes over the rows, in portions; [`scan`] over the columns of observations,
//! where that is cheaper.

mod compile;
mod digits;
mod evaluate;
mod packet;
mod payload;
mod plan;
mod scan;
mod search;

pub use search::{Passing, ROWS_PER_GUARD, search};
