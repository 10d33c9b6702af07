//! When a packet was heard: by the observer's clock if that can be believed, else when its message arrived.
//!
//! Observers write the time in three ways: with a zone (`…Z`, `…+00:00`), as local time without one, and, from nodes
//! that publish themselves, as local time without zone beside the UTC pair `time` and `date`.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use model::UnixMillis;

use crate::envelope::Scalar;
use crate::outcome::Remark;

/// A clock may run this far ahead before it is not believed.
const MAX_AHEAD_MS: i64 = 60_000;
/// Messages older than this come from a clock that was never set, or from a file.
const MAX_AGE_MS: i64 = 30 * 24 * 3_600_000;
/// A time without zone is taken as UTC when it is this close to the arrival.
const MAX_NAIVE_SKEW_MS: i64 = 15 * 60_000;
/// Local times differ from UTC by at most this much.
const MAX_ZONE_MS: i64 = 14 * 3_600_000;
/// Zones differ from UTC by multiples of a quarter of an hour.
const ZONE_STEP_MS: i64 = 15 * 60_000;
/// How far wall clock and UTC pair, read one after the other, may miss such a multiple.
const ZONE_SLACK_MS: i64 = 5_000;
/// What a node's clock says before it is set.
const CLOCK_NOT_SET: &str = "2024-01-01T12:00:00";

/// The time of a message, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What is taken.
    pub(crate) time: UnixMillis,
    /// What the observer said, if it said when in a way that leaves no doubt about the zone.
    pub(crate) stamp: Option<UnixMillis>,
    /// How far a clock without zone is off, in seconds, when it could not be believed.
    pub(crate) naive_skew_secs: Option<i64>,
    /// Why the time of arrival was taken, if it was.
    pub(crate) remark: Option<Remark>,
    /// Whether the message's own time carries no zone, as those of nodes that publish themselves.
    pub(crate) without_zone: bool,
}

impl Judged {
    /// The time of arrival, because there is no other.
    pub(crate) fn arrival(received: UnixMillis) -> Judged {
        Judged { time: received, stamp: None, naive_skew_secs: None, remark: None, without_zone: false }
    }
}

/// Judges the `timestamp`, `time` and `date` of a message that arrived at `received`.
pub(crate) fn judge(
    timestamp: &Scalar<'_>,
    time: &Scalar<'_>,
    date: &Scalar<'_>,
    received: UnixMillis,
) -> Judged {
    let arrival = |remark| Judged { remark: Some(remark), ..Judged::arrival(received) };
    match read(timestamp) {
        None => arrival(Remark::ClockMissing),
        Some(Stamp::Instant(stamp)) => believe(stamp, received),
        Some(Stamp::NotSet) => Judged { without_zone: true, ..arrival(Remark::ClockNotSet) },
        Some(Stamp::Wall(wall)) => {
            let judged = match utc_pair(time, date).filter(|utc| is_zone(wall.0.saturating_sub(utc.0))) {
                Some(utc) => believe(utc, received),
                None => believe_naive(wall, received),
            };
            Judged { without_zone: true, ..judged }
        }
    }
}

/// The instant that was written; without a zone it is UTC.
pub(crate) fn instant(timestamp: &Scalar<'_>) -> Option<UnixMillis> {
    match timestamp {
        Scalar::Text(text) => match text.trim().parse() {
            Ok(number) => instant(&Scalar::Number(number)),
            Err(_) => wall_and_zone(text).map(|(wall, zone)| zone.unwrap_or(wall)),
        },
        number => match read(number)? {
            Stamp::Instant(time) => Some(time),
            _ => None,
        },
    }
}

fn believe(stamp: UnixMillis, received: UnixMillis) -> Judged {
    let age = received.0.saturating_sub(stamp.0);
    let believed = (-MAX_AHEAD_MS..=MAX_AGE_MS).contains(&age);
    Judged {
        // A clock a little ahead must not put a packet into the future.
        time: if believed { stamp.min(received) } else { received },
        stamp: Some(stamp),
        naive_skew_secs: None,
        remark: (!believed).then_some(Remark::ClockNotBelieved),
        without_zone: false,
    }
}

fn believe_naive(wall: UnixMillis, received: UnixMillis) -> Judged {
    let skew = wall.0.saturating_sub(received.0);
    if skew.abs() <= MAX_NAIVE_SKEW_MS {
        return Judged { stamp: None, ..believe(wall.min(received), received) };
    }
    let (naive_skew_secs, remark) = (Some(skew / 1000), Some(Remark::ClockWithoutZone));
    Judged { naive_skew_secs, remark, ..Judged::arrival(received) }
}

/// A time as it is written.
enum Stamp {
    /// With a zone.
    Instant(UnixMillis),
    /// Without one: the instant if it were UTC.
    Wall(UnixMillis),
    /// The time at which clocks start.
    NotSet,
}

fn read(timestamp: &Scalar<'_>) -> Option<Stamp> {
    let text = match timestamp {
        Scalar::Text(text) => text.trim(),
        // Seconds or milliseconds since 1970, told apart by size: the limit is the year 5138 in the one and 1973
        // in the other.
        Scalar::Number(number) if *number >= 1e9 && *number < 1e15 => {
            let millis = if *number < 1e11 { number * 1000.0 } else { *number };
            return Some(Stamp::Instant(UnixMillis(millis as i64)));
        }
        _ => return None,
    };
    match wall_and_zone(text)? {
        (_, Some(instant)) => Some(Stamp::Instant(instant)),
        _ if text.starts_with(CLOCK_NOT_SET) => Some(Stamp::NotSet),
        (wall, None) => Some(Stamp::Wall(wall)),
    }
}

/// What a text says as if it were UTC, and the instant that it means if it has a zone.
fn wall_and_zone(text: &str) -> Option<(UnixMillis, Option<UnixMillis>)> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    let wall = unix_millis(DateTime::from_parts(pieces.date(), pieces.time()?));
    let offset = pieces.to_numeric_offset();
    Some((wall, offset.map(|offset| wall.plus_ms(-1000 * i64::from(offset.seconds())))))
}

/// `HH:MM:SS` and `D/M/YYYY` or `DD/MM/YYYY`, in UTC.
fn utc_pair(time: &Scalar<'_>, date: &Scalar<'_>) -> Option<UnixMillis> {
    let [hour, minute, second] = three_numbers(time.text()?, ':')?;
    let [day, month, year] = three_numbers(date.text()?, '/')?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let small = |number| i8::try_from(number).ok();
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(unix_millis(DateTime::from_parts(date, time)))
}

fn three_numbers(text: &str, separator: char) -> Option<[i16; 3]> {
    let mut parts = text.trim().split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Whether a local time this far from UTC can come from a zone.
fn is_zone(offset_ms: i64) -> bool {
    let beyond_step = offset_ms.rem_euclid(ZONE_STEP_MS);
    offset_ms.abs() <= MAX_ZONE_MS + ZONE_SLACK_MS
        && beyond_step.min(ZONE_STEP_MS - beyond_step) <= ZONE_SLACK_MS
}

/// The instant of a date and time in UTC.
fn unix_millis(utc: DateTime) -> UnixMillis {
    // Days since 1970 by Howard Hinnant's "days_from_civil": eras of 400 years that begin in March.
    let (year, month, day) = (i64::from(utc.year()), i64::from(utc.month()), i64::from(utc.day()));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let seconds =
        days * 86_400 + i64::from(utc.hour()) * 3600 + i64::from(utc.minute()) * 60 + i64::from(utc.second());
    UnixMillis(seconds * 1000 + i64::from(utc.subsec_nanosecond()) / 1_000_000)
}

#[cfg(test)]
mod tests;
