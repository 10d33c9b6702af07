//! What people and nodes send: scenes of one or a few packets that belong together.

use meshcore::{
    AppData, ChannelKey, DiscoverRequest, DiscoverResponse, NodeName, PayloadBuf, PayloadType, Role,
};
use model::UnixMillis;

use crate::air::{ADVERT_HOPS, FLOOD_HOPS, Sending, Way, route};
use crate::rng::Rng;
use crate::words;
use crate::world::{NodeIndex, World};

/// Packets that follow from one another: each with the milliseconds that it is sent after the first.
pub(crate) type Scene = Vec<(i64, Sending)>;

/// The channels that are written to, by how often, of 100 texts.
const CHANNELS: &[(&str, usize)] =
    &[("Public", 45), ("#test", 15), ("#bot", 15), ("#bay", 15), ("private", 10)];

pub(crate) struct Traffic {
    channels: Vec<(&'static str, ChannelKey, usize)>,
}

impl Traffic {
    pub(crate) fn new(rng: &mut Rng) -> Traffic {
        let private: [u8; 16] = rng.bytes();
        let key = |name| match name {
            "Public" => ChannelKey::public(),
            "private" => ChannelKey::from_bytes(&private).unwrap_or_else(|_| ChannelKey::public()),
            hashtag => ChannelKey::hashtag(hashtag),
        };
        Traffic { channels: CHANNELS.iter().map(|(name, share)| (*name, key(*name), *share)).collect() }
    }

    /// Something happens; the shares are roughly those of the capture beside this crate.
    pub(crate) fn scene(&self, world: &World, rng: &mut Rng, now: UnixMillis) -> Scene {
        let any = rng.below(world.nodes.len()) as NodeIndex;
        match rng.below(1000) {
            0..330 => self.group_text(world, rng, now),
            330..520 => advert(world, any, Way::Flood { max_hops: ADVERT_HOPS }, now),
            520..560 => advert(world, any, Way::Direct { repeaters: Vec::new() }, now),
            560..700 => direct_message(world, rng),
            700..850 => request(world, rng),
            850..890 => login(world, rng),
            890..910 => trace(world, rng),
            910..940 => discovery(world, rng, any),
            940..960 => self.group_data(world, rng),
            960..980 => one(any, multi_ack(rng), Way::Flood { max_hops: FLOOD_HOPS }),
            980..985 => {
                let bytes = random_bytes(rng, 8);
                one(any, payload(PayloadType::RawCustom, bytes), Way::Direct { repeaters: Vec::new() })
            }
            _ => self.group_text(world, rng, now),
        }
    }

    fn group_text(&self, world: &World, rng: &mut Rng, now: UnixMillis) -> Scene {
        let sender = companion(world, rng);
        let (channel, key) = self.channel(rng);
        let text = words::channel_text(rng, channel);
        let name = NodeName::cut(&world.node(sender).name, 32);
        let payload = key.encrypt_message(unix_seconds(now), name, &text).ok();
        one(sender, payload, Way::Flood { max_hops: FLOOD_HOPS })
    }

    fn group_data(&self, world: &World, rng: &mut Rng) -> Scene {
        let sender = companion(world, rng);
        let (_, key) = self.channel(rng);
        let data: [u8; 12] = rng.bytes();
        one(sender, key.encrypt_data(0xFF01, &data).ok(), Way::Flood { max_hops: FLOOD_HOPS })
    }

    fn channel(&self, rng: &mut Rng) -> (&'static str, &ChannelKey) {
        let mut left = rng.below(100);
        for (name, key, share) in &self.channels {
            if left < *share {
                return (name, key);
            }
            left -= share;
        }
        (self.channels[0].0, &self.channels[0].1)
    }
}

fn advert(world: &World, node: NodeIndex, way: Way, now: UnixMillis) -> Scene {
    let node_of = world.node(node);
    let mut app = AppData::new(node_of.role);
    if node_of.shares_location {
        app = app.with_location(node_of.location);
    }
    let name = NodeName::cut(&node_of.name, app.max_name_bytes());
    let payload = app.with_name(name).and_then(|app| node_of.identity.advert(unix_seconds(now), &app));
    one(node, payload.ok(), way)
}

/// A text between two people: by flood while the way is not known, and then acknowledged by the way it took; else
/// along the way, and with a plain acknowledgement.
fn direct_message(world: &World, rng: &mut Rng) -> Scene {
    let (from, to) = (companion(world, rng), companion(world, rng));
    let blocks = 1 + rng.below(5);
    let text = sealed(rng, PayloadType::Text, world, to, from, blocks);
    let checksum: [u8; 6] = rng.bytes();
    match route(world, from, to).filter(|_| rng.chance(0.6)) {
        Some(way) => {
            let back = way.iter().rev().copied().collect();
            let ack = payload(PayloadType::Ack, checksum.to_vec());
            let reply = (3000, to, ack, Way::Direct { repeaters: back });
            scene([(0, from, text, Way::Direct { repeaters: way }), reply])
        }
        None => {
            let path = sealed(rng, PayloadType::PathReturn, world, from, to, 1);
            let reply = (4000, to, path, Way::Flood { max_hops: FLOOD_HOPS });
            scene([(0, from, text, Way::Flood { max_hops: FLOOD_HOPS }), reply])
        }
    }
}

/// A companion asks a repeater, room or sensor for its state.
fn request(world: &World, rng: &mut Rng) -> Scene {
    let (from, to) = (companion(world, rng), server(world, rng));
    let ask = sealed(rng, PayloadType::Request, world, to, from, 1);
    let answer_blocks = 1 + rng.below(5);
    let answer = sealed(rng, PayloadType::Response, world, from, to, answer_blocks);
    match route(world, from, to).filter(|_| rng.chance(0.7)) {
        Some(way) => {
            let back = way.iter().rev().copied().collect();
            let reply = (2500, to, answer, Way::Direct { repeaters: back });
            scene([(0, from, ask, Way::Direct { repeaters: way }), reply])
        }
        None => {
            let reply = (3500, to, answer, Way::Flood { max_hops: FLOOD_HOPS });
            scene([(0, from, ask, Way::Flood { max_hops: FLOOD_HOPS }), reply])
        }
    }
}

/// A companion logs in to a room or repeater, with its whole key in clear.
fn login(world: &World, rng: &mut Rng) -> Scene {
    let (from, to) = (companion(world, rng), server(world, rng));
    let mut bytes = vec![world.node(to).key.0[0]];
    bytes.extend(world.node(from).key.0);
    bytes.extend(random_bytes(rng, 2 + 16));
    let path = sealed(rng, PayloadType::PathReturn, world, from, to, 2);
    scene([
        (0, from, payload(PayloadType::AnonRequest, bytes), Way::Flood { max_hops: FLOOD_HOPS }),
        (4000, to, path, Way::Flood { max_hops: FLOOD_HOPS }),
    ])
}

fn trace(world: &World, rng: &mut Rng) -> Scene {
    let (from, to) = (companion(world, rng), server(world, rng));
    let Some(mut way) = route(world, from, to) else { return Scene::new() };
    // There and back again.
    way.extend(way.clone().into_iter().rev().skip(1));
    way.truncate(40);
    let mut bytes = random_bytes(rng, 4);
    bytes.extend([0; 5]);
    bytes.extend(way.iter().map(|node| world.node(*node).key.0[0]));
    one(from, payload(PayloadType::Trace, bytes), Way::Trace { repeaters: way })
}

fn discovery(world: &World, rng: &mut Rng, from: NodeIndex) -> Scene {
    let tag = rng.next() as u32;
    let request =
        DiscoverRequest { prefix_only: false, filter: 1 << Role::Repeater.code(), tag, since: None };
    let to_neighbours = || Way::Direct { repeaters: Vec::new() };
    let mut scene = one(from, Some(request.to_buf()), to_neighbours());
    for (i, link) in world.repeaters[from as usize].iter().take(3).enumerate() {
        let Some(signal) = link.receive(rng) else { continue };
        let node = world.node(link.to);
        let (role, snr_quarter_db) = (node.role, signal.snr_quarter_db);
        let response = DiscoverResponse { role, snr_quarter_db, tag, key: &node.key.0 };
        if let Ok(payload) = response.to_buf() {
            scene.push((800 * (i as i64 + 1), Sending { origin: link.to, payload, way: to_neighbours() }));
        }
    }
    scene
}

fn multi_ack(rng: &mut Rng) -> Option<PayloadBuf> {
    let mut bytes = vec![PayloadType::Ack.code() | 1 << 4];
    bytes.extend(random_bytes(rng, 6));
    payload(PayloadType::Multipart, bytes)
}

/// A packet for one node. Nobody but the two can tell its blocks from random ones, so they are random.
fn sealed(
    rng: &mut Rng,
    payload_type: PayloadType,
    world: &World,
    to: NodeIndex,
    from: NodeIndex,
    blocks: usize,
) -> Option<PayloadBuf> {
    let mut bytes = vec![world.node(to).key.0[0], world.node(from).key.0[0]];
    bytes.extend(random_bytes(rng, 2 + 16 * blocks));
    payload(payload_type, bytes)
}

fn payload(payload_type: PayloadType, bytes: Vec<u8>) -> Option<PayloadBuf> {
    PayloadBuf::new(payload_type, bytes).ok()
}

fn random_bytes(rng: &mut Rng, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    rng.fill(&mut bytes);
    bytes
}

fn one(origin: NodeIndex, payload: Option<PayloadBuf>, way: Way) -> Scene {
    payload.map(|payload| (0, Sending { origin, payload, way })).into_iter().collect()
}

fn scene<const N: usize>(parts: [(i64, NodeIndex, Option<PayloadBuf>, Way); N]) -> Scene {
    let sending = |(after, origin, payload, way)| Some((after, Sending { origin, payload: payload?, way }));
    parts.into_iter().filter_map(sending).collect()
}

fn companion(world: &World, rng: &mut Rng) -> NodeIndex {
    if world.companions.is_empty() {
        return rng.below(world.nodes.len()) as NodeIndex;
    }
    rng.pick(&world.companions)
}

/// Anyone but a companion, if luck will have it.
fn server(world: &World, rng: &mut Rng) -> NodeIndex {
    let tries: [NodeIndex; 8] = std::array::from_fn(|_| rng.below(world.nodes.len()) as NodeIndex);
    tries.into_iter().find(|node| world.node(*node).role != Role::Companion).unwrap_or(tries[0])
}

fn unix_seconds(time: UnixMillis) -> u32 {
    u32::try_from(time.secs()).unwrap_or(0)
}
