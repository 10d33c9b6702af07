use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Forming, GOOD_ROWS, MIN_INTERVAL, Pace, QUIET_ROWS};

const PACE: Pace =
    Pace { max_rows: 5_000, max_delay: Duration::from_secs(5), max_ack_delay: Duration::from_secs(1) };

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Closes groups as the writer would while one row comes each `gap`; gives the rows of each.
fn rows_per_group(gap: Duration, acknowledged: bool, rows: usize) -> Vec<usize> {
    let start = Instant::now();
    let (mut sizes, mut forming): (Vec<usize>, Option<Forming>) = (Vec::new(), None);
    for number in 0..rows {
        let now = start + gap * u32::try_from(number).unwrap();
        if let Some(group) = forming.take_if(|group| PACE.due(group) <= now) {
            sizes.push(group.rows);
        }
        let group = forming.get_or_insert(Forming {
            oldest: now,
            newest: now,
            oldest_ack: acknowledged.then_some(now),
            batches: 0,
            rows: 0,
        });
        (group.newest, group.batches, group.rows) = (now, group.batches + 1, group.rows + 1);
    }
    sizes
}

#[test]
fn the_interval_grows_to_its_bound_when_little_comes_and_shrinks_under_load() {
    for (rows_per_second, acknowledged, wanted) in [
        (1, false, 5..=5),
        (5, false, 25..=25),
        (20, false, 100..=100),
        (100, false, GOOD_ROWS..=GOOD_ROWS),
        (1_000, false, GOOD_ROWS..=GOOD_ROWS),
        (5_000, false, 500..=501),
        (20_000, false, 2_000..=2_001),
        (100_000, false, 5_000..=5_000),
        (5, true, 5..=5),
        (100, true, 100..=100),
        (5_000, true, 500..=501),
        (100_000, true, 5_000..=5_000),
    ] {
        let gap = Duration::from_secs(1) / rows_per_second;
        let sizes = rows_per_group(gap, acknowledged, 30_000.min(rows_per_second as usize * 30));
        assert!(sizes.len() >= 5, "{rows_per_second} rows a second");
        for size in sizes {
            assert!(wanted.contains(&size), "{size} rows in a group at {rows_per_second} rows a second");
        }
    }
}

#[test]
fn senders_that_have_fallen_silent_are_answered_soon() {
    let oldest = Instant::now();
    let newest = oldest + ms(15);
    let waiting = Forming { oldest, newest, oldest_ack: Some(oldest), batches: 16, rows: QUIET_ROWS };
    assert_eq!(PACE.due(&waiting), newest + ms(8));
    let few = Forming { rows: QUIET_ROWS - 1, ..waiting };
    assert_eq!(PACE.due(&few), oldest + PACE.max_ack_delay);
    let nobody = Forming { oldest_ack: None, ..waiting };
    assert_eq!(PACE.due(&nobody), oldest + PACE.max_delay);
}

proptest! {
    #[test]
    fn no_bound_is_ever_exceeded(
        rows in 0usize..6_000,
        batches in 1usize..6_000,
        newest in 0u64..5_000,
        asked in proptest::option::of(0u64..5_000),
    ) {
        let oldest = Instant::now();
        let newest_at = oldest + ms(newest);
        let oldest_ack = asked.map(|asked| oldest + ms(asked.min(newest)));
        let forming = Forming { oldest, newest: newest_at, oldest_ack, batches, rows };
        let due = PACE.due(&forming);
        prop_assert!(due >= oldest && due <= oldest + PACE.max_delay);
        if let Some(asked) = oldest_ack {
            prop_assert!(due <= asked + PACE.max_ack_delay);
        }
        if rows >= GOOD_ROWS {
            prop_assert!(due <= oldest + MIN_INTERVAL);
        }
        // Nothing to write, or no room for more: at once. Else never at once, or groups would stay small.
        prop_assert_eq!(due == oldest, rows == 0 || rows >= PACE.max_rows);
        // Nobody who waits is served later for it, and more rows never make it later either.
        let unasked = Forming { oldest_ack: None, ..forming };
        prop_assert!(due <= PACE.due(&unasked));
        let more = Forming { rows: rows + 1, ..forming };
        prop_assert!(rows == 0 || PACE.due(&more) <= due);
    }
}
