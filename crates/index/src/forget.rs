//! Forgetting packets that only storage has, because they are to be removed from there too.

use std::collections::{BTreeMap, HashMap};

use meshcore::{Frame, NodeKey, Payload};
use model::{Observation, Transmission, TransmissionId, UnixMillis};

use crate::channels::Membership;
use crate::cold::ColdSegment;
use crate::compaction::{Removed, RemovedPacket};
use crate::index::Index;
use crate::memory::Reckoned;

impl Index {
    /// The oldest segment, if nothing of it was heard at or after `before`.
    pub fn cold_before(&self, before: UnixMillis) -> Option<&ColdSegment> {
        self.cold_segments().first().filter(|segment| segment.latest < before)
    }

    /// Forgets the oldest segment, whose rows these are; says what is to be removed from storage. From here on a further
    /// copy of one of its packets is a new packet. `None` when the segment has changed since: read it again.
    pub fn forget_cold(
        &mut self,
        segment: &ColdSegment,
        transmissions: &[Transmission],
        observations: &[Observation],
    ) -> Option<Removed> {
        if self.cold_segments().first() != Some(segment) {
            return None;
        }
        self.cold.drop_first();
        self.version.changes += 1;
        self.memory_reckoned = Reckoned::default();
        let mut of_packet: HashMap<TransmissionId, Vec<&Observation>> = HashMap::new();
        for seen in observations {
            of_packet.entry(seen.transmission).or_default().push(seen);
        }
        let mut losses: BTreeMap<NodeKey, (u32, UnixMillis)> = BTreeMap::new();
        let mut packets = Vec::with_capacity(transmissions.len());
        for packet in transmissions {
            let heard = of_packet.remove(&packet.id).unwrap_or_default();
            let advert_of = self.forget_packet(&packet.raw, &heard);
            if let Some((node, latest)) = advert_of.zip(heard.iter().map(|seen| seen.time).max()) {
                let (adverts, last_seen) = losses.entry(node).or_insert((0, latest));
                *adverts += 1;
                *last_seen = latest.max(*last_seen);
            }
            let observations = heard.iter().map(|seen| seen.id).collect();
            packets.push(RemovedPacket { transmission: packet.id, observations, advert_of });
        }
        self.narrow_time_span();
        let records = losses
            .into_iter()
            .filter_map(|(node, (adverts, last_seen))| self.nodes.forget_cold(&node, adverts, last_seen));
        Some(Removed { packets, nodes: records.collect() })
    }

    /// Takes a packet back from everything that it was counted in; says whose advert it was.
    fn forget_packet(&mut self, raw: &[u8], heard: &[&Observation]) -> Option<NodeKey> {
        let frame = Frame::parse(raw).ok().filter(|_| !heard.is_empty())?;
        for seen in heard {
            self.minutes.take_back(seen.time);
            if let Some(observer) = self.observers.get_mut(seen.observer) {
                observer.take_back(seen, frame.payload_type());
            }
        }
        match frame.payload() {
            Ok(Payload::Advert(advert)) => {
                let first = heard.iter().min_by_key(|seen| seen.id)?;
                self.nodes.forget_hash_size(&advert.key, first.time, &frame);
                Some(advert.key)
            }
            Ok(Payload::GroupText(text)) => {
                let membership =
                    Membership { hash_byte: text.channel_hash, key: self.options.text_channel(&text) };
                self.channels.forget_cold(&membership, heard.iter().map(|seen| seen.observer.0));
                None
            }
            _ => None,
        }
    }

    fn narrow_time_span(&mut self) {
        let cold = self.cold_segments().iter().map(|segment| segment.earliest).min();
        let least = cold.into_iter().chain(self.transmissions.earliest()).min();
        self.time_span = self.time_span.and_then(|(_, greatest)| Some((least?, greatest)));
    }
}
