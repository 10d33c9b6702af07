//! Mobile clients, and what they heard where.

use std::collections::{HashMap, HashSet};

use ingest::{PastReception, PastSignal, past_client, past_text, past_time};
use model::{Change, ClientId, UnixMillis};
use rusqlite::Row;

use crate::ImportError;
use crate::import::{Phase, Run};
use crate::report::TableReport;
use crate::source::cell;

const CLIENT_COLUMNS: &[&str] = &["pubkey", "name", "last_seen"];

const COLUMNS: &[&str] = &["rx_pubkey", "heard_key", "rssi", "snr", "lat", "lon", "pos_acc_m", "rx_at"];

/// Rows handed to the writer together.
const BATCH: usize = 4_096;

/// What two rows of the same reception share: client, node and second.
type Key = (ClientId, Box<[u8]>, i64);

/// Takes over the clients, then their receptions, each once however often it is imported.
pub(crate) fn import(run: &mut Run<'_, '_>) -> Result<(), ImportError> {
    clients(run)?;
    receptions(run)
}

fn clients(run: &mut Run<'_, '_>) -> Result<(), ImportError> {
    let source = run.source;
    let Some(table) = source.table("client_observers")? else { return Ok(()) };
    let failed = source.failed("the mobile clients");
    let mut statement =
        source.conn().prepare(&table.select(CLIENT_COLUMNS, "ORDER BY pubkey")).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut taken = HashSet::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        run.report.clients.read += 1;
        let Some(key) = cell(row, 0).text().and_then(past_client) else {
            run.report.clients.refuse("key_impossible");
            continue;
        };
        if run.history.index().client_by_key(&key).is_some() {
            // The same key in another case, or from life.
            let is_twin = taken.contains(&key);
            let report = &mut run.report.clients;
            *if is_twin { &mut report.merged } else { &mut report.known } += 1;
            continue;
        }
        let last_seen = past_time(&cell(row, 2));
        if last_seen.is_none() {
            run.report.clients.repair("time_unreadable_left_out");
        }
        let name = past_text(&cell(row, 1));
        match run.history.client(&key, name, last_seen.unwrap_or(UnixMillis(0))) {
            Ok(_) => {
                taken.insert(key);
                run.report.clients.taken += 1;
            }
            Err(outcome) => run.report.clients.refuse(outcome.name()),
        }
    }
    run.submit()
}

fn receptions(run: &mut Run<'_, '_>) -> Result<(), ImportError> {
    let source = run.source;
    let Some(table) = source.table("client_receptions")? else { return Ok(()) };
    let failed = source.failed("the receptions");
    let mut known: HashSet<Key> = HashSet::new();
    if let Some(here) = run.snapshot()? {
        here.receptions(&mut |row| {
            known.insert((row.client, row.heard, row.time.secs()));
        })?;
    }
    let total = source.about_rows("client_receptions");
    let order = format!("ORDER BY {}", table.id());
    let mut statement = source.conn().prepare(&table.select(COLUMNS, &order)).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut taken: HashSet<Key> = HashSet::new();
    let mut clients: HashMap<Box<str>, ClientId> = HashMap::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        run.report.receptions.read += 1;
        let (key, reception) = match reception(row, &mut run.report.receptions) {
            Ok(reception) => reception,
            Err(why) => {
                run.report.receptions.refuse(why);
                continue;
            }
        };
        let client = match clients.get(&key) {
            Some(client) => Ok(*client),
            // One without a row of its own is known by this.
            None => run.history.client(&key, None, reception.time),
        };
        let client = match client {
            Ok(client) => *clients.entry(key).or_insert(client),
            Err(outcome) => {
                run.report.receptions.refuse(outcome.name());
                continue;
            }
        };
        let key = (client, reception.heard.clone(), reception.time.secs());
        if known.contains(&key) {
            run.report.receptions.known += 1;
        } else if !taken.insert(key) {
            run.report.receptions.merged += 1;
        } else {
            run.report.receptions.taken += 1;
            let id = run.history.next_reception();
            run.history.note(Change::Reception(reception.row(id, client)));
        }
        if run.history.waiting() >= BATCH {
            run.submit()?;
            let read = run.report.receptions.read;
            run.progress(Phase::Receptions, read, total);
        }
    }
    run.submit()
}

/// The client's key, and what it heard.
fn reception(row: &Row<'_>, report: &mut TableReport) -> Result<(Box<str>, PastReception), &'static str> {
    let key = cell(row, 0).text().and_then(past_client).ok_or("client_impossible")?;
    let heard = cell(row, 1).text().and_then(|text| meshcore::decode_hex(text.trim()));
    let heard = heard.filter(|heard| (2..=32).contains(&heard.len())).ok_or("node_unreadable")?;
    let time = past_time(&cell(row, 7)).ok_or("time_unreadable")?;
    let place = cell(row, 4).number().zip(cell(row, 5).number()).ok_or("place_unreadable")?;
    let signal = PastSignal { snr: cell(row, 3).number(), rssi: cell(row, 2).number(), score: None };
    let past = PastReception::new(heard.into(), time, place, cell(row, 6).number(), signal);
    let past = past.ok_or("place_impossible")?;
    if past.signal_lost(&signal) {
        report.repair("signal_impossible_left_out");
    }
    Ok((key, past))
}
