//! `/api/nodes` and what is below it.

pub(crate) mod analytics;
pub(crate) mod battery;
pub(crate) mod bulk_health;
pub(crate) mod clock_skew;
mod find;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod neighbors;
pub(crate) mod network_status;
pub(crate) mod one;
pub(crate) mod paths;
pub(crate) mod reach;
pub(crate) mod resolve;
pub(crate) mod search;
