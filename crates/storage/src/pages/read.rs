//! The page map and the names of the trees as they are now, read through the files that a connection has open.
//!
//! Never through files of our own: closing a second descriptor of a database would take SQLite's locks with it
//! (<https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>).

use std::collections::HashMap;

use rusqlite::Connection;

use super::TreeKind;
use super::map::{self, PAGE_BYTES, Page, PageMap};
use crate::vfs::{self, OpenFile};

/// Bytes of the log's own header.
pub(super) const LOG_HEADER_BYTES: u64 = 32;

/// Bytes before the page in each frame of the log.
pub(super) const FRAME_HEADER_BYTES: u64 = 24;

/// A frame of the log.
pub(super) const FRAME_BYTES: u64 = FRAME_HEADER_BYTES + PAGE_BYTES as u64;

/// Where the header of a database says how many bytes at the end of each page are not SQLite's.
const RESERVED_AT: u64 = 20;

/// What was found.
pub(super) struct Found {
    pub(super) map: PageMap,
    pub(super) trees: Vec<FoundTree>,
    /// Whether changes go to a log first.
    pub(super) has_log: bool,
}

/// A table or an index.
pub(super) struct FoundTree {
    pub(super) name: String,
    pub(super) kind: TreeKind,
    pub(super) root: u32,
}

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoMap {
    /// It could not be read; it may be later.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// This database has none.
    #[error("{0}")]
    None(&'static str),
}

/// Reads all of it within one reading transaction.
pub(super) fn read(conn: &Connection) -> Result<Found, NoMap> {
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let has_log = mode == "wal";
    // Before the transaction, in which it could not be asked. If a checkpoint empties the log in between, all is in the
    // database file.
    let frames = if has_log { frames_in_log(conn)? } else { 0 };
    let reading = conn.unchecked_transaction()?;
    // From the first read to the end of the transaction, what is in the log now stays there, or it is in the file.
    let trees = trees(&reading)?;
    let number = |pragma| reading.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    if number("auto_vacuum")? == 0 {
        return Err(NoMap::None("it was made without auto_vacuum"));
    }
    if number("page_size")? != PAGE_BYTES as i64 {
        return Err(NoMap::None("its pages are not of 4096 bytes"));
    }
    let mut reserved = [0];
    if !vfs::read_at(&reading, OpenFile::Database, RESERVED_AT, &mut reserved) || reserved != [0] {
        return Err(NoMap::None("its pages are not all SQLite's"));
    }
    let mut found = Found { map: PageMap::default(), trees, has_log };
    let mut content: Page = [0; PAGE_BYTES];
    for page in map::map_pages(u32::try_from(number("page_count")?).unwrap_or(u32::MAX)) {
        // What is not in the file yet is in the log.
        if vfs::read_at(&reading, OpenFile::Database, u64::from(page - 1) * PAGE_BYTES as u64, &mut content) {
            found.map.put(page, &content);
        }
    }
    for (page, frame) in newest_in_log(&reading, frames) {
        if vfs::read_at(&reading, OpenFile::Log, frame_at(frame) + FRAME_HEADER_BYTES, &mut content) {
            found.map.put(page, &content);
        }
    }
    found.map.commit();
    Ok(found)
}

/// Where a frame begins, by its number from 0.
pub(super) fn frame_at(frame: u64) -> u64 {
    LOG_HEADER_BYTES + frame * FRAME_BYTES
}

/// Frames of the log that are committed.
fn frames_in_log(conn: &Connection) -> rusqlite::Result<u64> {
    let frames = conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, i64>(1))?;
    Ok(u64::try_from(frames).unwrap_or(0))
}

/// For each page of the map that is in the first `frames` frames of the log, the last of them.
fn newest_in_log(conn: &Connection, frames: u64) -> HashMap<u32, u64> {
    let mut newest = HashMap::new();
    let mut number = [0; 4];
    for frame in 0..frames {
        if !vfs::read_at(conn, OpenFile::Log, frame_at(frame), &mut number) {
            break;
        }
        let page = u32::from_be_bytes(number);
        if map::is_map_page(page) {
            newest.insert(page, frame);
        }
    }
    newest
}

fn trees(conn: &Connection) -> rusqlite::Result<Vec<FoundTree>> {
    let mut statement =
        conn.prepare("SELECT name, type, rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY rootpage")?;
    let rows = statement.query_map([], |row| {
        let kind = if row.get::<_, String>(1)? == "index" { TreeKind::Index } else { TreeKind::Table };
        Ok(FoundTree { name: row.get(0)?, kind, root: row.get(2)? })
    })?;
    rows.collect()
}
