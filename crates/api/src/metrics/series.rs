//! From the name of a series to the name of a metric and its labels.

use super::exposition::{BaseUnit, Describe, Exposition, Kind, Labels};
use xray::{SeriesKind, SeriesReading, Unit};

/// Adds a series. One that nobody foresaw is exported, too, under its own name.
pub(super) fn add(page: &mut Exposition, reading: &SeriesReading) {
    let parts: Vec<&str> = reading.name.splitn(3, '.').collect();
    let unit = match reading.unit {
        Unit::Bytes => BaseUnit::Bytes,
        Unit::Micros => BaseUnit::Seconds,
        Unit::Permille => BaseUnit::Ratio,
        Unit::Operations | Unit::Rows | Unit::Pages | Unit::Messages | Unit::Count => BaseUnit::None,
    };
    let value = match reading.unit {
        Unit::Micros => reading.value as f64 / 1e6,
        Unit::Permille => reading.value as f64 / 1e3,
        _ => reading.value as f64,
    };
    let kind = match reading.kind {
        SeriesKind::Counter => Kind::Counter,
        SeriesKind::Gauge => Kind::Gauge,
    };
    let mut put = |name: &str, labels: Labels<'_>, help: &str| {
        page.number(Describe { name, kind, unit, help }, labels, value);
    };
    match parts[..] {
        // These are of the process that writes; the page has those of the process that answers.
        ["live", "viewers"] | ["memory", "index"] => {}
        ["written", cause, file] => {
            put(
                "written",
                &[("cause", cause), ("file", file)],
                "Bytes written, by who caused it and where to.",
            );
        }
        ["writes", cause, file] => {
            put("writes", &[("cause", cause), ("file", file)], "Writes, by who caused them and where to.");
        }
        ["syncs", file] => put("syncs", &[("file", file)], "Times that a file was forced to the medium."),
        ["pages", cause, table] => {
            let help =
                "Bytes of pages written to the log, by cause and by the table or index that owns the page.";
            put("wal_page", &[("cause", cause), ("table", table)], help);
        }
        ["copied", table] => {
            let help = "Bytes of pages that checkpoints copied into the database, by table or index.";
            put("checkpoint_page", &[("table", table)], help);
        }
        ["waterfall", stage] => {
            put("waterfall", &[("stage", stage)], "Bytes of observations at each stage before the log.");
        }
        ["rows", source] => put("rows", &[("source", source)], "Rows and events, by write source."),
        ["ingest", "received"] => put("ingest_received", &[], &reading.help),
        ["ingest", outcome] => {
            put("ingest_messages", &[("outcome", outcome)], "Messages, by what became of them.");
        }
        ["jobs", job, what] => add_job(&mut put, job, what),
        ["checkpoint", "frames"] => put("checkpoint_frames", &[], &reading.help),
        ["cache", what] => put(&format!("sqlite_cache_{what}"), &[], &reading.help),
        ["db", what] => put(&format!("database_{what}"), &[], &reading.help),
        ["live", what] => put(&format!("live_{what}"), &[], &reading.help),
        ["memory", "resident"] => put("writer_resident_memory", &[], &reading.help),
        _ => put(&reading.name, &[], &reading.help),
    }
}

fn add_job(put: &mut impl FnMut(&str, Labels<'_>, &str), job: &str, what: &str) {
    let labels: Labels<'_> = &[("job", job)];
    match what {
        "written" => put("job_written", labels, "Bytes that a background job caused to be written."),
        "run" => put("job_run", labels, "Time that a background job was at work."),
        "suffered" => put("job_wait_suffered", labels, "Time that a background job waited for the writer."),
        "inflicted" => put("job_wait_inflicted", labels, "Time that a background job made ingest wait."),
        "braked" => put("job_braked", labels, "Time that the brake held a background job back."),
        result => {
            let help = "Rows that a background job looked at, changed, or wrote without changing them.";
            put("job_rows", &[("job", job), ("result", result)], help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::exposition::Format;

    fn line(name: &str, kind: SeriesKind, unit: Unit, value: u64) -> String {
        let mut page = Exposition::default();
        let reading = SeriesReading {
            name: name.to_owned(),
            kind,
            unit,
            help: "what it is".to_owned(),
            value,
            per_sec: None,
        };
        add(&mut page, &reading);
        let text = page.render(Format::Prometheus);
        text.lines().find(|line| !line.starts_with('#')).unwrap_or_default().replace("meshcore_analyzer_", "")
    }

    #[test]
    fn each_series_has_its_name_labels_and_base_unit() {
        use SeriesKind::{Counter, Gauge};
        use Unit::{Bytes, Count, Messages, Micros, Operations, Pages, Permille, Rows};
        let cases = [
            (
                "written.packets.wal",
                Counter,
                Bytes,
                r#"written_bytes_total{cause="packets",file="wal"} 1500"#,
            ),
            ("writes.packets.wal", Counter, Operations, r#"writes_total{cause="packets",file="wal"} 1500"#),
            ("syncs.wal", Counter, Operations, r#"syncs_total{file="wal"} 1500"#),
            (
                "pages.retention.a.b",
                Counter,
                Bytes,
                r#"wal_page_bytes_total{cause="retention",table="a.b"} 1500"#,
            ),
            ("copied.(free)", Counter, Bytes, r#"checkpoint_page_bytes_total{table="(free)"} 1500"#),
            ("waterfall.bound", Counter, Bytes, r#"waterfall_bytes_total{stage="bound"} 1500"#),
            ("process.write_bytes", Counter, Bytes, "process_write_bytes_total 1500"),
            ("process.wchar", Counter, Bytes, "process_wchar_bytes_total 1500"),
            ("process.cpu", Counter, Micros, "process_cpu_seconds_total 0.0015"),
            ("rows.walCommits", Counter, Rows, r#"rows_total{source="walCommits"} 1500"#),
            ("ingest.received", Counter, Messages, "ingest_received_total 1500"),
            ("ingest.duplicate", Counter, Messages, r#"ingest_messages_total{outcome="duplicate"} 1500"#),
            ("jobs.vacuum.examined", Counter, Rows, r#"job_rows_total{job="vacuum",result="examined"} 1500"#),
            ("jobs.vacuum.braked", Counter, Micros, r#"job_braked_seconds_total{job="vacuum"} 0.0015"#),
            (
                "jobs.vacuum.inflicted",
                Counter,
                Micros,
                r#"job_wait_inflicted_seconds_total{job="vacuum"} 0.0015"#,
            ),
            ("jobs.vacuum.written", Counter, Bytes, r#"job_written_bytes_total{job="vacuum"} 1500"#),
            ("checkpoint.frames", Counter, Pages, "checkpoint_frames_total 1500"),
            ("cache.hits", Counter, Pages, "sqlite_cache_hits_total 1500"),
            ("pressure.io_full", Counter, Micros, "pressure_io_full_seconds_total 0.0015"),
            ("db.bytes", Gauge, Bytes, "database_bytes 1500"),
            ("wal.pending", Gauge, Pages, "wal_pending 1500"),
            ("commit.p99", Gauge, Micros, "commit_p99_seconds 0.0015"),
            ("write.failing", Gauge, Count, "write_failing 1500"),
            ("some.day", Gauge, Permille, "some_day_ratio 1.5"),
        ];
        for (name, kind, unit, wanted) in cases {
            assert_eq!(line(name, kind, unit, 1_500), wanted, "{name}");
        }
    }

    #[test]
    fn figures_of_the_answering_process_are_not_mixed_with_those_of_the_writing_one() {
        assert_eq!(line("live.viewers", SeriesKind::Gauge, Unit::Count, 1), "");
        assert_eq!(
            line("memory.resident", SeriesKind::Gauge, Unit::Bytes, 1),
            "writer_resident_memory_bytes 1"
        );
    }
}
