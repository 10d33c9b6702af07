//! Refused packets that were kept as evidence.

use std::collections::HashSet;

use ingest::{observer_key, past_text, past_time};
use model::{Change, DroppedPacket, NodeKey, PacketHash};
use rusqlite::Row;

use crate::ImportError;
use crate::import::{Phase, Run, dropped_key};
use crate::report::TableReport;
use crate::source::cell;

const COLUMNS: &[&str] =
    &["hash", "raw_hex", "reason", "observer_id", "observer_name", "node_pubkey", "node_name", "dropped_at"];

/// Rows handed to the writer together.
const BATCH: usize = 1_024;

/// Takes over the evidence, each piece once however often it is imported.
pub(crate) fn import(run: &mut Run<'_, '_>) -> Result<(), ImportError> {
    let source = run.source;
    let Some(table) = source.table("dropped_packets")? else { return Ok(()) };
    let failed = source.failed("the refused packets");
    let total = source.about_rows("dropped_packets");
    let order = format!("ORDER BY {}", table.id());
    let mut statement = source.conn().prepare(&table.select(COLUMNS, &order)).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut taken = HashSet::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        let report = &mut run.report.dropped;
        report.read += 1;
        let packet = match packet(row, report) {
            Ok(packet) => packet,
            Err(why) => {
                report.refuse(why);
                continue;
            }
        };
        let key = dropped_key(&packet);
        if run.known.dropped.contains(&key) {
            report.known += 1;
        } else if !taken.insert(key) {
            report.merged += 1;
        } else {
            report.taken += 1;
            run.history.note(Change::Dropped(packet));
        }
        if run.history.waiting() >= BATCH {
            run.submit()?;
            let read = run.report.dropped.read;
            run.progress(Phase::Dropped, read, total);
        }
    }
    run.submit()
}

fn packet(row: &Row<'_>, report: &mut TableReport) -> Result<DroppedPacket, &'static str> {
    let time = past_time(&cell(row, 7)).ok_or("time_unreadable")?;
    let (hash, raw, observer, node) = (cell(row, 0), cell(row, 1), cell(row, 3), cell(row, 5));
    let hex = raw.text().map(str::trim).unwrap_or_default();
    // It may be no frame at all, which is why it was refused; but it is never longer than one.
    let bytes = (hex.len() <= 2 * meshcore::MAX_FRAME_BYTES).then(|| meshcore::decode_hex(hex)).flatten();
    if bytes.is_none() {
        report.repair("frame_unreadable_left_out");
    }
    Ok(DroppedPacket {
        time,
        reason: past_text(&cell(row, 2)).unwrap_or_else(|| "unknown".into()),
        hash: hash.text().and_then(|text| text.trim().parse::<PacketHash>().ok()),
        raw: bytes.unwrap_or_default().into(),
        observer: observer.text().and_then(observer_key).map(Into::into),
        observer_name: past_text(&cell(row, 4)),
        node: node.text().and_then(|text| text.trim().parse::<NodeKey>().ok()),
        node_name: past_text(&cell(row, 6)),
    })
}
