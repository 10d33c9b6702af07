//! Status messages: what an observer says of itself, as its record and as a sample of its counters.

use model::{ObserverId, ObserverMetrics, ObserverRecord, UnixMillis};

use crate::clock::Judged;
use crate::envelope::{Envelope, Scalar, Stats};
use crate::observers::KnownObserver;
use crate::outcome::Outcome;
use crate::text::{MAX_TEXT_BYTES, clean};

/// Longest radio setting kept, in bytes; `869.618,62.5,8,8` is usual.
pub(crate) const MAX_RADIO_BYTES: usize = 32;

/// A status message, read.
pub(crate) struct Status {
    pub(crate) retained: bool,
    pub(crate) received: UnixMillis,
    /// When it says it was written, if that is clear.
    pub(crate) stamp: Option<UnixMillis>,
    online: Option<bool>,
    told: Told,
}

/// What a status tells; `None` where it does not.
struct Told {
    name: Option<Box<str>>,
    region: Option<Box<str>>,
    model: Option<Box<str>>,
    firmware: Option<Box<str>>,
    client_version: Option<Box<str>>,
    radio: Option<Box<str>>,
    can_relay: Option<bool>,
    battery_mv: Option<u32>,
    uptime_secs: Option<u64>,
    noise_floor: Option<f32>,
    tx_air_secs: Option<u64>,
    rx_air_secs: Option<u64>,
    recv_errors: Option<u64>,
    packets_sent: Option<u64>,
    packets_recv: Option<u64>,
}

impl Status {
    pub(crate) fn read(
        envelope: &Envelope<'_>,
        region: Option<Box<str>>,
        clock: &Judged,
        received: UnixMillis,
        retained: bool,
    ) -> Status {
        let online = envelope.status.text().map(str::trim).and_then(|status| {
            let is = |word| status.eq_ignore_ascii_case(word);
            if is("online") { Some(true) } else { is("offline").then_some(false) }
        });
        Status { retained, received, stamp: clock.stamp, online, told: Told::read(envelope, region) }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.told.name.as_deref()
    }

    pub(crate) fn region(&self) -> Option<&str> {
        self.told.region.as_deref()
    }

    /// First sight of an observer that only this tells of: old news does not make it seen now.
    pub(crate) fn first_seen(&self) -> UnixMillis {
        let old = self.stamp.filter(|stamp| self.retained && *stamp < self.received);
        old.unwrap_or(self.received)
    }

    /// Changes what is known of the observer; says how the message ends and whether the record changed.
    pub(crate) fn enter(&self, observer: &mut KnownObserver) -> (Outcome, bool) {
        if self.retained {
            return (Outcome::StatusRetained, self.told.fill(&mut observer.record));
        }
        let older = |stamp: UnixMillis| observer.last_status_stamp.is_some_and(|last| stamp < last);
        if self.online == Some(false) && self.stamp.is_some_and(older) {
            return (Outcome::StatusStale, false);
        }
        observer.last_status_stamp = observer.last_status_stamp.max(self.stamp);
        observer.takes_identity(self.name(), self.region());
        self.told.replace(&mut observer.record);
        observer.record.last_status = Some(self.received);
        observer.record.online = self.online.or(observer.record.online);
        (Outcome::Status, true)
    }

    /// The sample of counters in a live status; `None` when it has none.
    pub(crate) fn metrics(&self, observer: ObserverId, interval_secs: u32) -> Option<ObserverMetrics> {
        let interval_ms = i64::from(interval_secs.max(1)) * 1000;
        let nearest = self.received.plus_ms(interval_ms / 2).0.div_euclid(interval_ms) * interval_ms;
        let told = &self.told;
        let metrics = ObserverMetrics {
            observer,
            time: UnixMillis(nearest),
            noise_floor: told.noise_floor,
            tx_air_secs: told.tx_air_secs,
            rx_air_secs: told.rx_air_secs,
            recv_errors: told.recv_errors,
            battery_mv: told.battery_mv,
            packets_sent: told.packets_sent,
            packets_recv: told.packets_recv,
        };
        let counts =
            [told.tx_air_secs, told.rx_air_secs, told.recv_errors, told.packets_sent, told.packets_recv];
        let some =
            told.noise_floor.is_some() || told.battery_mv.is_some() || counts.iter().any(Option::is_some);
        (some && !self.retained).then_some(metrics)
    }
}

impl Told {
    fn read(envelope: &Envelope<'_>, region: Option<Box<str>>) -> Told {
        let text = |value: &Scalar<'_>, max| {
            value.text().filter(|_| value.says_something()).and_then(|text| clean(text, max))
        };
        let Stats { battery_mv, uptime_secs, noise_floor, tx_air_secs, rx_air_secs, .. } = &envelope.stats;
        let Stats { recv_errors, packets_sent, packets_recv, .. } = &envelope.stats;
        Told {
            name: envelope.origin.text().and_then(|name| clean(name, MAX_TEXT_BYTES)),
            region,
            model: text(&envelope.model, MAX_TEXT_BYTES),
            firmware: text(&envelope.firmware, MAX_TEXT_BYTES),
            client_version: text(&envelope.client_version, MAX_TEXT_BYTES),
            radio: text(&envelope.radio, MAX_RADIO_BYTES),
            can_relay: envelope.repeat.yes_or_no(),
            battery_mv: battery_mv.count().and_then(|mv| u32::try_from(mv).ok()),
            uptime_secs: uptime_secs.count(),
            // A noise floor in dBm; anything outside is a fault of its sender.
            noise_floor: noise_floor
                .number()
                .filter(|dbm| (-200.0..=100.0).contains(dbm))
                .map(|dbm| dbm as f32),
            tx_air_secs: tx_air_secs.count(),
            rx_air_secs: rx_air_secs.count(),
            recv_errors: recv_errors.count(),
            packets_sent: packets_sent.count(),
            packets_recv: packets_recv.count(),
        }
    }

    /// Puts what is told in place of what was known.
    fn replace(&self, record: &mut ObserverRecord) {
        fn put<T: Clone>(known: &mut Option<T>, told: &Option<T>) {
            if told.is_some() {
                known.clone_from(told);
            }
        }
        put(&mut record.model, &self.model);
        put(&mut record.firmware, &self.firmware);
        put(&mut record.client_version, &self.client_version);
        put(&mut record.radio, &self.radio);
        put(&mut record.can_relay, &self.can_relay);
        put(&mut record.battery_mv, &self.battery_mv);
        put(&mut record.uptime_secs, &self.uptime_secs);
        put(&mut record.noise_floor, &self.noise_floor);
    }

    /// Takes over only what was not known, and only what lasts: the voltage of last month is no voltage.
    fn fill(&self, record: &mut ObserverRecord) -> bool {
        fn put<T: Clone>(known: &mut Option<T>, told: &Option<T>) -> bool {
            let fills = known.is_none() && told.is_some();
            if fills {
                known.clone_from(told);
            }
            fills
        }
        let mut changed = put(&mut record.name, &self.name);
        changed |= put(&mut record.iata, &self.region);
        changed |= put(&mut record.model, &self.model);
        changed |= put(&mut record.firmware, &self.firmware);
        changed |= put(&mut record.client_version, &self.client_version);
        changed |= put(&mut record.radio, &self.radio);
        changed | put(&mut record.can_relay, &self.can_relay)
    }
}
