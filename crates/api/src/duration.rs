//! Spans of time as parameters: durations as Go writes them (`1h30m`, `1.5h`, `90s`), and days (`7d`).

use std::str::FromStr;

/// A span of time of a millisecond or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// In milliseconds.
    pub(crate) ms: i64,
}

/// Longer spans are as good as this one: a hundred years.
const LONGEST_MS: f64 = 100.0 * 365.0 * 86_400_000.0;

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ms = match text.strip_suffix('d') {
            Some(days) => number(days).map(|days| days * 86_400_000.0),
            None => go_duration(text),
        };
        match ms {
            Some(ms) if ms >= 1.0 => Ok(Self { ms: ms.min(LONGEST_MS) as i64 }),
            _ => Err("not a duration such as 24h, 90m or 7d"),
        }
    }
}

/// Milliseconds of a sequence of numbers with units.
fn go_duration(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        sum += number(value)? * unit_ms(unit)?;
        rest = tail;
    }
    Some(sum)
}

fn unit_ms(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-6,
        "us" | "µs" | "μs" => 1e-3,
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    })
}

/// Digits with at most one point among them: `parse` alone would also take signs, exponents and words.
fn number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if is_plain && has_digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_and_days_as_the_contract_has_them() {
        for (text, ms) in [
            ("24h", 86_400_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("90s", 90_000),
            ("1m0.5s", 60_500),
            ("250ms", 250),
            ("5000us", 5),
            (".5s", 500),
            ("+1s", 1000),
            ("7d", 604_800_000),
            ("0.5d", 43_200_000),
        ] {
            assert_eq!(text.parse(), Ok(Span { ms }), "{text}");
        }
        assert!("9999999999999999999999h".parse::<Span>().is_ok_and(|span| span.ms > 0));
        for text in
            ["", "d", "24", "h", "1x", "-1h", "1h-2m", "0s", "0d", "1e3s", "1..5h", "NaNs", "inf", "+", "1 h"]
        {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
