//! Does the clock tell the time?

use super::Patient;
use super::finding::Finding;
use crate::commands::units;
use model::UnixMillis;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

const CHECK: &str = "clock";

/// Before this program was written, and so before it can have run.
const EARLIEST: UnixMillis = UnixMillis(1_767_225_600_000);

/// A clock that is ahead of this was set wrongly; the program is unlikely to be that old.
const LATEST: UnixMillis = UnixMillis(4_102_444_800_000);

/// How long the two clocks are compared.
const COMPARED: Duration = Duration::from_millis(500);

/// A clock that is being steered gains or loses less than a thousandth.
const JUMP: Duration = Duration::from_millis(20);

/// Files by which services that set the clock say that they have done so, or at least that they run.
const SYNCHRONISED: [(&str, &str); 6] = [
    ("/run/systemd/timesync/synchronized", "systemd-timesyncd has set it"),
    ("/run/chrony/chronyd.pid", "chrony runs"),
    ("/run/chronyd.pid", "chrony runs"),
    ("/run/ntpd.pid", "ntpd runs"),
    ("/run/ntpsec/ntpd.pid", "ntpd runs"),
    ("/run/openntpd.pid", "openntpd runs"),
];

pub(super) fn check(_patient: &Patient) -> Vec<Finding> {
    vec![year(UnixMillis::now()), steady(), synchronised()]
}

fn year(now: UnixMillis) -> Finding {
    let text = units::time(now);
    if (EARLIEST..LATEST).contains(&now) {
        return Finding::ok(CHECK, text);
    }
    Finding::error(CHECK, format!("{text}, which cannot be"))
        .meaning("packets without a time of their own are stored at this time, and observers' right times are refused")
        .action("set the clock, and let a service keep it: `timedatectl set-ntp true`")
}

/// Compares the clock that can be set with the one that cannot.
fn steady() -> Finding {
    let (wall, steady) = (SystemTime::now(), Instant::now());
    std::thread::sleep(COMPARED);
    let passed = steady.elapsed();
    let by_wall = wall.elapsed().unwrap_or_default();
    let off = passed.abs_diff(by_wall);
    if off <= JUMP {
        return Finding::ok(CHECK, "goes evenly");
    }
    Finding::warning(CHECK, format!("jumped by {} ms within {} ms", off.as_millis(), passed.as_millis()))
        .meaning("something sets the clock again and again, so times of packets are not in order")
        .action("let only one service set the clock; in a virtual machine, not both its host and itself")
}

fn synchronised() -> Finding {
    match SYNCHRONISED.iter().find(|(file, _)| Path::new(file).exists()) {
        Some((_, how)) => Finding::ok(CHECK, format!("synchronised: {how}")),
        None if Path::new("/run/systemd/timesync").exists() => {
            Finding::warning(CHECK, "systemd-timesyncd runs and has not set it yet")
                .meaning("it may be wrong by any amount, as after a start without network")
                .action("see `timedatectl timesync-status`; let UDP port 123 out")
        }
        None => Finding::ok(CHECK, "whether a service keeps it right cannot be told from here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::{Level, worst};

    #[test]
    fn a_clock_that_was_never_set_is_an_error() {
        let level = |ms| worst(&[year(UnixMillis(ms))]);
        assert_eq!(level(0), Level::Error);
        assert_eq!(level(1_795_000_000_000), Level::Ok);
        assert_eq!(level(9_000_000_000_000), Level::Error);
        // A board without a battery begins somewhere in the past.
        assert_eq!(level(1_576_800_000_000), Level::Error);
    }
}
