use super::*;

/// 2026-01-01T12:00:05Z.
const NOW: UnixMillis = UnixMillis(1_767_268_805_000);

fn text(text: &str) -> Scalar<'_> {
    Scalar::Text(text.into())
}

fn judged(timestamp: &str) -> Judged {
    judge(&text(timestamp), &Scalar::Absent, &Scalar::Absent, NOW)
}

fn judged_with_pair(timestamp: &str, time: &str, date: &str) -> Judged {
    judge(&text(timestamp), &text(time), &text(date), NOW)
}

#[test]
fn a_time_with_zone_is_taken() {
    let wanted = UnixMillis(1_767_268_801_104);
    for stamp in
        ["2026-01-01T12:00:01.104512+00:00", "2026-01-01T12:00:01.104Z", "2026-01-01 13:00:01.104+01:00"]
    {
        let judged = judged(stamp);
        assert_eq!((judged.time, judged.stamp, judged.remark), (wanted, Some(wanted), None), "{stamp}");
    }
}

#[test]
fn days_are_counted_as_jiff_counts_them() {
    for text in
        ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-12-31T01:02:03.456Z", "1900-03-01T00:00:00Z"]
    {
        let instant: jiff::Timestamp = text.parse().unwrap();
        let Some(Stamp::Instant(ours)) = read(&Scalar::Text(text.into())) else { panic!("{text}") };
        assert_eq!(ours.0, instant.as_millisecond(), "{text}");
    }
}

#[test]
fn a_little_ahead_is_now_and_far_ahead_or_long_ago_is_not_believed() {
    let ahead = judged("2026-01-01T12:01:04Z");
    assert_eq!((ahead.time, ahead.remark), (NOW, None));
    for stamp in
        ["2026-01-01T12:01:06Z", "2025-11-30T00:00:00Z", "9999-12-31T23:59:59Z", "-009999-01-01T00:00:00Z"]
    {
        let judged = judged(stamp);
        assert_eq!((judged.time, judged.remark), (NOW, Some(Remark::ClockNotBelieved)), "{stamp}");
    }
    assert_eq!(judged("2025-12-03T12:00:00Z").remark, None);
}

#[test]
fn a_time_without_zone_counts_as_utc_only_when_it_is_near() {
    let near = judged("2026-01-01T11:50:00");
    assert_eq!((near.time, near.remark, near.without_zone), (UnixMillis(1_767_268_200_000), None, true));
    let ahead = judged("2026-01-01T12:10:00.000000");
    assert_eq!((ahead.time, ahead.remark), (NOW, None));
    let pacific = judged("2026-01-01T04:00:05");
    assert_eq!((pacific.time, pacific.naive_skew_secs), (NOW, Some(-8 * 3600)));
    assert_eq!(pacific.remark, Some(Remark::ClockWithoutZone));
}

#[test]
fn local_time_beside_a_utc_pair_gives_the_true_time() {
    let pacific = judged_with_pair("2026-01-01T04:00:01.000000", "12:00:01", "01/01/2026");
    assert_eq!((pacific.time, pacific.remark), (UnixMillis(1_767_268_801_000), None));
    assert_eq!(pacific.naive_skew_secs, None);
    let nepal = judged_with_pair("2026-01-01T17:45:00.000000", "12:00:01", "1/1/2026");
    assert_eq!(nepal.time, UnixMillis(1_767_268_801_000));
    let half_a_day_old = judged_with_pair("2025-12-31T20:00:00", "04:00:00", "01/01/2026");
    assert_eq!(half_a_day_old.time, UnixMillis(1_767_240_000_000));
}

#[test]
fn a_pair_that_no_zone_explains_is_another_clock() {
    let odd = judged_with_pair("2026-01-01T04:00:05", "12:07:33", "01/01/2026");
    assert_eq!((odd.time, odd.naive_skew_secs), (NOW, Some(-8 * 3600)));
    for (time, date) in
        [("25:00:00", "01/01/2026"), ("12:00:01", "31/02/2026"), ("12:00", "1/1/2026"), ("", "")]
    {
        let judged = judged_with_pair("2026-01-01T04:00:05", time, date);
        assert_eq!(judged.remark, Some(Remark::ClockWithoutZone), "{time} {date}");
    }
}

#[test]
fn a_clock_that_was_never_set_is_no_skew() {
    for stamp in ["2024-01-01T12:00:00", "2024-01-01T12:00:00.000000"] {
        let judged = judged_with_pair(stamp, "12:00:00", "01/01/2024");
        assert_eq!((judged.time, judged.naive_skew_secs), (NOW, None), "{stamp}");
        assert_eq!(judged.remark, Some(Remark::ClockNotSet), "{stamp}");
    }
}

#[test]
fn what_is_no_time_is_missing() {
    for stamp in ["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "12:00:00", &"2".repeat(1000)] {
        assert_eq!(judged(stamp).remark, Some(Remark::ClockMissing), "{stamp:?}");
    }
    for odd in [Scalar::Absent, Scalar::Bool(true), Scalar::Number(-1.0), Scalar::Number(f64::MAX)] {
        let judged = judge(&odd, &Scalar::Absent, &Scalar::Absent, NOW);
        assert_eq!((judged.time, judged.remark), (NOW, Some(Remark::ClockMissing)), "{odd:?}");
    }
}

#[test]
fn seconds_and_milliseconds_since_1970_are_times() {
    for number in [1_767_268_801.0, 1_767_268_801_000.0] {
        let judged = judge(&Scalar::Number(number), &Scalar::Absent, &Scalar::Absent, NOW);
        assert_eq!((judged.time, judged.remark), (UnixMillis(1_767_268_801_000), None), "{number}");
    }
}
