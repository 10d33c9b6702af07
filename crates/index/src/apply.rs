//! The one way in: every change is checked whole, then applied whole.

use meshcore::{Frame, Payload, PayloadType};
use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverRecord, Transmission, TransmissionId,
    UnixMillis,
};

use crate::channels::{Membership, TextCopy};
use crate::clocks::time_sent;
use crate::cold::ColdSubject;
use crate::error::ApplyError;
use crate::heads::Head;
use crate::hops::book::HeardCopy;
use crate::hours::CountedCopy;
use crate::index::{Index, observation_key};
use crate::nodes::HeardAdvert;
use crate::observations::{NONE, ObservationRow, can_hold};
use crate::transmissions::ScopeRef;

impl Index {
    /// Applies one change: of the loader, of the tail of the database or live, they are the same.
    ///
    /// Transmissions, observations and heads come each in the order of their ids, and after what they name. Between
    /// the kinds the order does not matter, but that a node's record comes before its adverts: one table after the other gives the same index as the order of events.
    ///
    /// Of the samples of an observer's counters only the newest and only what their summary needs is kept; the rest is
    /// history that storage answers from. That `hash` is the content hash of `raw` is left to whoever worked it out.
    ///
    /// # Errors
    /// When the change does not fit what was applied before. The index is then as it was.
    pub fn apply(&mut self, change: &Change) -> Result<(), ApplyError> {
        self.version.changes += 1;
        match change {
            Change::Head(head) => self.apply_head(head),
            Change::Transmission(transmission) => self.apply_transmission(transmission),
            Change::Observation(observation) => self.apply_observation(observation),
            Change::Observer(record) => self.apply_observer(record),
            Change::Metrics(metrics) => match self.observers.get_mut(metrics.observer) {
                Some(entry) => {
                    entry.samples.note(metrics);
                    Ok(())
                }
                None => Err(ApplyError::UnknownObserver { observer: metrics.observer }),
            },
            Change::Node(record) => {
                let fits = self.nodes.set_record(record);
                fits.then_some(()).ok_or(ApplyError::NodeRecordTooLate { key: record.key })
            }
            // Evidence for people, of which nothing follows.
            Change::Dropped(_) => Ok(()),
            Change::Client(client) => self.receptions.set_client(client),
            Change::Reception(reception) => self.receptions.push(reception),
            Change::Pruned(node) => {
                self.nodes.prune(node);
                Ok(())
            }
        }
    }

    fn apply_head(&mut self, new: &FrameHead) -> Result<(), ApplyError> {
        let id = new.id;
        let expected = HeadId(self.heads.len());
        if id != expected {
            return Err(ApplyError::HeadOrder { id, expected });
        }
        let head = Head::parse(&new.bytes).ok_or(ApplyError::HeadMalformed { id })?;
        if let Some(existing) = self.heads.find(&new.bytes) {
            return Err(ApplyError::HeadDuplicate { id, existing: HeadId(existing) });
        }
        if !self.heads.has_room(&new.bytes) {
            return Err(ApplyError::Full { what: "heads" });
        }
        self.heads.push(&new.bytes, &head);
        Ok(())
    }

    fn apply_transmission(&mut self, new: &Transmission) -> Result<(), ApplyError> {
        let id = new.id;
        let least = TransmissionId(self.transmission_ids.next_id());
        if id < least || self.transmission_ids.is_at_end() {
            return Err(ApplyError::TransmissionOrder { id, least });
        }
        Frame::parse(&new.raw).map_err(|error| ApplyError::TransmissionMalformed { id, error })?;
        if let Some(existing) = self.find(new.hash) {
            return Err(ApplyError::TransmissionDuplicate { id, hash: new.hash, existing });
        }
        if !self.transmissions.has_room(&new.raw) {
            return Err(ApplyError::Full { what: "transmissions" });
        }
        self.transmission_ids.push(id.0);
        self.transmissions.push(new.hash, &new.raw);
        Ok(())
    }

    fn apply_observer(&mut self, record: &ObserverRecord) -> Result<(), ApplyError> {
        let id = record.id;
        match self.observers.by_key(&record.key) {
            Some(existing) if existing != id => return Err(ApplyError::ObserverKeyTaken { id, existing }),
            None if self.observers.get(id).is_some() => return Err(ApplyError::ObserverKeyChanged { id }),
            _ => {}
        }
        self.observers.set(record);
        Ok(())
    }

    fn apply_observation(&mut self, new: &Observation) -> Result<(), ApplyError> {
        if let Some(place) = self.cold.place_of(new.transmission) {
            return self.apply_cold_observation(place, new);
        }
        let row = self.check_observation(new)?;
        let key = (row.transmission, row.observer, self.heads.way(row.head));
        if self.find_observation(key).is_some() {
            return Err(ApplyError::ObservationDuplicate { id: new.id });
        }
        // All checks are done; from here on nothing fails.
        self.observation_ids.push(new.id.0);
        let number = self.observations.push(&row);
        let (observations, heads) = (&self.observations, &self.heads);
        self.heard_once.insert(&key, number, |row| observation_key(observations, heads, row));

        let last = self.transmissions.state(row.transmission).last;
        let is_first = last == NONE;
        self.note_times(&row);
        self.add_to_transmission(&row, number);
        if is_first {
            self.introduce(row.transmission, row.time);
        }
        self.note_subject(&row);
        self.note_clocks(&row);
        self.note_hour(&row);
        self.note_hops(&row, last);
        Ok(())
    }

    /// A further copy of a packet that only storage has: it counts, and its row is found there with those before.
    fn apply_cold_observation(&mut self, place: usize, new: &Observation) -> Result<(), ApplyError> {
        let id = new.id;
        let least = ObservationId(self.next_observation());
        if id < least || id.0 == u64::MAX {
            return Err(ApplyError::ObservationOrder { id, least });
        }
        if new.head.0 >= self.heads.len() {
            return Err(ApplyError::UnknownHead { id, head: new.head });
        }
        if !can_hold(new.time) {
            return Err(ApplyError::ObservationTime { id, time: new.time });
        }
        let observer = self.observers.get_mut(new.observer);
        let observer = observer.ok_or(ApplyError::UnknownObserver { observer: new.observer })?;
        let subject = self.cold.subject_of(new.transmission);
        observer.note_copy(new.time, id);
        observer.hours.note_cold(new.time, subject.map(ColdSubject::payload_type), new.snr);
        self.minutes.add(new.time);
        self.widen_time_span(new.time);
        match subject {
            Some(ColdSubject::Node(node)) => self.nodes.note_seen(node, new.time),
            Some(ColdSubject::Channel(channel)) => {
                let (packet, observer) = (new.transmission, new.observer.0);
                let copy = TextCopy { packet, observer, time: new.time, latest: new.time };
                self.channels.note_text(channel, &copy);
            }
            None => {}
        }
        self.cold.note(place, id, new.time);
        Ok(())
    }

    fn widen_time_span(&mut self, time: UnixMillis) {
        let (least, greatest) = self.time_span.unwrap_or((time, time));
        self.time_span = Some((least.min(time), greatest.max(time)));
    }

    /// Everything but the duplicate rule; the row with numbers in place of ids.
    fn check_observation(&self, new: &Observation) -> Result<ObservationRow, ApplyError> {
        let id = new.id;
        let least = ObservationId(self.next_observation());
        if id < least || self.observation_ids.is_at_end() {
            return Err(ApplyError::ObservationOrder { id, least });
        }
        let transmission = self.transmission_ids.row(new.transmission.0);
        let transmission =
            transmission.ok_or(ApplyError::UnknownTransmission { id, transmission: new.transmission })?;
        let head = new.head.0;
        if head >= self.heads.len() {
            return Err(ApplyError::UnknownHead { id, head: new.head });
        }
        if self.observers.get(new.observer).is_none() {
            return Err(ApplyError::UnknownObserver { observer: new.observer });
        }
        if !can_hold(new.time) {
            return Err(ApplyError::ObservationTime { id, time: new.time });
        }
        let has_codes = |raw: &[u8]| meshcore::Route::from_bits(raw[0]).has_transport_codes();
        if self.heads.borrows_codes(head) && !has_codes(self.transmissions.raw(transmission)) {
            return Err(ApplyError::ObservationCodes { id, head: new.head });
        }
        if self.observations.len() == NONE {
            return Err(ApplyError::Full { what: "observations" });
        }
        let (observer, time) = (new.observer.0, new.time);
        let (snr, rssi, score) = (new.snr, new.rssi, new.score);
        Ok(ObservationRow { transmission, observer, head, time, snr, rssi, score })
    }

    fn note_times(&mut self, row: &ObservationRow) {
        let time = row.time;
        self.minutes.add(time);
        self.widen_time_span(time);
        self.transmissions.note_seen(row.transmission, time);
    }

    fn add_to_transmission(&mut self, row: &ObservationRow, number: u32) {
        let observer = self.observers.get_mut(model::ObserverId(row.observer)).expect("checked before");
        let id = ObservationId(self.observation_ids.id(number));
        let is_new_observer = observer.note_heard(row.transmission, row.time, id);
        let (hops, hash_size) = (self.heads.hop_count(row.head), self.heads.hash_size(row.head));
        let state = self.transmissions.state_mut(row.transmission);
        let former_latest = (state.first != NONE).then_some(state.latest);
        let former_last = std::mem::replace(&mut state.last, number);
        state.observations += 1;
        state.observers += u32::from(is_new_observer);
        if former_latest.is_none() {
            state.first = number;
        }
        if state.best == NONE || hops > state.best_hops {
            (state.best, state.best_hops, state.best_hash_size) = (number, hops, hash_size);
        }
        if former_latest.is_none_or(|former| row.time > former) {
            state.latest = row.time;
            self.latest.set(row.transmission, former_latest, row.time);
        }
        if former_last != NONE {
            self.observations.link(former_last, number);
        }
    }

    /// What follows from the first observation: postings, and the node, channel and scope of the packet.
    fn introduce(&mut self, transmission: u32, time: UnixMillis) {
        let frame =
            Frame::parse(self.transmissions.raw(transmission)).expect("only frames that parse are kept");
        let (payload_type, route) = (frame.payload_type(), frame.route());
        let scope = self.options.recognise_scope(&frame);
        let scope_ref = intern_scope(&mut self.scope_names, scope);
        let subject = match frame.payload() {
            Ok(Payload::Advert(advert)) => {
                let scope = scope.filter(|name| !name.is_empty());
                let (frame, advert) = (&frame, &advert);
                self.nodes.hear(&HeardAdvert { row: transmission, time, frame, advert, scope })
            }
            Ok(Payload::GroupText(text)) => {
                let key = self.options.text_channel(&text);
                let membership = Membership { hash_byte: text.channel_hash, key };
                self.channels.hear(transmission, true, &membership)
            }
            Ok(Payload::GroupData(data)) => {
                let key = self.options.data_channel(&data);
                let membership = Membership { hash_byte: data.channel_hash, key };
                self.channels.hear(transmission, false, &membership)
            }
            _ => NONE,
        };
        let state = self.transmissions.state_mut(transmission);
        (state.subject, state.scope) = (subject, scope_ref);
        self.postings.all.insert(transmission);
        self.postings.types[usize::from(payload_type.code())].insert(transmission);
        self.postings.routes[usize::from(route.code())].insert(transmission);
    }

    /// What every observation tells of the packet's node or channel.
    fn note_subject(&mut self, row: &ObservationRow) {
        let state = self.transmissions.state(row.transmission);
        let (subject, latest) = (state.subject, state.latest);
        if subject == NONE {
            return;
        }
        match self.payload_type(row.transmission) {
            PayloadType::Advert => self.nodes.note_seen(subject, row.time),
            PayloadType::GroupText => {
                let packet = self.transmission_id(row.transmission);
                let copy = TextCopy { packet, observer: row.observer, time: row.time, latest };
                self.channels.note_text(subject, &copy);
            }
            _ => {}
        }
    }

    /// By what clocks the packet was sent and heard, if it is an advert.
    fn note_clocks(&mut self, row: &ObservationRow) {
        if self.payload_type(row.transmission) == PayloadType::Advert {
            let sent = || time_sent(self.transmissions.raw(row.transmission));
            self.newest_adverts.note(row.transmission, row.observer, row.time.0, sent);
        }
    }

    /// The hour of the observer.
    fn note_hour(&mut self, row: &ObservationRow) {
        let payload_type = self.payload_type(row.transmission);
        let subject = self.transmissions.state(row.transmission).subject;
        let heard = CountedCopy {
            time: row.time,
            snr: row.snr,
            payload_type,
            raw: self.transmissions.raw(row.transmission),
            path: self.heads.get(row.head).path,
            advertised: (payload_type == PayloadType::Advert && subject != NONE).then_some(subject),
        };
        let observer = self.observers.get_mut(model::ObserverId(row.observer)).expect("checked before");
        observer.hours.note(&heard);
    }

    /// What the path tells of who relays; `former` is the observation of the same transmission before this one.
    fn note_hops(&mut self, row: &ObservationRow, former: u32) {
        let payload_type = self.payload_type(row.transmission);
        if payload_type == PayloadType::Trace {
            return;
        }
        let head = self.heads.get(row.head);
        let way = self.heads.way(row.head);
        let subject = self.transmissions.state(row.transmission).subject;
        self.hop_book.note(&HeardCopy {
            transmission: row.transmission,
            observer: row.observer,
            time: row.time,
            snr: row.snr,
            path: head.path,
            way_is_known: former != NONE && self.heads.way(self.observations.head(former)) == way,
            is_direct: head.route.is_direct(),
            sender: (payload_type == PayloadType::Advert && subject != NONE).then_some(subject),
        });
    }

    pub(crate) fn payload_type(&self, transmission: u32) -> PayloadType {
        PayloadType::from_bits(self.transmissions.raw(transmission)[0] >> 2)
    }
}

/// Scope names are those of the configuration, so there are few.
fn intern_scope(names: &mut Vec<Box<str>>, scope: Option<&str>) -> ScopeRef {
    match scope {
        None => ScopeRef::UNSCOPED,
        Some("") => ScopeRef::UNKNOWN,
        Some(name) => {
            let known = names.iter().position(|known| **known == *name);
            let place = known.unwrap_or(names.len());
            if known.is_none() {
                names.push(name.into());
            }
            ScopeRef::named(place)
        }
    }
}
