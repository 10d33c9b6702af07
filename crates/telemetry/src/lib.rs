//! Counters, histograms, rate windows and the `/proc` sampler by which the analyzer watches itself.
//!
//! This crate must never allocate on the hot path: recording into a [`Counter`], a [`Histogram`] or a [`RateWindow`]
//! touches memory that was reserved when it was made. It knows nothing of packets, MQTT or SQLite; those layers own
//! their counters and read them back through the types here.
//!
//! ```
//! use std::time::Duration;
//! use telemetry::{Counter, Histogram};
//!
//! let commits = Counter::new();
//! let commit_time = Histogram::new();
//! for millis in 1..=100 {
//!     commits.increment();
//!     commit_time.record(Duration::from_millis(millis));
//! }
//! assert_eq!(commits.get(), 100);
//! assert_eq!(commit_time.summary().p95, Duration::from_millis(95));
//! ```

#![forbid(unsafe_code)]

mod counter;
mod histogram;
mod process;
mod rate;

pub use counter::{Counter, Gauge, LabelledCounters};
pub use histogram::{Histogram, Summary};
pub use process::{
    DeviceFacts, DeviceReader, DeviceUnknown, IoPressure, IoRates, MemoryUse, ParseProcError, PressureReader,
    ProcIo, ProcRoot, ProcStatus, ProcessReader, ProcessSampler, ThreadBook, ThreadGroup, ThreadIo,
    free_bytes, parse_io_pressure, parse_proc_io, parse_proc_status, process_cpu_micros, serves_sockets,
    thread_cpu_micros, thread_io,
};
pub use rate::RateWindow;
