//! What must not be called wrong.

use super::*;
use crate::jobs::JobClock as _;

fn is_quiet(scenario: &Scenario) {
    assert_eq!(scenario.told(), [""; 0]);
}

#[test]
fn a_spike_at_start_up_does_not_cry_wolf() {
    // A hundred thousand messages that brokers had kept, in ten seconds.
    let scenario = Scenario::new();
    scenario.each_second(|second, values| {
        if second < 10 {
            values.set("queue.rows", 30_000 - second * 3_000);
            values.add("rows.tx_inserted", 2_000);
            values.live(second, 10_000);
            values.written("nodes", MIB);
        } else {
            values.live(second, 10);
        }
    });
    scenario.pass(300);
    is_quiet(&scenario);
}

#[test]
fn one_large_commit_soon_after_the_start_is_all_right() {
    let scenario = Scenario::new();
    scenario.each_second(|second, values| values.written("packets", u64::from(second == 2) * 700_000));
    scenario.pass(60);
    is_quiet(&scenario);
}

#[test]
fn a_long_queue_that_gets_shorter_is_all_right() {
    let scenario = Scenario::new().settled();
    scenario.each_second(|second, values| values.set("queue.rows", 90_000 - (second - 60) * 1_000));
    scenario.pass(60);
    is_quiet(&scenario);
}

#[test]
fn a_quiet_mesh_with_a_commit_every_five_seconds_is_all_right() {
    let scenario = Scenario::new();
    scenario.each_second(|second, values| {
        values.live(second, 1);
        if second.is_multiple_of(5) {
            values.written("packets", 30 * 4_120);
        }
    });
    scenario.pass(600);
    is_quiet(&scenario);
}

#[test]
fn a_backup_that_an_operator_has_started_is_all_right() {
    let scenario = Scenario::new().settled();
    let counted = scenario.values();
    scenario.work("backup", 600, 20, |run| {
        counted.lock().add("written.backup.backup", MIB);
        counted.lock().add("process.write_bytes", MIB);
        run.step(StepReport { written_bytes: MIB, ..StepReport::default() });
    });
    is_quiet(&scenario);
}

#[test]
fn a_checkpoint_of_64_mib_once_in_a_while_is_all_right_and_one_that_copies_everything_is_not() {
    let scenario = Scenario::new().settled();
    for _ in 0..5 {
        scenario.now(|values| {
            values.add("written.checkpoint.database", 64 * MIB);
            values.add("process.write_bytes", 64 * MIB);
            values.add("process.cancelled_write_bytes", 64 * MIB);
        });
        scenario.pass(330);
    }
    is_quiet(&scenario);
    for _ in 0..12 {
        scenario.now(|values| values.add("written.checkpoint.database", 20 * MIB));
        scenario.pass(10);
    }
    assert_eq!(scenario.active(), ["checkpoint.budget"]);
}

#[test]
fn a_pass_of_retention_over_a_day_is_all_right() {
    // 864,000 observations of a day, at 40 bytes each, deleted a thousand at a time.
    let scenario = Scenario::new().settled();
    let mut done = 0;
    let run = scenario.retention().begin();
    while done < 864 && run.go_on() {
        scenario.clock.pass(Duration::from_millis(30));
        let written_bytes = 60 * 4_120;
        scenario.now(|values| values.written("retention", written_bytes));
        run.step(StepReport { examined: 1_000, changed: 1_000, written_bytes, ..StepReport::default() });
        done += 1;
        run.progress(done, 864);
    }
    drop(run);
    scenario.pass(120);
    is_quiet(&scenario);
}

#[test]
fn a_process_that_is_started_anew_gives_no_huge_rates() {
    // Failure 3 of the incumbent: counters that fall gave negative rates, and those were huge.
    let scenario = Scenario::new();
    scenario.each_second(|second, values| {
        if second.is_multiple_of(50) {
            values.0.fill(0);
        }
        values.live(second, 100);
    });
    scenario.pass(300);
    is_quiet(&scenario);
}

#[test]
fn a_backfill_is_not_compared_with_live_packets_before_there_are_a_hundred() {
    let scenario = Scenario::new();
    scenario.each_second(|second, values| values.add("rows.tx_inserted", u64::from(second == 1) * 99));
    let step = StepReport { changed: 100, written_bytes: 100, ..StepReport::default() };
    scenario.work("rewrite", 25, 100, |run| run.step(step));
    is_quiet(&scenario);
    scenario.now(|values| values.add("rows.tx_inserted", 1));
    scenario.work("rewrite", 40, 100, |run| run.step(step));
    assert!(scenario.raised("rewrite.live_ratio").is_some());
}

#[test]
fn a_paused_run_is_not_stuck() {
    let scenario = Scenario::new().settled();
    let run = scenario.retention().begin();
    run.progress(1, 2);
    let clock = std::sync::Arc::clone(&scenario.clock);
    // The wait of a paused run lasts an hour of the fake clock; then it is stopped.
    scenario.control("retention", JobAction::Pause);
    let jobs = scenario.jobs.clone();
    let mut seconds = 0;
    scenario.each_second(move |_, _| {
        seconds += 1;
        if seconds == 3_000 {
            jobs.stop();
        }
    });
    assert!(!run.go_on());
    assert!(clock.steady() > Duration::from_secs(3_600));
    is_quiet(&scenario);
}
