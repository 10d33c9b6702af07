//! Static thresholds, and what is usual.

use super::super::scenario::Values;
use super::*;
use crate::{Baselines, Catalogue, Recent};
use std::sync::Arc;

/// Sets something wrong, waits until it is told, sets it right, and waits until that is told.
fn comes_and_goes(
    id: &str,
    severity: Severity,
    secs: u64,
    wrong: impl Fn(&mut Values) + Send + 'static,
    right: impl FnOnce(&mut Values),
) {
    let scenario = Scenario::new().settled();
    scenario.each_second(move |second, values| {
        values.live(second, 10);
        wrong(values);
    });
    scenario.pass(secs);
    assert_eq!(scenario.active(), [id], "{:?}", scenario.told());
    let (_, flag) = scenario.raised(id).unwrap();
    assert_eq!(flag.severity, severity);
    assert!(!flag.reason.is_empty() && !flag.remedy.is_empty());
    scenario.each_second(|second, values| values.live(second, 10));
    scenario.now(right);
    scenario.pass(400);
    assert_eq!(scenario.told().len(), 2, "{:?}", scenario.told());
}

#[test]
fn more_than_10_mib_a_second_of_the_process() {
    let wrong = |values: &mut Values| {
        values.add("process.write_bytes", 11 * MIB);
    };
    comes_and_goes("write_bytes.threshold", Severity::Warning, 85, wrong, |_| {});
}

#[test]
fn more_than_1_mib_a_second_given_up() {
    let wrong = |values: &mut Values| {
        values.add("process.cancelled_write_bytes", 2 * MIB);
    };
    comes_and_goes("cancelled_write_bytes.threshold", Severity::Warning, 85, wrong, |_| {});
}

#[test]
fn a_log_of_more_than_100_mib() {
    let wrong = |values: &mut Values| {
        values.set("wal.bytes", 101 * MIB);
    };
    comes_and_goes("wal.threshold", Severity::Warning, 15, wrong, |values| values.set("wal.bytes", 0));
}

#[test]
fn a_cache_that_does_not_answer() {
    let wrong = |values: &mut Values| {
        values.add("cache.hits", 80);
        values.add("cache.misses", 20);
    };
    comes_and_goes("page_cache.threshold", Severity::Warning, 400, wrong, |values| {
        values.add("cache.hits", 200_000);
    });
}

#[test]
fn commits_that_fail() {
    let wrong = |values: &mut Values| {
        values.set("write.failing", 1);
    };
    comes_and_goes("ingest.write_failing", Severity::Critical, 7, wrong, |values| {
        values.set("write.failing", 0);
    });
}

#[test]
fn a_queue_that_does_not_get_shorter() {
    let wrong = |values: &mut Values| {
        values.set("queue.rows", 50_000);
    };
    comes_and_goes("queue.threshold", Severity::Critical, 12, wrong, |values| values.set("queue.rows", 0));
}

#[test]
fn a_disk_that_is_nearly_full_is_told_once_more_when_it_is_critical() {
    let scenario = Scenario::new().settled();
    for (free, secs) in [(600, 20), (400, 20), (40, 20), (800, 70)] {
        scenario.now(|values| values.set("disk.free", free * MIB));
        scenario.pass(secs);
    }
    let told = scenario.told();
    let told: Vec<_> = told.iter().map(|told| told.split_once(' ').unwrap().1).collect();
    assert_eq!(told, ["raised disk.threshold", "worsened disk.threshold", "cleared disk.threshold"]);
    assert!(scenario.changes()[1].flag.severity == Severity::Critical);
}

/// Five weeks of this rate at each hour.
fn usual(catalogue: &Catalogue, cause: &str, rate: u64) -> Baselines {
    let mut baselines = Baselines::in_memory(catalogue);
    let mut recent = Recent::new(Arc::new(catalogue.clone()));
    let of_cause = catalogue.find(&format!("written.{cause}.wal")).unwrap().place();
    let mut sample = vec![0; catalogue.infos().len()];
    for minute in 0..5 * 168 * 60 {
        sample[of_cause] += rate * 60;
        recent.push(minute * 60_000, &sample);
        baselines.tick(minute * 60_000, &recent, |_| false);
    }
    baselines
}

#[test]
fn packets_that_write_much_more_than_they_usually_do_at_this_hour() {
    let scenario = Scenario::with_baselines(|catalogue| usual(catalogue, "packets", 8_000));
    // Well within the budget of what arrives, but four times as much as usual.
    scenario.each_second(|second, values| values.live(second, 100));
    scenario.pass(130);
    let (_, flag) = scenario.raised("packets.baseline").unwrap();
    assert!(flag.reason.contains("at this hour of the week it is 7.8 KB/s"), "{}", flag.reason);
    scenario.each_second(|second, values| values.live(second, 10));
    scenario.pass(150);
    assert!(scenario.active().is_empty());
}

#[test]
fn packets_that_write_as_usual_are_all_right() {
    let scenario = Scenario::with_baselines(|catalogue| usual(catalogue, "packets", 34_000));
    scenario.each_second(|second, values| values.live(second, 100));
    scenario.pass(300);
    assert_eq!(scenario.told(), [""; 0]);
}

#[test]
fn a_job_that_does_the_work_of_an_hour_at_once_is_all_right_and_one_that_does_more_is_not() {
    let scenario = Scenario::with_baselines(|catalogue| usual(catalogue, "retention", 8_000));
    scenario.each_second(|second, values| values.written("retention", u64::from(second < 10) * MIB));
    scenario.pass(1_500);
    assert_eq!(scenario.told(), [""; 0]);
    scenario.each_second(|_, values| values.written("retention", 40_000));
    scenario.pass(1_200);
    assert_eq!(scenario.active(), ["retention.baseline"]);
}
