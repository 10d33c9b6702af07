//! Observers: nodes that publish what they hear, and now and then how they are.

use meshcore::{Frame, Hex, Role};
use model::UnixMillis;

use crate::air::Copy;
use crate::config::SimConfig;
use crate::dialect::{Author, Counters, Dialect};
use crate::mesh::SimMessage;
use crate::rng::Rng;
use crate::world::{NodeIndex, World};

const MODELS: &[&str] = &["Heltec V3", "RAK4631", "T-Beam Supreme", "Station G2", "XIAO nRF52"];
const FIRMWARES: &[&str] = &["v1.17.1", "v1.17.0", "v1.16.0", "v1.14.1"];

pub(crate) struct Observer {
    author: Author,
    packets_topic: String,
    status_topic: String,
    booted: UnixMillis,
    counters: Counters,
}

impl Observer {
    pub(crate) fn new(config: &SimConfig, world: &World, node: NodeIndex, rng: &mut Rng) -> Observer {
        let node = world.node(node);
        let key = format!("{:X}", Hex(&node.key.0));
        let region = config.areas.get(node.area).map_or("XXX", |area| area.code);
        let dialect = match rng.below(10) {
            0..5 => Dialect::MeshcoreToMqtt,
            5..8 => Dialect::PacketCapture,
            _ => Dialect::Native,
        };
        let booted = config.start.plus_ms(-rng.between(3_600_000, 30 * 86_400_000));
        let counters = Counters {
            battery_mv: rng.between(3600, 4200) as u32,
            uptime_secs: 0,
            noise_floor_dbm: rng.between(-120, -104) as i32,
            tx_air_secs: rng.below(9000) as u64,
            rx_air_secs: rng.below(90_000) as u64,
            recv_errors: rng.below(900) as u64,
            packets_sent: rng.below(9000) as u64,
            packets_recv: rng.below(90_000) as u64,
        };
        let author = Author {
            dialect,
            // Display of a JSON value is its JSON text.
            name_json: serde_json::Value::from(node.name.as_str()).to_string(),
            model: rng.pick(MODELS),
            firmware: rng.pick(FIRMWARES),
            repeats: node.role == Role::Repeater,
            key,
        };
        Observer {
            packets_topic: format!("meshcore/{region}/{}/packets", author.key),
            status_topic: format!("meshcore/{region}/{}/status", author.key),
            author,
            booted,
            counters,
        }
    }

    /// The message about a copy of a packet that was sent at `sent`; `None` if it is no frame.
    pub(crate) fn packet(&mut self, sent: UnixMillis, copy: &Copy, rng: &mut Rng) -> Option<SimMessage> {
        let frame = Frame::parse(&copy.frame).ok()?;
        self.counters.packets_recv += 1;
        let heard = sent.plus_ms(copy.after_ms);
        let payload = self.author.packet(heard, &copy.frame, &frame, copy.signal);
        // From the node by cable and network.
        let time = heard.plus_ms(rng.between(20, 250));
        Some(SimMessage { time, topic: self.packets_topic.clone(), payload })
    }

    pub(crate) fn status(&mut self, time: UnixMillis, interval_secs: u32, rng: &mut Rng) -> SimMessage {
        let counters = &mut self.counters;
        let secs = u64::from(interval_secs);
        counters.uptime_secs = (time.0 - self.booted.0) / 1000;
        counters.battery_mv = (i64::from(counters.battery_mv) + rng.between(-3, 4)).clamp(3300, 4200) as u32;
        counters.noise_floor_dbm = (counters.noise_floor_dbm + rng.between(-1, 2) as i32).clamp(-122, -98);
        counters.rx_air_secs += secs / 20 + rng.below(5) as u64;
        counters.recv_errors += rng.below(3) as u64;
        if self.author.repeats {
            counters.tx_air_secs += secs / 60 + rng.below(3) as u64;
            counters.packets_sent += rng.below(30) as u64;
        }
        let payload = self.author.status(time, counters);
        SimMessage { time: time.plus_ms(rng.between(20, 250)), topic: self.status_topic.clone(), payload }
    }
}
