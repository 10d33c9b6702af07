//! The directory of observers.

use std::collections::{HashMap, HashSet};

use ingest::{Outcome, observer_key, past_radio, past_region, past_text, past_time};
use model::{ObserverId, ObserverRecord, UnixMillis};
use rusqlite::Row;

use crate::ImportError;
use crate::import::{Phase, Run};
use crate::source::cell;

/// The observer of what nobody is said to have heard.
pub(crate) const UNKNOWN: &str = "unknown";

/// In the order of the fields below.
const COLUMNS: &[&str] = &[
    "rowid",
    "id",
    "name",
    "iata",
    "last_seen",
    "first_seen",
    "model",
    "firmware",
    "client_version",
    "radio",
    "battery_mv",
    "uptime_secs",
    "noise_floor",
    "clock_skew_seconds",
    "clock_last_naive_at",
    "can_relay",
    "can_relay_seen",
];

/// What a noise floor can be, in dBm; anything else is a fault of its sender.
pub(crate) const NOISE_FLOOR_DBM: std::ops::RangeInclusive<f64> = -200.0..=100.0;

/// Who is whom: observations name observers by the number of their row.
#[derive(Default)]
pub(crate) struct Observers {
    by_row: HashMap<i64, ObserverId>,
    unknown: Option<ObserverId>,
}

impl Observers {
    pub(crate) fn by_row(&self, row: i64) -> Option<ObserverId> {
        self.by_row.get(&row).copied()
    }

    /// The observer of what nobody is said to have heard, who becomes known by this. `None` when there is no room left.
    pub(crate) fn unknown(&mut self, run: &mut Run<'_, '_>, time: UnixMillis) -> Option<ObserverId> {
        if self.unknown.is_none() {
            self.unknown = run.history.observer(UNKNOWN, time).ok();
        }
        self.unknown
    }
}

/// Takes over the directory. An observer whose key is none is left out; what it heard is kept as heard by nobody known.
pub(crate) fn import(run: &mut Run<'_, '_>) -> Result<Observers, ImportError> {
    let mut observers = Observers::default();
    let source = run.source;
    let Some(table) = source.table("observers")? else { return Ok(observers) };
    let failed = source.failed("the observers");
    let sql = table.select(COLUMNS, "ORDER BY rowid");
    let total = source.about_rows("observers");
    let mut statement = source.conn().prepare(&sql).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut met = HashSet::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        run.report.observers.read += 1;
        let (number, key) = (row.get(0).unwrap_or_default(), cell(row, 1));
        match observer(run, row, key.text().unwrap_or_default(), &mut met) {
            Ok(id) => {
                observers.by_row.insert(number, id);
            }
            Err(why) => run.report.observers.refuse(why),
        }
    }
    let read = run.report.observers.read;
    run.progress(Phase::Observers, read, total);
    run.submit()?;
    Ok(observers)
}

fn observer(
    run: &mut Run<'_, '_>,
    row: &Row<'_>,
    key: &str,
    met: &mut HashSet<ObserverId>,
) -> Result<ObserverId, &'static str> {
    let (last_seen, first_seen) = (past_time(&cell(row, 4)), past_time(&cell(row, 5)));
    if last_seen.is_none() || first_seen.is_none() {
        run.report.observers.repair("time_unreadable");
    }
    let first_seen = first_seen.or(last_seen);
    let key = observer_key(key).ok_or(Outcome::BadObserverKey.name())?;
    let last_heard = run.history.index().observer(&key, UnixMillis(0)).map(|observer| observer.last_seen);
    let id = run.history.observer(&key, first_seen.unwrap_or_default()).map_err(Outcome::name)?;
    let was_met = !met.insert(id);
    let is_new = last_heard.is_none();
    let Some(known) = run.history.index().observer_record(id).cloned() else {
        return Err(Outcome::Internal.name());
    };
    let found = read(row, &known, first_seen.unwrap_or(known.first_seen), last_seen);
    // Whoever was heard later has the newer word on everything.
    let is_newer = is_new || last_seen.or(first_seen) >= last_heard;
    let changed = run.history.set_observer(merged(known, found, is_newer)).map_err(Outcome::name)?;
    let report = &mut run.report.observers;
    match (was_met, is_new, changed) {
        (true, ..) => report.merged += 1,
        (_, true, _) => report.taken += 1,
        (.., true) => report.updated += 1,
        (.., false) => report.known += 1,
    }
    Ok(id)
}

fn read(
    row: &Row<'_>,
    known: &ObserverRecord,
    first_seen: UnixMillis,
    last_seen: Option<UnixMillis>,
) -> ObserverRecord {
    let text = |column| past_text(&cell(row, column));
    let noise_floor = cell(row, 12).number().filter(|dbm| NOISE_FLOOR_DBM.contains(dbm));
    let skew = cell(row, 13).number().filter(|secs| secs.abs() < 1e15);
    let has_said = cell(row, 16).yes_or_no().unwrap_or(false);
    ObserverRecord {
        id: known.id,
        key: known.key.clone(),
        name: text(2),
        iata: past_region(&cell(row, 3)),
        model: text(6),
        firmware: text(7),
        client_version: text(8),
        radio: past_radio(&cell(row, 9)),
        battery_mv: cell(row, 10).count().and_then(|mv| u32::try_from(mv).ok()),
        uptime_secs: cell(row, 11).count(),
        noise_floor: noise_floor.map(|dbm| dbm as f32),
        can_relay: cell(row, 15).yes_or_no().filter(|_| has_said),
        first_seen,
        // CoreScope keeps one time for packets and statuses. Where its packets are gone, this is all that says when the
        // observer was last there.
        last_status: last_seen,
        online: None,
        clock_skew_secs: skew.map(|secs| secs.round() as i64),
        clock_last_naive: past_time(&cell(row, 14)),
    }
}

/// What both say together: of two different words the newer, of one the only.
fn merged(known: ObserverRecord, found: ObserverRecord, found_is_newer: bool) -> ObserverRecord {
    let first_seen = known.first_seen.min(found.first_seen);
    let last_status = known.last_status.max(found.last_status);
    let (new, old) = if found_is_newer { (found, known) } else { (known, found) };
    ObserverRecord {
        id: new.id,
        name: new.name.or(old.name),
        iata: new.iata.or(old.iata),
        model: new.model.or(old.model),
        firmware: new.firmware.or(old.firmware),
        client_version: new.client_version.or(old.client_version),
        radio: new.radio.or(old.radio),
        battery_mv: new.battery_mv.or(old.battery_mv),
        uptime_secs: new.uptime_secs.or(old.uptime_secs),
        noise_floor: new.noise_floor.or(old.noise_floor),
        can_relay: new.can_relay.or(old.can_relay),
        first_seen,
        last_status,
        online: new.online.or(old.online),
        clock_skew_secs: new.clock_skew_secs.or(old.clock_skew_secs),
        clock_last_naive: new.clock_last_naive.or(old.clock_last_naive),
        key: new.key,
    }
}
