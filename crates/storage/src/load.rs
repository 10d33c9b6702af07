//! The stored state as a stream of changes.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use model::{
    Change, HeadId, Observation, ObservationId, ObserverId, ReceptionId, Transmission, TransmissionId,
    UnixMillis,
};
use rusqlite::{Connection, OptionalExtension, Row, Rows};

use crate::id_set::IdSet;
use crate::{StorageError, rows, schema};

/// Rows between two reports of progress: some milliseconds of work.
const ROWS_PER_REPORT: u64 = 16_384;

/// Newest samples of each observer that are passed on: a day at one in five minutes is 288. Readers of the index ask for all
/// observers at once, and these would be as many seeks.
const SAMPLES_OF_EACH: u32 = 300;
/// Receptions of mobile clients that a load gives, the newest: the index keeps no more. Older ones stay in the database until
/// they are removed.
pub const RECEPTIONS_LOADED: u32 = 1 << 19;

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadPhase {
    /// The dictionary of frame heads.
    Heads,
    /// The observer directory.
    Observers,
    /// Nodes beyond their stored adverts.
    Nodes,
    /// Mobile clients and their receptions.
    Coverage,
    /// Transmissions and observations.
    Packets,
}

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// What is being read.
    pub phase: LoadPhase,
    /// Rows of this phase that were read; in the phase of the packets, observations.
    pub done: u64,
    /// About how many there are.
    pub total: u64,
}

/// Highest ids in use, readable or not; `None` where the table is empty. New ids go on from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastIds {
    /// Of the frame heads.
    pub head: Option<HeadId>,
    /// Of the observers.
    pub observer: Option<ObserverId>,
    /// Of the transmissions.
    pub transmission: Option<TransmissionId>,
    /// Of the observations.
    pub observation: Option<ObservationId>,
    /// Of the receptions.
    pub reception: Option<ReceptionId>,
}

/// Rows that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkippedRows {
    /// Frame heads that are not well-formed.
    pub heads: u64,
    /// Observers that are not well-formed.
    pub observers: u64,
    /// Nodes that are not well-formed.
    pub nodes: u64,
    /// Mobile clients that are not well-formed, and receptions that are not or whose client is not there.
    pub coverage: u64,
    /// Transmissions that are not well-formed.
    pub transmissions: u64,
    /// Observations that are not well-formed.
    pub observations: u64,
    /// Observations of a transmission, observer or head that is not there.
    pub orphans: u64,
}

/// What a load has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Frame heads passed on.
    pub heads: u64,
    /// Observers passed on.
    pub observers: u64,
    /// Nodes passed on.
    pub nodes: u64,
    /// Mobile clients passed on.
    pub clients: u64,
    /// Their receptions passed on: at most [`RECEPTIONS_LOADED`].
    pub receptions: u64,
    /// Transmissions passed on.
    pub transmissions: u64,
    /// Observations passed on.
    pub observations: u64,
    /// Transmissions left out because no observation names them. Not a fault: retention may leave some.
    pub unheard_transmissions: u64,
    /// Sum of `skipped`.
    pub skipped_rows: u64,
    /// Rows left out because they are at fault.
    pub skipped: SkippedRows,
    /// Highest ids in use.
    pub last_ids: LastIds,
    /// How often packets were removed from the database until then.
    pub removals: u64,
    /// How long it took, the sink included.
    pub elapsed: Duration,
}

pub(crate) fn load(
    path: &Path,
    progress: &mut dyn FnMut(LoadProgress),
    sink: &mut dyn FnMut(Change),
) -> Result<LoadReport, StorageError> {
    load_from(&schema::open_read_only(path)?, path, progress, sink)
}

/// As [`load`], by a connection that is open already, perhaps within a transaction.
pub(crate) fn load_from(
    conn: &Connection,
    path: &Path,
    progress: &mut dyn FnMut(LoadProgress),
    sink: &mut dyn FnMut(Change),
) -> Result<LoadReport, StorageError> {
    let start = Instant::now();
    let loader = Loader { progress, sink, report: LoadReport::default() };
    let mut report =
        loader.run(conn).map_err(|error| StorageError::sqlite(path, error.doing, error.source))?;
    let skipped = report.skipped;
    report.skipped_rows = skipped.heads
        + skipped.observers
        + skipped.nodes
        + skipped.coverage
        + skipped.transmissions
        + skipped.observations
        + skipped.orphans;
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Only heads, observers, nodes and mobile clients.
pub(crate) fn directories_from(
    conn: &Connection,
    path: &Path,
    sink: &mut dyn FnMut(Change),
) -> Result<(), StorageError> {
    let mut loader = Loader { progress: &mut |_| {}, sink, report: LoadReport::default() };
    let read = loader.heads(conn).and_then(|_| loader.observers(conn)).and_then(|_| loader.nodes(conn));
    let read = read.and_then(|()| loader.clients(conn).map(drop));
    read.map_err(|error| StorageError::sqlite(path, "reading heads, observers and nodes", error))
}

struct LoadError {
    doing: &'static str,
    source: rusqlite::Error,
}

fn while_doing(doing: &'static str) -> impl Fn(rusqlite::Error) -> LoadError {
    move |source| LoadError { doing, source }
}

struct Loader<'a> {
    progress: &'a mut dyn FnMut(LoadProgress),
    sink: &'a mut dyn FnMut(Change),
    report: LoadReport,
}

impl Loader<'_> {
    fn run(mut self, conn: &Connection) -> Result<LoadReport, LoadError> {
        let failed = while_doing("reading the tables' ends");
        // One transaction, so that all tables are of one moment.
        let snapshot =
            conn.is_autocommit().then(|| conn.unchecked_transaction()).transpose().map_err(&failed)?;
        self.report.last_ids = last_ids(conn).map_err(&failed)?;
        self.report.removals = removals(conn).map_err(&failed)?;
        let heads = self.heads(conn).map_err(while_doing("reading the frame heads"))?;
        let observers = self.observers(conn).map_err(while_doing("reading the observers"))?;
        self.samples(conn, &observers).map_err(while_doing("reading observers' metrics"))?;
        self.nodes(conn).map_err(while_doing("reading the nodes"))?;
        let clients = self.clients(conn).map_err(while_doing("reading the mobile clients"))?;
        self.receptions(conn, &clients).map_err(while_doing("reading the receptions"))?;
        self.packets(conn, &heads, &observers).map_err(while_doing("reading the packets"))?;
        drop(snapshot);
        Ok(self.report)
    }

    fn heads(&mut self, conn: &Connection) -> rusqlite::Result<IdSet> {
        let total = self.report.last_ids.head.map_or(0, |id| u64::from(id.0) + 1);
        let mut known = IdSet::default();
        let mut statement = conn.prepare(rows::SELECT_HEADS)?;
        let mut found = statement.query([])?;
        let mut done = 0;
        while let Some(row) = found.next()? {
            self.report_progress(LoadPhase::Heads, done, total);
            done += 1;
            match well_formed(row, rows::decode_head)? {
                Some(head) => {
                    known.push(u64::from(head.id.0));
                    (self.sink)(Change::Head(head));
                }
                None => self.report.skipped.heads += 1,
            }
        }
        self.report.heads = known.len();
        Ok(known)
    }

    fn observers(&mut self, conn: &Connection) -> rusqlite::Result<IdSet> {
        let total = self.report.last_ids.observer.map_or(0, |id| u64::from(id.0) + 1);
        let mut known = IdSet::default();
        let mut statement = conn.prepare(rows::SELECT_OBSERVERS)?;
        let mut found = statement.query([])?;
        let mut done = 0;
        while let Some(row) = found.next()? {
            self.report_progress(LoadPhase::Observers, done, total);
            done += 1;
            match well_formed(row, rows::decode_observer)? {
                Some(observer) => {
                    known.push(u64::from(observer.id.0));
                    (self.sink)(Change::Observer(observer));
                }
                None => self.report.skipped.observers += 1,
            }
        }
        self.report.observers = known.len();
        Ok(known)
    }

    fn samples(&mut self, conn: &Connection, observers: &IdSet) -> rusqlite::Result<()> {
        let last = self.report.last_ids.observer.map_or(0, |last| last.0);
        for id in (0..=last).filter(|id| observers.contains(u64::from(*id))) {
            let (observer, from) = (ObserverId(id), UnixMillis(i64::MIN));
            let samples = rows::select_newest_metrics(conn, observer, from, SAMPLES_OF_EACH)?;
            samples.into_iter().for_each(|sample| (self.sink)(Change::Metrics(sample)));
        }
        Ok(())
    }

    fn nodes(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        // A reader may come before the writer that brings the database to this format.
        if !conn.table_exists(None, "nodes")? {
            return Ok(());
        }
        let mut statement = conn.prepare(rows::SELECT_NODES)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            self.report_progress(LoadPhase::Nodes, self.report.nodes, self.report.nodes);
            match well_formed(row, rows::decode_node)? {
                Some(node) => {
                    self.report.nodes += 1;
                    (self.sink)(Change::Node(node));
                }
                None => self.report.skipped.nodes += 1,
            }
        }
        self.pruned(conn)
    }

    fn pruned(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if !conn.table_exists(None, "pruned_nodes")? {
            return Ok(());
        }
        let mut statement = conn.prepare(rows::SELECT_PRUNED)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            match well_formed(row, rows::decode_pruned)? {
                Some(pruned) => (self.sink)(Change::Pruned(pruned)),
                None => self.report.skipped.nodes += 1,
            }
        }
        Ok(())
    }

    fn clients(&mut self, conn: &Connection) -> rusqlite::Result<IdSet> {
        let mut known = IdSet::default();
        if !conn.table_exists(None, "client_observers")? {
            return Ok(known);
        }
        let mut statement = conn.prepare(rows::SELECT_CLIENTS)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            match well_formed(row, rows::decode_client)? {
                Some(client) => {
                    known.push(u64::from(client.id.0));
                    (self.sink)(Change::Client(client));
                }
                None => self.report.skipped.coverage += 1,
            }
        }
        self.report.clients = known.len();
        Ok(known)
    }

    fn receptions(&mut self, conn: &Connection, clients: &IdSet) -> rusqlite::Result<()> {
        if !conn.table_exists(None, "client_receptions")? {
            return Ok(());
        }
        let mut statement = conn.prepare(rows::SELECT_NEWEST_RECEPTIONS)?;
        let mut found = statement.query([RECEPTIONS_LOADED])?;
        while let Some(row) = found.next()? {
            self.report_progress(LoadPhase::Coverage, self.report.receptions, u64::from(RECEPTIONS_LOADED));
            match well_formed(row, rows::decode_reception)? {
                Some(reception) if clients.contains(u64::from(reception.client.0)) => {
                    self.report.receptions += 1;
                    (self.sink)(Change::Reception(reception));
                }
                _ => self.report.skipped.coverage += 1,
            }
        }
        Ok(())
    }

    fn packets(&mut self, conn: &Connection, heads: &IdSet, observers: &IdSet) -> rusqlite::Result<()> {
        let mut transmissions = conn.prepare(rows::SELECT_TRANSMISSIONS)?;
        let mut transmissions = Transmissions::new(conn, transmissions.query([])?);
        let mut statement = conn.prepare(rows::SELECT_OBSERVATIONS)?;
        let mut found = statement.query([])?;
        // Old rows go first, so what is left is nearly without gaps; the first id is where it begins.
        let mut first = None;
        let mut done = 0;
        while let Some(row) = found.next()? {
            let Some(observation) = well_formed(row, rows::decode_observation)? else {
                self.report.skipped.observations += 1;
                continue;
            };
            let first = *first.get_or_insert(observation.id.0);
            let total = self.report.last_ids.observation.map_or(0, |last| last.0.saturating_sub(first) + 1);
            self.report_progress(LoadPhase::Packets, done, total);
            done += 1;
            self.observation(observation, &mut transmissions, heads, observers)?;
        }
        transmissions.skip_rest()?;
        self.report.skipped.transmissions = transmissions.malformed;
        self.report.unheard_transmissions = transmissions.unheard.len() - transmissions.late.len() as u64;
        (self.progress)(LoadProgress { phase: LoadPhase::Packets, done, total: done });
        Ok(())
    }

    fn observation(
        &mut self,
        observation: Observation,
        transmissions: &mut Transmissions<'_>,
        heads: &IdSet,
        observers: &IdSet,
    ) -> rusqlite::Result<()> {
        let named = heads.contains(u64::from(observation.head.0))
            && observers.contains(u64::from(observation.observer.0));
        let transmission =
            if named { transmissions.find(observation.transmission.0)? } else { Found::Nowhere };
        match transmission {
            Found::Nowhere => {
                self.report.skipped.orphans += 1;
                return Ok(());
            }
            Found::PassedOn => {}
            Found::New(transmission) => {
                self.report.transmissions += 1;
                (self.sink)(Change::Transmission(transmission));
            }
        }
        self.report.observations += 1;
        (self.sink)(Change::Observation(observation));
        Ok(())
    }

    fn report_progress(&mut self, phase: LoadPhase, done: u64, total: u64) {
        if done.is_multiple_of(ROWS_PER_REPORT) {
            (self.progress)(LoadProgress { phase, done, total: total.max(done) });
        }
    }
}

/// The transmissions in the order of their ids, as the observations come to name them.
struct Transmissions<'a> {
    conn: &'a Connection,
    rows: Rows<'a>,
    /// Read from `rows` and not yet named.
    next: Option<Transmission>,
    ended: bool,
    /// Passed on in order.
    heard: IdSet,
    /// Passed over because an observation named a later one first.
    unheard: IdSet,
    /// Those of `unheard` that an observation has named after all.
    late: HashSet<u64>,
    malformed: u64,
}

enum Found {
    New(Transmission),
    PassedOn,
    Nowhere,
}

impl<'a> Transmissions<'a> {
    fn new(conn: &'a Connection, rows: Rows<'a>) -> Self {
        Self {
            conn,
            rows,
            next: None,
            ended: false,
            heard: IdSet::default(),
            unheard: IdSet::default(),
            late: HashSet::new(),
            malformed: 0,
        }
    }

    fn find(&mut self, id: u64) -> rusqlite::Result<Found> {
        if self.heard.contains(id) || self.late.contains(&id) {
            return Ok(Found::PassedOn);
        }
        if self.unheard.contains(id) {
            return self.fetch(id);
        }
        while let Some(transmission) = self.advance()? {
            match transmission.id.0.cmp(&id) {
                std::cmp::Ordering::Less => self.unheard.push(transmission.id.0),
                std::cmp::Ordering::Equal => {
                    self.heard.push(id);
                    return Ok(Found::New(transmission));
                }
                std::cmp::Ordering::Greater => {
                    self.next = Some(transmission);
                    break;
                }
            }
        }
        Ok(Found::Nowhere)
    }

    /// Reads a transmission that was passed over. Rare: it takes two observations in the wrong order.
    fn fetch(&mut self, id: u64) -> rusqlite::Result<Found> {
        let mut statement = self.conn.prepare_cached(rows::SELECT_TRANSMISSION)?;
        let mut found = statement.query([id.cast_signed()])?;
        let Some(row) = found.next()? else { return Ok(Found::Nowhere) };
        let transmission = well_formed(row, rows::decode_transmission)?;
        self.late.insert(id);
        Ok(transmission.map_or(Found::Nowhere, Found::New))
    }

    fn skip_rest(&mut self) -> rusqlite::Result<()> {
        while let Some(transmission) = self.advance()? {
            self.unheard.push(transmission.id.0);
        }
        Ok(())
    }

    /// The next that is well-formed.
    fn advance(&mut self) -> rusqlite::Result<Option<Transmission>> {
        if let Some(transmission) = self.next.take() {
            return Ok(Some(transmission));
        }
        // Stepping on after the end would begin anew.
        while !self.ended {
            let Some(row) = self.rows.next()? else {
                self.ended = true;
                break;
            };
            match well_formed(row, rows::decode_transmission)? {
                Some(transmission) => return Ok(Some(transmission)),
                None => self.malformed += 1,
            }
        }
        Ok(None)
    }
}

/// Tells a row with wrong content, which is left out, from a database that cannot be read.
pub(crate) fn well_formed<T>(
    row: &Row<'_>,
    decode: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    match decode(row) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.sqlite_error_code().is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// How often packets were removed; counted in `meta`, so that other processes notice.
pub(crate) fn removals(conn: &Connection) -> rusqlite::Result<u64> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE key = 'removals'")?;
    let count: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(count.unwrap_or(0).cast_unsigned())
}

/// The highest ids in use.
pub(crate) fn last_ids(conn: &Connection) -> rusqlite::Result<LastIds> {
    Ok(LastIds {
        head: last_id(conn, "heads")?.map(HeadId),
        observer: last_id(conn, "observers")?.map(ObserverId),
        transmission: last_id(conn, "transmissions")?.map(TransmissionId),
        observation: last_id(conn, "observations")?.map(ObservationId),
        // A reader may come before the writer that brings the database to this format.
        reception: match conn.table_exists(None, "client_receptions")? {
            true => last_id(conn, "client_receptions")?.map(ReceptionId),
            false => None,
        },
    })
}

/// The highest id of a table, as far as the type can hold it.
fn last_id<T: TryFrom<i64>>(conn: &Connection, table: &str) -> rusqlite::Result<Option<T>> {
    let last: Option<i64> = conn.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| row.get(0))?;
    Ok(last.and_then(|id| T::try_from(id).ok()))
}
