//! Following a database that another process writes: what was committed since the last look.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use model::{
    Change, ClientId, ClientObserver, HeadId, NodeKey, ObservationId, ObserverId, ObserverMetrics,
    ObserverRecord, ReceptionId, TransmissionId, UnixMillis,
};
use rusqlite::{Connection, Row, params};

use crate::load::{LastIds, last_ids, removals};
use crate::{StorageError, rows, schema};

/// Rows of one kind taken at one look, so that a follower that is far behind does not hold them all in memory.
const ROWS_PER_LOOK: usize = 50_000;

/// Samples of an observer taken when it is first looked at: an hour at one in five minutes. What is older came with the load
/// before.
const SAMPLES_AT_FIRST: u32 = 12;

/// Samples of an observer taken at later looks.
const SAMPLES_PER_LOOK: u32 = 300;

const HEADS_AFTER: &str = "SELECT id, bytes FROM heads WHERE id > ?1 ORDER BY id LIMIT ?2";
const TRANSMISSIONS_AFTER: &str =
    "SELECT id, hash, raw FROM transmissions WHERE id > ?1 ORDER BY id LIMIT ?2";
const OBSERVATIONS_AFTER: &str = "SELECT id, tx, observer, head, time, snr, rssi, score FROM observations \
    WHERE id > ?1 ORDER BY id LIMIT ?2";
const RECEPTIONS_AFTER: &str = "SELECT id, client, time, heard, lat, lon, accuracy_m, rssi, snr \
    FROM client_receptions WHERE id > ?1 ORDER BY id LIMIT ?2";

/// A place in a database that moves on as rows are committed.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    conn: Connection,
    /// As of the newest look; SQLite changes it when another connection commits.
    data_version: Option<i64>,
    last: LastIds,
    observers: HashMap<ObserverId, ObserverRecord>,
    /// The newest sample of each that was passed on.
    samples: HashMap<ObserverId, ObserverMetrics>,
    clients: HashMap<ClientId, ClientObserver>,
    pruned: HashMap<NodeKey, UnixMillis>,
}

/// What a look has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// In an order that [`Change`] allows: heads, observers with their new samples, transmissions, observations, nodes taken off
    /// the list, mobile clients, receptions.
    pub changes: Vec<Change>,
    /// Whether there is more than was taken at this look.
    pub more: bool,
}

impl Tail {
    /// Follows the database at `path` from these ids on. Observers have no order, so the first look gives them all.
    ///
    /// # Errors
    /// As [`crate::Reader::open`].
    pub fn open(path: &Path, from: LastIds) -> Result<Self, StorageError> {
        let conn = schema::open_existing(path)?;
        Ok(Self {
            path: path.to_owned(),
            conn,
            data_version: None,
            last: from,
            observers: HashMap::new(),
            samples: HashMap::new(),
            clients: HashMap::new(),
            pruned: HashMap::new(),
        })
    }

    /// What was committed since the last look; costs microseconds when nothing was. Rows that are not well-formed are left
    /// out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn look(&mut self) -> Result<News, StorageError> {
        self.take_news().map_err(|error| StorageError::sqlite(&self.path, "following the database", error))
    }

    fn take_news(&mut self) -> rusqlite::Result<News> {
        let version = self.conn.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0))?;
        if self.data_version == Some(version) {
            return Ok(News::default());
        }
        // One transaction, so that every observation comes with all that it names.
        let snapshot = self.conn.unchecked_transaction()?;
        let mut last = self.last;
        let head_from = last.head.map_or(-1, |id| i64::from(id.0));
        let heads = Page::after(&snapshot, HEADS_AFTER, head_from, rows::decode_head)?;
        let observers = self.changed_observers(&snapshot)?;
        let samples = self.new_samples(&snapshot, &observers)?;
        let from = last.transmission.map_or(0, |id| id.0.cast_signed());
        let transmissions = Page::after(&snapshot, TRANSMISSIONS_AFTER, from, rows::decode_transmission)?;
        let from = last.observation.map_or(0, |id| id.0.cast_signed());
        let mut observations = Page::after(&snapshot, OBSERVATIONS_AFTER, from, rows::decode_observation)?;
        let pruned = newly_pruned(&snapshot, &mut self.pruned)?;
        let from = last.reception.map_or(0, |id| id.0.cast_signed());
        let receptions = Page::after(&snapshot, RECEPTIONS_AFTER, from, rows::decode_reception)?;
        // A client's row is only written with a reception of it.
        let clients =
            if receptions.is_empty() { Vec::new() } else { changed_clients(&snapshot, &mut self.clients)? };
        drop(snapshot);

        last.head = heads.last_id().and_then(|id| u32::try_from(id).ok()).map(HeadId).or(last.head);
        last.transmission =
            transmissions.last_id().map(|id| TransmissionId(id.cast_unsigned())).or(last.transmission);
        if heads.is_full() || transmissions.is_full() {
            // What an observation names may be among the rows that come with the next look; it and all after it wait.
            observations
                .stop_at(|seen| Some(seen.head) > last.head || Some(seen.transmission) > last.transmission);
        }
        last.observation =
            observations.last_id().map(|id| ObservationId(id.cast_unsigned())).or(last.observation);
        last.reception = receptions.last_id().map(|id| ReceptionId(id.cast_unsigned())).or(last.reception);
        let packets_full = heads.is_full() || transmissions.is_full() || observations.is_full();
        let more = packets_full || receptions.is_full();

        let mut changes: Vec<Change> = heads.into_rows().map(Change::Head).collect();
        for observer in observers {
            last.observer = last.observer.max(Some(observer.id));
            self.observers.insert(observer.id, observer.clone());
            changes.push(Change::Observer(observer));
        }
        for sample in samples {
            self.samples.insert(sample.observer, sample);
            changes.push(Change::Metrics(sample));
        }
        changes.extend(transmissions.into_rows().map(Change::Transmission));
        changes.extend(observations.into_rows().map(Change::Observation));
        changes.extend(pruned);
        changes.extend(clients.into_iter().map(Change::Client));
        changes.extend(receptions.into_rows().map(Change::Reception));
        self.last = last;
        self.data_version = (!more).then_some(version);
        Ok(News { changes, more })
    }

    fn changed_observers(&self, conn: &Connection) -> rusqlite::Result<Vec<ObserverRecord>> {
        let mut statement = conn.prepare_cached(rows::SELECT_OBSERVERS)?;
        let mut found = statement.query([])?;
        let mut changed = Vec::new();
        while let Some(row) = found.next()? {
            let observer = rows::decode_observer(row).ok();
            changed.extend(observer.filter(|observer| self.observers.get(&observer.id) != Some(observer)));
        }
        Ok(changed)
    }

    /// The samples that came with what changed of these observers: a status message changes the record and may bring one.
    fn new_samples(
        &self,
        conn: &Connection,
        changed: &[ObserverRecord],
    ) -> rusqlite::Result<Vec<ObserverMetrics>> {
        let mut new = Vec::new();
        for observer in changed {
            let known = self.samples.get(&observer.id);
            let limit = if known.is_some() { SAMPLES_PER_LOOK } else { SAMPLES_AT_FIRST };
            let from = known.map_or(UnixMillis(i64::MIN), |sample| sample.time);
            let found = rows::select_newest_metrics(conn, observer.id, from, limit)?;
            new.extend(found.into_iter().filter(|sample| Some(sample) != known));
        }
        Ok(new)
    }

    /// How often packets were removed from the database. When it changes, only a new load gives what is there now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn removals(&self) -> Result<u64, StorageError> {
        removals(&self.conn)
            .map_err(|error| StorageError::sqlite(&self.path, "following the database", error))
    }

    /// The greatest ids in the database. Less than what was passed on means that it is another file than before, such as an
    /// older backup.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn highest_ids(&self) -> Result<LastIds, StorageError> {
        last_ids(&self.conn)
            .map_err(|error| StorageError::sqlite(&self.path, "following the database", error))
    }

    /// The greatest ids that were passed on.
    pub fn last_ids(&self) -> LastIds {
        self.last
    }
}

fn changed_clients(
    conn: &Connection,
    known: &mut HashMap<ClientId, ClientObserver>,
) -> rusqlite::Result<Vec<ClientObserver>> {
    let mut statement = conn.prepare_cached(rows::SELECT_CLIENTS)?;
    let mut found = statement.query([])?;
    let mut changed = Vec::new();
    while let Some(row) = found.next()? {
        let Ok(client) = rows::decode_client(row) else { continue };
        if known.get(&client.id) != Some(&client) {
            known.insert(client.id, client.clone());
            changed.push(client);
        }
    }
    Ok(changed)
}

fn newly_pruned(
    conn: &Connection,
    known: &mut HashMap<NodeKey, UnixMillis>,
) -> rusqlite::Result<Vec<Change>> {
    let mut statement = conn.prepare_cached(rows::SELECT_PRUNED)?;
    let mut found = statement.query([])?;
    let mut new = Vec::new();
    while let Some(row) = found.next()? {
        let Ok(node) = rows::decode_pruned(row) else { continue };
        if known.insert(node.key, node.time) != Some(node.time) {
            new.push(Change::Pruned(node));
        }
    }
    Ok(new)
}

/// Rows of one kind, rising by id, up to [`ROWS_PER_LOOK`].
struct Page<T> {
    /// With the id of each; `None` where the row is not well-formed.
    rows: Vec<(i64, Option<T>)>,
    full: bool,
}

impl<T> Page<T> {
    fn after(
        conn: &Connection,
        sql: &str,
        id: i64,
        decode: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Self> {
        let mut statement = conn.prepare_cached(sql)?;
        let mut found = statement.query(params![id, ROWS_PER_LOOK as i64])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push((row.get(0)?, decode(row).ok()));
        }
        Ok(Self { full: rows.len() >= ROWS_PER_LOOK, rows })
    }

    /// Leaves out the first row that is `unready`, and all after it.
    fn stop_at(&mut self, unready: impl Fn(&T) -> bool) {
        if let Some(place) = self.rows.iter().position(|(_, row)| row.as_ref().is_some_and(&unready)) {
            self.rows.truncate(place);
            self.full = true;
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn is_full(&self) -> bool {
        self.full
    }

    fn last_id(&self) -> Option<i64> {
        self.rows.last().map(|(id, _)| *id)
    }

    fn into_rows(self) -> impl Iterator<Item = T> {
        self.rows.into_iter().filter_map(|(_, row)| row)
    }
}
