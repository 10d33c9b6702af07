//! What each observer heard in each hour: counts by payload type and by signal, and which nodes had a part in it.
//!
//! A day's or a year's analytics of an observer add up hours; no observation is looked at again.

use meshcore::{Frame, Path, Payload, PayloadType};
use model::{SnrQuarterDb, UnixMillis};

const HOUR_MS: i64 = 3_600_000;

/// Payload types are told apart.
pub(crate) const TYPES: usize = 16;

/// Classes of the signal-to-noise ratio, each of 2 dB: the first begins at −32 dB, the last ends at +32 dB.
pub const SNR_CLASSES: usize = 32;

/// Quarters of a decibel in a class, as a shift.
const SNR_CLASS_BITS: u32 = 3;

/// The hours of one observer, rising. Those in which it heard nothing are left out.
#[derive(Default)]
pub(crate) struct HourTable {
    hours: Vec<Hour>,
}

/// One hour of one observer.
pub(crate) struct Hour {
    /// Hours since 1970.
    number: u32,
    pub(crate) observations: u32,
    /// Payload types, and behind them the classes of signal.
    counts: SparseCounts,
    nodes: NodeTokens,
}

/// One observation, as far as it is counted by hours.
pub(crate) struct CountedCopy<'a> {
    pub(crate) time: UnixMillis,
    pub(crate) snr: Option<SnrQuarterDb>,
    pub(crate) payload_type: PayloadType,
    /// The frame of the packet, of which the payload is read.
    pub(crate) raw: &'a [u8],
    /// The path of the copy.
    pub(crate) path: Path<'a>,
    /// The place of the node whose advert it is.
    pub(crate) advertised: Option<u32>,
}

/// Sums over hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourSums {
    /// Observations by the code of the payload type.
    pub types: [u64; TYPES],
    /// Observations by class of signal, see [`SNR_CLASSES`]. Those without one are in none.
    pub snr: [u64; SNR_CLASSES],
}

/// The hour that a time falls into; times that the columns can hold fit.
pub(crate) fn hour_of(time: UnixMillis) -> u32 {
    u32::try_from(time.0.div_euclid(HOUR_MS)).unwrap_or(0)
}

/// When an hour begins.
pub(crate) fn hour_start(number: u32) -> UnixMillis {
    UnixMillis(i64::from(number) * HOUR_MS)
}

impl HourTable {
    pub(crate) fn note(&mut self, heard: &CountedCopy<'_>) {
        let hour = self.hour_mut(hour_of(heard.time));
        hour.count(Some(heard.payload_type), heard.snr);
        heard.tokens(|token| hour.nodes.add(token));
    }

    /// Takes note of an observation of a packet that is not at hand, and whose type need not be known.
    pub(crate) fn note_cold(
        &mut self,
        time: UnixMillis,
        of_type: Option<PayloadType>,
        snr: Option<SnrQuarterDb>,
    ) {
        self.hour_mut(hour_of(time)).count(of_type, snr);
    }

    /// Takes back an observation that is no longer stored. Which nodes had a part in it is only forgotten with the hour.
    pub(crate) fn take_back(
        &mut self,
        time: UnixMillis,
        payload_type: PayloadType,
        snr: Option<SnrQuarterDb>,
    ) {
        let Ok(place) = self.hours.binary_search_by_key(&hour_of(time), |hour| hour.number) else { return };
        let hour = &mut self.hours[place];
        hour.observations = hour.observations.saturating_sub(1);
        hour.counts.take_back(payload_type.code());
        if let Some(SnrQuarterDb(quarters)) = snr {
            hour.counts.take_back(TYPES as u8 + snr_class(quarters));
        }
        if hour.observations == 0 {
            self.hours.remove(place);
        }
    }

    /// The hours from this one on.
    pub(crate) fn from(&self, number: u32) -> &[Hour] {
        let first = self.hours.partition_point(|hour| hour.number < number);
        &self.hours[first..]
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let inner: usize =
            self.hours.iter().map(|hour| hour.counts.heap_bytes() + hour.nodes.heap_bytes()).sum();
        inner + self.hours.capacity() * size_of::<Hour>()
    }

    fn hour_mut(&mut self, number: u32) -> &mut Hour {
        let place = match self.hours.last() {
            Some(last) if last.number == number => self.hours.len() - 1,
            _ => match self.hours.binary_search_by_key(&number, |hour| hour.number) {
                Ok(place) => place,
                Err(place) => {
                    // What was the newest hour is hardly added to any more.
                    if let Some(last) = self.hours.last_mut() {
                        last.nodes.others.shrink_to_fit();
                    }
                    self.hours.insert(place, Hour::new(number));
                    place
                }
            },
        };
        &mut self.hours[place]
    }
}

impl Hour {
    fn new(number: u32) -> Self {
        let (counts, nodes) = (SparseCounts::default(), NodeTokens::default());
        Self { number, observations: 0, counts, nodes }
    }

    fn count(&mut self, payload_type: Option<PayloadType>, snr: Option<SnrQuarterDb>) {
        self.observations = self.observations.saturating_add(1);
        if let Some(payload_type) = payload_type {
            self.counts.add(payload_type.code());
        }
        if let Some(SnrQuarterDb(quarters)) = snr {
            self.counts.add(TYPES as u8 + snr_class(quarters));
        }
    }

    /// Hours since 1970.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn add_to(&self, sums: &mut HourSums) {
        for (key, count) in self.counts.iter() {
            match usize::from(key).checked_sub(TYPES) {
                None => sums.types[usize::from(key)] += u64::from(count),
                Some(class) => sums.snr[class] += u64::from(count),
            }
        }
    }
}

/// How many different nodes had a part in any of these hours.
pub(crate) fn count_nodes(hours: &[Hour]) -> u64 {
    let mut bytes = [0; 4];
    let mut others: Vec<u32> = Vec::new();
    for hour in hours {
        for (all, own) in bytes.iter_mut().zip(&hour.nodes.bytes) {
            *all |= own;
        }
        others.extend(&hour.nodes.others);
    }
    others.sort_unstable();
    others.dedup();
    let bytes: u32 = bytes.iter().map(|word: &u64| word.count_ones()).sum();
    u64::from(bytes) + others.len() as u64
}

impl CountedCopy<'_> {
    /// The signs of nodes in it (contract §7.13): whose advert it is, the hashes of source and destination, the hops. The
    /// same byte as a hop and as a source is one sign, as it would be one node.
    fn tokens(&self, mut each: impl FnMut(NodeToken)) {
        if let Some(node) = self.advertised {
            each(NodeToken::Key(node));
        }
        let needs_payload = matches!(
            self.payload_type,
            PayloadType::Request
                | PayloadType::Response
                | PayloadType::Text
                | PayloadType::PathReturn
                | PayloadType::AnonRequest
                | PayloadType::Trace
        );
        let payload = if needs_payload {
            Frame::parse(self.raw).ok().and_then(|frame| frame.payload().ok())
        } else {
            None
        };
        match payload {
            Some(
                Payload::Request(sealed)
                | Payload::Response(sealed)
                | Payload::Text(sealed)
                | Payload::PathReturn(sealed),
            ) => {
                each(NodeToken::Byte(sealed.source));
                each(NodeToken::Byte(sealed.dest));
            }
            Some(Payload::AnonRequest(request)) => each(NodeToken::Byte(request.dest)),
            // The path of a TRACE holds ratios; its hops are the entries of its route that are done.
            Some(Payload::Trace(trace)) => {
                let done = trace.entries().take(self.path.bytes().len());
                done.filter_map(|hop| NodeToken::hop(hop.bytes())).for_each(each);
                return;
            }
            _ => {}
        }
        self.path.hops().filter_map(|hop| NodeToken::hop(hop.bytes())).for_each(each);
    }
}

/// A sign of a node.
enum NodeToken {
    Byte(u8),
    /// A hop of several bytes, told apart from those of other sizes.
    Bytes(u32),
    /// The whole key, as the node's place.
    Key(u32),
}

impl NodeToken {
    /// Hops of more than three bytes, which only a TRACE can have, count by their first three.
    fn hop(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [] => None,
            [byte] => Some(Self::Byte(byte)),
            [a, b] => Some(Self::Bytes(u32::from_be_bytes([0, 0, a, b]))),
            [a, b, c, ..] => Some(Self::Bytes(u32::from_be_bytes([1, a, b, c]))),
        }
    }
}

/// Signs of nodes, each once. Single bytes are by far the most, so they have a bit each.
#[derive(Default)]
struct NodeTokens {
    bytes: [u64; 4],
    /// Rising.
    others: Vec<u32>,
}

impl NodeTokens {
    fn add(&mut self, token: NodeToken) {
        let other = match token {
            NodeToken::Byte(byte) => {
                self.bytes[usize::from(byte >> 6)] |= 1 << (byte & 63);
                return;
            }
            NodeToken::Bytes(number) => number,
            // Places of nodes stay below half the range: there is no memory for more.
            NodeToken::Key(place) => 1 << 31 | place,
        };
        if let Err(place) = self.others.binary_search(&other) {
            self.others.insert(place, other);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.others.capacity() * 4
    }
}

/// Counts under keys below 64, of which few are in use: eight bytes, and four for each key in use.
#[derive(Default)]
struct SparseCounts {
    used: u64,
    /// In the order of their keys.
    counts: Vec<u32>,
}

impl SparseCounts {
    fn add(&mut self, key: u8) {
        let bit = 1u64 << key;
        let place = (self.used & (bit - 1)).count_ones() as usize;
        if self.used & bit == 0 {
            self.used |= bit;
            self.counts.insert(place, 1);
        } else {
            self.counts[place] = self.counts[place].saturating_add(1);
        }
    }

    fn take_back(&mut self, key: u8) {
        let bit = 1u64 << key;
        if self.used & bit != 0 {
            let place = (self.used & (bit - 1)).count_ones() as usize;
            self.counts[place] = self.counts[place].saturating_sub(1);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (u8, u32)> + '_ {
        let keys = (0..64u8).filter(|key| self.used & 1 << key != 0);
        keys.zip(self.counts.iter().copied())
    }

    fn heap_bytes(&self) -> usize {
        self.counts.capacity() * 4
    }
}

fn snr_class(quarters: i8) -> u8 {
    // Shifting keeps the sign, so that classes begin at even decibels on both sides of zero.
    ((quarters >> SNR_CLASS_BITS) + (SNR_CLASSES / 2) as i8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_signal_begin_at_even_decibels() {
        for quarters in i8::MIN..=i8::MAX {
            let class = snr_class(quarters);
            let start = i32::from(class) * 2 - 32;
            let db = f64::from(quarters) / 4.0;
            assert!(f64::from(start) <= db && db < f64::from(start + 2), "{db} in {start}");
        }
    }

    #[test]
    fn sparse_counts_count_each_key() {
        let mut sparse = SparseCounts::default();
        let mut plain = [0u32; 64];
        for i in 0..5000u32 {
            let key = (i * i % 61) as u8;
            sparse.add(key);
            plain[usize::from(key)] += 1;
        }
        for (key, count) in sparse.iter() {
            assert_eq!(std::mem::take(&mut plain[usize::from(key)]), count);
        }
        assert_eq!(plain, [0; 64]);
    }
}
