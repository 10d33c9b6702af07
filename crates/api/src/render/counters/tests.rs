use super::*;
use model::{ObserverId, UnixMillis};

const MINUTE_MS: i64 = 60_000;

fn sample(minute: i64, counters: [u64; 4]) -> ObserverMetrics {
    let [tx, rx, errors, received] = counters.map(Some);
    ObserverMetrics {
        observer: ObserverId(0),
        time: UnixMillis(1_767_225_600_000 + minute * MINUTE_MS),
        noise_floor: Some(-110.3),
        tx_air_secs: tx,
        rx_air_secs: rx,
        recv_errors: errors,
        battery_mv: None,
        packets_sent: None,
        packets_recv: received,
    }
}

fn rows(samples: &[ObserverMetrics]) -> (Vec<ObserverMetricsRow>, Vec<String>) {
    metrics_rows(samples, Resolution::FiveMinutes)
}

#[test]
fn percentages_are_differences_over_the_time_between() {
    let (rows, reboots) = rows(&[sample(0, [100, 1000, 5, 95]), sample(5, [101, 1031, 6, 127])]);
    assert_eq!(reboots, [""; 0]);
    assert_eq!(
        (rows[0].tx_airtime_pct, rows[0].recv_error_rate),
        (None, None),
        "nothing stands before the first"
    );
    // 1 s and 31 s of 300 s; 1 of 33 frames.
    assert_eq!(rows[1].tx_airtime_pct, Some(0.33));
    assert_eq!(rows[1].rx_airtime_pct, Some(10.33));
    assert_eq!(rows[1].recv_error_rate, Some(3.03));
    assert_eq!((rows[1].noise_floor, rows[1].is_reboot_sample), (Some(-110.3), None));
}

#[test]
fn a_share_stays_within_nought_and_a_hundred() {
    let (rows, _) = rows(&[sample(0, [0, 0, 0, 0]), sample(5, [400, 0, 7, 0])]);
    assert_eq!(rows[1].tx_airtime_pct, Some(100.0));
    assert_eq!(rows[1].rx_airtime_pct, Some(0.0));
    assert_eq!(rows[1].recv_error_rate, Some(100.0));
}

#[test]
fn any_counter_that_falls_is_a_reboot_and_no_rate_is_known_then() {
    for fallen in 0..4 {
        let mut counters = [50; 4];
        counters[fallen] = 49;
        let (rows, reboots) = rows(&[sample(0, [50; 4]), sample(5, counters), sample(10, [60; 4])]);
        assert_eq!(rows[1].is_reboot_sample, Some(true));
        assert_eq!(reboots, [rows[1].timestamp.clone()]);
        assert_eq!(
            (rows[1].tx_airtime_pct, rows[1].rx_airtime_pct, rows[1].recv_error_rate),
            (None, None, None)
        );
        assert!(rows[2].tx_airtime_pct.is_some(), "the next difference is known again");
    }
}

#[test]
fn after_more_than_two_buckets_of_silence_no_rate_is_known() {
    let (ten, _) = rows(&[sample(0, [0; 4]), sample(10, [3; 4])]);
    assert!(ten[1].tx_airtime_pct.is_some());
    let (eleven, reboots) = rows(&[sample(0, [0; 4]), sample(11, [3; 4])]);
    assert_eq!((eleven[1].tx_airtime_pct, eleven[1].recv_error_rate), (None, None));
    assert_eq!((eleven[1].is_reboot_sample, reboots.len()), (None, 0), "silence is no reboot");
    let samples = [sample(0, [0; 4]), sample(120, [3; 4])];
    let (hours, _) = metrics_rows(&samples, Resolution::Hour);
    assert!(hours[1].tx_airtime_pct.is_some());
}

#[test]
fn counters_that_are_missing_give_no_rate() {
    let mut second = sample(5, [1, 1, 1, 1]);
    second.tx_air_secs = None;
    second.packets_recv = None;
    let (rows, reboots) = rows(&[sample(0, [0; 4]), second]);
    assert_eq!((rows[1].tx_airtime_pct, rows[1].rx_airtime_pct), (None, Some(0.33)));
    assert_eq!((rows[1].recv_error_rate, reboots.len()), (None, 0));
    let idle = [sample(0, [1; 4]), sample(5, [1; 4])];
    assert_eq!(metrics_rows(&idle, Resolution::FiveMinutes).0[1].recv_error_rate, None, "no frame, no share");
}

#[test]
fn of_an_hour_or_a_day_the_last_sample_stays() {
    let all: Vec<ObserverMetrics> = (0..1000).map(|i| sample(i * 5, [i as u64; 4])).collect();
    for resolution in [Resolution::Hour, Resolution::Day] {
        let mut thin = all.clone();
        resolution.thin(&mut thin);
        for sample in &all {
            let bucket = |sample: &ObserverMetrics| sample.time.0.div_euclid(resolution.ms());
            let of_bucket = all.iter().filter(|other| bucket(other) == bucket(sample));
            assert_eq!(thin.contains(sample), of_bucket.last() == Some(sample));
        }
    }
    let mut same = all.clone();
    Resolution::FiveMinutes.thin(&mut same);
    assert_eq!(same, all);
}

#[test]
fn levels_show_no_digits_that_nobody_measured() {
    assert_eq!(decibels(-110.3), Some(-110.3));
    assert_eq!(decibels(f32::NAN), None);
    assert_eq!(hundredths(-97.456), Some(-97.46));
}
