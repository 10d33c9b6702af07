//! How often something happened within the last 24 hours, by the hour.

use model::UnixMillis;

const HOUR_MS: i64 = 3_600_000;

/// Hours that count: the present one, which has only begun, and the 23 before it.
const HOURS: usize = 24;

/// Counts of the newest hours. Each has one place, which the newer of two hours takes.
#[derive(Clone, Debug, Default)]
pub(super) struct DayCounts {
    places: [(i64, u32); HOURS],
}

impl DayCounts {
    pub(super) fn add(&mut self, time: UnixMillis) {
        let hour = time.0.div_euclid(HOUR_MS);
        let (held, count) = &mut self.places[hour.rem_euclid(HOURS as i64) as usize];
        if hour > *held {
            (*held, *count) = (hour, 1);
        } else if hour == *held {
            *count = count.saturating_add(1);
        }
    }

    /// The sum of the 24 hours that end with the one of `now`.
    pub(super) fn sum(&self, now: UnixMillis) -> u64 {
        let newest = now.0.div_euclid(HOUR_MS);
        let inside = self.places.iter().filter(|(hour, _)| (0..HOURS as i64).contains(&(newest - hour)));
        inside.map(|(_, count)| u64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_24_hours_ago_does_not_count_any_more() {
        let mut counts = DayCounts::default();
        let start = UnixMillis(500_000 * HOUR_MS);
        for hour in 0..30 {
            counts.add(start.plus_ms(hour * HOUR_MS));
            counts.add(start.plus_ms(hour * HOUR_MS + 1));
        }
        assert_eq!(counts.sum(start.plus_ms(29 * HOUR_MS)), 48);
        assert_eq!(counts.sum(start.plus_ms(40 * HOUR_MS)), 26);
        assert_eq!(counts.sum(start.plus_ms(90 * HOUR_MS)), 0);
        counts.add(start);
        assert_eq!(counts.sum(start.plus_ms(29 * HOUR_MS)), 48, "what is too late does not count");
    }
}
