use super::*;
use crate::info;
use proptest::prelude::*;
use std::fs;

mod damage;
mod size;

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3_600;

const BYTES: SeriesId = SeriesId(0);
const QUEUE: SeriesId = SeriesId(1);

fn catalogue() -> Arc<Catalogue> {
    let infos = vec![
        info("written.packets.wal", SeriesKind::Counter, Unit::Bytes, ""),
        info("queue.rows", SeriesKind::Gauge, Unit::Rows, ""),
        info("never", SeriesKind::Counter, Unit::Bytes, ""),
    ];
    Arc::new(Catalogue::new(infos))
}

fn open(folder: &Path) -> History {
    History::open(folder, catalogue(), Arc::default()).unwrap()
}

/// What a run pushes: 10 bytes and one row of the queue more each second, read as the second ends.
fn run(history: &History, from: i64, secs: i64) {
    for second in from..=from + secs {
        let so_far = (second - from).unsigned_abs();
        history.push(second * 1_000, &[so_far * 10, so_far, 0]);
    }
}

fn ask(history: &History, from: i64, to: i64, step: u32, now: i64) -> Vec<Vec<Option<f64>>> {
    let query = HistoryQuery {
        series: vec!["written.packets.wal".to_owned(), "queue.rows".to_owned(), "never".to_owned()],
        from_secs: Some(from),
        to_secs: Some(to),
        step_secs: Some(step),
    };
    let answer = history.query(&query, now * 1_000).unwrap();
    answer.series.into_iter().map(|series| series.values).collect()
}

fn total(history: &History, from: i64, to: i64, now: i64) -> (u64, u64) {
    let growth = history.growth(from * 1_000, to * 1_000, now * 1_000);
    (growth.values[BYTES.place()], growth.covered_secs)
}

#[test]
fn rates_are_per_second_gauges_are_the_greatest_and_the_rest_is_null() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    run(&history, NOW, 95);
    for step in [1, 10, 60] {
        let values = ask(&history, NOW - 60, NOW + 180, step, NOW + 95);
        let before = 60 / step as usize;
        assert_eq!(values[0][before - 1], None);
        assert_eq!(values[0][before], Some(10.0), "step {step}");
        assert_eq!(values[1][before], Some(f64::from(step)));
        assert_eq!(values[2][before], Some(0.0));
        let last = before + 94 / step as usize;
        assert_eq!((values[0][last], values[1][last]), (Some(10.0), Some(95.0)), "step {step}");
        assert_eq!(values[0][last + 1], None);
    }
}

#[test]
fn a_series_can_be_asked_for_twice_and_an_unknown_one_is_named() {
    let history = History::in_memory(catalogue());
    run(&history, NOW, 5);
    let series = ["queue.rows", "never", "queue.rows"].map(str::to_owned).to_vec();
    let query = HistoryQuery { series, ..HistoryQuery::default() };
    let answer = history.query(&query, (NOW + 5) * 1_000).unwrap();
    assert_eq!(answer.series[0], answer.series[2]);
    assert_eq!(answer.series[1].values.last(), Some(&Some(0.0)));
    let query = HistoryQuery { series: vec!["x".to_owned()], ..query };
    assert_eq!(history.query(&query, NOW * 1_000), Err(HistoryError::UnknownSeries("x".to_owned())));
}

#[test]
fn a_kill_costs_the_last_minute_and_a_clean_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    run(&history, NOW, 2 * HOUR + 754);
    // Killed: nothing is written any more.
    std::mem::forget(history);
    let end = NOW + 2 * HOUR + 754;
    let whole_minutes = end - end % 60 - NOW;
    let history = open(folder.path());
    for step in [1, 10, 60] {
        let values = ask(&history, end - HOUR, end, step, end);
        let known = values[0].iter().flatten().count() as i64 * i64::from(step);
        assert_eq!(known, HOUR - end % 60 + (end - HOUR) % i64::from(step), "step {step}");
        assert!(values[0].iter().flatten().all(|rate| *rate == 10.0));
    }
    assert_eq!(total(&history, NOW, end, end), (whole_minutes as u64 * 10, whole_minutes as u64));
    assert_eq!(total(&history, NOW, end, end + 86_400), (whole_minutes as u64 * 10, whole_minutes as u64));
    // The same with a clean stop.
    run(&history, end, 100);
    drop(history);
    let history = open(folder.path());
    for later in [0, 2 * HOUR, 3 * 86_400] {
        assert_eq!(total(&history, end - end % 60, end + 100, end + 100 + later), (1_000, 100), "{later}");
    }
    assert_eq!(history.damaged_bytes(), 0);
}

#[test]
fn a_slot_that_two_runs_share_has_what_both_have_done() {
    let folder = tempfile::tempdir().unwrap();
    let begin = NOW - NOW % 60;
    for part in 0..10 {
        let history = open(folder.path());
        run(&history, begin + part * 6, 6);
        if part % 2 == 1 {
            // Killed within the minute: these six seconds are lost.
            std::mem::forget(history);
        }
    }
    let history = open(folder.path());
    for later in [60, 2 * HOUR, 3 * 86_400] {
        assert_eq!(total(&history, begin, begin + 60, begin + later), (300, 30), "{later}");
    }
    let values = ask(&history, begin, begin + 60, 60, begin + 60);
    assert_eq!(values[0], [Some(10.0)]);
}

#[test]
fn a_second_in_which_one_run_ends_and_the_next_begins_is_one_second() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    run(&history, NOW, 9);
    history.push((NOW + 9) * 1_000 + 600, &[120, 0, 0]);
    drop(history);
    // The next run is killed when the finest tier has its first minute, and the others have nothing of it.
    let history = open(folder.path());
    history.push((NOW + 9) * 1_000 + 650, &[0, 0, 0]);
    (10..=61).for_each(|second| history.push((NOW + second) * 1_000, &[5, 0, 0]));
    std::mem::forget(history);
    let history = open(folder.path());
    let end = NOW + 60;
    let rates = &ask(&history, NOW + 8, NOW + 11, 1, end)[0];
    assert_eq!(rates, &[Some(10.0), Some(35.0), Some(0.0)]);
    for later in [0, 2 * HOUR, 3 * 86_400] {
        assert_eq!(total(&history, NOW, end, end + later), (125, 60), "{later}");
    }
}

#[test]
fn a_kill_after_a_clean_stop_within_the_same_slot_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let begin = NOW - NOW % HOUR;
    run(&open(folder.path()), begin, 35);
    let history = open(folder.path());
    run(&history, begin + 35, 90);
    std::mem::forget(history);
    let history = open(folder.path());
    for later in [60, 2 * HOUR, 3 * 86_400] {
        assert_eq!(total(&history, begin, begin + 3_600, begin + later), (1_200, 120), "{later}");
    }
}

#[test]
fn growth_of_a_late_reading_is_shared_out_and_that_of_a_long_sleep_is_not() {
    let history = History::in_memory(catalogue());
    for (at, value) in [(0, 0), (1, 7), (5, 107), (4_000, 150), (4_001, 155)] {
        history.push((NOW + at) * 1_000, &[value, 0, 0]);
    }
    let values = ask(&history, NOW, NOW + 5, 1, NOW + 5);
    assert_eq!(values[0], [Some(7.0), Some(25.0), Some(25.0), Some(25.0), Some(25.0)]);
    assert_eq!(ask(&history, NOW + 3_998, NOW + 4_001, 1, NOW + 4_001)[0], [None, Some(43.0), Some(5.0)]);
    assert_eq!(total(&history, NOW, NOW + 4_001, NOW + 4_001), (155, 7));
}

#[test]
fn a_counter_that_falls_has_not_grown() {
    let history = History::in_memory(catalogue());
    for (at, value) in [(0, 500), (1, 600), (2, 20), (3, 50)] {
        history.push((NOW + at) * 1_000, &[value, 0, 0]);
    }
    assert_eq!(total(&history, NOW, NOW + 3, NOW + 3), (130, 3));
}

#[test]
fn a_clock_that_is_set_back_keeps_the_sums_and_the_rates_right() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    run(&history, NOW, 600);
    // Ten minutes of the same counters again at the same wall clock.
    for second in 0..600 {
        history.push((NOW + second) * 1_000, &[6_000 + second as u64 * 10, 0, 0]);
    }
    history.close();
    let growth = total(&history, NOW - 1, NOW + 600, NOW + 600);
    assert_eq!(growth, (11_990, 1_200));
    let values = ask(&history, NOW, NOW + 598, 1, NOW + 600);
    assert!(values[0].iter().all(|rate| *rate == Some(10.0)), "{:?}", values[0]);
}

#[test]
fn a_clock_that_is_a_year_ahead_for_a_while_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    run(&history, NOW, HOUR);
    run(&history, NOW + 365 * 86_400, 300);
    run(&history, NOW + HOUR, 300);
    drop(history);
    let history = open(folder.path());
    let now = NOW + HOUR + 300;
    assert_eq!(total(&history, NOW + 300, now, now).0, HOUR as u64 * 10);
    assert_eq!(total(&history, NOW, now, now + 2 * HOUR).0, (HOUR as u64 + 300) * 10);
    // Times before 1970 or far beyond all reason are not filed, and do no harm.
    for at in [i64::MIN, -5_000, i64::MAX, 0] {
        history.push(at, &[1, 1, 1]);
    }
}

#[test]
fn a_process_that_follows_reads_the_files_of_the_other_and_its_own_last_minute() {
    let folder = tempfile::tempdir().unwrap();
    let writer = open(folder.path());
    let reader = History::read_only(folder.path(), catalogue());
    let begin = NOW - NOW % HOUR;
    for second in begin..=begin + HOUR + 130 {
        let so_far = (second - begin).unsigned_abs();
        for history in [&writer, &reader] {
            history.push(second * 1_000, &[so_far * 10, so_far, 0]);
        }
    }
    let end = begin + HOUR + 130;
    for later in [0, 2 * HOUR, 3 * 86_400] {
        let found = total(&reader, begin, end, end + later);
        assert_eq!(found, (HOUR as u64 * 10 + 1_300, HOUR as u64 + 130), "{later}");
        assert_eq!(found, total(&writer, begin, end, end + later));
    }
    for step in [1, 10, 60] {
        assert_eq!(ask(&reader, end - 200, end, step, end), ask(&writer, end - 200, end, step, end));
    }
    // It has written nothing.
    assert_eq!(reader.written().operations.get(), 0);
    let missing = History::read_only(&folder.path().join("nowhere"), catalogue());
    assert_eq!(total(&missing, begin, end, end), (0, 0));
}

#[test]
fn series_are_known_by_their_names_when_the_catalogue_changes() {
    let folder = tempfile::tempdir().unwrap();
    run(&open(folder.path()), NOW, 100);
    let infos = vec![
        info("new", SeriesKind::Counter, Unit::Bytes, ""),
        info("never", SeriesKind::Gauge, Unit::Bytes, ""),
        info("queue.rows", SeriesKind::Gauge, Unit::Rows, ""),
        info("written.packets.wal", SeriesKind::Counter, Unit::Bytes, ""),
    ];
    let changed = Arc::new(Catalogue::new(infos));
    let history = History::open(folder.path(), changed, Arc::default()).unwrap();
    let query = HistoryQuery {
        series: ["new", "never", "queue.rows", "written.packets.wal"].map(str::to_owned).to_vec(),
        from_secs: Some(NOW + 98),
        to_secs: Some(NOW + 101),
        step_secs: Some(1),
    };
    for second in 100..=101 {
        history.push((NOW + second) * 1_000, &[second as u64, 3, 4, second as u64 * 5]);
    }
    let answer = history.query(&query, (NOW + 101) * 1_000).unwrap();
    let values: Vec<_> = answer.series.iter().map(|series| series.values.clone()).collect();
    assert_eq!(values[0], [None, None, Some(1.0)]);
    assert_eq!(values[1], [None, None, Some(3.0)], "a counter of the past is not the gauge of today");
    assert_eq!(values[2], [Some(99.0), Some(100.0), Some(4.0)]);
    assert_eq!(values[3], [Some(10.0), Some(10.0), Some(5.0)]);
}

#[test]
fn large_gauges_in_bytes_are_kept_to_a_thousandth_and_counters_exactly() {
    assert_eq!(rounded((64 << 20) - 1), (64 << 20) - 1);
    assert_eq!(rounded((64 << 20) + 65_535), 64 << 20);
    for bytes in [200_000_001, u64::MAX, 57_678_100 << 10] {
        let kept = rounded(bytes);
        assert!(kept <= bytes && (bytes - kept) as f64 <= bytes as f64 / 1_024.0, "{bytes} {kept}");
    }
    let infos = [SeriesKind::Counter, SeriesKind::Gauge]
        .map(|kind| info(&format!("{kind:?}"), kind, Unit::Bytes, ""));
    let history = History::in_memory(Arc::new(Catalogue::new(infos.to_vec())));
    history.push(NOW * 1_000, &[0, 0]);
    history.push((NOW + 1) * 1_000, &[200_000_001, 200_000_001]);
    let growth = history.growth(NOW * 1_000, (NOW + 1) * 1_000, NOW * 1_000);
    assert_eq!(growth.values, [200_000_001, rounded(200_000_001)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_growth_is_lost_whenever_the_process_stops(
        parts in proptest::collection::vec((0_i64..40, 1_i64..900, 0_u64..100_000), 1..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut at = NOW;
        let mut expected = 0;
        for (gap, secs, each) in parts {
            at += gap;
            let history = open(folder.path());
            for second in 0..=secs {
                history.push((at + second) * 1_000, &[5 + second as u64 * each, each, 0]);
            }
            expected += secs as u64 * each;
            at += secs;
        }
        let history = open(folder.path());
        for later in [HOUR, 86_000, 20 * 86_400] {
            let growth = history.growth((NOW - 60) * 1_000, (at + 60) * 1_000, (NOW + later) * 1_000);
            if later > HOUR || at < NOW + HOUR {
                prop_assert_eq!(growth.values[0], expected, "after {} s", later);
            }
        }
    }

    #[test]
    fn rates_add_up_to_the_growth_however_short_the_runs_are(
        runs in proptest::collection::vec((0_i64..1_500, 0_i64..4_000, 0_u64..1_000), 1..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut at_ms = NOW * 1_000;
        let mut expected = 0;
        for (gap_ms, long_ms, each) in runs {
            at_ms += gap_ms;
            let history = open(folder.path());
            let ends_ms = at_ms + long_ms;
            let mut value = 7;
            while at_ms < ends_ms {
                history.push(at_ms, &[value, each, 0]);
                value += each;
                at_ms = (at_ms - at_ms % 1_000 + 1_000).min(ends_ms);
            }
            history.push(at_ms, &[value, each, 0]);
            expected += value - 7;
        }
        let history = open(folder.path());
        let end = at_ms / 1_000 + 1;
        let rates = &ask(&history, NOW - 60, end, 1, end)[0];
        prop_assert_eq!(rates.iter().flatten().sum::<f64>(), expected as f64);
        for later in [0, 2 * HOUR, 3 * 86_400] {
            let (grown, lived) = total(&history, NOW - 60, end, end + later);
            prop_assert_eq!(grown, expected);
            prop_assert_eq!(lived, rates.iter().flatten().count() as u64);
        }
    }

    #[test]
    fn the_tiers_agree_whatever_is_pushed(
        samples in proptest::collection::vec((1_i64..3_000, any::<u32>(), any::<u16>()), 2..400),
    ) {
        let history = History::in_memory(catalogue());
        let (mut at_ms, mut value) = (NOW * 1_000, 0);
        for (gap, more, gauge) in &samples {
            at_ms += gap;
            value += u64::from(*more);
            history.push(at_ms, &[value, u64::from(*gauge), 0]);
        }
        let window = (NOW - 60, at_ms / 1_000 + 60);
        let fine = history.growth(window.0 * 1_000, window.1 * 1_000, NOW * 1_000);
        prop_assert_eq!(fine.values[0], value - u64::from(samples[0].1));
        prop_assert_eq!(fine.values[QUEUE.place()], samples[1..].iter().map(|(_, _, gauge)| u64::from(*gauge)).max().unwrap());
        for later in [2 * HOUR, 3 * 86_400] {
            let coarse = history.growth(window.0 * 1_000, window.1 * 1_000, (NOW + later) * 1_000);
            prop_assert_eq!(&coarse.values, &fine.values);
            prop_assert_eq!(coarse.covered_secs, fine.covered_secs);
        }
    }
}
