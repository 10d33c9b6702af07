//! The mesh at work: an endless stream of what its observers publish.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use meshcore::{Frame, Location, NodeKey, PacketHash, Role};
use model::UnixMillis;

use crate::air::{Air, Sending};
use crate::config::SimConfig;
use crate::observer::Observer;
use crate::rng::Rng;
use crate::traffic::Traffic;
use crate::truth::{Truth, TruthLog};
use crate::world::{NodeIndex, World};

/// How many packets are tried to find out how many copies of one reach observers.
const TRIAL_PACKETS: usize = 400;

/// A message as an observer publishes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimMessage {
    /// When it is published; a little later than the time inside.
    pub time: UnixMillis,
    /// Such as `meshcore/SFO/{KEY}/packets`.
    pub topic: String,
    /// A JSON object.
    pub payload: String,
}

/// A node of the mesh, as it truly is.
#[derive(Clone, Debug, PartialEq)]
pub struct SimNode {
    /// Its public key.
    pub key: NodeKey,
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Where it is, whether or not its adverts say so.
    pub location: Location,
    /// How many bytes of hash it wants in paths: 1 to 3.
    pub hash_size: u8,
    /// The code of its area.
    pub region: &'static str,
    /// Whether it publishes what it hears.
    pub observes: bool,
}

/// A synthetic mesh: see the crate's documentation. It never ends.
pub struct Mesh {
    config: SimConfig,
    world: World,
    traffic: Traffic,
    air: Air,
    rng: Rng,
    observers: Vec<Observer>,
    /// The share of copies that is passed on.
    keep: f64,
    events: BinaryHeap<Reverse<(UnixMillis, Event)>>,
    /// Messages not out yet, by time and then in the order in which they were made.
    pending: BinaryHeap<Reverse<(UnixMillis, u64, SimMessage)>>,
    made: u64,
    truth: TruthLog,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Status(usize),
    Scene,
}

impl Mesh {
    /// Builds the mesh; this takes some milliseconds for hundreds of nodes.
    pub fn new(config: SimConfig) -> Mesh {
        let mut rng = Rng::new(config.seed);
        let world = World::new(&config, &mut rng);
        let traffic = Traffic::new(&mut rng);
        let observers: Vec<Observer> =
            world.observers.iter().map(|node| Observer::new(&config, &world, *node, &mut rng)).collect();
        let mut air = Air::default();
        let keep = share_to_keep(&config, &world, &traffic, &mut air, rng.clone());
        let mut events = BinaryHeap::from([Reverse((config.start, Event::Scene))]);
        for place in 0..observers.len() {
            // All come online within the first seconds.
            events.push(Reverse((config.start.plus_ms(rng.between(0, 2000)), Event::Status(place))));
        }
        let truth = TruthLog::new(config.keep_truth);
        let pending = BinaryHeap::new();
        Mesh { config, world, traffic, air, rng, observers, keep, events, pending, made: 0, truth }
    }

    /// The nodes of the mesh.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = SimNode> + '_ {
        self.world.nodes.iter().enumerate().map(|(place, node)| SimNode {
            key: node.key,
            name: node.name.clone(),
            role: node.role,
            location: node.location,
            hash_size: node.hash_size,
            region: self.config.areas.get(node.area).map_or("XXX", |area| area.code),
            observes: self.world.observers.contains(&(place as NodeIndex)),
        })
    }

    /// The ways that the copies of a packet truly took, if it is one of the latest
    /// [`keep_truth`](SimConfig::keep_truth).
    pub fn truth(&self, hash: PacketHash) -> Option<Truth> {
        self.truth.get(&self.world, hash)
    }

    /// The latest packets of which the truth is known, oldest first.
    pub fn known_truths(&self) -> impl Iterator<Item = Truth> + '_ {
        self.truth.all(&self.world)
    }

    fn happen(&mut self, time: UnixMillis, event: Event) {
        match event {
            Event::Status(place) => {
                let interval_secs = self.config.status_interval_secs.max(1);
                let message = self.observers[place].status(time, interval_secs, &mut self.rng);
                self.publish(message);
                let interval_ms = 1000 * i64::from(interval_secs);
                // Not quite on the beat, as clocks drift.
                let next = time.plus_ms(interval_ms + self.rng.between(0, 1 + interval_ms / 100));
                self.events.push(Reverse((next, event)));
            }
            Event::Scene => {
                let scene = self.traffic.scene(&self.world, &mut self.rng, time);
                let packets = scene.len();
                for (after_ms, sending) in scene {
                    self.send(time.plus_ms(after_ms), &sending);
                }
                let mean_gap_ms = 3_600_000.0 / self.config.packets_per_hour.max(1e-3);
                let gap_ms = self.rng.gap(mean_gap_ms * packets as f64);
                self.events.push(Reverse((time.plus_ms(gap_ms.round() as i64), event)));
            }
        }
    }

    fn send(&mut self, sent: UnixMillis, sending: &Sending) {
        let copies = self.air.send(&self.world, &mut self.rng, sending, self.keep);
        for copy in &copies {
            let message = self.observers[copy.observer].packet(sent, copy, &mut self.rng);
            if let Some(message) = message {
                self.publish(message);
            }
        }
        if self.config.keep_truth > 0 {
            for copy in copies {
                if let Ok(frame) = Frame::parse(&copy.frame) {
                    let hash = frame.content_hash();
                    self.truth.note(hash, sending.origin, sent, self.world.observers[copy.observer], copy);
                }
            }
        }
    }

    fn publish(&mut self, message: SimMessage) {
        self.made += 1;
        self.pending.push(Reverse((message.time, self.made, message)));
    }
}

impl Iterator for Mesh {
    type Item = SimMessage;

    fn next(&mut self) -> Option<SimMessage> {
        loop {
            let next_event = self.events.peek().map(|Reverse((time, _))| *time);
            // Nothing that is still to happen can be published before it happens.
            let due = |pending: &Reverse<(UnixMillis, u64, SimMessage)>| {
                next_event.is_none_or(|t| pending.0.0 <= t)
            };
            if self.pending.peek().is_some_and(due) {
                return self.pending.pop().map(|Reverse((_, _, message))| message);
            }
            let Reverse((time, event)) = self.events.pop()?;
            self.happen(time, event);
        }
    }
}

/// The share of copies to pass on so that a packet of which any copy is passed on has the wanted number on average.
fn share_to_keep(config: &SimConfig, world: &World, traffic: &Traffic, air: &mut Air, mut rng: Rng) -> f64 {
    let mut copies = Vec::new();
    while copies.len() < TRIAL_PACKETS {
        for (_, sending) in traffic.scene(world, &mut rng, config.start) {
            copies.push(air.send(world, &mut rng, &sending, 1.0).len());
        }
    }
    let mean = |share: f64| {
        let passed_on = share * copies.iter().sum::<usize>() as f64;
        let none_passed_on = |count: usize| (0..count).fold(1.0, |chance, _| chance * (1.0 - share));
        let heard: f64 = copies.iter().map(|count| 1.0 - none_passed_on(*count)).sum();
        passed_on / heard.max(1e-9)
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..30 {
        let middle = (low + high) / 2.0;
        if mean(middle) < config.observations_per_packet { low = middle } else { high = middle }
    }
    high
}
