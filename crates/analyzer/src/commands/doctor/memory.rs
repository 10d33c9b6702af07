//! Is there memory for the history?

use super::Patient;
use super::finding::Finding;
use crate::commands::units;
use crate::memory;
use std::fs;

const CHECK: &str = "memory";

/// The history lies in memory as a whole: with a database of 38 MB, a million observations, the program had 114 MB.
const MEMORY_PER_DATABASE: u64 = 2;

/// What the program needs besides, the log and the queues filled.
const BASE: u64 = 50_000_000;

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let Some(available) = available(patient) else {
        return vec![Finding::ok(CHECK, "how much is free cannot be told on this system")];
    };
    let database = fs::metadata(&patient.database).map_or(0, |file| file.len());
    vec![judge(available, database)]
}

fn judge(available: u64, database: u64) -> Finding {
    let wanted = BASE + database * MEMORY_PER_DATABASE;
    let text =
        format!("{} to be had; the history wants about {}", units::bytes(available), units::bytes(wanted));
    if available >= wanted {
        return Finding::ok(CHECK, text);
    }
    Finding::warning(CHECK, text)
        .meaning("the system may end the program, or become slow, while it loads the history")
        .action("end other programs, or give the machine or the container more memory")
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

    #[test]
    fn a_history_that_does_not_fit_is_warned_of() {
        assert_eq!(worst(&[judge(1_000_000_000, 400_000_000)]), Level::Ok);
        assert_eq!(worst(&[judge(1_000_000_000, 500_000_000)]), Level::Warning);
    }
}
