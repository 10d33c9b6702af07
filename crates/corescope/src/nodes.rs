//! The directory of nodes: what it knows beyond the adverts that are stored.

use std::collections::HashMap;

use index::PacketQuery;
use ingest::{Scalar, past_text, past_time};
use meshcore::{NodeKey, NodeName, PayloadType, Role};
use model::{Change, NodeRecord};
use rusqlite::Row;

use crate::ImportError;
use crate::import::{Phase, Run};
use crate::report::TableReport;
use crate::source::cell;

const COLUMNS: &[&str] =
    &["public_key", "name", "role", "lat", "lon", "last_seen", "first_seen", "advert_count", "default_scope"];

/// Nodes of our day, and those that CoreScope put aside when they had been silent for a week.
const TABLES: &[&str] = &["nodes", "inactive_nodes"];

/// Longest name on air, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// By how much CoreScope's time of a node's newest advert may lie before that of the observation of it: both are times of
/// arrival, the one in whole seconds and taken a little earlier.
const SLACK_MS: i64 = 60_000;

/// Takes over what the directory knows.
pub(crate) fn import(run: &mut Run<'_, '_>) -> Result<(), ImportError> {
    let found = read(run)?;
    let stored = stored_adverts(run, &found);
    let mut keys: Vec<NodeKey> = found.keys().copied().collect();
    keys.sort_unstable();
    for key in keys {
        let record = &found[&key];
        let here = stored.get(&key).copied().unwrap_or(0);
        let beyond = NodeRecord { adverts: record.adverts.saturating_sub(here), ..record.clone() };
        let known = run.known.nodes.get(&key);
        let merged = known.map_or_else(|| beyond.clone(), |known| with_known(known, &beyond));
        let report = &mut run.report.nodes;
        match known {
            None => report.taken += 1,
            Some(known) if *known == merged => {
                report.known += 1;
                continue;
            }
            Some(_) => report.updated += 1,
        }
        run.history.note(Change::Node(merged));
    }
    run.submit()
}

fn read(run: &mut Run<'_, '_>) -> Result<HashMap<NodeKey, NodeRecord>, ImportError> {
    let mut found: HashMap<NodeKey, NodeRecord> = HashMap::new();
    let source = run.source;
    let failed = source.failed("the nodes");
    for name in TABLES {
        let Some(table) = source.table(name)? else { continue };
        let total = source.about_rows(name);
        let mut statement = source.conn().prepare(&table.select(COLUMNS, "")).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let report = &mut run.report.nodes;
            report.read += 1;
            match node(row, report) {
                Ok(record) => match found.get_mut(&record.key) {
                    Some(other) => {
                        report.merged += 1;
                        *other = of_both_tables(other, &record);
                    }
                    None => {
                        found.insert(record.key, record);
                    }
                },
                Err(why) => report.refuse(why),
            }
        }
        let read = run.report.nodes.read;
        run.progress(Phase::Nodes, read, total);
    }
    Ok(found)
}

fn node(row: &Row<'_>, report: &mut TableReport) -> Result<NodeRecord, &'static str> {
    let key = cell(row, 0).text().and_then(|text| text.trim().parse::<NodeKey>().ok());
    let key = key.ok_or("key_unreadable")?;
    let (last_seen, first_seen) = (past_time(&cell(row, 5)), past_time(&cell(row, 6)));
    let last = last_seen.or(first_seen).ok_or("time_unreadable")?;
    if last_seen.is_none() || first_seen.is_none() {
        report.repair("time_unreadable");
    }
    let (lat, lon) = (cell(row, 3), cell(row, 4));
    let location = millionths(&lat, 90.0).zip(millionths(&lon, 180.0));
    // Some releases write zeros for "not said".
    let is_nowhere = location == Some((0, 0));
    if location.is_none() && (lat.says_something() || lon.says_something()) {
        report.repair("location_out_of_range_left_out");
    }
    let adverts = cell(row, 7).count().map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX));
    Ok(NodeRecord {
        key,
        name: cell(row, 1).text().and_then(name),
        role: role(&cell(row, 2), report).code(),
        location: location.filter(|_| !is_nowhere),
        first_seen: first_seen.map_or(last, |first| first.min(last)),
        last_seen: last,
        adverts,
        default_scope: past_text(&cell(row, 8)),
    })
}

/// As an advert could have it.
fn name(text: &str) -> Option<Box<[u8]>> {
    let name = NodeName::from_wire(text.as_bytes())?;
    // What comes from a text is text up to its end, wherever that is.
    let text = std::str::from_utf8(name.bytes()).ok()?;
    let cut = NodeName::cut(text, MAX_NAME_BYTES);
    (!cut.is_empty()).then(|| cut.as_bytes().into())
}

fn role(value: &Scalar<'_>, report: &mut TableReport) -> Role {
    let Some(text) = value.text().map(str::trim).filter(|text| !text.is_empty()) else { return Role::None };
    let lower = text.to_ascii_lowercase();
    let known = match lower.as_str() {
        // The word of older releases.
        "room_server" => Some(Role::Room),
        word => Role::from_name(word),
    };
    known.unwrap_or_else(|| {
        report.repair("role_unknown");
        Role::None
    })
}

fn millionths(degrees: &Scalar<'_>, most: f64) -> Option<i32> {
    degrees.number().filter(|degrees| degrees.abs() <= most).map(|degrees| (degrees * 1e6).round() as i32)
}

/// A node that was put aside and came back is in both tables, and counted anew from when it came back. The same first
/// sight in both means that it was copied and not yet removed.
fn of_both_tables(a: &NodeRecord, b: &NodeRecord) -> NodeRecord {
    let adverts = if a.first_seen == b.first_seen {
        a.adverts.max(b.adverts)
    } else {
        a.adverts.saturating_add(b.adverts)
    };
    NodeRecord { adverts, ..newer_of(a, b) }
}

/// What is known here of adverts that are not stored may be of the same adverts, so the greater count holds.
fn with_known(known: &NodeRecord, found: &NodeRecord) -> NodeRecord {
    NodeRecord { adverts: known.adverts.max(found.adverts), ..newer_of(found, known) }
}

/// The one seen later, with what it does not say from the other; of equal ones the first.
fn newer_of(a: &NodeRecord, b: &NodeRecord) -> NodeRecord {
    let (new, old) = if a.last_seen >= b.last_seen { (a, b) } else { (b, a) };
    NodeRecord {
        key: new.key,
        name: new.name.clone().or_else(|| old.name.clone()),
        role: if new.role == Role::None.code() { old.role } else { new.role },
        location: new.location.or(old.location),
        first_seen: new.first_seen.min(old.first_seen),
        last_seen: new.last_seen,
        adverts: new.adverts,
        default_scope: new.default_scope.clone().or_else(|| old.default_scope.clone()),
    }
}

/// How many of the adverts that CoreScope can have counted are stored here, by node.
fn stored_adverts(run: &Run<'_, '_>, found: &HashMap<NodeKey, NodeRecord>) -> HashMap<NodeKey, u32> {
    let index = run.history.index();
    let query =
        PacketQuery { limit: usize::MAX, payload_type: Some(PayloadType::Advert), ..PacketQuery::default() };
    let mut counts = HashMap::new();
    for row in index.packets(&query).rows {
        let packet = index.view(row);
        let Some(record) = packet.node().and_then(|node| found.get(&node.key)) else { continue };
        if packet.first_seen() <= record.last_seen.plus_ms(SLACK_MS) {
            *counts.entry(record.key).or_default() += 1;
        }
    }
    counts
}
