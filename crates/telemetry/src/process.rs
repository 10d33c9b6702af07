//! What the kernel says of this process: bytes read and written, memory, and both by thread.
//!
//! One thread reads `/proc/self` once a second into a ring; every client sees rates of the same window of that ring,
//! however many clients there are and whenever each of them asks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};
use serde::Serialize;

mod device;
mod parse;
mod readers;
mod root;
mod threads;

pub use device::{DeviceFacts, DeviceReader, DeviceUnknown};
pub use parse::{
    IoPressure, ParseProcError, ProcIo, ProcStatus, parse_io_pressure, parse_proc_io, parse_proc_status,
};
pub use readers::{PressureReader, ProcessReader, free_bytes, process_cpu_micros, thread_cpu_micros};
pub use root::ProcRoot;
pub use threads::{ThreadBook, ThreadGroup, ThreadIo, serves_sockets, thread_io};

/// Rates are taken over this much time. Shorter jumps about with each commit, longer hides a short burst.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// The second sample follows the first this soon, so that a page opened at start-up finds a rate.
const FIRST_GAP: Duration = Duration::from_millis(100);

/// Samples kept at most; at one a second they cover the window ten times over.
const RING: usize = 64;

/// Per-second rates of this process's input and output. Never negative; zero while `window_ms` is 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IoRates {
    /// False where the kernel does not tell; then all figures are zero and `reason` says why.
    pub available: bool,
    /// Why not available.
    pub reason: Option<String>,
    /// Milliseconds between the two samples compared; 0 until there are two.
    pub window_ms: u64,
    /// Bytes fetched from storage (`read_bytes`).
    pub read_bytes_per_sec: f64,
    /// Bytes the kernel was made to write to storage (`write_bytes`).
    pub write_bytes_per_sec: f64,
    /// Bytes of these which never reached storage, because the file was truncated or deleted before.
    pub cancelled_write_bytes_per_sec: f64,
    /// Calls of `read` and its like, sockets included.
    pub syscalls_read_per_sec: f64,
    /// Calls of `write` and its like, sockets included.
    pub syscalls_write_per_sec: f64,
    /// When the newer sample was taken, in milliseconds since 1970.
    pub sampled_at_unix_ms: i64,
}

/// Resident memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryUse {
    /// Now (`VmRSS`).
    pub resident_bytes: u64,
    /// The most there ever was (`VmHWM`).
    pub peak_resident_bytes: u64,
}

/// Reads `/proc/self` at an interval on a thread of its own, which ends when this is dropped.
///
/// ```
/// let sampler = telemetry::ProcessSampler::spawn(std::time::Duration::from_secs(1));
/// let rates = sampler.rates();
/// assert!(rates.available || rates.reason.is_some());
/// assert!(rates.write_bytes_per_sec >= 0.0);
/// ```
#[derive(Debug)]
pub struct ProcessSampler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stop: bool,
    samples: VecDeque<Sample>,
    /// Why the newest attempt to read the counters failed.
    io_error: Option<String>,
    memory: Option<MemoryUse>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    unix_ms: i64,
    io: ProcIo,
}

impl ProcessSampler {
    /// Takes a first sample at once and then one per `interval` (at least 10 ms).
    ///
    /// If the thread cannot be started, the first sample is all there is, and [`IoRates::reason`] says so.
    pub fn spawn(interval: Duration) -> Self {
        Self::spawn_in(&ProcRoot::from_env(), interval)
    }

    /// The same where the kernel's texts are elsewhere.
    pub fn spawn_in(root: &ProcRoot, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(10));
        let shared = Arc::new(Shared::default());
        shared.state.lock().samples.reserve_exact(RING);
        let mut reader = ProcessReader::new(root);
        shared.sample(&mut reader);
        let sampling = Arc::clone(&shared);
        let work = move || sampling.run(&mut reader, interval);
        let thread = std::thread::Builder::new().name("proc-sampler".into()).spawn(work);
        match thread {
            Ok(thread) => Self { shared, thread: Some(thread) },
            Err(error) => {
                shared.state.lock().io_error = Some(format!("cannot start the sampling thread: {error}"));
                Self { shared, thread: None }
            }
        }
    }

    /// Rates over the last five seconds, or over what there is if that is less.
    pub fn rates(&self) -> IoRates {
        let state = self.shared.state.lock();
        match (&state.io_error, state.samples.back()) {
            (Some(reason), _) => IoRates { reason: Some(reason.clone()), ..IoRates::default() },
            (None, None) => IoRates { reason: Some("no sample yet".to_owned()), ..IoRates::default() },
            (None, Some(newest)) => rates_between(base_of(&state.samples, newest.at), newest),
        }
    }

    /// The counters themselves, since the process started; `None` where the kernel does not tell.
    pub fn totals(&self) -> Option<ProcIo> {
        let state = self.shared.state.lock();
        if state.io_error.is_some() { None } else { state.samples.back().map(|sample| sample.io) }
    }

    /// Resident memory at the newest sample; `None` where the kernel does not tell.
    pub fn memory(&self) -> Option<MemoryUse> {
        self.shared.state.lock().memory
    }

    /// Resident memory in bytes at the newest sample; `None` where the kernel does not tell.
    pub fn rss_bytes(&self) -> Option<u64> {
        self.memory().map(|memory| memory.resident_bytes)
    }
}

impl Drop for ProcessSampler {
    fn drop(&mut self) {
        self.shared.state.lock().stop = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the sampler has been printed by its own thread; there is nothing to add here.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, reader: &mut ProcessReader, interval: Duration) {
        let mut gap = FIRST_GAP.min(interval);
        loop {
            let deadline = Instant::now() + gap;
            {
                let mut state = self.state.lock();
                while !state.stop && !self.wake.wait_until(&mut state, deadline).timed_out() {}
                if state.stop {
                    return;
                }
            }
            self.sample(reader);
            gap = interval;
        }
    }

    /// Allocates only to say why there is nothing.
    fn sample(&self, reader: &mut ProcessReader) {
        let counters = reader.io();
        let memory = reader.memory();
        let at = Instant::now();
        let mut state = self.state.lock();
        state.memory = memory;
        match counters {
            Some(io) => {
                if state.samples.len() == RING {
                    state.samples.pop_front();
                }
                state.samples.push_back(Sample { at, unix_ms: unix_ms(), io });
                state.io_error = None;
            }
            None => {
                // A rate across a time without counters would be a guess, so counting starts anew after it.
                state.samples.clear();
                state.io_error = reader.io_reason();
            }
        }
    }
}

/// The sample to compare with: the newest that is a whole window old, or the oldest there is.
fn base_of(samples: &VecDeque<Sample>, newest: Instant) -> &Sample {
    let old_enough = |sample: &&Sample| newest.saturating_duration_since(sample.at) >= RATE_WINDOW;
    samples.iter().rev().find(old_enough).unwrap_or(&samples[0])
}

fn rates_between(older: &Sample, newer: &Sample) -> IoRates {
    let window = newer.at.saturating_duration_since(older.at);
    let rate = |counter: fn(&ProcIo) -> u64| {
        // The counters of a process never fall; should a kernel think otherwise, that is not a negative rate.
        let difference = counter(&newer.io).saturating_sub(counter(&older.io));
        if window.is_zero() { 0.0 } else { difference as f64 / window.as_secs_f64() }
    };
    IoRates {
        available: true,
        reason: None,
        window_ms: u64::try_from(window.as_millis()).unwrap_or(u64::MAX),
        read_bytes_per_sec: rate(|io| io.read_bytes),
        write_bytes_per_sec: rate(|io| io.write_bytes),
        cancelled_write_bytes_per_sec: rate(|io| io.cancelled_write_bytes),
        syscalls_read_per_sec: rate(|io| io.read_syscalls),
        syscalls_write_per_sec: rate(|io| io.write_syscalls),
        sampled_at_unix_ms: newer.unix_ms,
    }
}

fn unix_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
