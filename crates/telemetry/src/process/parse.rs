//! Readers of the texts under `/proc`, as pure functions. Formats: the Linux manual page proc(5).

use serde::Serialize;

/// The counters of `/proc/<pid>/io`, since the process (or thread) started. A line that is missing counts as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcIo {
    /// Bytes returned by `read` and its like, wherever they came from (`rchar`).
    pub read_chars: u64,
    /// Bytes given to `write` and its like, wherever they went, sockets included (`wchar`).
    pub write_chars: u64,
    /// Calls of `read` and its like (`syscr`).
    pub read_syscalls: u64,
    /// Calls of `write` and its like (`syscw`).
    pub write_syscalls: u64,
    /// Bytes fetched from storage.
    pub read_bytes: u64,
    /// Bytes billed as written to storage, in whole pages and by some kernels in whole folios.
    pub write_bytes: u64,
    /// Bytes billed in `write_bytes` that were given up before they were written.
    pub cancelled_write_bytes: u64,
}

/// What is used of `/proc/<pid>/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcStatus {
    /// Resident memory.
    pub vm_rss_bytes: Option<u64>,
    /// Peak of the resident memory.
    pub vm_hwm_bytes: Option<u64>,
    /// Number of threads.
    pub threads: Option<u64>,
}

/// What `/proc/pressure/io` counts, since the machine was started. Format: Documentation/accounting/psi.rst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IoPressure {
    /// For so long some work has waited for a disk.
    pub some_micros: u64,
    /// For so long all work has waited for a disk.
    pub full_micros: u64,
}

/// Why a text of `/proc` was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseProcError {
    /// None of the lines looked for is there.
    #[error("none of the expected lines is there")]
    NothingKnown,
    /// A line looked for has no number where one belongs.
    #[error("line {line}: `{key}` has no number in range")]
    BadNumber {
        /// Counted from 1.
        line: usize,
        /// What stands before the colon.
        key: &'static str,
    },
}

/// Reads `/proc/<pid>/io`.
///
/// # Errors
/// Fails if no known line is there, or if a known line has no number that fits.
pub fn parse_proc_io(text: &str) -> Result<ProcIo, ParseProcError> {
    let mut io = ProcIo::default();
    let mut fields = [
        ("rchar", &mut io.read_chars),
        ("wchar", &mut io.write_chars),
        ("syscr", &mut io.read_syscalls),
        ("syscw", &mut io.write_syscalls),
        ("read_bytes", &mut io.read_bytes),
        ("write_bytes", &mut io.write_bytes),
        ("cancelled_write_bytes", &mut io.cancelled_write_bytes),
    ];
    let mut known = false;
    for (index, line) in text.lines().enumerate() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let Some((key, field)) = fields.iter_mut().find(|(key, _)| *key == name.trim()) {
            **field = number(value, index, key)?;
            known = true;
        }
    }
    if known { Ok(io) } else { Err(ParseProcError::NothingKnown) }
}

/// Reads `/proc/<pid>/status`. Kernel threads have no memory lines; then those are `None`.
///
/// # Errors
/// Fails if no known line is there, or if a known line has no number that fits.
pub fn parse_proc_status(text: &str) -> Result<ProcStatus, ParseProcError> {
    let mut status = ProcStatus::default();
    for (index, line) in text.lines().enumerate() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name {
            "VmRSS" => status.vm_rss_bytes = Some(kibibytes(value, index, "VmRSS")?),
            "VmHWM" => status.vm_hwm_bytes = Some(kibibytes(value, index, "VmHWM")?),
            "Threads" => status.threads = Some(number(value, index, "Threads")?),
            _ => {}
        }
    }
    if status == ProcStatus::default() { Err(ParseProcError::NothingKnown) } else { Ok(status) }
}

/// Reads `/proc/pressure/io`. Of the whole machine some kernels know only the line `some`; then `full` is 0.
///
/// # Errors
/// Fails if no known line is there, or if a known line has no total that fits.
pub fn parse_io_pressure(text: &str) -> Result<IoPressure, ParseProcError> {
    let mut pressure = IoPressure::default();
    let mut known = false;
    for (index, line) in text.lines().enumerate() {
        let (field, key) = match line.split_whitespace().next() {
            Some("some") => (&mut pressure.some_micros, "some"),
            Some("full") => (&mut pressure.full_micros, "full"),
            _ => continue,
        };
        let total = line.split_whitespace().find_map(|word| word.strip_prefix("total="));
        *field = number(total.unwrap_or_default(), index, key)?;
        known = true;
    }
    if known { Ok(pressure) } else { Err(ParseProcError::NothingKnown) }
}

/// Reads the sectors written off `/sys/block/<device>/stat`: the seventh number (Documentation/block/stat.rst).
///
/// # Errors
/// Fails if there are fewer numbers, or if this one does not fit.
pub(super) fn parse_sectors_written(text: &str) -> Result<u64, ParseProcError> {
    let sectors = text.split_whitespace().nth(6).ok_or(ParseProcError::NothingKnown)?;
    number(sectors, 0, "write sectors")
}

fn number(value: &str, index: usize, key: &'static str) -> Result<u64, ParseProcError> {
    value.trim().parse().map_err(|_| ParseProcError::BadNumber { line: index + 1, key })
}

fn kibibytes(value: &str, index: usize, key: &'static str) -> Result<u64, ParseProcError> {
    let count = number(value.trim().strip_suffix("kB").unwrap_or(value), index, key)?;
    count.checked_mul(1024).ok_or(ParseProcError::BadNumber { line: index + 1, key })
}
