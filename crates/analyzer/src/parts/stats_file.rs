//! The stats file of the contract (§2.5): what ingest has done, for programs that read it there.

use super::figures::Figures;
use api::{MqttSourceRow, ProcessIo, SourceLiveness, WriterPerf};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xray::Written;

/// Names the file; the contract's variable.
pub(crate) const VARIABLE: &str = "CORESCOPE_INGESTOR_STATS";

/// Where CoreScope's server looks for it.
const DEFAULT_PATH: &str = "/tmp/corescope-ingestor-stats.json";

/// Writes the file anew each time, aside and then renamed, so that nobody ever reads half of it. The usual folder is open to
/// everyone, so nothing that lies there is trusted: the temporary file must be new (which follows no link), and the rename
/// replaces a link instead of following it.
#[derive(Debug)]
pub(crate) struct StatsFile {
    path: PathBuf,
    /// What was last said about failures, so that it is said once.
    complained: Option<String>,
    first: bool,
    /// What it costs, for the books.
    written: Arc<Written>,
}

/// The keys are the contract's. Counters are cumulative since the start of the process.
#[derive(Serialize)]
struct Stats<'a> {
    #[serde(rename = "sampledAt")]
    sampled_at: &'a str,
    tx_inserted: u64,
    obs_inserted: u64,
    tx_dupes: u64,
    node_upserts: u64,
    observer_upserts: u64,
    write_errors: u64,
    sig_drops: u64,
    #[serde(rename = "walCommits")]
    wal_commits: u64,
    #[serde(rename = "groupCommitFlushes")]
    group_commit_flushes: u64,
    /// Rows rewritten by job. There is no such job here, but in a debug build for tests: bytes are stored and the rest is
    /// derived.
    #[serde(rename = "backfillUpdates")]
    backfill_updates: BTreeMap<String, u64>,
    #[serde(rename = "procIO", skip_serializing_if = "Option::is_none")]
    proc_io: Option<SampledIo<'a>>,
    writer_perf: BTreeMap<String, WriterPerf>,
    source_liveness: BTreeMap<String, SourceLiveness>,
    source_statuses: Vec<MqttSourceRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SampledIo<'a> {
    read_bytes_per_sec: f64,
    write_bytes_per_sec: f64,
    cancelled_write_bytes_per_sec: f64,
    syscalls_read: f64,
    syscalls_write: f64,
    sampled_at: &'a str,
}

impl StatsFile {
    /// The file of an `ingest` process: the variable's, else the usual one.
    pub(crate) fn of_ingest() -> Self {
        Self::at(Self::named_by_environment().unwrap_or_else(|| DEFAULT_PATH.into()))
    }

    /// Only if the variable asks for it: in one process nobody needs the file, and it costs a write a second.
    pub(crate) fn if_asked_for() -> Option<Self> {
        Self::named_by_environment().map(Self::at)
    }

    /// At this path.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, complained: None, first: true, written: Arc::default() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> Arc<Written> {
        Arc::clone(&self.written)
    }

    fn named_by_environment() -> Option<PathBuf> {
        std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Writes the figures of now. A failure is said once, with what to do, and tried again each time.
    /// Says how many bytes were written.
    pub(crate) fn write(&mut self, figures: &Figures) -> u64 {
        // Rates need two samples, and the contract has none in the first file.
        let io = Some(figures.io()).filter(|io| io.available && !self.first);
        self.first = false;
        let result = serde_json::to_vec(&stats(figures, io, &now())).map_err(io::Error::from);
        let result =
            result.and_then(|json| xray::replace_file(&self.path, &json, &self.written).map(|()| json.len()));
        let written = result.as_ref().map_or(0, |bytes| *bytes as u64);
        self.report(result.map(|_| ()));
        written
    }

    fn report(&mut self, result: io::Result<()>) {
        let path = self.path.display();
        match (result, &self.complained) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => {
                tracing::info!(%path, "the stats file is written again");
                self.complained = None;
            }
            (Err(error), Some(before)) if *before == error.to_string() => {}
            (Err(error), _) => {
                tracing::warn!(
                    %path, %error,
                    "the stats file cannot be written; ingest goes on without it. {VARIABLE} names another place"
                );
                self.complained = Some(error.to_string());
            }
        }
    }
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn stats<'a>(figures: &Figures, io: Option<ProcessIo>, sampled_at: &'a str) -> Stats<'a> {
    let written = figures.write_counts();
    let count = |name: &str| written.get(name).copied().unwrap_or_default();
    let sources = figures.mqtt_sources();
    let liveness = sources.iter().filter_map(|source| Some((source.name.clone(), source.liveness?)));
    Stats {
        sampled_at,
        tx_inserted: count("tx_inserted"),
        obs_inserted: count("obs_inserted"),
        tx_dupes: count("tx_dupes"),
        node_upserts: count("node_upserts"),
        observer_upserts: count("observer_upserts"),
        write_errors: count("write_errors"),
        sig_drops: count("sig_drops"),
        wal_commits: count("walCommits"),
        group_commit_flushes: count("groupCommitFlushes"),
        backfill_updates: (written.iter())
            .filter_map(|(name, rows)| Some((name.strip_prefix("backfill_")?.to_owned(), *rows)))
            .collect(),
        proc_io: io.map(|io| SampledIo {
            read_bytes_per_sec: io.read_bytes_per_sec,
            write_bytes_per_sec: io.write_bytes_per_sec,
            cancelled_write_bytes_per_sec: io.cancelled_write_bytes_per_sec,
            syscalls_read: io.syscalls_read,
            syscalls_write: io.syscalls_write,
            sampled_at,
        }),
        source_liveness: liveness.collect(),
        source_statuses: sources,
        writer_perf: figures.writer_perf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
        xray::replace_file(path, content, &Written::default())
    }

    #[test]
    fn a_file_is_replaced_whole_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.json");
        fs::write(&path, "{\"torn").unwrap();
        replace(&path, b"{}").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn planted_links_are_replaced_and_what_they_point_at_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let path = folder.path().join("stats.json");
        symlink(&victim, &path).unwrap();
        symlink(&victim, folder.path().join("stats.json.tmp")).unwrap();
        replace(&path, b"{}").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_missing_or_in_the_way_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/stats.json");
        assert!(replace(&path, b"{}").unwrap_err().to_string().contains("no/stats.json.tmp"));
        let path = folder.path().join("stats.json");
        fs::create_dir(folder.path().join("stats.json.tmp")).unwrap();
        assert!(replace(&path, b"{}").unwrap_err().to_string().contains("in the way"));
        fs::remove_dir(folder.path().join("stats.json.tmp")).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, b"{}").unwrap_err().to_string().contains("cannot be written"));
        assert!(!folder.path().join("stats.json.tmp").exists());
    }
}
