//! Samples of observers' counters.

use std::collections::HashSet;

use ingest::{Outcome, past_time};
use model::{Change, ObserverId, ObserverMetrics, UnixMillis};
use rusqlite::Row;

use crate::ImportError;
use crate::import::{Phase, Run};
use crate::source::cell;

const COLUMNS: &[&str] = &[
    "observer_id",
    "timestamp",
    "noise_floor",
    "tx_air_secs",
    "rx_air_secs",
    "recv_errors",
    "battery_mv",
    "packets_sent",
    "packets_recv",
];

/// Samples handed to the writer together.
const BATCH: usize = 4_096;

/// Takes over the samples. One that is here already, for the same observer and time, stays as it is.
pub(crate) fn import(run: &mut Run<'_, '_>) -> Result<(), ImportError> {
    let source = run.source;
    let Some(table) = source.table("observer_metrics")? else { return Ok(()) };
    let failed = source.failed("the metrics");
    let snapshot = run.snapshot()?;
    let total = source.about_rows("observer_metrics");
    // By observer, so that only the times of one must be at hand.
    let mut statement =
        source.conn().prepare(&table.select(COLUMNS, "ORDER BY observer_id, timestamp")).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut of: Option<ObserverId> = None;
    let (mut known, mut taken): (HashSet<UnixMillis>, HashSet<UnixMillis>) = Default::default();
    while let Some(row) = rows.next().map_err(&failed)? {
        run.report.metrics.read += 1;
        let sample = match sample(run, row) {
            Ok(sample) => sample,
            Err(why) => {
                run.report.metrics.refuse(why);
                continue;
            }
        };
        if of != Some(sample.observer) {
            of = Some(sample.observer);
            let times = snapshot.as_ref().map(|here| here.metric_times(sample.observer)).transpose()?;
            (known, taken) = (times.into_iter().flatten().collect(), HashSet::new());
        }
        if known.contains(&sample.time) {
            run.report.metrics.known += 1;
        } else if !taken.insert(sample.time) {
            run.report.metrics.merged += 1;
        } else {
            run.report.metrics.taken += 1;
            run.history.note(Change::Metrics(sample));
        }
        if run.history.waiting() >= BATCH {
            run.submit()?;
            let read = run.report.metrics.read;
            run.progress(Phase::Metrics, read, total);
        }
    }
    run.submit()
}

fn sample(run: &mut Run<'_, '_>, row: &Row<'_>) -> Result<ObserverMetrics, &'static str> {
    let time = past_time(&cell(row, 1)).ok_or("time_unreadable")?;
    let key = cell(row, 0);
    let observer = run.history.observer(key.text().unwrap_or_default(), time).map_err(Outcome::name)?;
    let count = |column| cell(row, column).count();
    let noise_floor = cell(row, 2).number().filter(|dbm| crate::observers::NOISE_FLOOR_DBM.contains(dbm));
    Ok(ObserverMetrics {
        observer,
        time,
        noise_floor: noise_floor.map(|dbm| dbm as f32),
        tx_air_secs: count(3),
        rx_air_secs: count(4),
        recv_errors: count(5),
        battery_mv: count(6).and_then(|mv| u32::try_from(mv).ok()),
        packets_sent: count(7),
        packets_recv: count(8),
    })
}
