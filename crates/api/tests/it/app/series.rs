//! The series of a running program: one of each kind, so that a figure that nobody exports is seen.

use xray::{SeriesKind, SeriesReading, Unit};

/// Counters by unit, gauges below them.
const COUNTERS: &[(Unit, &[&str])] = &[
    (
        Unit::Bytes,
        &[
            "written.packets.wal",
            "written.retention.wal",
            "written.checkpoint.database",
            "written.history.history",
            "pages.packets.observations",
            "pages.retention.(free)",
            "copied.observations",
            "waterfall.received",
            "waterfall.bound",
            "waterfall.pages",
            "process.wchar",
            "process.rchar",
            "process.write_bytes",
            "process.read_bytes",
            "process.cancelled_write_bytes",
            "process.network_wchar",
            "log.network",
            "device.written",
            "jobs.retention.written",
        ],
    ),
    (
        Unit::Operations,
        &[
            "writes.packets.wal",
            "syncs.wal",
            "process.write_syscalls",
            "process.read_syscalls",
            "http.requests",
        ],
    ),
    (
        Unit::Rows,
        &[
            "rows.tx_inserted",
            "rows.obs_inserted",
            "rows.write_errors",
            "rows.walCommits",
            "jobs.retention.examined",
            "jobs.retention.changed",
            "jobs.retention.unchanged",
        ],
    ),
    (
        Unit::Messages,
        &[
            "ingest.received",
            "ingest.stored_observation",
            "ingest.rejected_not_json",
            "ingest.duplicate",
            "live.frames",
        ],
    ),
    (
        Unit::Micros,
        &[
            "process.cpu",
            "meter.cpu",
            "jobs.retention.run",
            "jobs.retention.suffered",
            "jobs.retention.inflicted",
            "jobs.retention.braked",
            "pressure.io_some",
            "pressure.io_full",
        ],
    ),
    (Unit::Pages, &["checkpoint.frames", "cache.hits", "cache.misses", "cache.writes", "cache.spills"]),
];

const GAUGES: &[(Unit, &[&str])] = &[
    (Unit::Bytes, &["memory.resident", "memory.index", "wal.bytes", "db.bytes", "disk.free"]),
    (Unit::Pages, &["wal.frames", "wal.pending", "db.free_pages"]),
    (Unit::Rows, &["queue.rows"]),
    (Unit::Count, &["live.viewers", "write.failing"]),
    (Unit::Micros, &["commit.p99", "writer.wait_p99", "writer.hold_p99"]),
];

/// All of them, each with another value.
pub(crate) fn readings() -> Vec<SeriesReading> {
    let of = |kind: SeriesKind, groups: &'static [(Unit, &[&str])]| {
        groups.iter().flat_map(move |(unit, names)| names.iter().map(move |name| (kind, *unit, *name)))
    };
    let all = of(SeriesKind::Counter, COUNTERS).chain(of(SeriesKind::Gauge, GAUGES));
    let each = all.zip(1_u64..).map(|((kind, unit, name), number)| SeriesReading {
        name: name.to_owned(),
        kind,
        unit,
        help: format!("what {name} is"),
        value: 1_000 * number,
        per_sec: (kind == SeriesKind::Counter).then_some(number as f64 / 2.0),
    });
    each.collect()
}
