use super::*;
use crate::{Catalogue, SeriesKind, Unit, info};
use std::fs;

const HOUR_MS: i64 = 3_600_000;

/// A Monday at 00:00.
const MONDAY_MS: i64 = 4 * 24 * HOUR_MS;

struct Hours {
    baselines: Baselines,
    recent: Recent,
    total: u64,
}

fn catalogue() -> Catalogue {
    Catalogue::new(vec![info("written.packets.wal", SeriesKind::Counter, Unit::Bytes, "")])
}

impl Hours {
    fn new(baselines: Baselines) -> Self {
        Self { baselines, recent: Recent::new(Arc::new(catalogue())), total: 0 }
    }

    /// Lives through an hour with so many bytes a second, in steps of ten seconds.
    fn pass(&mut self, hour: i64, rate: u64, secs: i64, is_flagged: bool) {
        for second in (0..secs).step_by(10) {
            self.total += rate * 10;
            let at_ms = MONDAY_MS + hour * HOUR_MS + second * 1_000;
            self.recent.push(at_ms, &[self.total]);
            self.baselines.tick(at_ms, &self.recent, |_| is_flagged);
        }
    }

    fn usual(&self, hour: i64) -> Option<Usual> {
        self.baselines.usual("packets", MONDAY_MS + hour * HOUR_MS)
    }
}

#[test]
fn what_is_usual_is_the_median_of_that_hour_in_the_last_eight_weeks() {
    let mut hours = Hours::new(Baselines::in_memory(&catalogue()));
    for week in 0..20 {
        let rate = if week == 17 { 1_000_000 } else { 20_000 + week * 10 };
        hours.pass(week as i64 * 168 + 5, rate, 3_600, false);
    }
    hours.pass(20 * 168 + 7, 0, 20, false);
    let usual = hours.usual(5).unwrap();
    assert_eq!((usual.weeks, usual.hours), (8, 8));
    assert!((20_120.0..20_200.0).contains(&usual.median), "{usual:?}");
    assert!(usual.mad < 50.0, "one odd week does not matter: {usual:?}");
    assert!((usual.limit() - 3.0 * usual.median).abs() < 1.0);
}

#[test]
fn neighbouring_hours_help_until_there_are_four_weeks() {
    let mut hours = Hours::new(Baselines::in_memory(&catalogue()));
    for hour in 0..31 {
        assert_eq!(hours.usual(5).is_some(), hour > 29, "hour {hour}");
        hours.pass(hour, 20_000, 3_600, false);
    }
    assert_eq!(hours.usual(5).map(|usual| (usual.weeks, usual.hours)), Some((1, 5)));
    assert_eq!(hours.usual(29 + 12), None, "nothing is known of the afternoon");
}

#[test]
fn an_hour_with_a_flag_and_one_that_was_hardly_measured_teach_nothing() {
    let mut hours = Hours::new(Baselines::in_memory(&catalogue()));
    for week in 0..6 {
        hours.pass(week * 168, 20_000, 3_600, false);
        hours.pass(week * 168 + 1, 9_000_000, 3_600, true);
        hours.pass(week * 168 + 2, 9_000_000, 2_000, false);
        hours.pass(week * 168 + 3, 0, 20, false);
    }
    assert_eq!(hours.usual(0).map(|usual| usual.hours), Some(6));
    assert!((hours.usual(1).unwrap().median - 20_000.0).abs() < 100.0);
    assert_eq!(hours.usual(3), None);
}

#[test]
fn baselines_survive_a_restart_and_a_damaged_file_is_kept_and_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let written = Arc::new(Written::default());
    let open = || Baselines::open(&catalogue(), folder.path(), Arc::clone(&written));
    let mut hours = Hours::new(open());
    for week in 0..5 {
        hours.pass(week * 168, 20_000, 3_600, false);
    }
    hours.pass(5 * 168 + 9, 20_000, 20, false);
    let known = hours.usual(0);
    assert!(known.is_some());
    assert_eq!(open().usual("packets", MONDAY_MS), known);
    let path = folder.path().join(file::NAME);
    assert!(written.bytes.get() > 0 && fs::metadata(&path).unwrap().len() < 300);
    for damage in [&b"nonsense"[..], b""] {
        fs::write(&path, damage).unwrap();
        assert_eq!(open().usual("packets", MONDAY_MS), None);
        assert_eq!(fs::read(folder.path().join("baselines.json.zst.damaged")).unwrap(), damage);
    }
}
