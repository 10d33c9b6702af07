//! Rows that come late: the database may have gone on meanwhile.

use model::{Change, DroppedPacket, NodeRecord, Observation, ObserverRecord};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::{self, RowError};

const HAS_TRANSMISSION: &str = "SELECT 1 FROM transmissions WHERE id = ?1";
const HAS_HEAD: &str = "SELECT 1 FROM heads WHERE id = ?1";
const HAS_OBSERVER: &str = "SELECT 1 FROM observers WHERE id = ?1";
const SELECT_OBSERVER: &str = "SELECT key, last_status FROM observers WHERE id = ?1";
const SELECT_NODE: &str = "SELECT last_seen FROM nodes WHERE key = ?1";
const HAS_DROPPED: &str =
    "SELECT 1 FROM dropped_packets WHERE time = ?1 AND raw = ?2 AND reason = ?3 AND observer IS ?4";

/// Writes a row that was put aside; says how many bytes were bound to do so if it is now there, or something newer in its
/// place, and else nothing.
pub(super) fn take(conn: &Connection, change: &Change) -> rusqlite::Result<Option<u64>> {
    let superseded = match change {
        Change::Observer(observer) => match observer_state(conn, observer)? {
            State::Another => return Ok(None),
            State::Newer => true,
            State::Older => false,
        },
        Change::Node(node) => has_newer_node(conn, node)?,
        Change::Dropped(packet) => has_dropped(conn, packet)?,
        // An observation of something that is not there would become one of whatever gets that id next.
        Change::Observation(observation) if !has_all_named(conn, observation)? => return Ok(None),
        Change::Observation(_) | Change::Head(_) | Change::Transmission(_) | Change::Metrics(_) => false,
    };
    if superseded {
        return Ok(Some(0));
    }
    match rows::write(conn, change) {
        Ok(bound_bytes) => Ok(Some(bound_bytes)),
        Err(RowError::Bad(_)) => Ok(None),
        Err(RowError::Database(error)) => Err(error),
    }
}

enum State {
    /// The id belongs to another observer.
    Another,
    Newer,
    Older,
}

fn observer_state(conn: &Connection, observer: &ObserverRecord) -> rusqlite::Result<State> {
    let found = conn
        .prepare_cached(SELECT_OBSERVER)?
        .query_row([observer.id.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))
        .optional()?;
    Ok(match found {
        Some((key, _)) if *key != *observer.key => State::Another,
        Some((_, last_status)) if last_status > observer.last_status.map(|time| time.0) => State::Newer,
        _ => State::Older,
    })
}

fn has_newer_node(conn: &Connection, node: &NodeRecord) -> rusqlite::Result<bool> {
    let found: Option<i64> =
        conn.prepare_cached(SELECT_NODE)?.query_row([node.key.0.as_slice()], |row| row.get(0)).optional()?;
    Ok(found.is_some_and(|last_seen| last_seen > node.last_seen.0))
}

fn has_dropped(conn: &Connection, packet: &DroppedPacket) -> rusqlite::Result<bool> {
    conn.prepare_cached(HAS_DROPPED)?.exists(params![
        packet.time.0,
        &*packet.raw,
        packet.reason,
        packet.observer
    ])
}

fn has_all_named(conn: &Connection, observation: &Observation) -> rusqlite::Result<bool> {
    let has = |sql, id: u64| conn.prepare_cached(sql)?.exists([id.cast_signed()]);
    Ok(has(HAS_TRANSMISSION, observation.transmission.0)?
        && has(HAS_HEAD, u64::from(observation.head.0))?
        && has(HAS_OBSERVER, u64::from(observation.observer.0))?)
}
