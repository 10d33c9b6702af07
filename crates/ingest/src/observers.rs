//! The directory of observers: which key is whom, and what is known of each beyond its record.

use std::collections::HashMap;

use index::Index;
use model::{ObserverId, ObserverRecord, UnixMillis};

use crate::ledger::{IngestLedger, ObserverRow};
use crate::outcome::Outcome;
use crate::topic::is_public_key;

/// How many keys that never had a message accepted get a row of their own in the books.
const MAX_STRANGERS: usize = 256;

/// How long a packet's change of name or region waits after the one before, so that an observer which alternates
/// between two names does not write a row per packet.
const MIN_CHANGE_INTERVAL_MS: i64 = 10_000;

/// All keys seen, bounded.
pub(crate) struct Directory {
    by_key: HashMap<Box<str>, Place>,
    slots: Vec<Slot>,
    strangers: usize,
    max_observers: usize,
}

/// Where an observer stands in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

struct Slot {
    row: ObserverRow,
    known: Option<KnownObserver>,
}

/// An observer of which something was accepted.
pub(crate) struct KnownObserver {
    pub(crate) record: ObserverRecord,
    /// The newest time that a status of it gave for itself.
    pub(crate) last_status_stamp: Option<UnixMillis>,
    /// When a packet last changed its record.
    changed_by_packet: UnixMillis,
}

/// What a packet's envelope tells of its observer.
pub(crate) struct Introduction<'a> {
    /// As in the topic or `origin_id`.
    pub(crate) key: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) received: UnixMillis,
}

impl Directory {
    pub(crate) fn new(max_observers: usize) -> Self {
        // Ids have 16 bits.
        let max_observers = max_observers.min(usize::from(u16::MAX));
        Self { by_key: HashMap::new(), slots: Vec::new(), strangers: 0, max_observers }
    }

    /// The place of a key, and its row in the books. A new key gets both while there is room for strangers.
    pub(crate) fn place(&mut self, key: &str, ledger: &IngestLedger) -> (Option<Place>, ObserverRow) {
        if let Some(place) = self.by_key.get(key).copied() {
            return (Some(place), self.slots[place.0].row);
        }
        if self.strangers >= MAX_STRANGERS {
            return (None, ObserverRow::OTHERS);
        }
        let place = self.add(key, ledger);
        (Some(place), self.slots[place.0].row)
    }

    fn add(&mut self, key: &str, ledger: &IngestLedger) -> Place {
        let place = Place(self.slots.len());
        self.by_key.insert(key.into(), place);
        self.slots.push(Slot { row: ledger.open_row(key), known: None });
        self.strangers += 1;
        place
    }

    /// The observer with this key: known already, found in the index, or new. `upper_key` is `who.key` in capitals.
    ///
    /// # Errors
    /// `TooManyObservers` when it would be new and there is no room.
    pub(crate) fn admit(
        &mut self,
        upper_key: &str,
        place: Option<Place>,
        who: &Introduction<'_>,
        index: &Index,
        ledger: &IngestLedger,
    ) -> Result<Admitted<'_>, Outcome> {
        let place = match place.or_else(|| self.by_key.get(upper_key).copied()) {
            Some(place) if self.slots[place.0].known.is_some() => {
                let known = self.slots[place.0].known.as_mut();
                return known.map(Admitted::known).ok_or(Outcome::Internal);
            }
            place => place,
        };
        let stored = index.observer_by_key(upper_key).and_then(|id| index.observer_record(id)).cloned();
        let is_new = stored.is_none();
        let next = index.next_ids().observer;
        if is_new && usize::from(next.0) >= self.max_observers {
            return Err(Outcome::TooManyObservers);
        }
        let record = stored.unwrap_or_else(|| who.new_record(next, upper_key));
        let place = place.unwrap_or_else(|| self.add(upper_key, ledger));
        self.strangers -= 1;
        let known =
            KnownObserver { record, last_status_stamp: None, changed_by_packet: UnixMillis(i64::MIN) };
        Ok(Admitted { observer: self.slots[place.0].known.insert(known), is_new })
    }
}

/// An observer whose message is being accepted.
pub(crate) struct Admitted<'d> {
    pub(crate) observer: &'d mut KnownObserver,
    /// Whether it was never heard of before.
    pub(crate) is_new: bool,
}

impl<'d> Admitted<'d> {
    fn known(observer: &'d mut KnownObserver) -> Self {
        Self { observer, is_new: false }
    }
}

impl Introduction<'_> {
    pub(crate) fn new_record(&self, id: ObserverId, upper_key: &str) -> ObserverRecord {
        ObserverRecord {
            id,
            // Public keys have one form; other ids stay as their owners write them.
            key: if is_public_key(upper_key) { upper_key.into() } else { self.key.into() },
            name: self.name.map(Into::into),
            iata: self.region.map(Into::into),
            model: None,
            firmware: None,
            client_version: None,
            radio: None,
            battery_mv: None,
            uptime_secs: None,
            noise_floor: None,
            can_relay: None,
            first_seen: self.received,
            last_status: None,
            online: None,
            clock_skew_secs: None,
            clock_last_naive: None,
        }
    }
}

impl KnownObserver {
    /// Takes over what a packet tells of its observer; says whether the record is to be written again.
    pub(crate) fn hears_packet(&mut self, who: &Introduction<'_>, naive_skew_secs: Option<i64>) -> bool {
        let record = &self.record;
        let name_differs = who.name.is_some() && record.name.as_deref() != who.name;
        let region_differs = who.region.is_some() && record.iata.as_deref() != who.region;
        let skew_differs = naive_skew_secs.is_some_and(|skew| self.is_news(skew, who.received));
        let waited = who.received.0.saturating_sub(self.changed_by_packet.0) >= MIN_CHANGE_INTERVAL_MS;
        if !(name_differs || region_differs || skew_differs) || !waited {
            return false;
        }
        self.changed_by_packet = who.received;
        self.takes_identity(who.name, who.region);
        if let Some(skew) = naive_skew_secs.filter(|_| skew_differs) {
            self.takes_skew(skew, who.received);
        }
        true
    }

    pub(crate) fn takes_identity(&mut self, name: Option<&str>, region: Option<&str>) {
        let record = &mut self.record;
        if name.is_some() && record.name.as_deref() != name {
            record.name = name.map(Into::into);
        }
        if region.is_some() && record.iata.as_deref() != region {
            record.iata = region.map(Into::into);
        }
    }

    fn takes_skew(&mut self, skew_secs: i64, received: UnixMillis) {
        self.record.clock_skew_secs = Some(skew_secs);
        self.record.clock_last_naive = Some(received);
    }

    /// A wrong clock is wrong in every packet: it is noted anew when it moved by a minute, and once an hour.
    fn is_news(&self, skew_secs: i64, received: UnixMillis) -> bool {
        let moved = self.record.clock_skew_secs.is_none_or(|old| old.abs_diff(skew_secs) > 60);
        let an_hour_ago = received.plus_ms(-3_600_000);
        moved || self.record.clock_last_naive.is_none_or(|last| last < an_hour_ago)
    }
}
