//! What happens to a frame after it is sent: who hears it, who repeats it, by which way it reaches the observers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use meshcore::{FrameBuilder, PathBuf, PayloadBuf, Route, TransportCodes};

use crate::rng::Rng;
use crate::world::{NodeIndex, Signal, World};

/// Adverts are repeated this often by default.
pub(crate) const ADVERT_HOPS: usize = 8;
/// All other floods stop when the path is full.
pub(crate) const FLOOD_HOPS: usize = 63;

/// How a packet is sent.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Everywhere, or within the sender's scope if it has one.
    Flood { max_hops: usize },
    /// Along these repeaters, then to whom it is meant for; along none it goes to the neighbours only.
    Direct { repeaters: Vec<NodeIndex> },
    /// Along these repeaters, each noting the signal at which it heard the packet.
    Trace { repeaters: Vec<NodeIndex> },
}

/// A packet to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) origin: NodeIndex,
    pub(crate) payload: PayloadBuf,
    pub(crate) way: Way,
}

/// An observer heard a copy.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    /// Place in [`World::observers`].
    pub(crate) observer: usize,
    /// Milliseconds after the packet was sent.
    pub(crate) after_ms: i64,
    pub(crate) signal: Signal,
    /// The frame as heard.
    pub(crate) frame: Vec<u8>,
    /// The repeaters that it had passed, in order.
    pub(crate) passed: Vec<NodeIndex>,
}

/// Room to work in, kept between packets.
#[derive(Default)]
pub(crate) struct Air {
    /// Of each node: in which flood it last heard something.
    heard_in: Vec<u32>,
    /// Of each node: from whom it heard that.
    from: Vec<NodeIndex>,
    flood: u32,
    queue: BinaryHeap<Reverse<(i64, NodeIndex, u32)>>,
}

impl Air {
    /// Sends a packet; `keep` is the share of copies that observers pass on.
    pub(crate) fn send(&mut self, world: &World, rng: &mut Rng, sending: &Sending, keep: f64) -> Vec<Copy> {
        match &sending.way {
            Way::Flood { max_hops } => self.flood(world, rng, sending, *max_hops, keep),
            Way::Direct { repeaters } => direct(world, rng, sending, repeaters, keep),
            Way::Trace { repeaters } => trace(world, rng, sending, repeaters, keep),
        }
    }

    fn flood(
        &mut self,
        world: &World,
        rng: &mut Rng,
        sending: &Sending,
        max_hops: usize,
        keep: f64,
    ) -> Vec<Copy> {
        let scope = world.node(sending.origin).scope;
        let codes = scope.map(|key| key.codes_for(sending.payload.payload_type(), sending.payload.bytes()));
        self.heard_in.resize(world.nodes.len(), 0);
        self.from.resize(world.nodes.len(), 0);
        self.flood += 1;
        let airtime = airtime_ms(sending.payload.bytes().len());
        let hash_size = world.node(sending.origin).hash_size;
        let room = usize::from(64 / hash_size).min(max_hops).min(63);
        self.heard_in[sending.origin as usize] = self.flood;
        self.queue.clear();
        self.queue.push(Reverse((airtime, sending.origin, 0)));
        let mut copies = Vec::new();
        while let Some(Reverse((at, sender, hops))) = self.queue.pop() {
            let heard = hear(world, rng, sender, keep);
            if !heard.is_empty() {
                let passed = self.way_to(sender, hops);
                let frame = flood_frame(world, sending, codes, hash_size, &passed);
                copies.extend(heard.into_iter().map(|(observer, signal)| {
                    let (frame, passed) = (frame.clone(), passed.clone());
                    Copy { observer, after_ms: at, signal, frame, passed }
                }));
            }
            if hops as usize >= room {
                continue;
            }
            for link in &world.repeaters[sender as usize] {
                if self.heard_in[link.to as usize] == self.flood || link.receive(rng).is_none() {
                    continue;
                }
                self.heard_in[link.to as usize] = self.flood;
                self.from[link.to as usize] = sender;
                // Repeaters wait a random while, so as not to talk over each other.
                let wait = rng.between(100, 1500);
                self.queue.push(Reverse((at + wait + airtime, link.to, hops + 1)));
            }
        }
        copies
    }

    /// The repeaters from the origin to this node, which is the last.
    fn way_to(&self, node: NodeIndex, hops: u32) -> Vec<NodeIndex> {
        let mut way = Vec::with_capacity(hops as usize);
        let mut node = node;
        for _ in 0..hops {
            way.push(node);
            node = self.from[node as usize];
        }
        way.reverse();
        way
    }
}

fn flood_frame(
    world: &World,
    sending: &Sending,
    codes: Option<TransportCodes>,
    hash_size: u8,
    passed: &[NodeIndex],
) -> Vec<u8> {
    let path = path_of(world, hash_size, passed);
    let builder = FrameBuilder::new(Route::Flood, &sending.payload).path(path.as_path());
    codes.map_or(builder, |codes| builder.transport_codes(codes)).encode()
}

fn direct(world: &World, rng: &mut Rng, sending: &Sending, repeaters: &[NodeIndex], keep: f64) -> Vec<Copy> {
    let hash_size = if repeaters.is_empty() { 1 } else { world.node(sending.origin).hash_size };
    let airtime = airtime_ms(sending.payload.bytes().len());
    let mut copies = Vec::new();
    let mut at = airtime;
    for done in 0..=repeaters.len() {
        let sender = if done == 0 { sending.origin } else { repeaters[done - 1] };
        let path = path_of(world, hash_size, &repeaters[done..]);
        let frame = FrameBuilder::new(Route::Direct, &sending.payload).path(path.as_path()).encode();
        copies.extend(hear(world, rng, sender, keep).into_iter().map(|(observer, signal)| Copy {
            observer,
            after_ms: at,
            signal,
            frame: frame.clone(),
            passed: repeaters[..done].to_vec(),
        }));
        at += airtime + rng.between(20, 200);
    }
    copies
}

fn trace(world: &World, rng: &mut Rng, sending: &Sending, repeaters: &[NodeIndex], keep: f64) -> Vec<Copy> {
    let airtime = airtime_ms(sending.payload.bytes().len());
    let mut copies = Vec::new();
    let mut snrs = Vec::new();
    let mut at = airtime;
    for done in 0..=repeaters.len() {
        let sender = if done == 0 { sending.origin } else { repeaters[done - 1] };
        if let Ok(path) = PathBuf::from_snrs(&snrs) {
            let frame = FrameBuilder::new(Route::Direct, &sending.payload).path(path.as_path()).encode();
            copies.extend(hear(world, rng, sender, keep).into_iter().map(|(observer, signal)| Copy {
                observer,
                after_ms: at,
                signal,
                frame: frame.clone(),
                passed: repeaters[..done].to_vec(),
            }));
        }
        let Some(next) = repeaters.get(done) else { break };
        let link = world.repeaters[sender as usize].iter().find(|link| link.to == *next);
        let Some(signal) = link.and_then(|link| link.receive(rng)) else { break };
        snrs.push(signal.snr_quarter_db);
        at += airtime + rng.between(20, 200);
    }
    copies
}

/// The observers that hear this node now, with what they measure.
fn hear(world: &World, rng: &mut Rng, sender: NodeIndex, keep: f64) -> Vec<(usize, Signal)> {
    let mut heard = Vec::new();
    for link in &world.listeners[sender as usize] {
        if let Some(signal) = link.receive(rng)
            && rng.chance(keep)
        {
            heard.push((link.to as usize, signal));
        }
    }
    heard
}

/// Those of the nodes' hashes that fit.
fn path_of(world: &World, hash_size: u8, nodes: &[NodeIndex]) -> PathBuf {
    let mut path = PathBuf::new(hash_size).unwrap_or_else(|_| PathBuf::new(1).expect("1 is a hash size"));
    for node in nodes {
        if path.push_key(&world.node(*node).key).is_err() {
            break;
        }
    }
    path
}

/// The fewest repeaters from one node to another that can forward a packet; `None` when there is no way, or a long one.
pub(crate) fn route(world: &World, from: NodeIndex, to: NodeIndex) -> Option<Vec<NodeIndex>> {
    const GOOD_DB: f32 = -6.0;
    const MAX_REPEATERS: usize = 20;
    let reaches = |a: NodeIndex, b: NodeIndex| {
        // Links are the same in both directions, so a repeater that hears the receiver is heard by it.
        world.repeaters[b as usize].iter().any(|link| link.to == a && link.margin_db > GOOD_DB)
    };
    let mut came_from: Vec<Option<NodeIndex>> = vec![None; world.nodes.len()];
    let mut queue = VecDeque::from([from]);
    came_from[from as usize] = Some(from);
    while let Some(node) = queue.pop_front() {
        if node != from && reaches(node, to) {
            let mut way = vec![node];
            let mut last = node;
            while let Some(before) = came_from[last as usize].filter(|before| *before != from) {
                way.push(before);
                last = before;
            }
            way.reverse();
            return (way.len() <= MAX_REPEATERS).then_some(way);
        }
        for link in &world.repeaters[node as usize] {
            if link.margin_db > GOOD_DB && link.to != to && came_from[link.to as usize].is_none() {
                came_from[link.to as usize] = Some(node);
                queue.push_back(link.to);
            }
        }
    }
    None
}

/// Milliseconds on air at 62.5 kHz and spreading factor 8, near enough.
pub(crate) fn airtime_ms(payload_bytes: usize) -> i64 {
    100 + 5 * payload_bytes as i64
}
