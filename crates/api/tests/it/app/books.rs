//! The books as the API sees them: plain data, the same in each test.

use xray::{
    AlertChange, AlertEvent, AlertsReport, Books, CauseRow, Delivery, EffectBytes, EffectRow, Flag,
    HistoryAnswer, HistoryError, HistoryQuery, JobAction, JobError, JobReport, JobState, JobsReport, Ledger,
    Level, ProcessLedger, SeriesReading, SeriesValues, Severity, Subject, SubjectKind, TableKind, TableRow,
    Thresholds, Totals, Verdict, WebhookKind, WebhookState,
};

pub(crate) struct TestBooks;

const NOW_MS: i64 = 1_779_033_699_000;

impl Books for TestBooks {
    fn readings(&self) -> Vec<SeriesReading> {
        super::series::readings()
    }

    fn history(&self, query: &HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
        let known = self.readings();
        let series = query.series.iter().map(|name| {
            let found = known.iter().find(|series| series.name == *name);
            let info = found.ok_or_else(|| HistoryError::UnknownSeries(name.clone()))?;
            Ok(SeriesValues {
                name: name.clone(),
                kind: info.kind,
                unit: info.unit,
                values: vec![None, Some(412.0), Some(0.0)],
            })
        });
        Ok(HistoryAnswer {
            from_secs: NOW_MS / 1000,
            step_secs: 1,
            series: series.collect::<Result<_, _>>()?,
        })
    }

    fn ledger(&self, window_secs: u32) -> Ledger {
        let effects = vec![EffectBytes { effect: "wal".to_owned(), bytes: 8_240, operations: 4 }];
        let process = ProcessLedger {
            process: "run".to_owned(),
            covered_secs: f64::from(window_secs),
            causes: vec![CauseRow {
                component: "ingest".to_owned(),
                cause: "packets".to_owned(),
                bytes: 8_240,
                operations: 4,
                share: 1.0,
                effects,
                ..CauseRow::default()
            }],
            effects: vec![EffectRow {
                effect: "wal".to_owned(),
                bytes: 8_240,
                operations: 4,
                syncs: 1,
                share: 1.0,
                ..EffectRow::default()
            }],
            tables: vec![TableRow {
                table: "observations".to_owned(),
                kind: TableKind::Table,
                wal_bytes: 8_240,
                ..TableRow::default()
            }],
            totals: Totals { counted_bytes: 8_240, vfs_bytes: 8_240, ..Totals::default() },
            ..ProcessLedger::default()
        };
        let from_ms = NOW_MS - i64::from(window_secs) * 1000;
        Ledger { from_ms, to_ms: NOW_MS, processes: vec![process], ..Ledger::default() }
    }

    fn jobs(&self) -> JobsReport {
        JobsReport { jobs: vec![job(JobState::Idle)] }
    }

    fn control_job(&self, name: &str, action: JobAction) -> Result<JobReport, JobError> {
        match (name, action) {
            ("retention", JobAction::Pause) => Ok(job(JobState::Paused)),
            ("retention", _) => Err(JobError::Refused {
                job: name.to_owned(),
                action: "run".to_owned(),
                reason: "it runs already".to_owned(),
            }),
            _ => Err(JobError::Unknown(name.to_owned())),
        }
    }

    fn alerts(&self, events: usize) -> AlertsReport {
        let event = AlertEvent {
            id: 7,
            at_ms: NOW_MS,
            change: AlertChange::Raised,
            flag: flag(),
            before: Some(0.0),
            after: 0.99,
            black_box: true,
            deliveries: Vec::new(),
        };
        AlertsReport {
            verdict: Verdict {
                level: Level::Warning,
                text: "retention rewrites rows without changing them".to_owned(),
            },
            active: vec![flag()],
            events: std::iter::once(event).take(events).collect(),
            webhooks: vec![WebhookState {
                name: "phone".to_owned(),
                kind: WebhookKind::Ntfy,
                address: "https://ntfy.example".to_owned(),
                delivered: 1,
                given_up: 0,
                waiting: 0,
                last_error: None,
            }],
            thresholds: Thresholds::default(),
        }
    }

    fn black_box(&self, event: u64) -> Option<HistoryAnswer> {
        let query = HistoryQuery { series: vec!["wal.bytes".to_owned()], ..HistoryQuery::default() };
        (event == 7).then(|| self.history(&query).ok())?
    }

    fn test_webhooks(&self) -> Vec<Delivery> {
        vec![Delivery { webhook: "phone".to_owned(), delivered: true, attempts: 1, error: None }]
    }
}

fn flag() -> Flag {
    Flag {
        id: "retention.no_op".to_owned(),
        subject: Subject { kind: SubjectKind::Job, name: "retention".to_owned() },
        rule: "no_op".to_owned(),
        severity: Severity::Warning,
        title: "retention rewrites rows without changing them".to_owned(),
        reason: "in the last 10 minutes it wrote 1200 rows, and 1188 of them were the same afterwards (99 %)"
            .to_owned(),
        remedy: "pause it, and report it".to_owned(),
        value: 99.0,
        limit: 50.0,
        unit: "%".to_owned(),
        since_ms: NOW_MS - 60_000,
        series: vec!["written.packets.wal".to_owned()],
    }
}

fn job(state: JobState) -> JobReport {
    JobReport {
        name: "retention".to_owned(),
        purpose: "removes packets that are older than they are to be kept".to_owned(),
        state,
        budget_bytes_per_sec: Some(262_144),
        interval_secs: Some(86_400),
        actions: vec![JobAction::Pause, JobAction::Run],
        runs: 1,
        started_ms: Some(NOW_MS - 60_000),
        next_ms: Some(NOW_MS + 86_340_000),
        took_ms: Some(1_200),
        progress: None,
        examined: 1_200,
        changed: 12,
        unchanged: 1_188,
        written_bytes: 41_200,
        bytes_per_sec: 0.0,
        no_op_ratio: Some(0.99),
        duty_cycle: 0.0,
        suffered_ms: 3,
        inflicted_ms: 0,
        braked_ms: 0,
        error: None,
    }
}
