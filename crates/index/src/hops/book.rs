//! What the index keeps of paths: which packets name which hash, and which hashes stand beside which.
//!
//! All of it is sums, sets and extremes over the observations, so it does not depend on their order.

use std::hash::Hash;

use hashbrown::HashMap;
use meshcore::Path;
use model::{SnrQuarterDb, UnixMillis};
use roaring::RoaringBitmap;

use super::token::Token;
use crate::memory::bitmap_bytes;

/// Hashes and what they stand beside.
pub(crate) struct HopBook {
    /// Transmissions by the hashes of one byte that any of their copies names, passed or ahead.
    single: Box<[RoaringBitmap]>,
    /// The same for hashes of two and three bytes.
    longer: HashMap<Token, RoaringBitmap>,
    /// The last hop and the observer that heard it.
    last_hops: HashMap<(Token, u16), Meetings>,
    /// The node of an advert and the first hop that it took.
    first_hops: HashMap<(u32, Token), FirstHop>,
    /// The node of an advert that took no hop and the observer that heard it.
    unrelayed: HashMap<(u32, u16), Meetings>,
}

/// Observations by which two were found beside each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meetings {
    pub(crate) count: u32,
    pub(crate) first: UnixMillis,
    pub(crate) last: UnixMillis,
    /// Sum of the signal-to-noise ratios in quarters of a decibel, and how many there are.
    pub(crate) snr_sum: i64,
    pub(crate) snr_count: u32,
}

/// [`Meetings`] that many observers can tell of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FirstHop {
    pub(crate) meetings: Meetings,
    /// Their ids.
    pub(crate) observers: RoaringBitmap,
}

/// A copy as an observer heard it.
pub(crate) struct HeardCopy<'a> {
    pub(crate) transmission: u32,
    pub(crate) observer: u16,
    pub(crate) time: UnixMillis,
    pub(crate) snr: Option<SnrQuarterDb>,
    pub(crate) path: Path<'a>,
    /// Whether the observation before it of the same transmission went the same way.
    pub(crate) way_is_known: bool,
    /// Whether the hops are those ahead of it.
    pub(crate) is_direct: bool,
    /// The place of the node whose advert it is.
    pub(crate) sender: Option<u32>,
}

impl Default for HopBook {
    fn default() -> Self {
        Self {
            single: (0..256).map(|_| RoaringBitmap::new()).collect(),
            longer: HashMap::new(),
            last_hops: HashMap::new(),
            first_hops: HashMap::new(),
            unrelayed: HashMap::new(),
        }
    }
}

impl HopBook {
    /// Takes note of a copy of any packet but a TRACE, whose path holds no hashes.
    pub(crate) fn note(&mut self, copy: &HeardCopy<'_>) {
        if !copy.way_is_known {
            for hop in copy.path.hops() {
                self.posting_mut(Token::new(hop.bytes())).insert(copy.transmission);
            }
        }
        let (first, last) = (copy.path.hops().next(), copy.path.hops().next_back());
        if copy.is_direct && first.is_some() {
            // The hops are ahead of it, so neither sender nor observer need be near any of them.
            return;
        }
        if let Some(last) = last {
            let meetings = self.last_hops.entry((Token::new(last.bytes()), copy.observer)).or_default();
            meetings.add(copy.time, copy.snr);
        }
        match (copy.sender, first) {
            (Some(sender), Some(first)) => {
                let token = Token::new(first.bytes());
                let edge = self.first_hops.entry((sender, token)).or_insert_with(FirstHop::default);
                // What the observer measured is the signal of the last hop, not of the sender.
                edge.meetings.add(copy.time, None);
                edge.observers.insert(u32::from(copy.observer));
            }
            (Some(sender), None) => {
                self.unrelayed.entry((sender, copy.observer)).or_default().add(copy.time, copy.snr);
            }
            (None, _) => {}
        }
    }

    /// The transmissions of which a copy names this hash.
    pub(crate) fn posting(&self, token: Token) -> Option<&RoaringBitmap> {
        match token.single() {
            Some(byte) => Some(&self.single[usize::from(byte)]).filter(|rows| !rows.is_empty()),
            None => self.longer.get(&token),
        }
    }

    /// All hashes that were named, with their transmissions, in no order.
    pub(crate) fn postings(&self) -> impl Iterator<Item = (Token, &RoaringBitmap)> {
        let single = self.single.iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        let single = single.map(|(byte, rows)| (Token::new(&[byte as u8]), rows));
        single.chain(self.longer.iter().map(|(token, rows)| (*token, rows)))
    }

    /// In no order: the hash, the observer, how often.
    pub(crate) fn last_hops(&self) -> impl ExactSizeIterator<Item = (Token, u16, Meetings)> {
        self.last_hops.iter().map(|((token, observer), meetings)| (*token, *observer, *meetings))
    }

    /// In no order: the node's place, the hash, how often.
    pub(crate) fn first_hops(&self) -> impl ExactSizeIterator<Item = (u32, Token, &FirstHop)> {
        self.first_hops.iter().map(|((node, token), edge)| (*node, *token, edge))
    }

    /// In no order: the node's place, the observer, how often.
    pub(crate) fn unrelayed(&self) -> impl ExactSizeIterator<Item = (u32, u16, Meetings)> {
        self.unrelayed.iter().map(|((node, observer), meetings)| (*node, *observer, *meetings))
    }

    /// Bytes of heap: postings, everything else. A slot of a table takes its entry and a byte.
    pub(crate) fn heap_bytes(&self) -> [usize; 2] {
        fn table<K: Eq + Hash, V>(map: &HashMap<K, V>) -> usize {
            map.allocation_size()
        }
        let postings: usize = self.postings().map(|(_, rows)| bitmap_bytes(rows)).sum();
        let postings = postings + self.single.len() * size_of::<RoaringBitmap>() + table(&self.longer);
        let observers: usize = self.first_hops.values().map(|edge| bitmap_bytes(&edge.observers)).sum();
        let edges = table(&self.last_hops) + table(&self.first_hops) + table(&self.unrelayed);
        [postings, edges + observers]
    }

    fn posting_mut(&mut self, token: Token) -> &mut RoaringBitmap {
        match token.single() {
            Some(byte) => &mut self.single[usize::from(byte)],
            None => self.longer.entry(token).or_default(),
        }
    }
}

impl Default for Meetings {
    fn default() -> Self {
        Self { count: 0, first: UnixMillis(i64::MAX), last: UnixMillis(i64::MIN), snr_sum: 0, snr_count: 0 }
    }
}

impl Default for FirstHop {
    fn default() -> Self {
        Self { meetings: Meetings::default(), observers: RoaringBitmap::new() }
    }
}

impl Meetings {
    fn add(&mut self, time: UnixMillis, snr: Option<SnrQuarterDb>) {
        self.count = self.count.saturating_add(1);
        (self.first, self.last) = (self.first.min(time), self.last.max(time));
        if let Some(snr) = snr {
            self.snr_sum += i64::from(snr.0);
            self.snr_count += 1;
        }
    }

    /// Both together.
    pub(crate) fn join(&mut self, other: &Meetings) {
        self.count = self.count.saturating_add(other.count);
        (self.first, self.last) = (self.first.min(other.first), self.last.max(other.last));
        self.snr_sum += other.snr_sum;
        self.snr_count += other.snr_count;
    }
}
