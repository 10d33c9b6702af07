//! The language, held against the vectors that the page's twin shares, and against itself.

mod patterns;
mod properties;
mod vectors;
