mod filter;
mod list;
mod observations;
mod one;
mod submit;
mod timestamps;
