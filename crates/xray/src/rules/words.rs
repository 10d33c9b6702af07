//! Figures as people read them.

/// Bytes, in units of 1,024: `3.1 MB`.
pub(crate) fn bytes(bytes: f64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1_023.5 && unit + 1 < units.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{} {}", short(value, unit > 0), units[unit])
}

/// Bytes a second: `29 KB/s`.
pub(crate) fn rate(bytes_per_sec: f64) -> String {
    format!("{}/s", bytes(bytes_per_sec))
}

/// A number of things: `1.2 M`.
pub(crate) fn count(count: f64) -> String {
    match count {
        count if count >= 999_500.0 => format!("{} M", short(count / 1e6, true)),
        count if count >= 9_999.5 => format!("{} k", short(count / 1e3, true)),
        count if count < 9.95 && count.fract() > 0.05 => format!("{count:.1}"),
        count => format!("{count:.0}"),
    }
}

/// A span of time: `38 min`.
pub(crate) fn span(secs: f64) -> String {
    match secs {
        secs if secs < 100.0 => format!("{secs:.0} s"),
        secs if secs < 5_940.0 => format!("{:.0} min", secs / 60.0),
        secs if secs < 172_800.0 => format!("{:.0} h", secs / 3_600.0),
        secs => format!("{:.0} days", secs / 86_400.0),
    }
}

fn short(value: f64, may_have_tenths: bool) -> String {
    if may_have_tenths && value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_two_or_three_digits_and_a_unit() {
        assert_eq!([bytes(0.0), bytes(1_023.0), bytes(1_023.6)], ["0 B", "1023 B", "1.0 KB"]);
        assert_eq!([rate(29_700.0), rate(3_200_000.0)], ["29 KB/s", "3.1 MB/s"]);
        assert_eq!(
            [count(0.4), count(12.0), count(64_000.0), count(1_234_567.0)],
            ["0.4", "12", "64 k", "1.2 M"]
        );
        assert_eq!(
            [span(41.0), span(2_280.0), span(90_000.0), span(1e6)],
            ["41 s", "38 min", "25 h", "12 days"]
        );
    }
}
