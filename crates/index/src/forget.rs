//! Forgetting packets that only storage has, because they are to be removed from there too.

use std::collections::{BTreeMap, HashMap};

use meshcore::{Frame, NodeKey, Payload};
use model::{Observation, ObservationId, Transmission, TransmissionId, UnixMillis};

use crate::cold::ColdSegment;
use crate::compaction::{Removed, RemovedPacket};
use crate::index::Index;

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
        let mut of_packet: HashMap<TransmissionId, (Vec<ObservationId>, UnixMillis)> = HashMap::new();
        for seen in observations {
            self.minutes.take_back(seen.time);
            if let Some(observer) = self.observers.get_mut(seen.observer) {
                observer.observations = observer.observations.saturating_sub(1);
            }
            let (ids, latest) =
                of_packet.entry(seen.transmission).or_insert((Vec::new(), UnixMillis(i64::MIN)));
            ids.push(seen.id);
            *latest = seen.time.max(*latest);
        }
        self.narrow_time_span();
        let mut losses: BTreeMap<NodeKey, (u32, UnixMillis)> = BTreeMap::new();
        let packets = transmissions.iter().map(|packet| {
            let (observations, latest) = of_packet.remove(&packet.id).unwrap_or_default();
            let advert_of = advert_of(&packet.raw).filter(|_| !observations.is_empty());
            if let Some(node) = advert_of {
                let (adverts, last_seen) = losses.entry(node).or_insert((0, latest));
                *adverts += 1;
                *last_seen = latest.max(*last_seen);
            }
            RemovedPacket { transmission: packet.id, observations, advert_of }
        });
        let packets = packets.collect();
        let records = losses
            .into_iter()
            .filter_map(|(node, (adverts, last_seen))| self.nodes.forget_cold(&node, adverts, last_seen));
        Some(Removed { packets, nodes: records.collect() })
    }

    fn narrow_time_span(&mut self) {
        let cold = self.cold_segments().iter().map(|segment| segment.earliest).min();
        let least = cold.into_iter().chain(self.transmissions.earliest()).min();
        self.time_span = self.time_span.and_then(|(_, greatest)| Some((least?, greatest)));
    }
}

fn advert_of(raw: &[u8]) -> Option<NodeKey> {
    match Frame::parse(raw).ok()?.payload() {
        Ok(Payload::Advert(advert)) => Some(advert.key),
        _ => None,
    }
}
