//! The background jobs of the receiving half, with what each may write.

use std::sync::Arc;
use std::time::Duration;
use storage::WriteStats;
use xray::{Job, JobAction, JobPlan, Jobs, Work};

/// Rows that wait for the writer from which on ingest counts as waiting: a whole group. Less is what gathers between two commits
/// anyway.
const WAITING_ROWS: u64 = 5_000;

/// Retention and vacuum together may write as much as a busy mesh does (100 observations a second are some 30 KB a second) many
/// times over, and still leave most of an SD card's 10 MB a second to ingest.
const UPKEEP_BYTES_PER_SEC: u64 = 1 << 20;

/// A year of minutes, hours and days in small files; see `xray`'s history.
const HISTORY_BYTES_PER_SEC: u64 = 1 << 10;

/// The contract's file, once a second, some kilobytes and some more for each broker.
const STATS_FILE_BYTES_PER_SEC: u64 = 64 << 10;

/// A job that rewrites must not get far in a minute: it is there to be caught.
#[cfg(debug_assertions)]
const REWRITE_BYTES_PER_SEC: u64 = 64 << 10;

/// How often it is looked whether there is something new of the mesh: figures of the last hour are at most so much late.
pub(crate) const HOPS_INTERVAL: Duration = Duration::from_secs(5);

/// A day's rows at once.
pub(crate) const UPKEEP_INTERVAL: Duration = Duration::from_secs(24 * 3_600);

/// The registry, and the handles for those who do the work.
#[derive(Clone, Debug)]
pub(crate) struct BackgroundJobs {
    pub(crate) registry: Jobs,
    pub(crate) retention: Job,
    pub(crate) vacuum: Job,
    pub(crate) checkpoint: Job,
    pub(crate) backup: Job,
    pub(crate) load: Job,
    pub(crate) history: Job,
    pub(crate) stats_file: Job,
    pub(crate) hops: Job,
    /// Where a list is to be fetched.
    pub(crate) known_channels: Option<Job>,
    #[cfg(debug_assertions)]
    pub(crate) rewrite: Job,
}

impl BackgroundJobs {
    /// All of them, none at work.
    pub(crate) fn new(stats: &Arc<WriteStats>, known_channels_every: Option<Duration>) -> Self {
        let waiting = Arc::clone(stats);
        let registry = Jobs::new(move || waiting.queued_rows.get() >= WAITING_ROWS);
        let plan = |name, purpose, work| JobPlan {
            name,
            purpose,
            work,
            budget_bytes_per_sec: None,
            interval: None,
            actions: &[],
        };
        let upkeep = |name, purpose| JobPlan {
            budget_bytes_per_sec: Some(UPKEEP_BYTES_PER_SEC),
            interval: Some(UPKEEP_INTERVAL),
            actions: &[JobAction::Pause, JobAction::Resume, JobAction::Run],
            ..plan(name, purpose, Work::Removes)
        };
        let always = |name, purpose, budget, interval| JobPlan {
            budget_bytes_per_sec: Some(budget),
            interval: Some(Duration::from_secs(interval)),
            ..plan(name, purpose, Work::Copies)
        };
        Self {
            retention: registry.register(upkeep(
                "retention",
                "removes packets and samples that are older than they are to be kept",
            )),
            vacuum: registry
                .register(upkeep("vacuum", "gives free pages of the database back to the file system")),
            checkpoint: registry.register(plan(
                "checkpoint",
                "copies committed pages from the log into the database file",
                Work::Copies,
            )),
            backup: registry.register(JobPlan {
                actions: &[JobAction::Pause, JobAction::Resume],
                ..plan("backup", "copies the database for somebody who asked for it", Work::Copies)
            }),
            load: registry.register(plan("load", "reads the history into memory at the start", Work::Copies)),
            history: registry.register(always(
                "history",
                "writes these figures down",
                HISTORY_BYTES_PER_SEC,
                60,
            )),
            stats_file: registry.register(always(
                "stats_file",
                "writes the stats file for other programs",
                STATS_FILE_BYTES_PER_SEC,
                1,
            )),
            hops: registry.register(JobPlan {
                interval: Some(HOPS_INTERVAL),
                ..plan(
                    "hops",
                    "learns from paths who relays and who is beside whom; it writes nothing",
                    Work::Copies,
                )
            }),
            known_channels: known_channels_every.map(|every| {
                registry.register(JobPlan {
                    interval: Some(every),
                    actions: &[JobAction::Pause, JobAction::Resume, JobAction::Run],
                    ..plan("known_channels", "fetches the list of known channels", Work::Copies)
                })
            }),
            #[cfg(debug_assertions)]
            rewrite: registry.register(JobPlan {
                budget_bytes_per_sec: Some(REWRITE_BYTES_PER_SEC),
                interval: Some(Duration::from_secs(3_600)),
                actions: &[JobAction::Pause, JobAction::Resume, JobAction::Run],
                ..plan(
                    "rewrite",
                    "writes rows as they are, so that tests see it caught; only in a debug build",
                    Work::Rewrites,
                )
            }),
            registry,
        }
    }
}
