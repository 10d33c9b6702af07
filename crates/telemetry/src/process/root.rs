//! Where the kernel's texts are, and reading them over and over without allocating.

use super::parse::ParseProcError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Names another folder than `/proc`.
const PROC_VARIABLE: &str = "ANALYZER_PROC";

/// Names another folder than `/sys`.
const SYS_VARIABLE: &str = "ANALYZER_SYS";

/// The folders in which the kernel tells about processes and devices: `/proc` and `/sys`, or what the environment variables
/// `ANALYZER_PROC` and `ANALYZER_SYS` name. Tests name others to see what happens where the kernel does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcRoot {
    proc: PathBuf,
    sys: PathBuf,
}

impl ProcRoot {
    /// Of this environment.
    pub fn from_env() -> Self {
        let folder = |variable, usual: &str| std::env::var_os(variable).map_or(usual.into(), PathBuf::from);
        Self { proc: folder(PROC_VARIABLE, "/proc"), sys: folder(SYS_VARIABLE, "/sys") }
    }

    /// Other folders.
    pub fn at(proc: &Path, sys: &Path) -> Self {
        Self { proc: proc.to_owned(), sys: sys.to_owned() }
    }

    /// Below `/proc`.
    pub(super) fn proc(&self, path: &str) -> PathBuf {
        self.proc.join(path)
    }

    /// Below `/sys`.
    pub(super) fn sys(&self, path: &str) -> PathBuf {
        self.sys.join(path)
    }
}

/// A text of the kernel that is read again and again: the file stays open, and the text goes into memory that was reserved at
/// the begin. After a failure it is opened anew.
#[derive(Debug)]
pub(super) struct ProcFile {
    path: PathBuf,
    file: Option<File>,
    text: Box<[u8]>,
    failure: Option<Failure>,
}

/// Why there is no figure. Made a text only when somebody asks.
#[derive(Debug)]
enum Failure {
    Read(io::Error),
    NotText,
    Parse(ParseProcError),
}

impl ProcFile {
    /// One whose text is shorter than so many bytes; of a longer one only the begin is read.
    pub(super) fn new(path: PathBuf, most_bytes: usize) -> Self {
        Self { path, file: None, text: vec![0; most_bytes].into(), failure: None }
    }

    /// What its text says now; `None` when it cannot be read or understood.
    pub(super) fn read<T>(&mut self, parse: impl FnOnce(&str) -> Result<T, ParseProcError>) -> Option<T> {
        let parsed = match read_text(&self.path, &mut self.file, &mut self.text) {
            Err(error) => Err(Failure::Read(error)),
            Ok(length) => match std::str::from_utf8(&self.text[..length]) {
                Err(_) => Err(Failure::NotText),
                Ok(text) => parse(text).map_err(Failure::Parse),
            },
        };
        match parsed {
            Ok(parsed) => {
                self.failure = None;
                Some(parsed)
            }
            Err(failure) => {
                self.file = None;
                self.failure = Some(failure);
                None
            }
        }
    }

    /// Why the last reading gave nothing.
    pub(super) fn reason(&self) -> Option<String> {
        let path = self.path.display();
        Some(match self.failure.as_ref()? {
            Failure::Read(error) => format!("cannot read {path}: {error}"),
            Failure::NotText => format!("cannot understand {path}: it is not text"),
            Failure::Parse(error) => format!("cannot understand {path}: {error}"),
        })
    }
}

/// Reads a file from its begin, opening it if it is not open, and gives the number of bytes.
fn read_text(path: &Path, file: &mut Option<File>, text: &mut [u8]) -> io::Result<usize> {
    let file = match file {
        Some(file) => file,
        None => file.insert(File::open(path)?),
    };
    let mut length = 0;
    while length < text.len() {
        match file.read_at(&mut text[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
