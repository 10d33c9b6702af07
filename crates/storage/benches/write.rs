//! Figures of the write path and of a start: `cargo bench -p storage --bench write`.
//!
//! Prints rows per second, bytes in the file and in the log per observation at several sizes of a group, and how long a
//! start needs to read everything. A plain program: what it measures is whole runs, not repetitions.

use std::time::{Duration, Instant};

use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, ObserverRecord, PacketHash,
    SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use storage::{Durability, Removal, Storage, StorageOptions, WriteBatch};

const OBSERVERS: u16 = 100;

fn main() {
    for (rows, packets) in [(5u64, 200u64), (100, 2_000), (1_000, 20_000), (5_000, 100_000)] {
        run(rows, packets, Durability::PowerLoss);
    }
    run(5_000, 100_000, Durability::ProcessEnd);
    retention();
}

/// Removes a million observations and their packets in steps while ingest goes on, and prints how long ingest was kept
/// waiting.
fn retention() {
    const PACKETS: u64 = 100_000;
    const STEP_PACKETS: u64 = 90;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = StorageOptions::new(folder.path().join("bench.db"));
    let storage = Storage::open(options).expect("a new database");
    let (stats, writer) = (storage.stats(), storage.writer());
    writer.submit(batch((0..OBSERVERS).map(observer).collect())).expect("an open storage");
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let (mut heads, mut observations) = (0, 0);
    for number in 0..PACKETS {
        writer
            .submit(batch(packet(number, &mut random, &mut heads, &mut observations)))
            .expect("an open storage");
    }
    writer.flush().expect("a working disk");
    let before = (stats.batches.get(), stats.wal_bytes.get());
    let checkpoints = (stats.checkpoints.get(), stats.truncating_checkpoints.get());
    let (mut longest, mut longest_group) = (Duration::ZERO, Duration::ZERO);
    let done = std::sync::atomic::AtomicBool::new(false);
    let start = Instant::now();
    std::thread::scope(|scope| {
        // 200 observations a second whose senders wait, so that a group is due nearly all the time.
        scope.spawn(|| {
            let mut number = PACKETS;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let changes = packet(number, &mut random, &mut heads, &mut observations);
                let on_durable: Box<dyn FnOnce() + Send> = Box::new(|| {});
                writer.submit(WriteBatch { changes, on_durable: Some(on_durable) }).expect("an open storage");
                number += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        for from in (0..PACKETS).step_by(STEP_PACKETS as usize) {
            let to = (from + STEP_PACKETS).min(PACKETS);
            let removal = Removal {
                transmissions: (from + 1..=to).map(TransmissionId).collect(),
                observations: (from * 10 + 1..=to * 10).map(ObservationId).collect(),
                nodes: Vec::new(),
            };
            storage.writer().remove_packets(removal).expect("a working disk");
            // The histograms look back over the newest only.
            longest = longest.max(stats.step_delay.summary().max);
            longest_group = longest_group.max(stats.batch_hold.summary().max);
        }
        let removed = start.elapsed();
        while storage.writer().vacuum(256).expect("a working disk").value > 0 {
            longest = longest.max(stats.step_delay.summary().max);
            longest_group = longest_group.max(stats.batch_hold.summary().max);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        println!("retention: {} rows removed in {removed:.2?}", stats.rows_removed.get());
        println!("  {} pages given back in {:.2?} more", stats.pages_freed.get(), start.elapsed() - removed);
    });
    let (hold, delay, wait) =
        (stats.step_hold.summary(), stats.step_delay.summary(), stats.batch_hold.summary());
    println!(
        "  {} steps, p50 {:.2?} p99 {:.2?} longest {:.2?}   {:.0} bytes of log a row",
        hold.count,
        hold.p50,
        hold.p99,
        hold.max,
        (stats.wal_bytes.get() - before.1) as f64 / stats.rows_removed.get() as f64
    );
    println!(
        "  {} groups of ingest meanwhile, {} delayed by a step, longest delay {:.2?}; groups took p99 {:.2?}, longest {:.2?}",
        stats.batches.get() - before.0,
        delay.count,
        longest,
        wait.p99,
        longest_group
    );
    println!(
        "  {} checkpoints, {} truncating",
        stats.checkpoints.get() - checkpoints.0,
        stats.truncating_checkpoints.get() - checkpoints.1
    );
}

/// Writes in groups of `rows` rows, then loads.
fn run(rows: u64, packets: u64, durability: Durability) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = StorageOptions {
        max_batch_rows: usize::try_from(rows).expect("a small number"),
        max_batch_delay: Duration::from_secs(3_600),
        durability,
        ..StorageOptions::new(folder.path().join("bench.db"))
    };
    let storage = Storage::open(options.clone()).expect("a new database");
    let stats = storage.stats();
    let writer = storage.writer();
    writer.submit(batch((0..OBSERVERS).map(observer).collect())).expect("an open storage");
    writer.flush().expect("a working disk");
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let (mut heads, mut observations) = (0, 0);
    let start = Instant::now();
    for number in 0..packets {
        let changes = packet(number, &mut random, &mut heads, &mut observations);
        writer.submit(batch(changes)).expect("an open storage");
    }
    writer.flush().expect("a working disk");
    let took = start.elapsed().as_secs_f64();
    let commit = stats.commit_time.summary();
    let hold = stats.batch_hold.summary();
    let wal = stats.wal_bytes.get();
    storage.close().expect("a working disk");
    let file = std::fs::metadata(&options.path).expect("the database").len();
    let per_observation = |bytes: u64| bytes as f64 / observations as f64;
    println!(
        "{packets} packets, {observations} observations, {heads} heads, {rows} rows a group, {durability:?}"
    );
    println!(
        "  {:.0} observations/s ({:.0} rows/s)   file {:.1} B/obs   log {:.1} B/obs   checkpoint {:.1} B/obs",
        observations as f64 / took,
        (observations + packets + u64::from(heads)) as f64 / took,
        per_observation(file),
        per_observation(wal),
        per_observation(stats.checkpointed_frames.get() * 4_096),
    );
    println!(
        "  commit p50 {:.2?} p99 {:.2?}   group p50 {:.2?} p99 {:.2?}   {} groups, {} checkpoints ({} truncating)",
        commit.p50,
        commit.p99,
        hold.p50,
        hold.p99,
        stats.batches.get(),
        stats.checkpoints.get(),
        stats.truncating_checkpoints.get(),
    );
    let start = Instant::now();
    let storage = Storage::open(options).expect("the database");
    let opened = start.elapsed();
    for round in ["first", "second"] {
        let mut count = 0u64;
        let report = storage.load(&mut |_| {}, &mut |_| count += 1).expect("a sound database");
        assert_eq!((report.observations, report.skipped_rows), (observations, 0));
        println!("  open {opened:.2?}, {round} load of {count} changes {:.3?}", report.elapsed);
    }
}

fn batch(changes: Vec<Change>) -> WriteBatch {
    WriteBatch { changes, on_durable: None }
}

/// Ten observations; every second one came by a way of its own.
fn packet(number: u64, random: &mut u64, heads: &mut u32, observations: &mut u64) -> Vec<Change> {
    let transmission = TransmissionId(number + 1);
    let hash = PacketHash(next(random).to_le_bytes());
    let length = 20 + (next(random) % 100) as usize;
    let raw = std::iter::repeat_with(|| next(random) as u8).take(length).collect();
    let mut changes = vec![Change::Transmission(Transmission { id: transmission, hash, raw })];
    for copy in 0..10_u32 {
        if copy % 2 == 0 {
            let length = 4 + (next(random) % 8) as usize;
            let bytes = std::iter::repeat_with(|| next(random) as u8).take(length).collect();
            changes.push(Change::Head(FrameHead { id: HeadId(*heads), bytes }));
            *heads += 1;
        }
        *observations += 1;
        changes.push(Change::Observation(Observation {
            id: ObservationId(*observations),
            transmission,
            observer: ObserverId((next(random) % u64::from(OBSERVERS)) as u16),
            time: UnixMillis(1_767_225_600_000 + observations.cast_signed() * 10),
            head: HeadId(*heads - 1),
            snr: Some(SnrQuarterDb((next(random) % 100) as i8 - 50)),
            rssi: Some(-((next(random) % 120) as i16)),
            score: copy.is_multiple_of(3).then_some((next(random) % 1_000) as u16),
        }));
    }
    changes
}

fn observer(id: u16) -> Change {
    Change::Observer(ObserverRecord {
        id: ObserverId(id),
        key: format!("{id:064X}").into(),
        name: Some(format!("observer {id}").into()),
        iata: Some("SFO".into()),
        model: None,
        firmware: None,
        client_version: None,
        radio: None,
        battery_mv: None,
        uptime_secs: None,
        noise_floor: None,
        can_relay: None,
        first_seen: UnixMillis(1_767_225_600_000),
        last_status: None,
        online: None,
        clock_skew_secs: None,
        clock_last_naive: None,
    })
}

/// Xorshift: the same rows in every run.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
