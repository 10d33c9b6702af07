//! Packets that another database has kept, decided by the rules of live ones.
//!
//! There is no envelope to read and no clock to judge: whoever reads the other database says who heard what, and when.
//! What follows (frames, adverts, duplicates, heads, ids) is the same code that decides live packets.

use index::Index;
use meshcore::{Frame, PacketHash};
use model::{
    Change, ClientId, ClientObserver, ObservationId, ObserverId, ObserverRecord, Reception, ReceptionId,
    TransmissionId, UnixMillis,
};

use crate::clock;
use crate::config::IngestConfig;
use crate::coverage;
use crate::envelope::Scalar;
use crate::observers::Introduction;
use crate::outcome::{Outcome, Remarks};
use crate::packet::{self, Heard, Signal, unfit_adverts};
use crate::record::Recorder;
use crate::status::MAX_RADIO_BYTES;
use crate::text::{self, MAX_TEXT_BYTES};
use crate::topic::{is_client_key, is_key, is_public_key};

/// Decides packets of the past against an index of its own, and collects the changes that follow.
///
/// It must be the only one that applies changes to the database that the index was loaded from.
pub struct History {
    index: Index,
    validate_signatures: bool,
    max_observers: usize,
    max_clients: usize,
    next_reception: ReceptionId,
    changes: Vec<Change>,
}

/// A copy that was heard: a frame that the firmware would take, and what its observer measured.
pub struct PastPacket {
    observer: ObserverId,
    heard: Heard,
    signal_lost: bool,
}

/// What was measured, as it was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PastSignal {
    /// Signal-to-noise ratio in dB.
    pub snr: Option<f64>,
    /// Signal strength in dBm.
    pub rssi: Option<f64>,
    /// The firmware's score; some programs keep fractions.
    pub score: Option<f64>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastVerdict {
    /// Stored, duplicate or refused, by the names of live packets.
    pub outcome: Outcome,
    /// Its content, unless it was refused.
    pub transmission: Option<TransmissionId>,
    /// The hearing of it: new, or the one that it repeats.
    pub observation: Option<ObservationId>,
}

impl History {
    /// Goes on from what is in the index. Of the settings, those about signatures and the number of observers count.
    pub fn new(index: Index, config: &IngestConfig) -> History {
        let max_observers = config.max_observers.min(usize::from(u16::MAX));
        History {
            index,
            validate_signatures: config.validate_signatures,
            max_observers,
            max_clients: config.max_clients.min(usize::from(u16::MAX)),
            next_reception: ReceptionId(1),
            changes: Vec::new(),
        }
    }

    /// What is known so far.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The observer with this key, which becomes known by this if it was not.
    ///
    /// # Errors
    /// `BadObserverKey` for a key that no topic could have, `TooManyObservers` when there is no room.
    pub fn observer(&mut self, key: &str, first_seen: UnixMillis) -> Result<ObserverId, Outcome> {
        let key = observer_key(key).ok_or(Outcome::BadObserverKey)?;
        if let Some(id) = self.index.observer_by_key(&key) {
            return Ok(id);
        }
        let id = self.index.next_ids().observer;
        if usize::from(id.0) >= self.max_observers {
            return Err(Outcome::TooManyObservers);
        }
        let who = Introduction { key: &key, name: None, region: None, received: first_seen };
        self.apply(Change::Observer(who.new_record(id, &key)))?;
        Ok(id)
    }

    /// Replaces what is known of an observer; `false` when it is known already, exactly so.
    ///
    /// # Errors
    /// `Internal` when the record is of no observer that [`History::observer`] has given out.
    pub fn set_observer(&mut self, record: ObserverRecord) -> Result<bool, Outcome> {
        if self.index.observer_record(record.id) == Some(&record) {
            return Ok(false);
        }
        self.apply(Change::Observer(record))?;
        Ok(true)
    }

    /// The mobile client with this key as [`past_client`] gives it, which becomes known by this if it was not.
    ///
    /// # Errors
    /// `TooManyObservers` when there is no room.
    pub fn client(
        &mut self,
        key: &str,
        name: Option<Box<str>>,
        last_seen: UnixMillis,
    ) -> Result<ClientId, Outcome> {
        if let Some(id) = self.index.client_by_key(key) {
            return Ok(id);
        }
        let id = self.index.next_ids().client;
        if usize::from(id.0) >= self.max_clients {
            return Err(Outcome::TooManyObservers);
        }
        self.apply(Change::Client(ClientObserver { id, key: key.into(), name, last_seen }))?;
        Ok(id)
    }

    /// The id of the next reception; each call gives another one.
    pub fn next_reception(&mut self) -> ReceptionId {
        let id = self.next_reception.max(self.index.next_ids().reception);
        self.next_reception = ReceptionId(id.0 + 1);
        id
    }

    /// Decides packets in their order. Signatures of adverts are checked together, so some hundreds at a time cost less
    /// than one after the other.
    pub fn decide(&mut self, packets: &[PastPacket]) -> Vec<PastVerdict> {
        let index = &self.index;
        let heard = packets.iter().enumerate().map(|(place, packet)| (place, &packet.heard));
        let is_known = |hash| index.find(hash).is_some();
        let mut ends: Vec<Option<Outcome>> = vec![None; packets.len()];
        for (place, (outcome, _)) in unfit_adverts(heard, is_known, self.validate_signatures) {
            ends[place] = Some(outcome);
        }
        let changes = std::mem::take(&mut self.changes);
        let mut recorder = Recorder { index: &mut self.index, changes, observations: Vec::new() };
        let verdicts = packets.iter().zip(ends).map(|(packet, end)| match end {
            Some(outcome) => PastVerdict::refused(outcome),
            None => match recorder.copy(packet.observer, &packet.heard) {
                Ok(decision) => PastVerdict {
                    outcome: decision.outcome,
                    transmission: decision.transmission,
                    observation: decision.observation.or(decision.repeats),
                },
                Err((outcome, _)) => PastVerdict::refused(outcome),
            },
        });
        let verdicts = verdicts.collect();
        self.changes = recorder.changes;
        verdicts
    }

    /// Adds a change that the index has no part in: metrics, refused packets, receptions (which would only push others out), and the record of a node, which an index that
    /// holds adverts of it takes only when it is loaded anew.
    pub fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// The changes since the last call, for the writer.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// How many changes wait to be taken.
    pub fn waiting(&self) -> usize {
        self.changes.len()
    }

    fn apply(&mut self, change: Change) -> Result<(), Outcome> {
        let changes = std::mem::take(&mut self.changes);
        let mut recorder = Recorder { index: &mut self.index, changes, observations: Vec::new() };
        let applied = recorder.apply(change).map_err(|(outcome, _)| outcome);
        self.changes = recorder.changes;
        applied
    }
}

impl PastPacket {
    /// A packet as it was kept. Measurements that no radio can have made are left out.
    ///
    /// # Errors
    /// Why the firmware would drop the frame.
    pub fn new(
        raw: Vec<u8>,
        observer: ObserverId,
        time: UnixMillis,
        signal: PastSignal,
    ) -> Result<PastPacket, Outcome> {
        let kept = Signal {
            score: signal.score.and_then(packet::score_of),
            ..Signal::of_numbers(signal.snr, signal.rssi)
        };
        let lost = |given: Option<f64>, kept: bool| given.is_some() && !kept;
        let signal_lost = lost(signal.snr, kept.snr.is_some())
            || lost(signal.rssi, kept.rssi.is_some())
            || lost(signal.score, kept.score.is_some());
        let clock = clock::Judged::arrival(time);
        let heard =
            Heard::sound(raw, &clock, kept, &mut Remarks::default()).map_err(|(outcome, _)| outcome)?;
        Ok(PastPacket { observer, heard, signal_lost })
    }

    /// The content hash of the frame.
    pub fn hash(&self) -> PacketHash {
        self.heard.hash
    }

    /// Whether a measurement was left out.
    pub fn signal_lost(&self) -> bool {
        self.signal_lost
    }
}

impl PastVerdict {
    fn refused(outcome: Outcome) -> PastVerdict {
        PastVerdict { outcome, transmission: None, observation: None }
    }
}

/// What a mobile client heard, as it was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PastReception {
    /// The beginning of the node's key, or all of it.
    pub heard: Box<[u8]>,
    /// When, in whole seconds.
    pub time: UnixMillis,
    location: (i32, i32),
    accuracy_m: Option<u16>,
    signal: Signal,
}

impl PastReception {
    /// By the rules of live ones; `None` for a place that is not on Earth or is that of no place.
    pub fn new(
        heard: Box<[u8]>,
        time: UnixMillis,
        (lat, lon): (f64, f64),
        accuracy_m: Option<f64>,
        signal: PastSignal,
    ) -> Option<PastReception> {
        Some(PastReception {
            heard,
            time: coverage::whole_seconds(time),
            location: coverage::on_earth(lat, lon)?,
            accuracy_m: accuracy_m.and_then(coverage::metres),
            signal: Signal::of_numbers(signal.snr, signal.rssi),
        })
    }

    /// Whether a measurement was left out.
    pub fn signal_lost(&self, given: &PastSignal) -> bool {
        given.snr.is_some() != self.signal.snr.is_some() || given.rssi.is_some() != self.signal.rssi.is_some()
    }

    /// The row.
    pub fn row(self, id: ReceptionId, client: ClientId) -> Reception {
        let PastReception { heard, time, location, accuracy_m, signal } = self;
        Reception { id, client, time, heard, location, accuracy_m, rssi: signal.rssi, snr: signal.snr }
    }
}

/// A mobile client's key in its one form; `None` for what is no key.
pub fn past_client(text: &str) -> Option<Box<str>> {
    let key = text.trim();
    is_client_key(key).then(|| key.to_ascii_lowercase().into())
}

/// The bytes of a frame given as hex.
///
/// # Errors
/// `MissingRaw`, `RawTooLong`, `RawNotHex`, or why the firmware would drop it.
pub fn past_frame(raw_hex: &str) -> Result<Vec<u8>, Outcome> {
    let raw = packet::decode_raw(raw_hex).map_err(|(outcome, _)| outcome)?;
    Frame::parse(&raw).map_err(|error| Outcome::of_frame_error(error.kind))?;
    Ok(raw)
}

/// A time of the past: RFC 3339, the same without a zone (then UTC) or with a blank in place of the `T`, or seconds or
/// milliseconds since 1970. `None` for anything else, and for times that no row can hold.
pub fn past_time(value: &Scalar<'_>) -> Option<UnixMillis> {
    let time = clock::instant(value)?;
    index::can_hold(time).then_some(time)
}

/// A stranger's text as it is kept: bounded, without control characters; `None` when it says nothing.
pub fn past_text(value: &Scalar<'_>) -> Option<Box<str>> {
    bounded(value, MAX_TEXT_BYTES)
}

/// An observer's radio setting as it is kept; `None` when it says nothing.
pub fn past_radio(value: &Scalar<'_>) -> Option<Box<str>> {
    bounded(value, MAX_RADIO_BYTES)
}

fn bounded(value: &Scalar<'_>, max_bytes: usize) -> Option<Box<str>> {
    value.text().filter(|_| value.says_something()).and_then(|text| text::clean(text, max_bytes))
}

/// A region code in its one form; `None` for what cannot be one.
pub fn past_region(value: &Scalar<'_>) -> Option<Box<str>> {
    value.text().and_then(text::region)
}

/// An observer's key in its one form: public keys in capitals, other ids as they are. `None` for what is no key.
pub fn observer_key(text: &str) -> Option<String> {
    let key = text.trim();
    let one_form = if is_public_key(key) { key.to_ascii_uppercase() } else { key.to_owned() };
    is_key(key).then_some(one_form)
}
