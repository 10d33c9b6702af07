//! When a node was heard of, how far its packets got, and with what signal.

use std::collections::BTreeMap;

use meshcore::PayloadType;
use model::{ObserverId, SnrQuarterDb, UnixMillis};

use super::{LOOKED_AT, LOOKED_THROUGH, Mean, ObserverShare, Shares};
use crate::hops::PacketsOf;
use crate::index::Index;

/// What the packets of a node say about a span of time. Times are those at which packets were first seen; hops, signals
/// and observers those of the best observation of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeActivity {
    /// Packets.
    pub packets: u64,
    /// Packets by hour, rising; hours without any are left out.
    pub hours: Vec<(UnixMillis, u32)>,
    /// Packets by type, by code.
    pub types: Vec<(PayloadType, u64)>,
    /// Packets by hops: 0, 1, 2, 3, and 4 or more.
    pub hops: [u64; 5],
    /// The longest time between two packets that follow each other.
    pub longest_silence: Option<Silence>,
    /// Signals in the order of time.
    pub signals: Vec<Signal>,
    /// Of these, in quarters of a decibel.
    pub snr: Mean,
    /// By number of packets, most first.
    pub observers: Vec<ObserverShare>,
    /// Whether only a part of the packets was looked at: signals and observers are then those of the newest.
    pub bounded: bool,
}

/// A time without packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The last packet before it.
    pub from: UnixMillis,
    /// Its length in milliseconds.
    pub ms: i64,
}

/// How strong a packet arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// When.
    pub time: UnixMillis,
    /// At whom.
    pub observer: ObserverId,
    /// Signal-to-noise ratio, where the observer gave one.
    pub snr: Option<SnrQuarterDb>,
    /// Received signal strength in dBm, where the observer gave one.
    pub rssi: Option<i16>,
}

const HOUR_MS: i64 = 3_600_000;

impl Index {
    /// What happened in these packets of a node.
    pub fn node_activity(&self, packets: &PacketsOf) -> NodeActivity {
        let rows = &packets.rows;
        let mut activity = NodeActivity { packets: rows.len(), ..NodeActivity::default() };
        let types = self
            .postings
            .types
            .iter()
            .zip(0..)
            .map(|(of_type, code)| (PayloadType::from_bits(code), of_type.intersection_len(rows)));
        activity.types = types.filter(|(_, packets)| *packets > 0).collect();

        let mut times = Vec::with_capacity(rows.len().min(LOOKED_THROUGH as u64) as usize);
        for row in rows.iter().rev().take(LOOKED_THROUGH) {
            times.push(self.transmissions.first_seen(row));
            activity.hops[usize::from(self.transmissions.state(row).best_hops).min(4)] += 1;
        }
        times.sort_unstable();
        activity.hours = by_hour(&times);
        activity.longest_silence = longest_silence(&times);

        let mut shares = Shares::default();
        for row in rows.iter().rev().take(LOOKED_AT) {
            let best = self.best_observation(row);
            shares.add(&best);
            activity.snr.add(best.snr.map(|snr| i64::from(snr.0)));
            let (time, observer) = (best.time, ObserverId(best.observer));
            if best.snr.is_some() || best.rssi.is_some() {
                activity.signals.push(Signal { time, observer, snr: best.snr, rssi: best.rssi });
            }
        }
        activity.signals.sort_by_key(|signal| (signal.time, signal.observer));
        activity.observers = shares.ranked();
        activity.bounded = packets.bounded || rows.len() > LOOKED_AT as u64;
        activity
    }
}

fn by_hour(times: &[UnixMillis]) -> Vec<(UnixMillis, u32)> {
    let mut hours: BTreeMap<i64, u32> = BTreeMap::new();
    for time in times {
        *hours.entry(time.0.div_euclid(HOUR_MS)).or_default() += 1;
    }
    hours.into_iter().map(|(hour, packets)| (UnixMillis(hour * HOUR_MS), packets)).collect()
}

/// Of several the first; `times` rise.
fn longest_silence(times: &[UnixMillis]) -> Option<Silence> {
    let gaps = times.windows(2).map(|pair| Silence { from: pair[0], ms: pair[1].0 - pair[0].0 });
    gaps.filter(|silence| silence.ms > 0).reduce(
        |longest, silence| {
            if silence.ms > longest.ms { silence } else { longest }
        },
    )
}
