//! The ledger as a view on the series: what has grown over a window, by cause and by effect.

use crate::{
    Catalogue, CauseBytes, CauseRow, Device, EffectBytes, EffectRow, MeterCost, ProcessLedger, Remainder,
    SeriesId, Stage, TableKind, TableRow, ThreadRow, Totals, Wear,
};
use std::collections::BTreeMap;

/// By how much each counter has grown over a window.
#[derive(Clone, Copy, Debug)]
pub struct LedgerView<'a> {
    /// What the figures are of.
    pub catalogue: &'a Catalogue,
    /// In its order; gauges have no meaning here.
    pub grown: &'a [u64],
    /// Seconds for which there are figures.
    pub secs: f64,
}

/// The part of the program and the background job of a cause.
const COMPONENTS: &[(&str, &str, Option<&str>)] = &[
    ("packets", "ingest", None),
    ("observers", "ingest", None),
    ("metrics", "ingest", None),
    ("nodes", "ingest", None),
    ("dropped", "ingest", None),
    ("coverage", "ingest", None),
    ("opening", "storage", None),
    ("aside", "storage", None),
    ("checkpoint", "storage", Some("checkpoint")),
    ("backup", "storage", Some("backup")),
    ("retention", "upkeep", Some("retention")),
    ("vacuum", "upkeep", Some("vacuum")),
    ("rewrite", "upkeep", Some("rewrite")),
    ("stats_file", "reporter", Some("stats_file")),
    ("history", "meter", Some("history")),
    ("alerts", "meter", None),
    ("known_channels", "registry", Some("known_channels")),
    ("config", "registry", None),
    ("log", "log", None),
];

/// Causes that are the cost of these books.
const METER: &[&str] = &["history", "alerts"];

const SECS_PER_DAY: f64 = 86_400.0;
const DAYS_PER_YEAR: f64 = 365.25;

/// Files that SQLite writes, through the file system that counts.
const VFS: &[&str] = &["wal", "database", "journal", "temporary"];

impl LedgerView<'_> {
    /// The ledger of one process; `why_unknown` says why the kernel's figures are missing, if they are.
    pub fn ledger(
        &self,
        process: &str,
        threads: Vec<ThreadRow>,
        why_unknown: Option<String>,
    ) -> ProcessLedger {
        let (causes, effects) = self.double_entry();
        let totals = self.totals(&effects, why_unknown);
        let meter = self.meter_cost(&causes, &totals);
        ProcessLedger {
            process: process.to_owned(),
            covered_secs: self.secs,
            remainder: remainder(&totals, self.of("log.network").unwrap_or(0)),
            tables: self.tables(),
            waterfall: self.waterfall(&effects, &totals),
            causes,
            effects,
            totals,
            threads,
            meter,
        }
    }

    /// What this does to the medium, projected to a day and a year.
    pub fn wear(&self, device: Result<Device, String>) -> Wear {
        let counted: u64 = self.catalogue.under("written.").map(|(id, _)| self.at(id)).sum();
        let a_day = |bytes: u64| self.per_sec(bytes) * SECS_PER_DAY;
        let billed = self
            .of("process.write_bytes")
            .map(|bytes| bytes.saturating_sub(self.of("process.cancelled_write_bytes").unwrap_or(0)));
        let (device, reason) = match device {
            Ok(device) => (Some(device), None),
            Err(reason) => (None, Some(reason)),
        };
        Wear {
            bytes_per_day: a_day(counted),
            bytes_per_year: a_day(counted) * DAYS_PER_YEAR,
            over_secs: self.secs as u64,
            basis: "counted".to_owned(),
            billed_bytes_per_day: billed.map(a_day),
            device_bytes_per_day: self.of("device.written").map(a_day),
            device,
            reason,
        }
    }

    /// The growth of a series; `None` when the books do not keep it.
    pub fn of(&self, name: &str) -> Option<u64> {
        self.catalogue.find(name).map(|id| self.at(id))
    }

    fn at(&self, id: SeriesId) -> u64 {
        self.grown.get(id.place()).copied().unwrap_or(0)
    }

    fn double_entry(&self) -> (Vec<CauseRow>, Vec<EffectRow>) {
        let mut causes: BTreeMap<&str, CauseRow> = BTreeMap::new();
        let mut effects: BTreeMap<&str, EffectRow> = BTreeMap::new();
        for (id, rest) in self.catalogue.under("written.") {
            let (Some((cause, effect)), bytes) = (rest.split_once('.'), self.at(id)) else { continue };
            let operations = self.of(&format!("writes.{rest}")).unwrap_or(0);
            if bytes == 0 && operations == 0 {
                continue;
            }
            let row = causes.entry(cause).or_insert_with(|| new_cause(cause));
            row.bytes += bytes;
            row.operations += operations;
            row.effects.push(EffectBytes { effect: effect.to_owned(), bytes, operations });
            let row = effects.entry(effect).or_insert_with(|| EffectRow {
                effect: effect.to_owned(),
                syncs: self.of(&format!("syncs.{effect}")).unwrap_or(0),
                ..EffectRow::default()
            });
            row.bytes += bytes;
            row.operations += operations;
        }
        let mut causes: Vec<CauseRow> = causes.into_values().collect();
        let mut effects: Vec<EffectRow> = effects.into_values().collect();
        let all: u64 = causes.iter().map(|row| row.bytes).sum();
        for row in &mut causes {
            (row.bytes_per_sec, row.share) = (self.per_sec(row.bytes), share(row.bytes, all));
            row.effects.sort_by_key(|part| std::cmp::Reverse(part.bytes));
        }
        for row in &mut effects {
            (row.bytes_per_sec, row.share) = (self.per_sec(row.bytes), share(row.bytes, all));
        }
        causes.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        effects.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        (causes, effects)
    }

    fn tables(&self) -> Vec<TableRow> {
        let mut tables: BTreeMap<&str, TableRow> = BTreeMap::new();
        let row =
            |name: &str| TableRow { table: name.to_owned(), kind: kind_of(name), ..TableRow::default() };
        for (id, rest) in self.catalogue.under("pages.") {
            let (Some((cause, table)), bytes @ 1..) = (rest.split_once('.'), self.at(id)) else { continue };
            let row = tables.entry(table).or_insert_with(|| row(table));
            row.wal_bytes += bytes;
            row.by_cause.push(CauseBytes { cause: cause.to_owned(), bytes });
        }
        for (id, table) in self.catalogue.under("copied.") {
            if let bytes @ 1.. = self.at(id) {
                tables.entry(table).or_insert_with(|| row(table)).checkpoint_bytes += bytes;
            }
        }
        let mut tables: Vec<TableRow> = tables.into_values().collect();
        tables.iter_mut().for_each(|row| row.by_cause.sort_by_key(|part| std::cmp::Reverse(part.bytes)));
        tables.sort_by_key(|row| std::cmp::Reverse(row.wal_bytes + row.checkpoint_bytes));
        tables
    }

    fn totals(&self, effects: &[EffectRow], why_unknown: Option<String>) -> Totals {
        let of_files = |wanted: &dyn Fn(&str) -> bool| {
            effects.iter().filter(|row| wanted(&row.effect)).map(|row| row.bytes).sum()
        };
        Totals {
            counted_bytes: of_files(&|_| true),
            vfs_bytes: of_files(&|effect| VFS.contains(&effect)),
            wchar_bytes: self.of("process.wchar"),
            network_bytes: self.of("process.network_wchar"),
            write_bytes: self.of("process.write_bytes"),
            cancelled_bytes: self.of("process.cancelled_write_bytes"),
            device_bytes: self.of("device.written"),
            reason: why_unknown,
        }
    }

    fn waterfall(&self, effects: &[EffectRow], totals: &Totals) -> Vec<Stage> {
        let effect = |name: &str| effects.iter().find(|row| row.effect == name).map_or(0, |row| row.bytes);
        let kept = totals.write_bytes.map(|bytes| bytes.saturating_sub(totals.cancelled_bytes.unwrap_or(0)));
        let stages = [
            ("received", self.of("waterfall.received"), None, "payloads of the messages that came in"),
            ("bound", self.of("waterfall.bound"), Some("received"), "values given to SQLite"),
            ("pages", self.of("waterfall.pages"), Some("bound"), "pages that SQLite changed"),
            ("wal", Some(effect("wal")), Some("pages"), "written to the log"),
            (
                "checkpoint",
                Some(effect("database")),
                Some("wal"),
                "copied from the log into the database file",
            ),
            ("counted", Some(totals.counted_bytes), Some("wal"), "both, and all other files"),
            ("wchar", totals.wchar_bytes, Some("counted"), "given to the kernel, sockets included"),
            (
                "write_bytes",
                kept,
                Some("counted"),
                "billed by the kernel, less what was given up; folios make it large",
            ),
            ("device", totals.device_bytes, Some("counted"), "written by the device, whoever caused it"),
        ];
        let stored = self.of("rows.obs_inserted").unwrap_or(0);
        let unknown = totals.reason.as_deref().unwrap_or("the system does not tell");
        stages
            .iter()
            .map(|(stage, bytes, to, note)| {
                let base = to.and_then(|to| stages.iter().find(|(name, ..)| *name == to)?.1);
                Stage {
                    stage: (*stage).to_owned(),
                    bytes: *bytes,
                    per_observation: bytes.filter(|_| stored > 0).map(|bytes| bytes as f64 / stored as f64),
                    ratio: bytes
                        .zip(base)
                        .filter(|(_, base)| *base > 0)
                        .map(|(b, base)| b as f64 / base as f64),
                    ratio_to: to.map(str::to_owned),
                    note: if bytes.is_some() { (*note).to_owned() } else { unknown.to_owned() },
                }
            })
            .collect()
    }

    fn meter_cost(&self, causes: &[CauseRow], totals: &Totals) -> MeterCost {
        let of_meter = causes.iter().filter(|row| METER.contains(&row.cause.as_str()));
        let bytes = of_meter.map(|row| row.bytes).sum();
        let cpu_micros = self.of("meter.cpu");
        MeterCost {
            bytes,
            percent_of_bytes: 100.0 * share(bytes, totals.counted_bytes),
            cpu_micros,
            percent_of_core: cpu_micros.map(|micros| self.per_sec(micros) / 1e6 * 100.0),
        }
    }

    fn per_sec(&self, grown: u64) -> f64 {
        if self.secs > 0.0 { grown as f64 / self.secs } else { 0.0 }
    }
}

fn new_cause(cause: &str) -> CauseRow {
    let known = COMPONENTS.iter().find(|(name, ..)| *name == cause);
    let (component, job) = known.map_or(("other", None), |(_, component, job)| (*component, *job));
    CauseRow {
        component: component.to_owned(),
        job: job.map(str::to_owned),
        cause: cause.to_owned(),
        ..CauseRow::default()
    }
}

/// Names of tables and indexes come from our schema, where indexes are called `…_index` or by SQLite itself.
fn kind_of(table: &str) -> TableKind {
    match table {
        "(unknown)" => TableKind::Unknown,
        internal if internal.starts_with('(') => TableKind::Internal,
        index if index.starts_with("sqlite_autoindex_") || index.contains("_index") => TableKind::Index,
        _ => TableKind::Table,
    }
}

/// What threads that serve sockets wrote to the log is in `network_bytes` and was counted as well, so it is taken back once.
fn remainder(totals: &Totals, log_on_network_threads: u64) -> Option<Remainder> {
    let sockets = totals.network_bytes?.saturating_sub(log_on_network_threads);
    let to_files = totals.wchar_bytes?.saturating_sub(sockets);
    let bytes = to_files.cast_signed().saturating_sub(totals.counted_bytes.cast_signed());
    let percent = if to_files == 0 { 0.0 } else { 100.0 * bytes as f64 / to_files as f64 };
    Some(Remainder { bytes, percent })
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SeriesKind, Unit, info};
    use proptest::prelude::*;

    fn ledger_of(figures: &[(&str, u64)], secs: f64) -> ProcessLedger {
        let infos =
            figures.iter().map(|(name, _)| info(name, SeriesKind::Counter, Unit::Bytes, "")).collect();
        let (catalogue, grown): (_, Vec<u64>) =
            (Catalogue::new(infos), figures.iter().map(|(_, grown)| *grown).collect());
        LedgerView { catalogue: &catalogue, grown: &grown, secs }.ledger(
            "run",
            Vec::new(),
            Some("no /proc".to_owned()),
        )
    }

    #[test]
    fn a_byte_is_in_one_cause_and_in_one_effect() {
        let ledger = ledger_of(
            &[
                ("written.packets.wal", 900),
                ("writes.packets.wal", 3),
                ("written.checkpoint.database", 600),
                ("written.retention.wal", 500),
                ("written.history.history", 2),
                ("written.vacuum.wal", 0),
                ("syncs.wal", 7),
                ("pages.packets.observations", 800),
                ("pages.packets.(log_header)", 100),
                ("pages.retention.observations", 500),
                ("copied.observations", 600),
                ("rows.obs_inserted", 10),
            ],
            2.0,
        );
        let causes: Vec<_> = ledger.causes.iter().map(|row| (row.cause.as_str(), row.bytes)).collect();
        assert_eq!(causes, [("packets", 900), ("checkpoint", 600), ("retention", 500), ("history", 2)]);
        assert_eq!((ledger.causes[0].operations, ledger.causes[0].bytes_per_sec), (3, 450.0));
        assert_eq!(
            (ledger.causes[2].component.as_str(), ledger.causes[2].job.as_deref()),
            ("upkeep", Some("retention"))
        );
        assert_eq!(
            (ledger.effects[0].effect.as_str(), ledger.effects[0].bytes, ledger.effects[0].syncs),
            ("wal", 1400, 7)
        );
        assert_eq!((ledger.totals.counted_bytes, ledger.totals.vfs_bytes), (2002, 2000));
        assert_eq!((ledger.tables[0].wal_bytes, ledger.tables[0].checkpoint_bytes), (1300, 600));
        assert_eq!(ledger.tables[1].kind, TableKind::Internal);
        assert_eq!(ledger.meter.bytes, 2);
        let wal = &ledger.waterfall[3];
        assert_eq!((wal.bytes, wal.per_observation, wal.ratio), (Some(1400), Some(140.0), None));
        assert_eq!((ledger.remainder, ledger.waterfall[6].note.as_str()), (None, "no /proc"));
    }

    #[test]
    fn what_socket_threads_wrote_to_the_log_is_taken_back_once() {
        let ledger = ledger_of(
            &[
                ("written.packets.wal", 900),
                ("written.log.log", 100),
                ("log.network", 60),
                ("process.wchar", 1_260),
                ("process.network_wchar", 300),
            ],
            1.0,
        );
        assert_eq!(ledger.remainder, Some(Remainder { bytes: 20, percent: 100.0 * 20.0 / 1020.0 }));
    }

    proptest! {
        #[test]
        fn causes_and_effects_have_the_same_sum(bytes in proptest::collection::vec(0_u64..1 << 40, 12)) {
            let names: Vec<String> = ["packets", "retention", "checkpoint", "log"]
                .iter()
                .flat_map(|cause| ["wal", "database", "log"].map(|file| format!("written.{cause}.{file}")))
                .collect();
            let figures: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(bytes.iter().copied()).collect();
            let ledger = ledger_of(&figures, 60.0);
            let all: u64 = bytes.iter().sum();
            prop_assert_eq!(ledger.causes.iter().map(|row| row.bytes).sum::<u64>(), all);
            prop_assert_eq!(ledger.effects.iter().map(|row| row.bytes).sum::<u64>(), all);
            prop_assert_eq!(ledger.totals.counted_bytes, all);
            let inner: u64 = ledger.causes.iter().flat_map(|row| &row.effects).map(|effect| effect.bytes).sum();
            prop_assert_eq!(inner, all);
        }
    }
}
