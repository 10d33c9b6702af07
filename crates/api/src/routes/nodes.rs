//! `/api/nodes` and what is below it.

pub(crate) mod analytics;
pub(crate) mod battery;
pub(crate) mod bulk_health;
mod find;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod neighbors;
pub(crate) mod network_status;
pub(crate) mod one;
pub(crate) mod paths;
pub(crate) mod resolve;
pub(crate) mod search;
