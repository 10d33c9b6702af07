//! Dates as observers write them.

use std::fmt::{self, Write};

use model::UnixMillis;

/// An instant as a date and time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) milli: i64,
}

impl Civil {
    pub(crate) fn of(time: UnixMillis) -> Civil {
        let (days, in_day) = (time.0.div_euclid(86_400_000), time.0.rem_euclid(86_400_000));
        // Howard Hinnant's "civil_from_days": eras of 400 years that begin in March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: in_day / 3_600_000,
            minute: in_day / 60_000 % 60,
            second: in_day / 1000 % 60,
            milli: in_day % 1000,
        }
    }

    /// `2026-01-01T12:00:01.104000`, without a zone.
    pub(crate) fn iso(self) -> impl fmt::Display {
        let Civil { year, month, day, hour, minute, second, milli } = self;
        fmt::from_fn(move |f| {
            write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}000")
        })
    }

    /// `12:00:01`.
    pub(crate) fn clock(self) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second))
    }
}

/// The instant of `2026-05-17T16:01:39.000000+00:00` and the like; `None` for anything else.
pub(crate) fn parse_utc(text: &str) -> Option<UnixMillis> {
    let (date, rest) = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z'))?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let mut clock = clock.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    let mut millis = String::with_capacity(3);
    write!(millis, "{fraction:0<3.3}").ok()?;
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    Some(UnixMillis(seconds * 1000 + millis.parse::<i64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000000"),
            (1_767_268_801_104, "2026-01-01T12:00:01.104000"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000000"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999000"),
        ] {
            assert_eq!(Civil::of(UnixMillis(millis)).iso().to_string(), text);
            assert_eq!(parse_utc(&format!("{text}+00:00")), Some(UnixMillis(millis)));
        }
        assert_eq!(parse_utc("2026-01-01T12:00:01Z"), Some(UnixMillis(1_767_268_801_000)));
        assert_eq!(parse_utc("2026-01-01T12:00:01"), None);
        assert_eq!(parse_utc("soon"), None);
    }
}
