//! What is known of packets that storage has and the index has let go: enough to recognise a further copy, and to find the
//! rows again.

use meshcore::{PacketHash, PayloadType};
use model::{ObservationId, TransmissionId, UnixMillis};
use roaring::RoaringBitmap;

/// Observations of neighbouring packets lie between each other, so ids that are this near are one range.
const NEAR: u64 = 1_024;

/// Ranges of a segment at most. Copies that come days later have ranges of their own; beyond this many, the nearest two
/// become one and reading them takes longer.
const MOST_RANGES: usize = 32;

/// Some hundreds of transmissions that are only in storage, neighbours by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdSegment {
    /// The least id.
    pub first: TransmissionId,
    /// The greatest id.
    pub last: TransmissionId,
    /// Where all its observations are, both ends included; those of others lie between.
    pub observation_ids: Vec<(ObservationId, ObservationId)>,
    /// How many transmissions with an observation there are.
    pub transmissions: u64,
    /// How many observations there are.
    pub observations: u64,
    /// The least time of an observation.
    pub earliest: UnixMillis,
    /// The greatest time of an observation.
    pub latest: UnixMillis,
    /// A bit for each payload type that occurs.
    pub(crate) types: u16,
}

impl ColdSegment {
    pub(crate) fn beginning_with(first: TransmissionId) -> Self {
        Self {
            first,
            last: first,
            observation_ids: Vec::new(),
            transmissions: 0,
            observations: 0,
            earliest: UnixMillis(i64::MAX),
            latest: UnixMillis(i64::MIN),
            types: 0,
        }
    }

    /// Takes note of an observation, later in order than all before.
    pub(crate) fn note(&mut self, id: ObservationId, time: UnixMillis) {
        self.observations += 1;
        self.earliest = self.earliest.min(time);
        self.latest = self.latest.max(time);
        let ranges = &mut self.observation_ids;
        match ranges.last_mut() {
            Some((_, end)) if id.0.saturating_sub(end.0) <= NEAR => *end = id,
            _ => ranges.push((id, id)),
        }
        if ranges.len() > MOST_RANGES {
            let gap = |at: &usize| ranges[at + 1].0.0 - ranges[*at].1.0;
            let nearest = (0..ranges.len() - 1).min_by_key(gap).unwrap_or(0);
            ranges[nearest].1 = ranges[nearest + 1].1;
            ranges.remove(nearest + 1);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.observation_ids.capacity() * size_of::<(ObservationId, ObservationId)>()
    }
}

/// Everything that was let go, oldest first.
#[derive(Default)]
pub(crate) struct ColdHistory {
    segments: Vec<ColdSegment>,
    /// One for each time that packets were let go.
    batches: Vec<HashBatch>,
    /// The greatest id of an observation of a packet that was let go before.
    last_observation: u64,
    transmissions: u64,
    observations: u64,
    /// Hashes that are no longer known for want of room.
    forgotten: u64,
    /// The greatest time of an observation of a packet, when it was let go.
    latest: Option<UnixMillis>,
}

/// What recognises packets that were let go together: twelve bytes a packet, and eight for each advert and each text to a
/// channel.
pub(crate) struct HashBatch {
    base: u64,
    hashes: Vec<PacketHash>,
    /// Ids less `base`, in the order of `hashes`.
    ids: Vec<u32>,
    adverts: Subjects,
    texts: Subjects,
}

/// Ids of adverts or texts less a base, rising, with the places of their nodes or channels, which stay.
type Subjects = Vec<(u32, u32)>;

/// What packets that are let go together are recognised by, as it is gathered.
#[derive(Default)]
pub(crate) struct Recognised {
    pub(crate) hashes: Vec<(PacketHash, TransmissionId)>,
    /// Rising, with the places of their nodes.
    pub(crate) adverts: Vec<(TransmissionId, u32)>,
    /// Rising, with the places of their channels.
    pub(crate) texts: Vec<(TransmissionId, u32)>,
}

/// Whose a packet is that was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColdSubject {
    /// An advert of the node at this place.
    Node(u32),
    /// A text to the channel at this place.
    Channel(u32),
}

/// The adverts of some nodes that were let go.
pub(crate) struct ColdAdverts {
    /// Rising.
    ids: Vec<TransmissionId>,
    /// Of packets before this one it is not known any more.
    known_from: TransmissionId,
}

impl ColdSubject {
    pub(crate) fn payload_type(self) -> PayloadType {
        match self {
            Self::Node(_) => PayloadType::Advert,
            Self::Channel(_) => PayloadType::GroupText,
        }
    }
}

impl ColdAdverts {
    /// Whether an advert of these nodes may be in the segment.
    pub(crate) fn may_be_in(&self, segment: &ColdSegment) -> bool {
        let next = self.ids.partition_point(|id| *id < segment.first);
        segment.first < self.known_from || self.ids.get(next).is_some_and(|id| *id <= segment.last)
    }
}

impl HashBatch {
    /// The ids lie within 2^32 of `base`; those that do not are left out.
    pub(crate) fn new(base: TransmissionId, mut of: Recognised) -> Self {
        of.hashes.sort_unstable_by_key(|(hash, _)| hash.0);
        let offset = |id: TransmissionId| u32::try_from(id.0.checked_sub(base.0)?).ok();
        let known = of.hashes.iter().filter_map(|(hash, id)| Some((*hash, offset(*id)?)));
        let (hashes, ids) = known.unzip();
        let subjects = |of: Vec<(TransmissionId, u32)>| -> Subjects {
            of.into_iter().filter_map(|(id, place)| Some((offset(id)?, place))).collect()
        };
        Self { base: base.0, hashes, ids, adverts: subjects(of.adverts), texts: subjects(of.texts) }
    }

    fn find(&self, hash: PacketHash) -> Option<TransmissionId> {
        let place = self.hashes.binary_search_by_key(&hash.0, |known| known.0).ok()?;
        Some(TransmissionId(self.base + u64::from(self.ids[place])))
    }

    fn heap_bytes(&self) -> usize {
        let subjects = self.adverts.capacity() + self.texts.capacity();
        self.hashes.capacity() * 8 + self.ids.capacity() * 4 + subjects * 8
    }

    fn subject_of(&self, id: TransmissionId) -> Option<ColdSubject> {
        let offset = u32::try_from(id.0.checked_sub(self.base)?).ok()?;
        let find = |among: &Subjects| {
            let place = among.binary_search_by_key(&offset, |(packet, _)| *packet).ok()?;
            Some(among[place].1)
        };
        find(&self.adverts).map(ColdSubject::Node).or_else(|| find(&self.texts).map(ColdSubject::Channel))
    }
}

impl ColdHistory {
    pub(crate) fn segments(&self) -> &[ColdSegment] {
        &self.segments
    }

    pub(crate) fn transmissions(&self) -> u64 {
        self.transmissions
    }

    pub(crate) fn observations(&self) -> u64 {
        self.observations
    }

    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The least id that an observation may come with.
    pub(crate) fn next_observation(&self) -> u64 {
        self.last_observation + 1
    }

    pub(crate) fn find(&self, hash: PacketHash) -> Option<TransmissionId> {
        // Packets that retention has removed are in no segment any more, while their hashes stay for a while.
        let found = self.batches.iter().rev().find_map(|batch| batch.find(hash))?;
        self.place_of(found).map(|_| found)
    }

    /// Whose it was, as long as the packet would be recognised.
    pub(crate) fn subject_of(&self, id: TransmissionId) -> Option<ColdSubject> {
        self.batches.iter().rev().find_map(|batch| batch.subject_of(id))
    }

    /// The adverts of nodes by their places, of which there are so many. Looks at every advert that would be recognised.
    pub(crate) fn adverts_of(&self, nodes: &RoaringBitmap, count: u64) -> ColdAdverts {
        let oldest = self.segments.first().map_or(TransmissionId(0), |segment| segment.first);
        let of_batch = |batch: &HashBatch| -> Vec<TransmissionId> {
            let of_nodes = batch.adverts.iter().filter(|(_, node)| nodes.contains(*node));
            let ids = of_nodes.map(|(offset, _)| TransmissionId(batch.base + u64::from(*offset)));
            ids.filter(|id| *id >= oldest).collect()
        };
        let ids: Vec<TransmissionId> = self.batches.iter().flat_map(of_batch).collect();
        let known_from = match self.batches.first() {
            _ if ids.len() as u64 >= count => TransmissionId(0),
            Some(batch) => TransmissionId(batch.base),
            None => TransmissionId(u64::MAX),
        };
        ColdAdverts { ids, known_from }
    }

    /// The greatest time of an observation of a packet, when it was let go.
    pub(crate) fn latest(&self) -> Option<UnixMillis> {
        self.latest.filter(|_| !self.segments.is_empty())
    }

    /// The segment that this transmission belongs to.
    pub(crate) fn place_of(&self, id: TransmissionId) -> Option<usize> {
        let place = self.segments.partition_point(|segment| segment.last < id);
        (self.segments.get(place)?.first <= id).then_some(place)
    }

    /// Takes note of a further copy of a packet that was let go.
    pub(crate) fn note(&mut self, place: usize, id: ObservationId, time: UnixMillis) {
        self.segments[place].note(id, time);
        self.observations += 1;
        self.last_observation = id.0;
    }

    /// Adds what is let go now, which is younger than all before.
    pub(crate) fn extend(&mut self, segments: Vec<ColdSegment>, hashes: HashBatch, most_hashes: usize) {
        for segment in segments {
            self.transmissions += segment.transmissions;
            self.observations += segment.observations;
            self.latest = self.latest.max((segment.observations > 0).then_some(segment.latest));
            self.segments.push(segment);
        }
        self.batches.push(hashes);
        let mut known: usize = self.batches.iter().map(|batch| batch.hashes.len()).sum();
        // The newest stay, whatever room there is: copies come late by minutes far more often than by days.
        while known > most_hashes && self.batches.len() > 1 {
            let gone = self.batches.remove(0).hashes.len();
            known -= gone;
            self.forgotten += gone as u64;
        }
    }

    /// Drops the oldest segment.
    pub(crate) fn drop_first(&mut self) {
        let gone = self.segments.remove(0);
        self.transmissions -= gone.transmissions;
        self.observations -= gone.observations;
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let hashes: usize = self.batches.iter().map(HashBatch::heap_bytes).sum();
        let ranges: usize = self.segments.iter().map(ColdSegment::heap_bytes).sum();
        hashes + ranges + self.segments.capacity() * size_of::<ColdSegment>()
    }
}
