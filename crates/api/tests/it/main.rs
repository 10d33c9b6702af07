//! The API as its clients see it. The folder mirrors the paths.

mod api;
mod app;
mod golden;
mod live;
mod page;
