//! SQLite's own counters of a connection's page cache (<https://www.sqlite.org/c3ref/c_dbstatus_options.html>).
#![allow(unsafe_code)]

use std::ffi::c_int;

use rusqlite::{Connection, ffi};

/// What the page cache did since the last time this was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheUse {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    /// Pages written; with a write-ahead log these are its frames.
    pub(crate) writes: u64,
    pub(crate) spills: u64,
}

/// Reads the counters and sets them back to 0, because they are 32 bits wide and would overflow within weeks.
pub(crate) fn take_cache_use(conn: &Connection) -> CacheUse {
    CacheUse {
        hits: take(conn, ffi::SQLITE_DBSTATUS_CACHE_HIT),
        misses: take(conn, ffi::SQLITE_DBSTATUS_CACHE_MISS),
        writes: take(conn, ffi::SQLITE_DBSTATUS_CACHE_WRITE),
        spills: take(conn, ffi::SQLITE_DBSTATUS_CACHE_SPILL),
    }
}

/// Bytes of memory that the page cache has taken.
pub(crate) fn cache_bytes(conn: &Connection) -> u64 {
    ask(conn, ffi::SQLITE_DBSTATUS_CACHE_USED, 0)
}

fn take(conn: &Connection, counter: c_int) -> u64 {
    ask(conn, counter, 1)
}

/// One figure, set back to 0 afterwards if `reset` is 1 and it is one that counts.
fn ask(conn: &Connection, figure: c_int, reset: c_int) -> u64 {
    let (mut current, mut highest) = (0, 0);
    // SAFETY: the handle is that of an open connection, which the borrow keeps open and on this thread for the whole
    // call; both pointers are to live local integers, and SQLite keeps neither after it returns.
    let code =
        unsafe { ffi::sqlite3_db_status(conn.handle(), figure, &raw mut current, &raw mut highest, reset) };
    if code == ffi::SQLITE_OK { u64::try_from(current).unwrap_or(0) } else { 0 }
}
