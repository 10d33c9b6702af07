//! A step that does nothing useful, for the tests of what watches the others.

use rusqlite::Connection;

use super::commit::Committer;
use crate::{StorageError, WriteSource};

/// What [`crate::WriterHandle::rewrite_rows`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Rows looked at.
    pub examined: u64,
    /// Rows that now have other values.
    pub changed: u64,
    /// Rows written to the values that they had.
    pub unchanged: u64,
}

/// The tables that can be rewritten, with a column of integers.
const TABLES: [(&str, &str); 2] = [("observations", "time"), ("observers", "first_seen")];

impl Committer {
    pub(super) fn rewrite_rows(&mut self, rows: u32) -> Result<Rewritten, StorageError> {
        let after = self.rewritten_to;
        let (done, last) = self.step(WriteSource::Rewrite, "writing rows anew", |conn| {
            for (table, column) in TABLES {
                // Behind the last row it goes on with the first.
                for after in [after, i64::MIN] {
                    if let Some(last) = last_of(conn, table, after, rows)? {
                        return Ok((rewrite(conn, table, column, after, last)?, last));
                    }
                }
            }
            Ok((Rewritten::default(), i64::MIN))
        })?;
        self.rewritten_to = last;
        self.stats().source(WriteSource::Rewrite).rows.add(done.examined);
        Ok(done)
    }
}

/// The last of the next `rows` ids of a table, if there are any.
fn last_of(conn: &Connection, table: &str, after: i64, rows: u32) -> rusqlite::Result<Option<i64>> {
    let sql = format!("SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2)");
    conn.query_row(&sql, (after, rows), |row| row.get(0))
}

/// SQLite leaves a page alone if a row is replaced by the same bytes, so each row is changed and changed back.
fn rewrite(
    conn: &Connection,
    table: &str,
    column: &str,
    after: i64,
    last: i64,
) -> rusqlite::Result<Rewritten> {
    let invert = format!("UPDATE {table} SET {column} = ~{column} WHERE id > ?1 AND id <= ?2");
    let examined = conn.execute(&invert, [after, last])? as u64;
    let unchanged = conn.execute(&invert, [after, last])? as u64;
    Ok(Rewritten { examined, changed: examined.saturating_sub(unchanged), unchanged })
}
