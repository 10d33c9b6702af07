//! The list of channels that a community has published: fetched once a day by the process that receives, kept in a file of the
//! data folder, and read from there by those that serve.

mod fetch;
mod parse;

use crate::config::Loaded;
use anyhow::{Context as _, Result};
use api::KnownChannels;
use parking_lot::Mutex;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use xray::{Job, Run, StepReport, Wake, Written};

/// Name of the file in the data folder.
const FILE: &str = "known-channels.json";

/// Our own file is no larger than what it was made from.
const MOST_FILE_BYTES: u64 = 2 * fetch::MOST_BYTES;

/// How often the file is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The start has other things to do.
const FIRST_AFTER: Duration = Duration::from_secs(5);

/// A server that is down, or a list that is wrong, is tried again after this, or with the next fetch if that is sooner.
const AGAIN_AFTER: Duration = Duration::from_secs(15 * 60);

/// The list as it is kept.
#[derive(Debug)]
pub(crate) struct ChannelList {
    /// Without one there is no list, even where an old file is left.
    source: Option<(String, Duration)>,
    file: PathBuf,
    seen: Mutex<Seen>,
    written: Arc<Written>,
}

#[derive(Debug, Default)]
struct Seen {
    looked: Option<Instant>,
    changed: Option<SystemTime>,
    list: Option<Arc<KnownChannels>>,
}

impl ChannelList {
    /// Of this folder and configuration.
    pub(crate) fn new(folder: &Path, loaded: &Loaded) -> Self {
        let (file, source) = (folder.join(FILE), loaded.file.known_channels());
        Self { source, file, seen: Mutex::default(), written: Arc::default() }
    }

    /// How often it is fetched; `None` when it is not.
    pub(crate) fn every(&self) -> Option<Duration> {
        self.source.as_ref().map(|(_, every)| *every)
    }

    /// What was written to the file.
    pub(crate) fn written(&self) -> Arc<Written> {
        Arc::clone(&self.written)
    }

    /// The list, once there is one.
    pub(crate) fn current(&self) -> Option<Arc<KnownChannels>> {
        self.source.as_ref()?;
        let mut seen = self.seen.lock();
        if seen.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            seen.looked = Some(Instant::now());
            let changed = fs::metadata(&self.file).and_then(|file| file.modified()).ok();
            if changed != seen.changed {
                seen.changed = changed;
                // A file that cannot be read leaves what was read before.
                seen.list = self.read().map(Arc::new).or(seen.list.take());
            }
        }
        seen.list.clone()
    }

    fn read(&self) -> Option<KnownChannels> {
        let mut text = String::new();
        fs::File::open(&self.file).ok()?.take(MOST_FILE_BYTES).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn replace(&self, list: &KnownChannels) -> Result<u64, String> {
        let text = serde_json::to_vec(list).map_err(|error| error.to_string())?;
        xray::replace_file(&self.file, &text, &self.written).map_err(|error| error.to_string())?;
        self.seen.lock().looked = None;
        Ok(text.len() as u64)
    }

    /// How long the list at hand is good for.
    fn good_for(&self, every: Duration) -> Duration {
        let changed = fs::metadata(&self.file).and_then(|file| file.modified()).ok();
        let age = changed.and_then(|changed| changed.elapsed().ok()).filter(|_| self.current().is_some());
        age.and_then(|age| every.checked_sub(age)).unwrap_or_default()
    }
}

/// The thread that fetches.
pub(crate) struct ChannelFetch {
    thread: JoinHandle<()>,
}

impl ChannelFetch {
    /// It ends when all jobs are told to.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(job: Job, list: Arc<ChannelList>) -> Result<Self> {
        let work = move || {
            let Some((url, every)) = list.source.clone() else { return };
            let mut pause = list.good_for(every).max(FIRST_AFTER);
            while job.wait(pause) != Wake::Stop {
                pause = if fetch_once(&url, &list, &job.begin()) { every } else { every.min(AGAIN_AFTER) };
            }
        };
        let thread = std::thread::Builder::new().name("known-channels".to_owned()).spawn(work);
        Ok(Self { thread: thread.context("cannot start the known-channels thread")? })
    }

    /// Waits until it has ended; a server that does not answer may take some seconds.
    pub(crate) fn stop(self) {
        if self.thread.join().is_err() {
            tracing::error!("the thread that fetches known channels panicked");
        }
    }
}

fn fetch_once(url: &str, list: &ChannelList, run: &Run) -> bool {
    let replaced = fetch::fetch(url).and_then(|found| {
        let entries = found.entries.len();
        list.replace(&found).map(|written_bytes| (entries, written_bytes))
    });
    match replaced {
        Ok((entries, written_bytes)) => {
            let rows = entries as u64;
            run.step(StepReport { examined: rows, changed: rows, written_bytes, ..StepReport::default() });
            tracing::info!(channels = entries, "the list of known channels was fetched");
            true
        }
        Err(error) => {
            run.failed(error.clone());
            tracing::warn!(error, "the list of known channels cannot be fetched and will be tried again");
            false
        }
    }
}
