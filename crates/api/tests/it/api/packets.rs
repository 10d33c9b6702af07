mod filter;
mod hidden;
mod list;
mod observations;
mod one;
mod submit;
mod timestamps;
