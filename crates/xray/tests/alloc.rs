//! A reading of the meter allocates nothing: the readers of the kernel's texts, the last twenty minutes, the history.

use parking_lot::Mutex;
use std::sync::Arc;
use telemetry::{
    Counter, DeviceReader, Gauge, PressureReader, ProcRoot, ProcessReader, ThreadBook, free_bytes,
    process_cpu_micros, thread_cpu_micros,
};
use xray::{Catalogue, History, Recent, SeriesKind, Sources, Unit, info};

/// Series that are not the kernel's; there are some 300.
const OTHERS: usize = 280;

/// The figures of the kernel, read as the program reads them.
fn kernel(sources: &mut Sources, folder: &std::path::Path) {
    let root = ProcRoot::from_env();
    let counter = |name: &str| info(name, SeriesKind::Counter, Unit::Bytes, "");
    let mut reader = ProcessReader::new(&root);
    let io = [counter("process.wchar"), counter("process.write_bytes"), counter("process.write_syscalls")];
    sources.group(&io, move |places| {
        if let Some(io) = reader.io() {
            places.copy_from_slice(&[io.write_chars, io.write_bytes, io.write_syscalls]);
        }
    });
    let mut reader = ProcessReader::new(&root);
    sources.gauge("memory.resident", Unit::Bytes, "", move || {
        reader.memory().map_or(0, |memory| memory.resident_bytes)
    });
    let mut pressure = PressureReader::new(&root);
    sources.counter("pressure.io_some", Unit::Micros, "", move || {
        pressure.read().map_or(0, |pressure| pressure.some_micros)
    });
    if let Ok(mut device) = DeviceReader::of_folder(&root, folder) {
        sources.counter("device.written", Unit::Bytes, "", move || device.written_bytes().unwrap_or(0));
    }
    let book = Arc::new(Mutex::new(ThreadBook::new(&root)));
    sources.counter("process.network_wchar", Unit::Bytes, "", move || {
        let mut book = book.lock();
        book.read();
        book.network_wchar().unwrap_or(0)
    });
    let folder = folder.to_owned();
    sources.gauge("disk.free", Unit::Bytes, "", move || free_bytes(&folder).unwrap_or(0));
    sources.counter("process.cpu", Unit::Micros, "", process_cpu_micros);
    sources.counter("meter.cpu", Unit::Micros, "", thread_cpu_micros);
}

struct Meter {
    sources: Sources,
    sample: Vec<u64>,
    recent: Recent,
    history: History,
    counters: Vec<Arc<Counter>>,
}

impl Meter {
    fn new(folder: &std::path::Path) -> Self {
        let mut sources = Sources::default();
        kernel(&mut sources, folder);
        let mut counters = Vec::new();
        for place in 0..OTHERS {
            let counter = Arc::new(Counter::new());
            counters.push(Arc::clone(&counter));
            sources.counter(&format!("written.{place}"), Unit::Bytes, "", move || counter.get());
        }
        let gauge = Gauge::new();
        sources.gauge("queue.rows", Unit::Rows, "", move || gauge.get());
        let catalogue: Arc<Catalogue> = Arc::new(sources.catalogue().clone());
        let history = History::open(folder, Arc::clone(&catalogue), Arc::default())
            .expect("the temporary folder can be written");
        let sample = vec![0; catalogue.infos().len()];
        Self { sources, sample, recent: Recent::new(catalogue), history, counters }
    }

    fn tick(&mut self, at_ms: i64) {
        for counter in self.counters.iter().step_by(11) {
            counter.add(4_120);
        }
        self.sources.read(&mut self.sample);
        self.recent.push(at_ms, &self.sample);
        self.history.push(at_ms, &self.sample);
    }
}

/// The begin of an hour, so that no block ends within the next minute.
const BEGIN_MS: i64 = 1_800_000_000_000;

#[test]
fn a_reading_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut meter = Meter::new(folder.path());
    // Files are opened and threads listed by the first readings.
    for second in 0..3 {
        meter.tick(BEGIN_MS + second * 1_000);
    }
    let mut second = 3;
    let one = allocation_counter::measure(|| {
        while second < 59 {
            meter.tick(BEGIN_MS + second * 1_000);
            second += 1;
        }
    });
    assert_eq!((one.count_total, one.bytes_total), (0, 0));
    // The end of a block does; so the counter counts.
    let end = allocation_counter::measure(|| meter.tick(BEGIN_MS + 61_000));
    assert!(end.count_total > 0);
}

/// What a reading costs: `cargo test --release -p xray --test alloc -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a test"]
fn cost_of_a_reading() {
    const HOURS: i64 = 2;
    let folder = tempfile::tempdir().unwrap();
    let mut meter = Meter::new(folder.path());
    let (mut all, mut longest) = (0, 0);
    for second in 0..HOURS * 3_600 {
        let before = thread_cpu_micros();
        meter.tick(BEGIN_MS + second * 1_000);
        let micros = thread_cpu_micros() - before;
        all += micros;
        longest = longest.max(micros);
    }
    let micros = all as f64 / (HOURS * 3_600) as f64;
    let series = meter.sample.len();
    println!("{micros:.1} us for a reading of {series} series, blocks included; the longest {longest} us");
}
