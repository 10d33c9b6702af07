//! What each thread gives to `write`, by name.

use super::parse::{ProcIo, parse_proc_io};
use super::root::{ProcFile, ProcRoot};
use serde::Serialize;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::{fs, io};

/// Names of threads that serve sockets begin so. They write no files, so what they give to `write` went to sockets.
const NETWORK: [&str; 5] = ["http", "mqtt", "main", "ingest", "feed"];

/// `io` of a thread has some 100 bytes.
const IO_BYTES: usize = 512;

/// What one thread has read and written since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ThreadIo {
    /// Kernel's number of the thread.
    pub thread_id: u32,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// Its counters.
    pub io: ProcIo,
}

/// Threads of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadGroup {
    /// The name; `main` is the thread with which the process began, whatever it is called.
    pub name: String,
    /// Bytes that they gave to `write` and its like, those included that have ended.
    pub wchar_bytes: u64,
    /// Whether they serve sockets.
    pub network: bool,
}

/// Bytes given to `write` by the threads of this process, by name. They never become fewer: what a thread has written stays in
/// the books when it ends, but for what it wrote after it was last read.
///
/// Reading allocates only when threads have begun or ended.
#[derive(Debug)]
pub struct ThreadBook {
    folder: PathBuf,
    main_thread: u32,
    threads: Vec<Thread>,
    groups: Vec<ThreadGroup>,
    /// Number of threads when they were listed last, as the kernel gives it.
    links: u64,
    /// The last list may have been made before a new thread had taken its name.
    list_again: bool,
    reason: Option<String>,
}

#[derive(Debug)]
struct Thread {
    id: u32,
    group: usize,
    io: ProcFile,
    /// Bytes that are in the books.
    counted: u64,
}

impl ThreadBook {
    /// Of this process. Reads nothing yet.
    pub fn new(root: &ProcRoot) -> Self {
        Self::of(root, std::process::id())
    }

    /// Of a process whose first thread has this number.
    pub(super) fn of(root: &ProcRoot, main_thread: u32) -> Self {
        Self {
            folder: root.proc("self/task"),
            main_thread,
            threads: Vec::new(),
            groups: Vec::new(),
            links: 0,
            list_again: true,
            reason: None,
        }
    }

    /// Brings the books up to date. False where the kernel does not tell; then they stay as they were.
    pub fn read(&mut self) -> bool {
        // The folder of threads has a link for each of them.
        let links = match fs::metadata(&self.folder) {
            Ok(metadata) => metadata.nlink(),
            Err(error) => return self.failed(&error),
        };
        let changed = links != self.links;
        if (changed || self.list_again)
            && let Err(error) = self.list()
        {
            return self.failed(&error);
        }
        self.links = links;
        self.list_again = changed;
        let mut readable = 0_usize;
        for thread in &mut self.threads {
            match thread.io.read(parse_proc_io) {
                Some(io) => {
                    readable += 1;
                    self.groups[thread.group].wchar_bytes += io.write_chars.saturating_sub(thread.counted);
                    thread.counted = thread.counted.max(io.write_chars);
                }
                // It has ended.
                None => self.list_again = true,
            }
        }
        let Some(first) = self.threads.first().filter(|_| readable == 0) else {
            self.reason = None;
            return true;
        };
        self.reason = first.io.reason();
        false
    }

    /// Bytes given to `write` by threads that serve sockets; `None` when the last reading gave nothing.
    pub fn network_wchar(&self) -> Option<u64> {
        let network = self.groups.iter().filter(|group| group.network);
        self.reason.is_none().then(|| network.map(|group| group.wchar_bytes).sum())
    }

    /// All names, in the order in which they were first seen.
    pub fn groups(&self) -> &[ThreadGroup] {
        &self.groups
    }

    /// Why the last reading gave nothing.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    fn failed(&mut self, error: &io::Error) -> bool {
        self.reason = Some(format!("cannot list {}: {error}", self.folder.display()));
        self.list_again = true;
        false
    }

    /// Finds the threads that there are now. Those that were there stay open; their names are read anew.
    fn list(&mut self) -> io::Result<()> {
        let listed = fs::read_dir(&self.folder)?;
        let mut known = std::mem::take(&mut self.threads);
        for entry in listed.flatten() {
            let folder = entry.path();
            let Some(id) = number_of(&folder) else { continue };
            let name = if id == self.main_thread {
                "main".to_owned()
            } else {
                let Ok(name) = fs::read(folder.join("comm")) else { continue };
                String::from_utf8_lossy(&name).trim_end().to_owned()
            };
            let group = self.group(name);
            let place = known.iter().position(|thread| thread.id == id);
            let thread = match place.map(|place| known.swap_remove(place)) {
                // The kernel uses a number again only when it has gone through all of them.
                Some(thread) => Thread { group, ..thread },
                None => Thread { id, group, io: ProcFile::new(folder.join("io"), IO_BYTES), counted: 0 },
            };
            self.threads.push(thread);
        }
        Ok(())
    }

    fn group(&mut self, name: String) -> usize {
        self.groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
            let network = serves_sockets(&name);
            self.groups.push(ThreadGroup { name, wchar_bytes: 0, network });
            self.groups.len() - 1
        })
    }
}

/// Whether a thread of this name serves sockets and writes no file but the log.
pub fn serves_sockets(name: &str) -> bool {
    NETWORK.iter().any(|begin| name.starts_with(begin))
}

/// Reads the counters of each thread of this process, now.
///
/// # Errors
/// Fails where `/proc` is missing or not readable; threads that end meanwhile are left out.
pub fn thread_io() -> io::Result<Vec<ThreadIo>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(ProcRoot::from_env().proc("self/task"))? {
        let folder = entry?.path();
        let counters = fs::read_to_string(folder.join("io")).ok().and_then(|text| parse_proc_io(&text).ok());
        let name = fs::read_to_string(folder.join("comm"));
        if let (Some(thread_id), Some(io), Ok(name)) = (number_of(&folder), counters, name) {
            threads.push(ThreadIo { thread_id, name: name.trim_end().to_owned(), io });
        }
    }
    threads.sort_unstable_by_key(|thread| thread.thread_id);
    Ok(threads)
}

fn number_of(folder: &std::path::Path) -> Option<u32> {
    folder.file_name()?.to_str()?.parse().ok()
}
