//! What the packets of a node add up to: how well it is heard, by whom, when, and how far it got.
//!
//! Nothing of this is kept: a set of packets is counted whole, since that costs little more than its bits, and looked at
//! one by one only as far as [`LOOKED_THROUGH`] and [`LOOKED_AT`] allow, newest first.

mod activity;
mod links;
mod mean;
mod paths;
mod peers;
mod stands;

use meshcore::NodeKey;
use model::{ObserverId, UnixMillis};
use roaring::RoaringBitmap;

use crate::hops::PacketsOf;
use crate::hops::token::Token;
use crate::index::Index;
use crate::observations::ObservationRow;

pub use activity::{NodeActivity, Signal, Silence};
pub use links::{DirectObserver, NodeLink, NodeLinks};
pub use mean::Mean;
pub use paths::{NodePath, NodePaths};
pub use peers::{NodePeers, Peer};

/// Packets whose times, hops and counts are read: two lines of memory each, so this many take about a millisecond.
const LOOKED_THROUGH: usize = 50_000;

/// Packets whose best observation is read as well, which stands anywhere in memory: some 300 ns each.
const LOOKED_AT: usize = 1_000;

/// What the packets of a node say about how it is heard. Signals and observers are those of the best observation of
/// each packet (contract §1.5).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeHealth {
    /// Its packets.
    pub transmissions: u64,
    /// Copies of them.
    pub observations: u64,
    /// Packets first seen since the time that was asked for.
    pub recent: u64,
    /// Quarters of a decibel.
    pub snr: Mean,
    /// Hops of the packets that have any.
    pub hops: Mean,
    /// The greatest time of an observation.
    pub last_heard: Option<UnixMillis>,
    /// By number of packets, most first; of equals by id.
    pub observers: Vec<ObserverShare>,
    /// Whether only a part of the packets was looked at: counts are exact, unless there are very many, and signals and
    /// observers are those of the newest.
    pub bounded: bool,
}

/// What an observer has heard of the packets of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObserverShare {
    /// Who.
    pub observer: ObserverId,
    /// Packets of which its observation is the best one.
    pub packets: u32,
    /// Of these observations, in quarters of a decibel.
    pub snr: Mean,
    /// Of these observations, in dBm.
    pub rssi: Mean,
    /// The least time of these observations.
    pub first: UnixMillis,
    /// The greatest time of these observations.
    pub last: UnixMillis,
}

impl Index {
    /// Only the adverts of a node. None for a node that is not known.
    pub fn packets_by(&self, key: &NodeKey) -> PacketsOf {
        let rows = self.nodes.get(key).map_or(&[][..], |node| &node.history.adverts);
        let rows = RoaringBitmap::from_sorted_iter(rows.iter().copied()).expect("rows rise");
        PacketsOf { rows, bounded: false }
    }

    /// Those of the packets that were first seen after `since`.
    pub fn packets_since(&self, packets: &PacketsOf, since: UnixMillis) -> PacketsOf {
        let recent = self.transmissions.first_seen_between(since, UnixMillis(i64::MAX));
        PacketsOf { rows: &packets.rows & recent, bounded: packets.bounded }
    }

    /// How well a node is heard by these packets of it; `recent_from` says from when on packets are recent.
    pub fn node_health(&self, packets: &PacketsOf, recent_from: UnixMillis) -> NodeHealth {
        let rows = &packets.rows;
        let mut health = NodeHealth { transmissions: rows.len(), ..NodeHealth::default() };
        let mut shares = Shares::default();
        for (place, row) in rows.iter().rev().take(LOOKED_THROUGH).enumerate() {
            let state = self.transmissions.state(row);
            health.observations += u64::from(state.observations);
            health.recent += u64::from(self.transmissions.first_seen(row) >= recent_from);
            health.last_heard = health.last_heard.max(Some(state.latest));
            health.hops.add((state.best_hops > 0).then_some(i64::from(state.best_hops)));
            if place < LOOKED_AT {
                let best = self.observations.get(state.best);
                health.snr.add(best.snr.map(|snr| i64::from(snr.0)));
                shares.add(&best);
            }
        }
        health.observers = shares.ranked();
        health.bounded = packets.bounded || rows.len() > LOOKED_AT as u64;
        health
    }

    /// The size of the longest hash, two or three bytes, by which paths name whoever has this key; 0 when none does. What is
    /// named so relays packets whose sender asked for more than one byte.
    pub fn longest_hop_hash(&self, key: &NodeKey) -> u8 {
        let is_named = |size: &u8| self.hop_book.posting(Token::new(&key.0[..usize::from(*size)])).is_some();
        [3, 2].into_iter().find(is_named).unwrap_or(0)
    }

    pub(crate) fn best_observation(&self, row: u32) -> ObservationRow {
        self.observations.get(self.transmissions.state(row).best)
    }
}

/// Shares by the observer's id, which is a small number.
#[derive(Default)]
struct Shares {
    by_observer: Vec<Option<ObserverShare>>,
}

impl Shares {
    fn add(&mut self, best: &ObservationRow) {
        let place = usize::from(best.observer);
        if place >= self.by_observer.len() {
            self.by_observer.resize(place + 1, None);
        }
        let share = self.by_observer[place].get_or_insert(ObserverShare {
            observer: ObserverId(best.observer),
            packets: 0,
            snr: Mean::default(),
            rssi: Mean::default(),
            first: best.time,
            last: best.time,
        });
        share.packets += 1;
        share.snr.add(best.snr.map(|snr| i64::from(snr.0)));
        share.rssi.add(best.rssi.map(i64::from));
        share.first = share.first.min(best.time);
        share.last = share.last.max(best.time);
    }

    fn ranked(self) -> Vec<ObserverShare> {
        let mut ranked: Vec<ObserverShare> = self.by_observer.into_iter().flatten().collect();
        ranked.sort_unstable_by_key(|share| (std::cmp::Reverse(share.packets), share.observer));
        ranked
    }
}
