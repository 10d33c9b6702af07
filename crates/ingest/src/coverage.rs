//! What mobile clients hear: a packet with the place where it was heard, and who had sent it last (contract §5.4).

use meshcore::{Advert, Frame, Payload, PayloadType};
use model::{Change, ClientId, ClientObserver, Reception, UnixMillis};

use crate::clock::Judged;
use crate::envelope::{Envelope, Scalar};
use crate::message::{Ended, Sender};
use crate::outcome::{Outcome, Remark, Remarks};
use crate::packet::{Signal, decode_raw};
use crate::record::{Decision, Recorder};

/// A hop of one byte could be any of a hundred nodes, so it says nothing of a place.
const LEAST_HOP_BYTES: usize = 2;

/// How far its row may lag behind what a client does: a row for each reception would double what is written.
const CLIENT_ROW_EVERY_MS: i64 = 3_600_000;

/// A client that alternates between two names does not write a row for each message.
const NAME_EVERY_MS: i64 = 10_000;

/// A place, and a node heard there.
pub(crate) struct Found {
    heard: Box<[u8]>,
    time: UnixMillis,
    location: (i32, i32),
    accuracy_m: Option<u16>,
    signal: Signal,
}

impl Found {
    /// Reads what a client has heard out of its envelope.
    ///
    /// # Errors
    /// How the message ends instead, with a detail for the log.
    pub(crate) fn read(
        envelope: &Envelope<'_>,
        clock: &Judged,
        validate_signatures: bool,
        remarks: &mut Remarks,
    ) -> Result<Found, Ended> {
        let is_rx = envelope.direction.text().is_some_and(|text| text.trim().eq_ignore_ascii_case("rx"));
        if !is_rx {
            return Err((Outcome::IgnoredTxRecord, String::new()));
        }
        let location = place(envelope)?;
        let raw = match &envelope.raw {
            Scalar::Text(text) => decode_raw(text)?,
            Scalar::Absent => return Err((Outcome::MissingRaw, "raw is absent or null".into())),
            other => return Err((Outcome::RawNotHex, format!("raw is {other:?}"))),
        };
        let frame =
            Frame::parse(&raw).map_err(|error| (Outcome::of_frame_error(error.kind), error.to_string()))?;
        let heard = last_sender(&frame, validate_signatures)?;
        if let Some(remark) = clock.remark {
            remarks.add(remark);
        }
        let signal = Signal::of_numbers(envelope.snr.number(), envelope.rssi.number());
        let lost = |given: &Scalar<'_>, kept: bool| given.says_something() && !kept;
        if lost(&envelope.snr, signal.snr.is_some()) || lost(&envelope.rssi, signal.rssi.is_some()) {
            remarks.add(Remark::UnreadableSignal);
        }
        Ok(Found {
            heard,
            time: whole_seconds(clock.time),
            location,
            accuracy_m: envelope.gps.accuracy_m.number().and_then(metres),
            signal,
        })
    }
}

/// Latitude and longitude in millionths of a degree.
fn place(envelope: &Envelope<'_>) -> Result<(i32, i32), Ended> {
    let no_place = |detail: String| (Outcome::ReceptionNoPlace, detail);
    let (Some(lat), Some(lon)) = (envelope.gps.lat.number(), envelope.gps.lon.number()) else {
        return Err(no_place("gps has no lat and lon".into()));
    };
    on_earth(lat, lon).ok_or_else(|| no_place(format!("gps is {lat} {lon}")))
}

/// A place in millionths of a degree; `None` for one that is not on Earth, and for what receivers say before they know where
/// they are.
pub(crate) fn on_earth(lat: f64, lon: f64) -> Option<(i32, i32)> {
    let on_earth = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
    let known = lat != 0.0 || lon != 0.0;
    (on_earth && known).then(|| ((lat * 1e6).round() as i32, (lon * 1e6).round() as i32))
}

/// How exact a place is; `None` for what cannot be.
pub(crate) fn metres(number: f64) -> Option<u16> {
    Some(number.round()).filter(|metres| (0.0..=65_535.0).contains(metres)).map(|metres| metres as u16)
}

/// CoreScope's times of receptions have seconds, and its rule of what repeats what goes by them.
pub(crate) fn whole_seconds(time: UnixMillis) -> UnixMillis {
    UnixMillis(time.0.div_euclid(1_000) * 1_000)
}

/// Who was heard: the last to relay it, or the author of an advert that nobody has relayed.
fn last_sender(frame: &Frame<'_>, validate_signatures: bool) -> Result<Box<[u8]>, Ended> {
    let end = |outcome| (outcome, String::new());
    let path = frame.path();
    if !path.is_empty() {
        // The path of a direct packet is the way that is left to go, and that of a trace is no path at all.
        if frame.route().is_direct() || frame.payload_type() == PayloadType::Trace {
            return Err(end(Outcome::ReceptionDirect));
        }
        let hop = path.hops().next_back().map(|hop| hop.bytes());
        return hop
            .filter(|hop| hop.len() >= LEAST_HOP_BYTES)
            .map(Into::into)
            .ok_or(end(Outcome::ReceptionUnnamed));
    }
    match frame.payload() {
        Ok(Payload::Advert(advert)) => author(&advert, validate_signatures),
        _ => Err(end(Outcome::ReceptionUnnamed)),
    }
}

fn author(advert: &Advert<'_>, validate_signatures: bool) -> Result<Box<[u8]>, Ended> {
    if advert.key.0 == [0; 32] {
        return Err((Outcome::AdvertZeroKey, String::new()));
    }
    if validate_signatures && !advert.verify() {
        return Err((Outcome::InvalidSignature, format!("advert of node {}", advert.key)));
    }
    Ok(advert.key.0.into())
}

impl Recorder<'_> {
    /// Records a reception, unless it is known.
    pub(crate) fn reception(
        &mut self,
        sender: &Sender<'_>,
        found: &Found,
        received: UnixMillis,
        max_clients: usize,
    ) -> Result<Decision, Ended> {
        let decision = |outcome| Decision { outcome, transmission: None, observation: None, repeats: None };
        let key = sender.key.to_ascii_lowercase();
        let known = self.index.client_by_key(&key);
        if known.is_some_and(|client| self.index.has_reception(client, &found.heard, found.time)) {
            return Ok(decision(Outcome::DuplicateReception));
        }
        let client = self.client(&key, known, sender.name.as_deref(), received, max_clients)?;
        self.apply(Change::Reception(Reception {
            id: self.index.next_ids().reception,
            client,
            time: found.time,
            heard: found.heard.clone(),
            location: found.location,
            accuracy_m: found.accuracy_m,
            rssi: found.signal.rssi,
            snr: found.signal.snr,
        }))?;
        Ok(decision(Outcome::StoredReception))
    }

    /// The client with this key, whose row is written when there is something new to say.
    fn client(
        &mut self,
        key: &str,
        known: Option<ClientId>,
        name: Option<&str>,
        received: UnixMillis,
        max_clients: usize,
    ) -> Result<ClientId, Ended> {
        let record = known.and_then(|id| self.index.client(id));
        if let Some(record) = record {
            let silent_ms = received.0.saturating_sub(record.last_seen.0);
            let renamed = name.is_some() && record.name.as_deref() != name && silent_ms >= NAME_EVERY_MS;
            if !renamed && silent_ms < CLIENT_ROW_EVERY_MS {
                return Ok(record.id);
            }
        }
        let next = self.index.next_ids().client;
        if record.is_none() && usize::from(next.0) >= max_clients.min(usize::from(u16::MAX)) {
            return Err((Outcome::TooManyObservers, String::new()));
        }
        let client = ClientObserver {
            id: record.map_or(next, |record| record.id),
            key: key.into(),
            name: name.map(Into::into).or_else(|| record.and_then(|record| record.name.clone())),
            last_seen: received.max(record.map_or(received, |record| record.last_seen)),
        };
        let id = client.id;
        self.apply(Change::Client(client))?;
        Ok(id)
    }
}
