//! Rows as SQLite has them, and as the model has them.
//!
//! Counters of 64 bits without sign are stored as the same 64 bits with sign. That changes nothing for a real value and
//! gives an absurd one back as it came.

mod coverage;

use model::{
    Change, DroppedPacket, FrameHead, HeadId, NodeKey, NodeRecord, Observation, ObservationId, ObserverId,
    ObserverMetrics, ObserverRecord, PacketHash, SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

pub(crate) use coverage::{
    SELECT_CLIENTS, SELECT_NEWEST_RECEPTIONS, SELECT_PRUNED, SELECT_RECEPTIONS, decode_client, decode_pruned,
    decode_reception,
};

/// Shortest and longest frame head: flags, path byte, up to 64 bytes of path, up to 4 of transport codes.
const HEAD_BYTES: std::ops::RangeInclusive<usize> = 2..=70;

/// Shortest and longest frame that the firmware takes.
const RAW_BYTES: std::ops::RangeInclusive<usize> = 3..=255;

const INSERT_HEAD: &str = "INSERT INTO heads VALUES (?1, ?2)";
const INSERT_TRANSMISSION: &str = "INSERT INTO transmissions VALUES (?1, ?2, ?3)";
const INSERT_OBSERVATION: &str = "INSERT INTO observations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const REPLACE_OBSERVER: &str = "INSERT OR REPLACE INTO observers VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const REPLACE_METRICS: &str =
    "INSERT OR REPLACE INTO observer_metrics VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const REPLACE_NODE: &str = "INSERT OR REPLACE INTO nodes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const INSERT_DROPPED: &str = "INSERT INTO dropped_packets VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(crate) const SELECT_HEADS: &str = "SELECT id, bytes FROM heads ORDER BY id";
pub(crate) const SELECT_TRANSMISSIONS: &str = "SELECT id, hash, raw FROM transmissions ORDER BY id";
pub(crate) const SELECT_TRANSMISSION: &str = "SELECT id, hash, raw FROM transmissions WHERE id = ?1";
pub(crate) const SELECT_TRANSMISSION_RANGE: &str =
    "SELECT id, hash, raw FROM transmissions WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
pub(crate) const SELECT_OBSERVATION_RANGE: &str = "SELECT id, tx, observer, head, time, snr, rssi, score \
    FROM observations WHERE id BETWEEN ?1 AND ?2 AND tx BETWEEN ?3 AND ?4 ORDER BY id";
pub(crate) const SELECT_OBSERVATIONS: &str =
    "SELECT id, tx, observer, head, time, snr, rssi, score FROM observations ORDER BY id";
pub(crate) const SELECT_OBSERVATIONS_BETWEEN: &str = "SELECT id, tx, observer, head, time, snr, rssi, score \
    FROM observations WHERE time >= ?1 AND time < ?2 ORDER BY id";
const SELECT_OBSERVATION: &str =
    "SELECT id, tx, observer, head, time, snr, rssi, score FROM observations WHERE id = ?1";
const SELECT_HEAD: &str = "SELECT id, bytes FROM heads WHERE id = ?1";
pub(crate) const SELECT_NODES: &str = "SELECT * FROM nodes";
pub(crate) const SELECT_OBSERVERS: &str = "SELECT * FROM observers ORDER BY id";
pub(crate) const SELECT_DROPPED: &str = "SELECT * FROM dropped_packets ORDER BY id";
/// Of the newest `?3` those of this observer and node, if any are named, newest first.
const SELECT_NEWEST_DROPPED: &str = "SELECT * FROM \
    (SELECT * FROM dropped_packets ORDER BY id DESC LIMIT ?3) \
    WHERE (?1 IS NULL OR upper(observer) = upper(?1)) AND (?2 IS NULL OR node = ?2) ORDER BY id DESC";
pub(crate) const SELECT_METRIC_TIMES: &str =
    "SELECT time FROM observer_metrics WHERE observer = ?1 ORDER BY time";
const SELECT_METRICS: &str =
    "SELECT * FROM observer_metrics WHERE observer = ?1 AND time >= ?2 AND time < ?3 ORDER BY time LIMIT ?4";
const SELECT_NEWEST_METRICS: &str =
    "SELECT * FROM observer_metrics WHERE observer = ?1 AND time >= ?2 ORDER BY time DESC LIMIT ?3";
const SELECT_BATTERY: &str = "SELECT time, battery_mv FROM observer_metrics \
    WHERE observer = ?1 AND time >= ?2 AND battery_mv IS NOT NULL ORDER BY time DESC LIMIT ?3";

/// Why a row was not written.
#[derive(Debug)]
pub(crate) enum RowError {
    /// The row itself is at fault: whatever happens, it will never fit.
    Bad(String),
    /// The database is at fault; the row may be tried again.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
        match error.sqlite_error_code() {
            Some(ConstraintViolation | TooBig | TypeMismatch) => Self::Bad(error.to_string()),
            None => Self::Bad(error.to_string()),
            Some(_) => Self::Database(error),
        }
    }
}

/// Writes one row; says how many bytes of values that were, see [`execute`]. A row that is there already, exactly so, counts
/// as written: SQLite may report the failure of a commit that has succeeded after all, and then the same row comes again.
pub(crate) fn write(conn: &Connection, change: &Change) -> Result<u64, RowError> {
    let result = match change {
        Change::Head(head) => insert_head(conn, head),
        Change::Transmission(transmission) => insert_transmission(conn, transmission),
        Change::Observation(observation) => insert_observation(conn, observation),
        Change::Observer(observer) => replace_observer(conn, observer),
        Change::Metrics(metrics) => replace_metrics(conn, metrics),
        Change::Node(node) => replace_node(conn, node),
        Change::Dropped(packet) => insert_dropped(conn, packet),
        Change::Client(client) => coverage::replace_client(conn, client),
        Change::Reception(reception) => coverage::insert_reception(conn, reception),
        Change::Pruned(node) => coverage::replace_pruned(conn, node),
    };
    match result {
        Err(RowError::Bad(_)) if is_there_already(conn, change)? => Ok(0),
        other => other,
    }
}

/// Runs a statement that writes; says how many bytes of values were bound to it: eight for a number, the length of a text or
/// blob, none for a null. That is what the program wanted to have stored, before any page.
pub(crate) fn execute(conn: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<u64> {
    conn.prepare_cached(sql)?.execute(values)?;
    values.iter().map(|value| value.to_sql().map(|value| size(&value))).sum()
}

fn size(value: &ToSqlOutput<'_>) -> u64 {
    let value = match value {
        ToSqlOutput::Borrowed(value) => *value,
        ToSqlOutput::Owned(value) => ValueRef::from(value),
        _ => ValueRef::Null,
    };
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(_) | ValueRef::Real(_) => 8,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() as u64,
    }
}

fn insert_head(conn: &Connection, head: &FrameHead) -> Result<u64, RowError> {
    check_length("head", &head.bytes, HEAD_BYTES)?;
    Ok(execute(conn, INSERT_HEAD, params![head.id.0, &*head.bytes])?)
}

fn insert_transmission(conn: &Connection, transmission: &Transmission) -> Result<u64, RowError> {
    check_length("raw", &transmission.raw, RAW_BYTES)?;
    let id = row_id(transmission.id.0)?;
    let values = params![id, transmission.hash.0.as_slice(), &*transmission.raw];
    Ok(execute(conn, INSERT_TRANSMISSION, values)?)
}

fn insert_observation(conn: &Connection, observation: &Observation) -> Result<u64, RowError> {
    let values = params![
        row_id(observation.id.0)?,
        row_id(observation.transmission.0)?,
        observation.observer.0,
        observation.head.0,
        observation.time.0,
        observation.snr.map(|snr| snr.0),
        observation.rssi,
        observation.score,
    ];
    Ok(execute(conn, INSERT_OBSERVATION, values)?)
}

fn replace_observer(conn: &Connection, observer: &ObserverRecord) -> Result<u64, RowError> {
    let values = params![
        observer.id.0,
        observer.key,
        observer.name,
        observer.iata,
        observer.model,
        observer.firmware,
        observer.client_version,
        observer.radio,
        observer.battery_mv,
        observer.uptime_secs.map(u64::cast_signed),
        observer.noise_floor,
        observer.can_relay,
        observer.first_seen.0,
        observer.last_status.map(|time| time.0),
        observer.online,
        observer.clock_skew_secs,
        observer.clock_last_naive.map(|time| time.0),
    ];
    Ok(execute(conn, REPLACE_OBSERVER, values)?)
}

fn replace_metrics(conn: &Connection, metrics: &ObserverMetrics) -> Result<u64, RowError> {
    let values = params![
        metrics.observer.0,
        metrics.time.0,
        metrics.noise_floor,
        metrics.tx_air_secs.map(u64::cast_signed),
        metrics.rx_air_secs.map(u64::cast_signed),
        metrics.recv_errors.map(u64::cast_signed),
        metrics.battery_mv,
        metrics.packets_sent.map(u64::cast_signed),
        metrics.packets_recv.map(u64::cast_signed),
    ];
    Ok(execute(conn, REPLACE_METRICS, values)?)
}

fn replace_node(conn: &Connection, node: &NodeRecord) -> Result<u64, RowError> {
    let values = params![
        node.key.0.as_slice(),
        node.name,
        node.role,
        node.location.map(|(lat, _)| lat),
        node.location.map(|(_, lon)| lon),
        node.first_seen.0,
        node.last_seen.0,
        node.adverts,
        node.default_scope,
    ];
    Ok(execute(conn, REPLACE_NODE, values)?)
}

fn insert_dropped(conn: &Connection, packet: &DroppedPacket) -> Result<u64, RowError> {
    let values = params![
        packet.time.0,
        packet.reason,
        packet.hash.map(|hash| hash.0.to_vec()),
        &*packet.raw,
        packet.observer,
        packet.observer_name,
        packet.node.map(|node| node.0.to_vec()),
        packet.node_name,
    ];
    Ok(execute(conn, INSERT_DROPPED, values)?)
}

fn is_there_already(conn: &Connection, change: &Change) -> Result<bool, RowError> {
    let read = |sql, id: u64, decode: fn(&Row<'_>) -> rusqlite::Result<Change>| {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([id.cast_signed()])?;
        // A row that cannot be decoded is not this one.
        Ok::<_, rusqlite::Error>(
            rows.next()?.is_some_and(|row| decode(row).is_ok_and(|found| found == *change)),
        )
    };
    Ok(match change {
        Change::Head(head) => {
            read(SELECT_HEAD, u64::from(head.id.0), |row| decode_head(row).map(Change::Head))?
        }
        Change::Transmission(transmission) => read(SELECT_TRANSMISSION, transmission.id.0, |row| {
            decode_transmission(row).map(Change::Transmission)
        })?,
        Change::Observation(observation) => read(SELECT_OBSERVATION, observation.id.0, |row| {
            decode_observation(row).map(Change::Observation)
        })?,
        Change::Reception(reception) => read(coverage::SELECT_RECEPTION, reception.id.0, |row| {
            decode_reception(row).map(Change::Reception)
        })?,
        Change::Observer(_) | Change::Metrics(_) | Change::Node(_) | Change::Dropped(_) => false,
        Change::Client(_) | Change::Pruned(_) => false,
    })
}

fn check_length(what: &str, bytes: &[u8], allowed: std::ops::RangeInclusive<usize>) -> Result<(), RowError> {
    if allowed.contains(&bytes.len()) {
        Ok(())
    } else {
        let (min, max) = allowed.into_inner();
        Err(RowError::Bad(format!("{what} has {} bytes, not {min} to {max}", bytes.len())))
    }
}

fn row_id(id: u64) -> Result<i64, RowError> {
    i64::try_from(id).map_err(|_| RowError::Bad(format!("id {id} is beyond the range of row ids")))
}

pub(crate) fn decode_head(row: &Row<'_>) -> rusqlite::Result<FrameHead> {
    Ok(FrameHead { id: HeadId(row.get(0)?), bytes: bytes(row, 1, HEAD_BYTES)? })
}

pub(crate) fn decode_transmission(row: &Row<'_>) -> rusqlite::Result<Transmission> {
    let id = TransmissionId(unsigned(row, 0)?);
    Ok(Transmission { id, hash: PacketHash(row.get(1)?), raw: bytes(row, 2, RAW_BYTES)? })
}

pub(crate) fn decode_observation(row: &Row<'_>) -> rusqlite::Result<Observation> {
    Ok(Observation {
        id: ObservationId(unsigned(row, 0)?),
        transmission: TransmissionId(unsigned(row, 1)?),
        observer: ObserverId(row.get(2)?),
        head: HeadId(row.get(3)?),
        time: UnixMillis(row.get(4)?),
        snr: row.get::<_, Option<i8>>(5)?.map(SnrQuarterDb),
        rssi: row.get(6)?,
        score: row.get(7)?,
    })
}

pub(crate) fn decode_observer(row: &Row<'_>) -> rusqlite::Result<ObserverRecord> {
    Ok(ObserverRecord {
        id: ObserverId(row.get(0)?),
        key: row.get(1)?,
        name: row.get(2)?,
        iata: row.get(3)?,
        model: row.get(4)?,
        firmware: row.get(5)?,
        client_version: row.get(6)?,
        radio: row.get(7)?,
        battery_mv: row.get(8)?,
        uptime_secs: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
        noise_floor: row.get(10)?,
        can_relay: row.get(11)?,
        first_seen: UnixMillis(row.get(12)?),
        last_status: row.get::<_, Option<i64>>(13)?.map(UnixMillis),
        online: row.get(14)?,
        clock_skew_secs: row.get(15)?,
        clock_last_naive: row.get::<_, Option<i64>>(16)?.map(UnixMillis),
    })
}

pub(crate) fn decode_node(row: &Row<'_>) -> rusqlite::Result<NodeRecord> {
    Ok(NodeRecord {
        key: NodeKey(row.get(0)?),
        name: row.get::<_, Option<Vec<u8>>>(1)?.map(Vec::into_boxed_slice),
        role: row.get(2)?,
        location: row.get::<_, Option<i32>>(3)?.zip(row.get::<_, Option<i32>>(4)?),
        first_seen: UnixMillis(row.get(5)?),
        last_seen: UnixMillis(row.get(6)?),
        adverts: row.get(7)?,
        default_scope: row.get(8)?,
    })
}

pub(crate) fn decode_dropped(row: &Row<'_>) -> rusqlite::Result<DroppedPacket> {
    Ok(DroppedPacket {
        time: UnixMillis(row.get(1)?),
        reason: row.get(2)?,
        hash: row.get::<_, Option<[u8; 8]>>(3)?.map(PacketHash),
        raw: row.get_ref(4)?.as_blob().map_err(|_| wrong(4))?.into(),
        observer: row.get(5)?,
        observer_name: row.get(6)?,
        node: row.get::<_, Option<[u8; 32]>>(7)?.map(NodeKey),
        node_name: row.get(8)?,
    })
}

fn decode_metrics(row: &Row<'_>) -> rusqlite::Result<ObserverMetrics> {
    let counter = |index| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(index)?.map(i64::cast_unsigned));
    Ok(ObserverMetrics {
        observer: ObserverId(row.get(0)?),
        time: UnixMillis(row.get(1)?),
        noise_floor: row.get(2)?,
        tx_air_secs: counter(3)?,
        rx_air_secs: counter(4)?,
        recv_errors: counter(5)?,
        battery_mv: row.get(6)?,
        packets_sent: counter(7)?,
        packets_recv: counter(8)?,
    })
}

/// The newest samples of one observer, at `from` or later, oldest first; rows that are not well-formed are left out.
pub(crate) fn select_newest_metrics(
    conn: &Connection,
    observer: ObserverId,
    from: UnixMillis,
    limit: u32,
) -> rusqlite::Result<Vec<ObserverMetrics>> {
    let mut statement = conn.prepare_cached(SELECT_NEWEST_METRICS)?;
    let mut rows = statement.query(params![observer.0, from.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(decode_metrics(row).ok());
    }
    found.reverse();
    Ok(found)
}

/// The newest refused packets with their ids, newest first, of those `wanted` among the newest `among`; rows that are not well-formed are left out.
pub(crate) fn select_dropped(
    conn: &Connection,
    observer: Option<&str>,
    node: Option<NodeKey>,
    (among, limit): (u32, u32),
    wanted: &dyn Fn(&DroppedPacket) -> bool,
) -> rusqlite::Result<Vec<(i64, DroppedPacket)>> {
    let mut statement = conn.prepare_cached(SELECT_NEWEST_DROPPED)?;
    let node = node.map(|node| node.0.to_vec());
    let mut rows = statement.query(params![observer, node, among])?;
    let mut found = Vec::new();
    while found.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        let packet = decode_dropped(row).ok().filter(|packet| wanted(packet));
        found.extend(row.get(0).ok().zip(packet));
    }
    Ok(found)
}

/// The samples of one observer, oldest first; rows that are not well-formed are left out.
pub(crate) fn select_metrics(
    conn: &Connection,
    observer: ObserverId,
    from: UnixMillis,
    to: UnixMillis,
    limit: u32,
) -> rusqlite::Result<Vec<ObserverMetrics>> {
    let mut statement = conn.prepare_cached(SELECT_METRICS)?;
    let mut rows = statement.query(params![observer.0, from.0, to.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(decode_metrics(row).ok());
    }
    Ok(found)
}

/// The newest voltages of one observer, newest first; rows that are not well-formed are left out.
pub(crate) fn select_battery(
    conn: &Connection,
    observer: ObserverId,
    from: UnixMillis,
    limit: u32,
) -> rusqlite::Result<Vec<(UnixMillis, u32)>> {
    let mut statement = conn.prepare_cached(SELECT_BATTERY)?;
    let mut rows = statement.query(params![observer.0, from.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(row.get(0).ok().map(UnixMillis).zip(row.get(1).ok()));
    }
    Ok(found)
}

fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    struct NotNegative(u64);
    impl FromSql for NotNegative {
        fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
            let id = value.as_i64()?;
            u64::try_from(id).map(Self).map_err(|_| FromSqlError::OutOfRange(id))
        }
    }
    row.get::<_, NotNegative>(index).map(|id| id.0)
}

fn bytes(
    row: &Row<'_>,
    index: usize,
    allowed: std::ops::RangeInclusive<usize>,
) -> rusqlite::Result<Box<[u8]>> {
    let blob = row.get_ref(index)?.as_blob().map_err(|_| wrong(index))?;
    if allowed.contains(&blob.len()) { Ok(blob.into()) } else { Err(wrong(index)) }
}

fn wrong(index: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        index,
        rusqlite::types::Type::Blob,
        "not the expected bytes".into(),
    )
}
