//! Rows of mobile clients, their receptions, and of nodes taken off the list.

use model::{
    ClientId, ClientObserver, NodeKey, PrunedNode, Reception, ReceptionId, SnrQuarterDb, UnixMillis,
};
use rusqlite::{Connection, Row, params};

use super::{RowError, bytes, check_length, execute, row_id, unsigned};

/// Shortest and longest name of a node: a hop of two bytes, a whole key.
const HEARD_BYTES: std::ops::RangeInclusive<usize> = 2..=32;

const REPLACE_CLIENT: &str = "INSERT OR REPLACE INTO client_observers VALUES (?1, ?2, ?3, ?4)";
const INSERT_RECEPTION: &str = "INSERT INTO client_receptions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const REPLACE_PRUNED: &str = "INSERT OR REPLACE INTO pruned_nodes VALUES (?1, ?2)";

pub(crate) const SELECT_CLIENTS: &str = "SELECT id, key, name, last_seen FROM client_observers ORDER BY id";
pub(super) const SELECT_RECEPTION: &str =
    "SELECT id, client, time, heard, lat, lon, accuracy_m, rssi, snr FROM client_receptions WHERE id = ?1";
pub(crate) const SELECT_RECEPTIONS: &str =
    "SELECT id, client, time, heard, lat, lon, accuracy_m, rssi, snr FROM client_receptions ORDER BY id";
/// The newest so many, oldest first.
pub(crate) const SELECT_NEWEST_RECEPTIONS: &str = "SELECT id, client, time, heard, lat, lon, accuracy_m, rssi, snr FROM client_receptions \
    WHERE id >= coalesce((SELECT id FROM client_receptions ORDER BY id DESC LIMIT 1 OFFSET ?1 - 1), 0) ORDER BY id";
pub(crate) const SELECT_PRUNED: &str = "SELECT key, time FROM pruned_nodes";

pub(super) fn replace_client(conn: &Connection, client: &ClientObserver) -> Result<u64, RowError> {
    let values = params![client.id.0, client.key, client.name, client.last_seen.0];
    Ok(execute(conn, REPLACE_CLIENT, values)?)
}

pub(super) fn insert_reception(conn: &Connection, reception: &Reception) -> Result<u64, RowError> {
    check_length("heard", &reception.heard, HEARD_BYTES)?;
    let values = params![
        row_id(reception.id.0)?,
        reception.client.0,
        reception.time.0,
        &*reception.heard,
        reception.location.0,
        reception.location.1,
        reception.accuracy_m,
        reception.rssi,
        reception.snr.map(|snr| snr.0),
    ];
    Ok(execute(conn, INSERT_RECEPTION, values)?)
}

pub(super) fn replace_pruned(conn: &Connection, node: &PrunedNode) -> Result<u64, RowError> {
    Ok(execute(conn, REPLACE_PRUNED, params![node.key.0.as_slice(), node.time.0])?)
}

pub(crate) fn decode_client(row: &Row<'_>) -> rusqlite::Result<ClientObserver> {
    Ok(ClientObserver {
        id: ClientId(row.get(0)?),
        key: row.get(1)?,
        name: row.get(2)?,
        last_seen: UnixMillis(row.get(3)?),
    })
}

pub(crate) fn decode_reception(row: &Row<'_>) -> rusqlite::Result<Reception> {
    Ok(Reception {
        id: ReceptionId(unsigned(row, 0)?),
        client: ClientId(row.get(1)?),
        time: UnixMillis(row.get(2)?),
        heard: bytes(row, 3, HEARD_BYTES)?,
        location: (row.get(4)?, row.get(5)?),
        accuracy_m: row.get(6)?,
        rssi: row.get(7)?,
        snr: row.get::<_, Option<i8>>(8)?.map(SnrQuarterDb),
    })
}

pub(crate) fn decode_pruned(row: &Row<'_>) -> rusqlite::Result<PrunedNode> {
    Ok(PrunedNode { key: NodeKey(row.get(0)?), time: UnixMillis(row.get(1)?) })
}
