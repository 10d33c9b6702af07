//! What the kernel says of this process and of the pressure on the disk, read without allocating.

use super::MemoryUse;
use super::parse::{IoPressure, ProcIo, parse_io_pressure, parse_proc_io, parse_proc_status};
use super::root::{ProcFile, ProcRoot};
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::path::Path;

/// `/proc/self/status` has some 1.5 KB; masks of many processors make it longer.
const STATUS_BYTES: usize = 8_192;

/// The others have some 100 bytes.
const SMALL_BYTES: usize = 1_024;

/// Counters and memory of this process.
///
/// ```
/// use telemetry::{ProcRoot, ProcessReader};
///
/// let mut reader = ProcessReader::new(&ProcRoot::from_env());
/// match reader.io() {
///     Some(io) => assert!(io.read_chars > 0),
///     None => assert!(reader.io_reason().is_some()),
/// }
/// ```
#[derive(Debug)]
pub struct ProcessReader {
    io: ProcFile,
    status: ProcFile,
}

impl ProcessReader {
    /// Reads nothing yet.
    pub fn new(root: &ProcRoot) -> Self {
        Self {
            io: ProcFile::new(root.proc("self/io"), SMALL_BYTES),
            status: ProcFile::new(root.proc("self/status"), STATUS_BYTES),
        }
    }

    /// The counters now; `None` where the kernel does not tell.
    pub fn io(&mut self) -> Option<ProcIo> {
        self.io.read(parse_proc_io)
    }

    /// Resident memory now; `None` where the kernel does not tell.
    pub fn memory(&mut self) -> Option<MemoryUse> {
        let status = self.status.read(parse_proc_status)?;
        let resident_bytes = status.vm_rss_bytes?;
        let peak_resident_bytes = status.vm_hwm_bytes.unwrap_or(resident_bytes);
        Some(MemoryUse { resident_bytes, peak_resident_bytes })
    }

    /// Why the last counters were `None`.
    pub fn io_reason(&self) -> Option<String> {
        self.io.reason()
    }

    /// Why the last memory was `None`.
    pub fn memory_reason(&self) -> Option<String> {
        self.status.reason()
    }
}

/// How long work has waited for disks (`/proc/pressure/io`, of the whole machine).
#[derive(Debug)]
pub struct PressureReader(ProcFile);

impl PressureReader {
    /// Reads nothing yet.
    pub fn new(root: &ProcRoot) -> Self {
        Self(ProcFile::new(root.proc("pressure/io"), SMALL_BYTES))
    }

    /// The counters now; `None` where the kernel does not tell (it must be built with PSI and not be told to leave it off).
    pub fn read(&mut self) -> Option<IoPressure> {
        self.0.read(parse_io_pressure)
    }

    /// Why the last reading gave nothing.
    pub fn reason(&self) -> Option<String> {
        self.0.reason()
    }
}

/// Processor time of this process so far, of all its threads, in user and in kernel mode.
pub fn process_cpu_micros() -> u64 {
    micros(ClockId::ProcessCPUTime)
}

/// Processor time of the calling thread so far.
pub fn thread_cpu_micros() -> u64 {
    micros(ClockId::ThreadCPUTime)
}

/// Bytes that may still be written to the file system of a folder by who is not root. Does not allocate for paths of usual
/// length.
///
/// # Errors
/// When the folder is not there.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let volume = rustix::fs::statvfs(folder)?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

fn micros(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    part(time.tv_sec).saturating_mul(1_000_000).saturating_add(part(time.tv_nsec) / 1_000)
}
