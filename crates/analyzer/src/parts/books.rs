//! The books on what is written: those of the process that writes, and their replica in a process that follows it.

mod asks;
mod followed;
mod own;
mod sources;
mod views;
mod wire;

pub(crate) use asks::Asks;
pub(crate) use followed::{FollowedBooks, SILENT_AFTER, silent};
pub(crate) use own::{OwnBooks, OwnParts, Viewers};
pub(crate) use views::Samples;
pub(crate) use wire::BooksReport;
