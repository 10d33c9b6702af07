//! Packet messages: from the envelope's `raw` to a sound frame with what its observer measured.

use std::collections::HashMap;

use meshcore::{Advert, Frame, PacketHash, Payload, PayloadType, verify_batch};
use model::{SnrQuarterDb, UnixMillis};

use crate::clock::Judged;
use crate::envelope::{Envelope, Scalar};
use crate::outcome::{Outcome, Remark, Remarks};

/// The most hex digits that a frame of 255 bytes has.
const MAX_RAW_DIGITS: usize = 510;

/// What some nodes fill in when they publish without having measured.
const PLACEHOLDER_SNR: f64 = 12.5;
const PLACEHOLDER_RSSI: f64 = -65.0;

/// A sound frame, heard.
pub(crate) struct Heard {
    /// The whole frame; parses by the firmware's rules.
    pub(crate) raw: Box<[u8]>,
    pub(crate) hash: PacketHash,
    pub(crate) time: UnixMillis,
    pub(crate) naive_skew_secs: Option<i64>,
    pub(crate) signal: Signal,
}

/// SNR, RSSI and score, as far as they can be measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) snr: Option<SnrQuarterDb>,
    pub(crate) rssi: Option<i16>,
    pub(crate) score: Option<u16>,
}

impl Heard {
    /// Reads the packet out of an envelope.
    ///
    /// # Errors
    /// How the message ends instead, with a detail for the log.
    pub(crate) fn read(
        envelope: &Envelope<'_>,
        clock: &Judged,
        remarks: &mut Remarks,
    ) -> Result<Heard, (Outcome, String)> {
        if envelope.direction.text().is_some_and(|d| d.trim().eq_ignore_ascii_case("tx")) {
            return Err((Outcome::IgnoredTxRecord, String::new()));
        }
        let raw = match &envelope.raw {
            Scalar::Text(text) => decode_raw(text)?,
            Scalar::Absent => return Err((Outcome::MissingRaw, "raw is absent or null".into())),
            other => return Err((Outcome::RawNotHex, format!("raw is {other:?}"))),
        };
        let heard = Heard::sound(raw, clock, Signal::read(envelope, clock.without_zone, remarks), remarks)?;
        if disagrees(envelope, &heard) {
            remarks.add(Remark::EnvelopeDisagrees);
        }
        Ok(heard)
    }

    /// A frame from elsewhere, if the firmware would take it.
    ///
    /// # Errors
    /// As [`Heard::read`].
    pub(crate) fn sound(
        raw: Vec<u8>,
        clock: &Judged,
        signal: Signal,
        remarks: &mut Remarks,
    ) -> Result<Heard, (Outcome, String)> {
        let frame =
            Frame::parse(&raw).map_err(|error| (Outcome::of_frame_error(error.kind), error.to_string()))?;
        let hash = frame.content_hash();
        if frame.payload().is_err() {
            remarks.add(Remark::PayloadTooShort);
        }
        let (time, naive_skew_secs) = (clock.time, clock.naive_skew_secs);
        Ok(Heard { raw: raw.into(), hash, time, naive_skew_secs, signal })
    }

    /// The frame again.
    pub(crate) fn frame(&self) -> Option<Frame<'_>> {
        Frame::parse(&self.raw).ok()
    }

    /// The advert, if it is a whole one.
    pub(crate) fn advert(&self) -> Option<Advert<'_>> {
        let frame = self.frame().filter(|frame| frame.payload_type() == PayloadType::Advert)?;
        match frame.payload() {
            Ok(Payload::Advert(advert)) => Some(advert),
            _ => None,
        }
    }
}

/// The adverts among these packets that are new and not to be kept, each with how it ends. The signatures are checked
/// together, since that costs less, and an advert that is known was checked when it came first.
pub(crate) fn unfit_adverts<'h>(
    packets: impl Iterator<Item = (usize, &'h Heard)>,
    is_known: impl Fn(PacketHash) -> bool,
    validate_signatures: bool,
) -> Vec<(usize, (Outcome, String))> {
    let mut ends = Vec::new();
    let mut adverts = Vec::new();
    let mut by_hash: HashMap<PacketHash, usize> = HashMap::new();
    let mut checked = Vec::new();
    for (place, heard) in packets {
        let Some(advert) = heard.advert().filter(|_| !is_known(heard.hash)) else { continue };
        if let Some(fault) = advert_fault(&advert) {
            ends.push((place, fault));
            continue;
        }
        let which = *by_hash.entry(heard.hash).or_insert_with(|| {
            adverts.push(advert);
            adverts.len() - 1
        });
        checked.push((place, which));
    }
    if validate_signatures {
        let valid = verify_batch(&adverts);
        for (place, which) in checked.into_iter().filter(|(_, which)| !valid[*which]) {
            ends.push((place, (Outcome::InvalidSignature, format!("advert of node {}", adverts[which].key))));
        }
    }
    ends
}

/// What speaks against storing an advert, its signature apart.
fn advert_fault(advert: &Advert<'_>) -> Option<(Outcome, String)> {
    if advert.key.0 == [0; 32] {
        return Some((Outcome::AdvertZeroKey, String::new()));
    }
    let location = advert.app().and_then(Result::ok).and_then(|app| app.location);
    location.filter(|place| !place.is_in_range()).map(|place| {
        let detail = format!("{} {} of node {}", place.lat(), place.lon(), advert.key);
        (Outcome::AdvertLocation, detail)
    })
}

/// Decodes `raw`.
///
/// # Errors
/// `MissingRaw`, `RawTooLong` or `RawNotHex`.
pub(crate) fn decode_raw(text: &str) -> Result<Vec<u8>, (Outcome, String)> {
    let digits = text.trim();
    if digits.is_empty() {
        return Err((Outcome::MissingRaw, "raw is empty".into()));
    }
    if digits.len() > MAX_RAW_DIGITS {
        return Err((
            Outcome::RawTooLong,
            format!("raw has {} digits, at most 510 make a frame", digits.len()),
        ));
    }
    meshcore::decode_hex(digits).ok_or_else(|| {
        let odd = digits.len() % 2 == 1 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let detail = if odd { "an odd number of digits".into() } else { format!("raw is {digits:?}") };
        (Outcome::RawNotHex, detail)
    })
}

impl Signal {
    fn read(envelope: &Envelope<'_>, without_zone: bool, remarks: &mut Remarks) -> Signal {
        let mut unreadable = false;
        let mut note = |value: &Scalar<'_>, is_read: bool| unreadable |= !is_read && value.says_something();
        let (snr, rssi, score) = (envelope.snr.number(), envelope.rssi.number(), envelope.score.number());
        let mut signal = Signal { score: score.and_then(score_of), ..Signal::of_numbers(snr, rssi) };
        note(&envelope.snr, signal.snr.is_some());
        note(&envelope.rssi, signal.rssi.is_some());
        note(&envelope.score, signal.score.is_some());
        if unreadable {
            remarks.add(Remark::UnreadableSignal);
        }
        // Only nodes that publish themselves fill these in, and only they write the time without a zone; from anyone
        // else the two are a measurement.
        if without_zone && snr == Some(PLACEHOLDER_SNR) && rssi == Some(PLACEHOLDER_RSSI) {
            remarks.add(Remark::PlaceholderSignal);
            (signal.snr, signal.rssi) = (None, None);
        }
        signal
    }

    /// What radios can measure; 0 dB and 0 dBm are kept, odd as they are.
    pub(crate) fn of_numbers(snr_db: Option<f64>, rssi_dbm: Option<f64>) -> Signal {
        let rssi = rssi_dbm.map(f64::round).filter(|dbm| (-200.0..=100.0).contains(dbm));
        Signal { snr: snr_db.and_then(SnrQuarterDb::from_db), rssi: rssi.map(|dbm| dbm as i16), score: None }
    }
}

/// The firmware's score; fractions, which some programs make of it, are rounded.
pub(crate) fn score_of(number: f64) -> Option<u16> {
    Some(number.round()).filter(|score| (0.0..=1000.0).contains(score)).map(|score| score as u16)
}

/// Whether the envelope says something about the packet that its bytes do not.
fn disagrees(envelope: &Envelope<'_>, heard: &Heard) -> bool {
    let Some(frame) = heard.frame() else { return false };
    let differs = |value: &Scalar<'_>, truth: usize| value.number().is_some_and(|said| said != truth as f64);
    let route_differs = match envelope.route.text() {
        Some("F") => !frame.route().is_flood(),
        Some("D") => !frame.route().is_direct(),
        Some("T") => !frame.route().has_transport_codes(),
        _ => false,
    };
    let hash_differs = envelope.hash.text().is_some_and(|hash| {
        let given = hash.parse::<PacketHash>().ok();
        // All zeros stand for "could not be computed".
        given.is_some_and(|given| given != heard.hash && given.0 != [0; 8])
    });
    route_differs
        || hash_differs
        || differs(&envelope.len, heard.raw.len())
        || differs(&envelope.packet_type, usize::from(frame.payload_type().code()))
}
