//! The books on what is written: those of the process that writes, and their replica in a process that follows it.

mod asks;
mod followed;
mod own;
mod serving;
mod sources;
mod steps;
mod system;
mod views;
mod wire;

pub(crate) use asks::Asks;
pub(crate) use followed::{FollowedBooks, SILENT_AFTER, silent};
pub(crate) use own::{OwnBooks, OwnParts, Viewers, folder_of};
pub(crate) use serving::ServingBooks;
pub(crate) use sources::pages_written;
pub(crate) use wire::{Ask, BooksReport, Reply};
