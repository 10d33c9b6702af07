//! What the kernel says of this process and of the medium: series, and facts that are no series.

use super::steps::{CALLS, MILLI, PAGE, QUARTER_KIB, whole};
use super::wire::Facts;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use telemetry::{
    DeviceFacts, DeviceReader, PressureReader, ProcRoot, ProcessReader, ThreadBook, free_bytes,
    process_cpu_micros, thread_cpu_micros,
};
use xray::{Device, SeriesInfo, SeriesKind, Sources, ThreadRow, Unit, info};

/// What is known of the system beside the series.
#[derive(Clone)]
pub(crate) struct System {
    threads: Arc<Mutex<ThreadBook>>,
    device: Option<Device>,
    no_device_because: Option<String>,
    unknown_because: Option<String>,
}

impl System {
    /// Registers the series that the kernel gives here. What it does not give has no series, rather than one of zeros.
    pub(crate) fn register(sources: &mut Sources, database: Option<&Path>) -> Self {
        let root = ProcRoot::from_env();
        let threads = Arc::new(Mutex::new(ThreadBook::new(&root)));
        let unknown_because = process(sources, &root, &threads);
        pressure(sources, &root);
        sources.counter("process.cpu", Unit::Micros, "processor time of all threads", || {
            whole(process_cpu_micros(), MILLI)
        });
        // Sources are read on the meter's thread.
        sources.counter("meter.cpu", Unit::Micros, "processor time of these books", || {
            whole(thread_cpu_micros(), MILLI)
        });
        let (mut device, mut no_device_because) = (None, None);
        if let Some(folder) = database.and_then(Path::parent) {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            match DeviceReader::of_folder(&root, folder) {
                Ok(mut reader) => {
                    device = Some(device_of(reader.facts()));
                    let mut last = 0;
                    let help = "written by the device of the database, whoever caused it";
                    sources.counter("device.written", Unit::Bytes, help, move || {
                        last = reader.written_bytes().unwrap_or(last);
                        last
                    });
                }
                Err(error) => no_device_because = Some(error.to_string()),
            }
            let (folder, mut last) = (PathBuf::from(folder), 0);
            sources.gauge(
                "disk.free",
                Unit::Bytes,
                "what may still be written where the database is",
                move || {
                    // A folder that cannot be asked is not a full disk; other rules say that something is wrong with it.
                    last = free_bytes(&folder).unwrap_or(last);
                    last
                },
            );
        }
        Self { threads, device, no_device_because, unknown_because }
    }

    /// What is known now.
    pub(crate) fn facts(&self) -> Facts {
        let book = self.threads.lock();
        let mut threads: Vec<ThreadRow> = book
            .groups()
            .iter()
            .map(|group| ThreadRow {
                thread: group.name.clone(),
                wchar_bytes: group.wchar_bytes,
                network: group.network,
            })
            .collect();
        threads.sort_by_key(|row| std::cmp::Reverse(row.wchar_bytes));
        Facts {
            threads,
            device: self.device.clone(),
            no_device_because: self.no_device_because.clone(),
            unknown_because: self.unknown_because.clone(),
        }
    }
}

/// Registers what `/proc/self` tells, or says why it tells nothing.
fn process(sources: &mut Sources, root: &ProcRoot, threads: &Arc<Mutex<ThreadBook>>) -> Option<String> {
    let mut reader = ProcessReader::new(root);
    let mut last = reader.io();
    if last.is_none() {
        return Some(reader.io_reason().unwrap_or_else(|| "the system does not tell".to_owned()));
    }
    let counter = |name: &str, unit, help: &str| info(name, SeriesKind::Counter, unit, help);
    let infos: [SeriesInfo; 9] = [
        counter("process.wchar", Unit::Bytes, "given to write and its like, sockets included"),
        counter("process.network_wchar", Unit::Bytes, "of this, by threads that serve sockets"),
        counter("process.rchar", Unit::Bytes, "got from read and its like, sockets included"),
        counter("process.write_bytes", Unit::Bytes, "billed by the kernel as written to storage"),
        counter("process.cancelled_write_bytes", Unit::Bytes, "of this, given up before it was written"),
        counter("process.read_bytes", Unit::Bytes, "fetched from storage"),
        counter("process.write_syscalls", Unit::Operations, "calls of write and its like"),
        counter("process.read_syscalls", Unit::Operations, "calls of read and its like"),
        info("memory.resident", SeriesKind::Gauge, Unit::Bytes, "resident memory of the process"),
    ];
    let book = Arc::clone(threads);
    let (mut network, mut resident) = (0, 0);
    sources.group(&infos, move |places| {
        // Threads first: what is written in between is then unexplained by a little, rather than explained twice.
        let mut book = book.lock();
        book.read();
        network = book.network_wchar().unwrap_or(network);
        drop(book);
        last = reader.io().or(last);
        resident = reader.memory().map_or(resident, |memory| memory.resident_bytes);
        let io = last.unwrap_or_default();
        places.copy_from_slice(&[
            whole(io.write_chars, QUARTER_KIB),
            whole(network, QUARTER_KIB),
            whole(io.read_chars, PAGE),
            io.write_bytes,
            io.cancelled_write_bytes,
            io.read_bytes,
            whole(io.write_syscalls, CALLS),
            whole(io.read_syscalls, CALLS),
            resident,
        ]);
    });
    None
}

/// Registers how long work waits for disks, where the kernel keeps that.
fn pressure(sources: &mut Sources, root: &ProcRoot) {
    let mut reader = PressureReader::new(root);
    let Some(mut last) = reader.read() else { return };
    let counter = |name: &str, help: &str| info(name, SeriesKind::Counter, Unit::Micros, help);
    let infos = [
        counter("pressure.io_some", "time in which some work of the machine waited for a disk"),
        counter("pressure.io_full", "time in which all work of the machine waited for a disk"),
    ];
    sources.group(&infos, move |places| {
        last = reader.read().unwrap_or(last);
        places.copy_from_slice(&[whole(last.some_micros, MILLI), whole(last.full_micros, MILLI)]);
    });
}

fn device_of(facts: &DeviceFacts) -> Device {
    Device {
        name: facts.name.clone(),
        model: facts.model.clone(),
        bytes: facts.size_bytes,
        life_used_percent: facts.life_used_percent,
        health: facts.spare_blocks.map(|state| format!("spare blocks: {state}")),
    }
}
