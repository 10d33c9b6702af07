//! How fast a clock runs away from the true time.

/// Fewer samples or a shorter span say nothing.
const LEAST_SAMPLES: usize = 5;
const LEAST_SPAN_MS: i64 = 3_600_000;

/// Newest samples that are compared, each with each.
const MOST_SAMPLES: usize = 200;

/// Between two samples that follow each other a clock that differs by more than this was set.
const JUMP_MS: i64 = 60_000;

/// A clock that gains more than a day in a day is none.
const MOST_PER_DAY: f64 = 86_400.0;

/// Seconds that a clock gains a day, by samples of (time, milliseconds by which it is ahead) in the order of time: the
/// median slope between any two samples (Theil and Sen) of the longest run during which nobody set it. 0 when that cannot
/// be told.
pub(super) fn seconds_per_day(samples: &[(i64, i64)]) -> f64 {
    let newest = &samples[samples.len().saturating_sub(MOST_SAMPLES)..];
    let runs = newest.chunk_by(|(_, before), (_, after)| (after - before).abs() <= JUMP_MS);
    // Of runs that are as long, the last, which is the newest.
    let Some(run) = runs.max_by_key(|run| run.len()) else { return 0.0 };
    let span_ms = run.last().zip(run.first()).map_or(0, |(last, first)| last.0 - first.0);
    if run.len() < LEAST_SAMPLES || span_ms < LEAST_SPAN_MS {
        return 0.0;
    }
    let mut slopes = Vec::with_capacity(run.len() * (run.len() - 1) / 2);
    for (place, (later, after)) in run.iter().enumerate() {
        let earlier = run[..place].iter().filter(|(time, _)| time < later);
        slopes.extend(earlier.map(|(time, before)| (after - before) as f64 / (later - time) as f64));
    }
    let middle = slopes.len() / 2;
    let (_, slope, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
    let per_day = *slope * 86_400.0;
    if per_day.abs() > MOST_PER_DAY { 0.0 } else { per_day }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn steady(samples: i64, gain_ms_an_hour: i64) -> Vec<(i64, i64)> {
        (0..samples).map(|hour| (hour * HOUR_MS, hour * gain_ms_an_hour)).collect()
    }

    #[test]
    fn a_steady_clock_gains_what_it_gains_whatever_a_single_sample_says() {
        let mut samples = steady(12, 500);
        assert_eq!(seconds_per_day(&samples), 12.0);
        samples[5].1 += 30_000;
        assert!((seconds_per_day(&samples) - 12.0).abs() < 0.5);
        samples.iter_mut().for_each(|(_, skew)| *skew = -*skew);
        assert!((seconds_per_day(&samples) + 12.0).abs() < 0.5);
    }

    #[test]
    fn setting_a_clock_is_no_drift() {
        let mut samples = steady(12, 500);
        samples[4..].iter_mut().for_each(|(_, skew)| *skew -= 7_200_000);
        assert_eq!(seconds_per_day(&samples), 12.0);
    }

    #[test]
    fn what_cannot_be_told_is_zero() {
        assert_eq!(seconds_per_day(&[]), 0.0);
        assert_eq!(seconds_per_day(&steady(4, 500)), 0.0, "too few");
        let within_minutes: Vec<_> = (0..9).map(|minute| (minute * 60_000, minute * 100)).collect();
        assert_eq!(seconds_per_day(&within_minutes), 0.0, "too short");
        let at_once = vec![(0, 0), (0, 10), (0, 20), (0, 30), (LEAST_SPAN_MS, 30)];
        assert!(seconds_per_day(&at_once).is_finite(), "no time between the two is no slope");
    }

    #[test]
    fn only_the_newest_samples_are_compared() {
        let mut samples = steady(600, 500);
        samples[..300].iter_mut().for_each(|(_, skew)| *skew = 0);
        assert_eq!(seconds_per_day(&samples), 12.0);
    }
}
