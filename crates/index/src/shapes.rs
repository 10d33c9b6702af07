//! A few packets of each kind, from the shortest to the longest.

use meshcore::{Frame, PayloadType};

use crate::channels::ChannelRef;
use crate::index::Index;
use crate::view::TxRow;

/// Newest packets among which are chosen: choosing looks at each twice, which takes a tenth of a microsecond.
const PACKETS_CONSIDERED: usize = 10_000;

/// A frame has at most 255 bytes.
const LENGTHS: usize = 256;

/// Kinds of packets: the payload types, texts to channels that a key opens, and what nobody can read.
const KINDS: usize = 18;

/// What a packet turns out to be when it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PacketKind {
    /// A payload of a known type.
    Payload(PayloadType),
    /// A text to a channel that a key opens.
    ChannelMessage,
    /// Of a type or version that nobody knows.
    Unknown,
}

/// Some packets of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledPackets {
    /// Which kind.
    pub kind: PacketKind,
    /// Rising by the length of their frames; of equal lengths, by id.
    pub rows: Vec<TxRow>,
}

impl Index {
    /// At most `count` of the newest 10,000 packets of each kind, evenly chosen from all in the order of their lengths: of n
    /// the ones at i·n/count. Kinds without packets are left out.
    pub fn sample_by_length(&self, count: usize) -> Vec<SampledPackets> {
        let rows: Vec<u32> = self.postings.all.iter().rev().take(PACKETS_CONSIDERED).collect();
        let mut lengths = vec![[0u32; LENGTHS]; KINDS];
        for row in &rows {
            lengths[self.kind(*row).place()][self.transmissions.raw(*row).len()] += 1;
        }
        // Per kind and length the places that are wanted, counted from the first packet of this length.
        let mut wanted: Vec<Vec<(usize, u32)>> =
            lengths.iter().map(|lengths| wanted_places(lengths, count)).collect();
        let mut seen = vec![[0u32; LENGTHS]; KINDS];
        let mut samples: Vec<Option<SampledPackets>> = vec![None; KINDS];
        for row in rows.iter().rev() {
            let kind = self.kind(*row);
            let (place, length) = (kind.place(), self.transmissions.raw(*row).len());
            let nth = seen[place][length];
            seen[place][length] += 1;
            if let Some(found) = wanted[place].iter().position(|wanted| *wanted == (length, nth)) {
                wanted[place].swap_remove(found);
                let sample = samples[place].get_or_insert(SampledPackets { kind, rows: Vec::new() });
                sample.rows.push(TxRow(*row));
            }
        }
        let mut samples: Vec<SampledPackets> = samples.into_iter().flatten().collect();
        for sample in &mut samples {
            sample.rows.sort_by_key(|row| (self.transmissions.raw(row.0).len(), row.0));
        }
        samples
    }

    fn kind(&self, row: u32) -> PacketKind {
        let raw = self.transmissions.raw(row);
        let payload_type = self.payload_type(row);
        let is_unknown =
            !payload_type.is_assigned() || Frame::parse(raw).is_ok_and(|frame| frame.version() != 0);
        let channel = || {
            let subject = self.transmissions.state(row).subject;
            (subject != crate::observations::NONE).then(|| &self.channels.at(subject).identity)
        };
        match payload_type {
            _ if is_unknown => PacketKind::Unknown,
            PayloadType::GroupText if matches!(channel(), Some(ChannelRef::Name(_))) => {
                PacketKind::ChannelMessage
            }
            payload_type => PacketKind::Payload(payload_type),
        }
    }
}

impl PacketKind {
    fn place(self) -> usize {
        match self {
            PacketKind::Payload(payload_type) => usize::from(payload_type.code()),
            PacketKind::ChannelMessage => 16,
            PacketKind::Unknown => 17,
        }
    }
}

/// The places i·n/count of n packets in the order of their lengths, each as a length and a place among those of it.
fn wanted_places(lengths: &[u32; LENGTHS], count: usize) -> Vec<(usize, u32)> {
    let total: u64 = lengths.iter().map(|packets| u64::from(*packets)).sum();
    let count = total.min(count as u64);
    let mut wanted = Vec::new();
    let (mut length, mut before) = (0, 0u64);
    for i in 0..count {
        let place = i * total / count;
        while place >= before + u64::from(lengths[length]) {
            before += u64::from(lengths[length]);
            length += 1;
        }
        wanted.push((length, (place - before) as u32));
    }
    wanted
}
