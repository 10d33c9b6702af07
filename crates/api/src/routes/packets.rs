//! `/api/packets` and what is below it.

pub(crate) mod list;
pub(crate) mod observations;
pub(crate) mod one;
pub(crate) mod submit;
pub(crate) mod timestamps;
