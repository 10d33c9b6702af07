//! Whom a node hears, and who hears it (contract §7.12).
//!
//! In the path of a flood each station heard the one before it. So the station before a node is one that the node hears,
//! and the one after it, be it a hop or the observer, hears the node.

use std::collections::BTreeMap;

use meshcore::NodeKey;
use model::{ObserverId, UnixMillis};
use smallvec::SmallVec;

use super::Mean;
use super::stands::{After, Part, Stand, stands};
use crate::heads::Head;
use crate::hops::{HopResolver, PathReader, ReadHop};
use crate::index::Index;
use crate::view::{ObservationView, TransmissionView};

/// Ways of packets that are read at most, the newest: some microseconds each.
const MOST_WAYS: usize = 1_000;

/// Copies of a packet that are looked at: flooding brings the same one over and over.
const COPIES_OF_ONE: usize = 64;

/// The links of a node, counted by observations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeLinks {
    /// With whom, in the order of keys.
    pub links: Vec<NodeLink>,
    /// The observers that heard the node itself, by their ids.
    pub observers: Vec<DirectObserver>,
    /// Observations of packets that the node relayed.
    pub relayed: u32,
    /// Whether only the newest packets were looked at.
    pub bounded: bool,
}

/// One link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLink {
    /// The other end.
    pub key: NodeKey,
    /// How often the node heard the other.
    pub we_hear: u32,
    /// How often the other heard the node.
    pub they_hear: u32,
}

/// An observer that heard a node itself, not by way of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectObserver {
    /// Who.
    pub observer: ObserverId,
    /// How often.
    pub count: u32,
    /// In quarters of a decibel.
    pub snr: Mean,
}

/// What is counted.
#[derive(Default)]
struct Tally {
    /// We hear, they hear.
    links: BTreeMap<NodeKey, [u32; 2]>,
    observers: BTreeMap<u16, (u32, Mean)>,
    relayed: u32,
}

impl Index {
    /// The links of a node by the packets first seen after `since`: its adverts, and what it relayed by the word of the
    /// resolver. The node counts where it is more probable than not, others where they are as good as sure. Packets that
    /// were sent direct tell nothing, since their hops are ahead of them.
    pub fn node_links(&self, key: &NodeKey, since: UnixMillis, resolver: &HopResolver) -> NodeLinks {
        let [sure, ambiguous] = self.packets_with_hash_of(key, resolver);
        let rows = self.packets_since(&self.packets_by(key), since).rows
            | (sure | ambiguous) & self.transmissions.first_seen_between(since, UnixMillis(i64::MAX));
        let mut reader = PathReader::new(resolver);
        let (mut tally, mut ways_read, mut bounded) = (Tally::default(), 0, false);
        for row in rows.iter().rev() {
            let packet = TransmissionView { index: self, row };
            if packet.is_trace() {
                continue;
            }
            if ways_read >= MOST_WAYS {
                bounded = true;
                break;
            }
            bounded |= packet.observation_count() as usize > COPIES_OF_ONE;
            ways_read += tally.take(key, packet, &mut reader);
        }
        let link = |(key, [we_hear, they_hear]): (NodeKey, [u32; 2])| NodeLink { key, we_hear, they_hear };
        let direct = |(observer, (count, snr)): (u16, (u32, Mean))| DirectObserver {
            observer: ObserverId(observer),
            count,
            snr,
        };
        NodeLinks {
            links: tally.links.into_iter().map(link).collect(),
            observers: tally.observers.into_iter().map(direct).collect(),
            relayed: tally.relayed,
            bounded,
        }
    }
}

impl Tally {
    /// Counts the copies of a packet and returns how many of its ways were read. Of copies that went the same way only the
    /// first is read, as who heard it tells of its last hop only.
    fn take(&mut self, key: &NodeKey, packet: TransmissionView<'_>, reader: &mut PathReader) -> usize {
        let sender = packet.sender();
        let mut ways: SmallVec<[(u32, SmallVec<[Stand; 2]>); 8]> = SmallVec::new();
        for copy in packet.observations().take(COPIES_OF_ONE) {
            let Head { route, path, .. } = copy.head();
            let has_hash = path.hops().any(|hop| hop.matches(key));
            let is_ahead = route.is_direct() && !path.is_empty();
            if is_ahead || !(has_hash || sender.as_ref() == Some(key)) {
                continue;
            }
            let way = copy.way();
            let known = ways.iter().position(|(known, _)| *known == way);
            let place = known.unwrap_or_else(|| {
                let mut stands = stands(key, &copy, reader, ReadHop::named);
                // Who observed a copy is another with the next one, and what it hears is told by its own packets.
                stands.retain(|stand| stand.part != Part::Observer);
                ways.push((way, stands));
                ways.len() - 1
            });
            ways[place].1.iter().for_each(|stand| self.count(key, *stand, &copy));
        }
        ways.len()
    }

    fn count(&mut self, key: &NodeKey, stand: Stand, copy: &ObservationView<'_>) {
        self.relayed += u32::from(stand.part == Part::Relay);
        if matches!(stand.after, After::Observer) {
            let observer = copy.index.observations.observer(copy.row);
            let direct = self.observers.entry(observer).or_default();
            direct.0 += 1;
            direct.1.add(copy.snr().map(|snr| i64::from(snr.0)));
        }
        for (direction, other) in [stand.before, stand.after.station(copy)].into_iter().enumerate() {
            if let Some(other) = other.filter(|other| other != key) {
                self.links.entry(other).or_default()[direction] += 1;
            }
        }
    }
}
