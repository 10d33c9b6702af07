//! The language, held against the vectors that the page's twin shares, and against itself.

mod properties;
mod vectors;
