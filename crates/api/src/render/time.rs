//! Times as text, and back.

use model::UnixMillis;
use serde::{Deserialize as _, Deserializer, Serializer};

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// `2026-05-17T16:01:39Z`, or with three digits of a second when it is not a whole one.
pub(crate) fn rfc3339(time: UnixMillis) -> String {
    Digits::rfc3339(time).as_str().to_owned()
}

/// `2026-05-17T16:01:39.000Z`: always with milliseconds, as traces have it.
pub(crate) fn rfc3339_millis(time: UnixMillis) -> String {
    Digits::of(time, b'T', true, true).as_str().to_owned()
}

/// A JSON array of times as [`rfc3339`] writes them, quick for very many of which neighbours are of the same minute.
pub(crate) fn rfc3339_list(times: &[UnixMillis]) -> Vec<u8> {
    const LONG: usize = br#","2026-05-17T16:01:39.000Z""#.len();
    let mut json = Vec::with_capacity(times.len() * LONG + 2);
    let (mut minute, mut entry_of_minute) = (None, [b'"'; LONG]);
    for time in times {
        let (of_time, of_minute) = (time.0.div_euclid(MINUTE_MS), time.0.rem_euclid(MINUTE_MS) as u32);
        if minute != Some(of_time) {
            minute = Some(of_time);
            entry_of_minute[0] = b',';
            entry_of_minute[2..26].copy_from_slice(&Digits::of(*time, b'T', true, true).text);
        }
        // The digits are put into the copy: to copy what was just written byte by byte would make a processor wait.
        let start = json.len();
        json.extend_from_slice(&entry_of_minute);
        let text = json[start + 2..].first_chunk_mut().expect("an entry is longer");
        put(text, 17, of_minute / 1000);
        let len = put_rest(text, of_minute % 1000, has_millis(*time), true);
        json[start + 2 + len] = b'"';
        json.truncate(start + 2 + len + 1);
    }
    match json.first_mut() {
        Some(comma) => *comma = b'[',
        None => json.push(b'['),
    }
    json.push(b']');
    json
}

/// A time in UTC by a format of `strftime`; empty for times that no calendar has.
pub(crate) fn utc(time: UnixMillis, format: &str) -> String {
    jiff::Timestamp::from_millisecond(time.0)
        .map(|time| time.strftime(format).to_string())
        .unwrap_or_default()
}

/// `2026-05-17 16:01:39`: in UTC, as SQLite writes it.
pub(crate) fn blank_separated(time: UnixMillis) -> String {
    Digits::of(time, b' ', false, false).as_str().to_owned()
}

/// A date and time of day as text. There are three in a row of packets, so it is made of digits and not of formats.
struct Digits {
    text: [u8; 24],
    len: usize,
}

impl Digits {
    fn rfc3339(time: UnixMillis) -> Self {
        Self::of(time, b'T', has_millis(time), true)
    }

    /// Years have four digits: before the year 0 and after 9999 the nearest of them is written.
    fn of(time: UnixMillis, between: u8, millis: bool, zone: bool) -> Self {
        let (year, month, day) = civil_date(time.secs().div_euclid(86_400));
        let year = year.clamp(0, 9_999) as u32;
        let of_day = time.secs().rem_euclid(86_400) as u32;
        let mut text = *b"0000-00-00 00:00:00.000Z";
        put(&mut text, 0, year / 100);
        put(&mut text, 2, year % 100);
        put(&mut text, 5, month);
        put(&mut text, 8, day);
        text[10] = between;
        put(&mut text, 11, of_day / 3_600);
        put(&mut text, 14, of_day / 60 % 60);
        put(&mut text, 17, of_day % 60);
        let len = put_rest(&mut text, time.0.rem_euclid(1000) as u32, millis, zone);
        Self { text, len }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.len]).expect("digits are ASCII")
    }
}

/// Puts what comes behind the seconds, and says where it ends.
fn put_rest(text: &mut [u8; 24], of_second: u32, millis: bool, zone: bool) -> usize {
    let mut len = 19;
    if millis {
        text[19] = b'.';
        text[20] = b'0' + (of_second / 100) as u8;
        put(text, 21, of_second % 100);
        len = 23;
    }
    if zone {
        text[len] = b'Z';
        len += 1;
    }
    len
}

/// Two digits.
fn put(text: &mut [u8; 24], start: usize, number: u32) {
    text[start] = b'0' + (number / 10) as u8;
    text[start + 1] = b'0' + (number % 10) as u8;
}

fn has_millis(time: UnixMillis) -> bool {
    time.0.rem_euclid(1000) != 0
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar without end.
///
/// The years are counted from March, so that the leap day is the last of its year; 400 years are 146,097 days.
fn civil_date(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097) as u32;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (i64::from(year_of_era) + era * 400 + i64::from(month <= 2), month, day)
}

/// When the day of this time began, in UTC.
pub(crate) fn midnight(time: UnixMillis) -> UnixMillis {
    UnixMillis(time.0 - time.0.rem_euclid(DAY_MS))
}

/// The day of the week (0 is Sunday) and the hour of this time, in UTC.
pub(crate) fn hour_of_week(time: UnixMillis) -> (u8, u8) {
    // The first of January 1970 was a Thursday.
    let day_of_week = (time.0.div_euclid(DAY_MS) + 4).rem_euclid(7);
    let hour = time.0.rem_euclid(DAY_MS) / (DAY_MS / 24);
    (day_of_week as u8, hour as u8)
}

/// Reads RFC 3339 text, a date and time without a zone (taken as UTC, with a blank or a `T`), or a date alone.
pub(crate) fn parse(text: &str) -> Option<UnixMillis> {
    if let Ok(zoned) = text.parse::<jiff::Timestamp>() {
        return Some(UnixMillis(zoned.as_millisecond()));
    }
    let naive = text.parse::<jiff::civil::DateTime>().ok()?;
    let utc = jiff::tz::Offset::UTC.to_timestamp(naive).ok()?;
    Some(UnixMillis(utc.as_millisecond()))
}

pub(crate) fn deserialize_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMillis, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is no time")))
}

/// Null and the empty text are no time.
pub(crate) fn deserialize_optional_millis<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<UnixMillis>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => {
            let time = parse(&text);
            time.map(Some).ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is no time")))
        }
    }
}

pub(crate) fn serialize_millis<S: Serializer>(time: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339_millis(*time))
}

pub(crate) fn serialize_optional_millis<S: Serializer>(
    time: &Option<UnixMillis>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize_millis(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// The empty text when there is no time, as the contract has it for samples.
pub(crate) fn serialize_optional_secs<S: Serializer>(
    time: &Option<UnixMillis>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.map(rfc3339).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_shown_only_where_there_are_any() {
        assert_eq!(rfc3339(UnixMillis(1_779_033_699_000)), "2026-05-17T16:01:39Z");
        assert_eq!(rfc3339(UnixMillis(1_779_033_699_042)), "2026-05-17T16:01:39.042Z");
        assert_eq!(rfc3339_millis(UnixMillis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(blank_separated(UnixMillis(1_779_033_699_042)), "2026-05-17 16:01:39");
        assert_eq!(rfc3339(UnixMillis(i64::MAX)).get(..5), Some("9999-"));
    }

    #[test]
    fn every_day_of_eight_centuries_reads_back_as_itself() {
        for day in -146_097..146_097 {
            let time = UnixMillis(day * 86_400_000 + 12_345);
            assert_eq!(parse(&rfc3339(time)), Some(time), "{}", rfc3339(time));
        }
    }

    #[test]
    fn times_of_a_list_are_written_as_each_alone() {
        let millis = [
            0,
            999,
            59_999,
            60_000,
            3_599_999,
            86_399_999,
            86_400_000,
            86_400_001,
            -1,
            -86_400_000,
            86_399_000,
            1_779_033_699_042,
            1_779_033_701_000,
            1_779_033_719_980,
        ];
        let times = millis.map(UnixMillis);
        for count in 0..=times.len() {
            let expected: Vec<String> = times[..count].iter().map(|time| rfc3339(*time)).collect();
            let list: Vec<String> = serde_json::from_slice(&rfc3339_list(&times[..count])).unwrap();
            assert_eq!(list, expected);
        }
    }

    #[test]
    fn times_without_a_zone_are_utc_and_nonsense_is_none() {
        let noon = Some(UnixMillis(1_778_932_800_000));
        for text in [
            "2026-05-16T12:00:00Z",
            "2026-05-16 12:00:00",
            "2026-05-16T12:00:00",
            "2026-05-16T14:00:00+02:00",
        ] {
            assert_eq!(parse(text), noon, "{text}");
        }
        assert_eq!(parse("2026-05-16"), Some(UnixMillis(1_778_889_600_000)));
        for text in ["", "yesterday", "1778932800", "2026-13-01"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
