//! Which seconds, and in which steps, a question is about.

use super::tier::Tier;
use crate::{HistoryError, HistoryQuery};

/// Series of a question at most.
const MOST_SERIES: usize = 32;

/// Values of a series that nobody asked for in so many words: as many as a chart has room for.
const USUAL_VALUES: i64 = 720;

/// Values of a series at most: thirty days of minutes.
const MOST_VALUES: i64 = 43_200;

/// The end of the year 9999. Whoever asks for more has given milliseconds.
const LATEST_SECS: i64 = 253_402_300_799;

/// The answer to "when".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// A multiple of the step.
    pub(super) from_secs: i64,
    /// The second after the last step.
    pub(super) to_secs: i64,
    pub(super) step_secs: u32,
    pub(super) tier: Tier,
}

impl Window {
    /// Of a question that is asked now.
    ///
    /// # Errors
    /// When the window or the step makes no sense, or when there are too many series.
    pub(super) fn of(query: &HistoryQuery, now_secs: i64) -> Result<Self, HistoryError> {
        if query.series.is_empty() || query.series.len() > MOST_SERIES {
            let problem = format!("give 1 to {MOST_SERIES} names of series, not {}", query.series.len());
            return Err(HistoryError::BadWindow { parameter: "series", problem });
        }
        let to = time("to", query.to_secs.unwrap_or(now_secs))?;
        let from = time("from", query.from_secs.unwrap_or_else(|| (to - 3_600).max(0)))?;
        if from >= to {
            return Err(bad("from", format!("must be before `to`, which is {to}")));
        }
        let (step, tier) = match query.step_secs {
            None => usual_step(from, to, now_secs),
            Some(step) => (i64::from(step), tier_of(step)?),
        };
        let from_secs = from - from % step;
        let to_secs = to + (step - to % step) % step;
        let values = (to_secs - from_secs) / step;
        if values > MOST_VALUES {
            let problem =
                format!("{values} values of each series are too many, ask for {MOST_VALUES} at most");
            return Err(bad("step", problem));
        }
        let step_secs = u32::try_from(step).map_err(|_| bad("from", "is too long ago".to_owned()))?;
        Ok(Self { from_secs, to_secs, step_secs, tier })
    }

    /// How many steps there are.
    pub(super) fn steps(&self) -> usize {
        usize::try_from((self.to_secs - self.from_secs) / i64::from(self.step_secs)).unwrap_or(0)
    }

    /// The step of a second within the window.
    pub(super) fn step_of(&self, second: i64) -> usize {
        usize::try_from((second - self.from_secs) / i64::from(self.step_secs)).unwrap_or(0)
    }
}

/// The finest tier that still has a second.
pub(super) fn finest_with(second: i64, now_secs: i64) -> Tier {
    let has = |tier: &Tier| now_secs.saturating_sub(second) <= tier.kept_secs();
    Tier::ALL.into_iter().find(has).unwrap_or(Tier::Minutes)
}

fn usual_step(from: i64, to: i64, now_secs: i64) -> (i64, Tier) {
    let finest = finest_with(from, now_secs);
    let few = |tier: &Tier| *tier >= finest && (to - from) <= tier.step_secs() * USUAL_VALUES;
    match Tier::ALL.into_iter().find(few) {
        Some(tier) => (tier.step_secs(), tier),
        None => {
            let most = Tier::Minutes.step_secs() * USUAL_VALUES;
            let minutes = (to - from + most - 1) / most;
            (minutes * Tier::Minutes.step_secs(), Tier::Minutes)
        }
    }
}

fn tier_of(step: u32) -> Result<Tier, HistoryError> {
    match step {
        1 => Ok(Tier::Seconds),
        10 => Ok(Tier::Tens),
        _ if step > 0 && step.is_multiple_of(60) => Ok(Tier::Minutes),
        _ => Err(bad("step", format!("must be 1, 10, 60 or a multiple of 60, not {step}"))),
    }
}

fn time(parameter: &'static str, secs: i64) -> Result<i64, HistoryError> {
    if (0..=LATEST_SECS).contains(&secs) {
        return Ok(secs);
    }
    Err(bad(parameter, format!("must be seconds since 1970, not {secs}")))
}

fn bad(parameter: &'static str, problem: String) -> HistoryError {
    HistoryError::BadWindow { parameter, problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000;

    fn window(from: i64, to: i64, step: Option<u32>) -> Result<Window, HistoryError> {
        let series = vec!["a".to_owned()];
        Window::of(&HistoryQuery { series, from_secs: Some(from), to_secs: Some(to), step_secs: step }, NOW)
    }

    #[test]
    fn the_step_is_as_fine_as_there_is_and_the_values_are_about_720() {
        for (ago, long, step) in [
            (600, 600, 1),
            (3_600, 3_600, 10),
            (7_200, 60, 10),
            (86_400, 86_400, 120),
            (100_000, 600, 60),
            (30 * 86_400, 30 * 86_400, 3_600),
        ] {
            assert_eq!(window(NOW - ago, NOW - ago + long, None).unwrap().step_secs, step, "{ago} {long}");
        }
        let usual = HistoryQuery { series: vec!["a".to_owned()], ..HistoryQuery::default() };
        let usual = Window::of(&usual, NOW).unwrap();
        assert_eq!((usual.to_secs - usual.from_secs, usual.step_secs, usual.steps()), (3_600, 10, 360));
    }

    #[test]
    fn what_makes_no_sense_is_said_with_the_parameter() {
        let parameter = |result: Result<Window, HistoryError>| match result {
            Err(HistoryError::BadWindow { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(parameter(window(NOW, NOW, None)), "from");
        assert_eq!(parameter(window(NOW * 1_000, NOW * 1_000 + 1, None)), "to");
        assert_eq!(parameter(window(-1, NOW, None)), "from");
        for step in [0, 2, 61, 90] {
            assert_eq!(parameter(window(NOW - 60, NOW, Some(step))), "step");
        }
        assert_eq!(parameter(window(0, NOW, Some(1))), "step");
        let series = vec![String::new(); 33];
        assert_eq!(parameter(Window::of(&HistoryQuery { series, ..HistoryQuery::default() }, NOW)), "series");
    }

    proptest! {
        #[test]
        fn every_window_is_whole_steps_around_what_was_asked(
            from in any::<i64>(), long in any::<i64>(), step in proptest::option::of(any::<u32>()), near in any::<bool>(),
        ) {
            let (from, long) = if near { (from.rem_euclid(NOW), long.rem_euclid(NOW)) } else { (from, long) };
            let to = from.saturating_add(long);
            if let Ok(window) = window(from, to, step) {
                let step = i64::from(window.step_secs);
                prop_assert!(window.from_secs <= from && from - window.from_secs < step);
                prop_assert!(window.to_secs >= to && window.to_secs - to < step);
                prop_assert_eq!(window.from_secs % step, 0);
                prop_assert!(window.steps() >= 1 && window.steps() <= MOST_VALUES as usize);
                prop_assert_eq!(window.step_of(window.to_secs - 1), window.steps() - 1);
                prop_assert_eq!(step % window.tier.step_secs(), 0);
            }
        }
    }
}
