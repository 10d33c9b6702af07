//! Rows that come late: the database may have gone on meanwhile.

use model::{Change, ClientObserver, DroppedPacket, NodeRecord, Observation, ObserverRecord, PrunedNode};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::{self, RowError};

const HAS_TRANSMISSION: &str = "SELECT 1 FROM transmissions WHERE id = ?1";
const HAS_HEAD: &str = "SELECT 1 FROM heads WHERE id = ?1";
const HAS_OBSERVER: &str = "SELECT 1 FROM observers WHERE id = ?1";
const SELECT_OBSERVER: &str = "SELECT key, last_status FROM observers WHERE id = ?1";
const SELECT_NODE: &str = "SELECT last_seen FROM nodes WHERE key = ?1";
const HAS_CLIENT: &str = "SELECT 1 FROM client_observers WHERE id = ?1";
const SELECT_CLIENT: &str = "SELECT key, last_seen FROM client_observers WHERE id = ?1";
const SELECT_PRUNED: &str = "SELECT time FROM pruned_nodes WHERE key = ?1";
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
        Change::Client(client) => match has_client(conn, client)? {
            Some(false) => return Ok(None),
            Some(true) => true,
            None => false,
        },
        Change::Pruned(node) => has_later_pruning(conn, node)?,
        // A reception of whoever gets that id next would be a lie.
        Change::Reception(reception) if !conn.prepare_cached(HAS_CLIENT)?.exists([reception.client.0])? => {
            return Ok(None);
        }
        // An observation of something that is not there would become one of whatever gets that id next.
        Change::Observation(observation) if !has_all_named(conn, observation)? => return Ok(None),
        Change::Observation(_) | Change::Head(_) | Change::Transmission(_) | Change::Metrics(_) => false,
        Change::Reception(_) => false,
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

/// `None` when its id is free or its row is older, else whether the id is this client's.
fn has_client(conn: &Connection, client: &ClientObserver) -> rusqlite::Result<Option<bool>> {
    let found = conn
        .prepare_cached(SELECT_CLIENT)?
        .query_row([client.id.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    Ok(found.and_then(|(key, last_seen)| match key == *client.key {
        false => Some(false),
        true => (last_seen > client.last_seen.0).then_some(true),
    }))
}

fn has_later_pruning(conn: &Connection, node: &PrunedNode) -> rusqlite::Result<bool> {
    let found: Option<i64> = conn
        .prepare_cached(SELECT_PRUNED)?
        .query_row([node.key.0.as_slice()], |row| row.get(0))
        .optional()?;
    Ok(found.is_some_and(|time| time > node.time.0))
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
