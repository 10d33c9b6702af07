//! Is there memory for the history?

use super::Patient;
use super::finding::Finding;
use crate::commands::units;
use crate::memory;
use crate::parts::window::window;
use std::fs;

const CHECK: &str = "memory";

/// What a history takes in memory, as far as the budget lets it: with a database of 38 MB, a million observations, the
/// program had 114 MB.
const MEMORY_PER_DATABASE: u64 = 2;

/// What the program needs besides, the log and the queues filled.
const BASE: u64 = 50_000_000;

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let Some(available) = available(patient) else {
        return vec![Finding::ok(CHECK, "how much is free cannot be told on this system")];
    };
    let machine = memory::of_machine("MemTotal:").map_or(memory::allowed(), |all| all.min(memory::allowed()));
    let database = fs::metadata(&patient.database).map_or(0, |file| file.len());
    let budget = window(patient.loaded.file.max_memory_mb()).budget();
    vec![judge(available, machine, database, budget.unwrap_or(u64::MAX))]
}

/// The window of packets in memory grows with the history up to its budget, and no further.
fn judge(available: u64, machine: u64, database: u64, budget: u64) -> Finding {
    let history = database.saturating_mul(MEMORY_PER_DATABASE);
    let wanted = history.min(budget).saturating_add(BASE);
    let text = match budget {
        u64::MAX => String::new(),
        budget => format!(
            ", and at most {} with packets that are to come",
            units::bytes(budget.saturating_add(BASE))
        ),
    };
    let text = format!(
        "{} to be had; the history wants about {}{text}",
        units::bytes(available),
        units::bytes(wanted)
    );
    if available < wanted {
        return Finding::warning(CHECK, text)
            .meaning("the system may end the program, or become slow, while it loads the history")
            .action("end other programs, give the machine or the container more memory, or set `packetStore.maxMemoryMB` lower");
    }
    if budget != u64::MAX && machine < budget.saturating_add(BASE) {
        return Finding::warning(CHECK, text)
            .meaning("`packetStore.maxMemoryMB` allows more than there is, and the history will grow into it")
            .action("set it to half of the memory; older packets are then read from the database");
    }
    Finding::ok(CHECK, text)
}

/// What is free, or would be if the program that is running were not.
fn available(patient: &Patient) -> Option<u64> {
    let free = memory::of_machine("MemAvailable:")?;
    let own = patient.writer.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let own = own.and_then(|status| memory::kib(&status, "VmRSS:")).unwrap_or(0);
    Some((free + own).min(memory::allowed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::{Level, worst};

    const GB: u64 = 1_000_000_000;

    #[test]
    fn a_history_that_does_not_fit_is_warned_of_unless_the_budget_bounds_it() {
        let level = |database, budget| worst(&[judge(GB, 2 * GB, database, budget)]);
        assert_eq!(level(400_000_000, u64::MAX), Level::Ok);
        assert_eq!(level(500_000_000, u64::MAX), Level::Warning);
        assert_eq!(level(50 * GB, 900_000_000), Level::Ok, "the rest stays on disk");
        assert_eq!(level(50 * GB, 960_000_000), Level::Warning);
    }

    #[test]
    fn a_budget_beyond_the_machine_is_warned_of_while_the_history_is_small() {
        assert_eq!(worst(&[judge(GB, 2 * GB, 0, GB)]), Level::Ok);
        assert_eq!(worst(&[judge(GB, 2 * GB, 0, 2 * GB)]), Level::Warning);
    }
}
