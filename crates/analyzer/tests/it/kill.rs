//! The program killed at random instants under load: what it acknowledged is there after the next start, once.
//!
//! `KILLS=200` kills as often as the issue asks for; without it a tenth, so that the whole test run stays short.
//! `KILL_SEED` repeats a run.

use crate::binary;
use crate::kept::{Hearing, hash, listed, missing, observer, payload, ready, topic};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use testkit::{AckedPublisher, Server};

/// Kills of an ordinary test run: enough to notice an acknowledgement that comes too early within a run or two.
const KILLS: usize = 25;

/// Longest time under load before a kill; a group of packets is committed several times within it.
const LONGEST_LOAD: Duration = Duration::from_millis(250);

/// Longest time until a start is killed: about what it takes to say where it listens.
const LONGEST_START: Duration = Duration::from_millis(60);

/// Observers that publish at the same time; each hears every packet.
const OBSERVERS: usize = 4;

/// Unanswered messages of each: so many that a kill always finds some on their way.
const WINDOW: usize = 64;

/// Pause between two packets of an observer, for a busy mesh instead of a flood: what is listed stays small enough to be
/// read in full after each kill.
const PAUSE: Duration = Duration::from_millis(1);

/// An observer, over all restarts of the program.
struct Load {
    observer: String,
    next: u32,
    /// Sent and not acknowledged, to be sent again as an observer would.
    unanswered: Vec<u32>,
    acknowledged: BTreeSet<Hearing>,
}

impl Load {
    fn new(number: usize) -> Self {
        Self { observer: observer(number), next: 0, unanswered: Vec::new(), acknowledged: BTreeSet::new() }
    }

    /// Publishes until the broker is gone or it is over, then notes what was acknowledged.
    fn run(&mut self, address: &str, over: &AtomicBool) {
        let Ok(mut publisher) = AckedPublisher::connect(address, &self.observer, WINDOW) else { return };
        let topic = topic(&self.observer);
        let mut again = std::mem::take(&mut self.unanswered).into_iter();
        let mut sent = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let number = again.next().unwrap_or_else(|| {
                self.next += 1;
                self.next
            });
            sent.push(number);
            if publisher.publish(&topic, &payload(number)).is_err() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        let answered = publisher.acknowledged_until_its_end().expect("the program is killed");
        // The packet ids of a connection count its messages from 1.
        let answered: BTreeSet<usize> = answered.into_iter().map(|id| usize::from(id) - 1).collect();
        for (place, number) in sent.into_iter().enumerate() {
            if answered.contains(&place) {
                self.acknowledged.insert((hash(number), self.observer.clone()));
            } else {
                self.unanswered.push(number);
            }
        }
        self.unanswered.extend(again);
    }
}

/// xorshift: a run can be repeated by its seed, except for what the scheduler does.
struct Random(u64);

impl Random {
    fn seeded() -> (Self, u64) {
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_nanos() as u64;
        let seed =
            std::env::var("KILL_SEED").map_or(now, |text| text.parse().expect("KILL_SEED is a number"));
        (Self(seed | 1), seed)
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        longest.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// A start that is killed before it says anything: while the database is made or its log is read.
fn interrupted_start(folder: &Path, random: &mut Random) {
    let mut child = Command::new(binary())
        .args(["run", "--http", "127.0.0.1:0", "--mqtt", "off", "--data-dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    std::thread::sleep(random.up_to(LONGEST_START));
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
}

#[test]
fn whatever_was_acknowledged_before_a_kill_is_there_after_the_next_start_and_once() {
    let kills = std::env::var("KILLS").map_or(KILLS, |text| text.parse().expect("KILLS is a number"));
    let (mut random, seed) = Random::seeded();
    println!("kill: seed {seed}");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut loads: Vec<Load> = (1..=OBSERVERS).map(Load::new).collect();
    let (mut lost, mut doubled, mut found) = (0, 0, 0);
    let began = Instant::now();
    // The first ones find an empty folder.
    (0..5).for_each(|_| interrupted_start(folder.path(), &mut random));
    for kill in 1..=kills {
        interrupted_start(folder.path(), &mut random);
        let mut server = Server::start_in(&binary(), folder.path(), &[]);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for load in &mut loads {
                let (address, over) = (server.mqtt.clone(), &over);
                scope.spawn(move || load.run(&address, over));
            }
            std::thread::sleep(random.up_to(LONGEST_LOAD));
            server.kill();
            over.store(true, Ordering::Relaxed);
        });

        let server = Server::start_in(&binary(), folder.path(), &["--mqtt", "off"]);
        ready(&server);
        // The counts of /api/stats are compared with it in there.
        let listed = listed(&server);
        let promised: BTreeSet<Hearing> = loads.iter().flat_map(|load| load.acknowledged.clone()).collect();
        (lost, doubled) = missing(&promised, &listed);
        found = promised.len() - lost;
        assert_eq!((lost, doubled), (0, 0), "lost and doubled after kill {kill} (seed {seed})");
    }
    let acknowledged: usize = loads.iter().map(|load| load.acknowledged.len()).sum();
    println!(
        "kill: {kills} kills, {acknowledged} acknowledged, {found} found, {lost} lost, {doubled} doubled, {} s \
         (and as many starts killed before they were done)",
        began.elapsed().as_secs()
    );
    assert!(acknowledged > kills, "there was load");
}
