//! How much room a busy mesh needs.

use super::*;

/// A generator of numbers that look like chance and are the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// About `mean`, with the spread of events that come by chance: the sum of twelve is nearly a normal distribution.
    fn about(&mut self, mean: f64) -> u64 {
        let sum: f64 = (0..12).map(|_| (self.next() % 10_000) as f64 / 10_000.0).sum();
        (mean + (sum - 6.0) * mean.sqrt()).max(0.0).round() as u64
    }
}

/// What a mesh with 100 observations a second does to 300 series, 25 of which move each second and others at times.
struct Mesh {
    chance: Chance,
    second: u64,
    sample: Vec<u64>,
}

const SERIES: usize = 300;

impl Mesh {
    fn catalogue() -> Arc<Catalogue> {
        let parts = ["written", "writes", "pages", "copied", "rows", "ingest", "jobs.retention", "process"];
        let infos = (0..SERIES).map(|place| {
            let gauge = (40..52).contains(&place);
            let kind = if gauge { SeriesKind::Gauge } else { SeriesKind::Counter };
            let unit = if place < 20 || (40..46).contains(&place) { Unit::Bytes } else { Unit::Rows };
            info(&format!("{}.series_{place}.name", parts[place % parts.len()]), kind, unit, "")
        });
        Arc::new(Catalogue::new(infos.collect()))
    }

    fn new() -> Self {
        let mut sample = vec![0; SERIES];
        sample[40] = 180 << 20;
        sample[44] = 57 << 30;
        Self { chance: Chance(7), second: 0, sample }
    }

    fn tick(&mut self) -> &[u64] {
        self.second += 1;
        let observations = self.chance.about(100.0);
        let new = self.chance.about(30.0);
        let pages = self.chance.about(7.0);
        let (wal, index_pages) = (pages * 4_120, self.chance.about(3.0));
        let sample = &mut self.sample;
        let mut add = |place: usize, more: u64| sample[place] += more;
        // Written to the log, by cause and by table; operations; bytes bound and received.
        add(0, wal);
        add(1, wal);
        add(2, (pages - index_pages.min(pages)) * 4_120);
        add(3, index_pages.min(pages) * 4_120);
        add(4, pages);
        add(5, pages * 4_096);
        add(6, observations * 180 + new * 40);
        add(7, observations * 41);
        // Messages and rows.
        for place in 20..23 {
            add(place, observations);
        }
        add(23, new);
        add(24, observations - new.min(observations));
        add(25, new / 3);
        add(26, 1);
        add(27, 1);
        // The kernel's figures.
        let sockets = self.chance.about(6_000.0) * 2;
        add(8, wal + sockets);
        add(9, sockets);
        add(10, observations * 190 + self.chance.about(900.0));
        add(30, pages * 2 + self.chance.about(110.0));
        add(31, self.chance.about(140.0));
        add(32, 20_000 + self.chance.about(3_000.0));
        add(33, 60 + self.chance.about(40.0));
        add(11, pages.div_ceil(1) * 4_096);
        add(34, observations * 4 + self.chance.about(50.0));
        add(35, new * 2);
        if self.second.is_multiple_of(10) {
            add(12, 40 * 4_096);
            add(36, 40);
            add(13, 40 * 4_096);
            add(14, (50 + self.chance.next() % 20) * 4_096);
        }
        if self.second.is_multiple_of(60) {
            add(15, 1_400 + self.chance.next() % 200);
            add(37, 3);
        }
        self.gauges(pages);
        &self.sample
    }

    fn gauges(&mut self, pages: u64) {
        let chance = self.chance.next();
        let sample = &mut self.sample;
        if chance % 10 < 3 {
            sample[40] += (chance >> 8) % 64 * 4_096;
        }
        sample[41] = (sample[41] + pages * 4_120) % (4 << 20);
        sample[44] -= pages * 4_096;
        sample[45] = 400 << 20;
        sample[46] = (chance >> 20) % 40;
        sample[47] = 3;
        sample[48] = 2_100 + self.second / 20 % 7;
        sample[49] = 350;
        sample[50] = (sample[50] + pages) % 1_000;
        sample[51] = sample[50];
    }
}

#[test]
fn a_busy_mesh_takes_less_than_two_kilobytes_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let written = Arc::new(Written::default());
    let history = History::open(folder.path(), Mesh::catalogue(), Arc::clone(&written)).unwrap();
    let mut mesh = Mesh::new();
    let begin = NOW - NOW % HOUR;
    let hours = 3;
    for second in 0..hours * HOUR {
        history.push((begin + second) * 1_000 + 2, mesh.tick());
    }
    history.close();
    let mut of_tier = [0_u64; 3];
    let mut blocks = [0_u64; 3];
    for tier in Tier::ALL {
        let state = history.state.lock();
        (of_tier[tier.place()], blocks[tier.place()]) = state.files[tier.place()].size();
    }
    let minutes = hours as f64 * 60.0;
    let a_block = of_tier[0] as f64 / blocks[0] as f64;
    let all = written.bytes.get() as f64 / minutes;
    println!("{a_block:.0} bytes a minute for the seconds, {all:.0} for all tiers");
    assert!(a_block <= 1_600.0, "{a_block:.0}");
    assert!(all <= 1_800.0, "{all:.0}");
}

/// What questions cost: `cargo test -p xray --lib cost_of_a_question -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a test"]
fn cost_of_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(folder.path(), Mesh::catalogue(), Arc::default()).unwrap();
    let mut mesh = Mesh::new();
    let begin = NOW - 30 * 86_400;
    let mut second = begin;
    // Once in 61 s is taken for a sleep, so each push fills one slot.
    while second < NOW {
        history.push(second * 1_000, mesh.tick());
        second += if second < NOW - 86_400 { 61 } else { 1 };
    }
    let names = history.catalogue().infos().iter().take(32).map(|info| info.name.clone()).collect();
    for (what, from, step) in
        [("30 days", begin, Some(60)), ("30 days", begin, None), ("an hour", NOW - HOUR, Some(1))]
    {
        let from_secs = Some(from);
        let query =
            HistoryQuery { series: Vec::clone(&names), from_secs, to_secs: Some(NOW), step_secs: step };
        for place in [&history, &History::read_only(folder.path(), Mesh::catalogue())] {
            let before = telemetry::thread_cpu_micros();
            let answer = place.query(&query, NOW * 1_000).unwrap();
            let micros = telemetry::thread_cpu_micros() - before;
            println!("{what}, step {}: {micros} us", answer.step_secs);
        }
    }
    for secs in [300, HOUR, 86_400, 30 * 86_400] {
        let before = telemetry::thread_cpu_micros();
        let growth = history.growth((NOW - secs) * 1_000, NOW * 1_000, NOW * 1_000);
        let micros = telemetry::thread_cpu_micros() - before;
        println!("growth over {secs} s, {} of them known: {micros} us", growth.covered_secs);
    }
    let before = telemetry::thread_cpu_micros();
    std::mem::forget(history);
    let history = History::open(folder.path(), Mesh::catalogue(), Arc::default()).unwrap();
    println!("opening: {} us", telemetry::thread_cpu_micros() - before);
    drop(history);
}
