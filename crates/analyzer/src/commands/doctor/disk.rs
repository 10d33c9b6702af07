//! Is there room, is the file system fit for a database, and how long does it take until something is really stored?

use super::Patient;
use super::finding::Finding;
use super::folder::existing;
use super::mount::{self, Mount};
use crate::commands::units;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Less than this is gone before anybody looks: the log alone may take 64 MB.
const NO_ROOM: u64 = 100_000_000;

/// Less than this is worth a warning: some weeks of a busy mesh, or one backup of a large database.
const LITTLE_ROOM: u64 = 1_000_000_000;

/// The program itself needs a handful of files; when others run out of them, it is a matter of hours.
const FEW_INODES: u64 = 1_000;

/// Enough for a median and a 99th percentile that mean something.
const SYNCS: usize = 300;

/// On a slow card the measurement ends after this, with fewer writes.
const SYNC_LIMIT: Duration = Duration::from_secs(3);

/// A page and its header, as a commit appends them.
const SYNC_BYTES: usize = 4_096 + 24;

/// From here on a commit is slow: one is due each second, and backups and other programs want the disk as well.
const SLOW_MEDIAN: Duration = Duration::from_millis(50);

/// An SD card that tidies up takes this long now and then.
const SLOW_P99: Duration = Duration::from_millis(500);

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    // What is not there yet will be where the folder above it is.
    let folder = existing(&patient.folder);
    let mut findings = Vec::new();
    findings.extend(room(folder));
    findings.extend(file_system(folder));
    findings.push(match sync_times(folder) {
        Ok(times) => speed(folder, times),
        Err(error) => Finding::error("disk speed", format!("cannot write in {}: {error}", folder.display()))
            .meaning("nothing can be stored there")
            .action("see what is said of the data folder"),
    });
    findings
}

#[cfg(unix)]
fn room(folder: &Path) -> Vec<Finding> {
    let figures = match rustix::fs::statvfs(folder) {
        Ok(figures) => figures,
        Err(error) => {
            let text = format!("the room on the disk of {} cannot be told: {error}", folder.display());
            return vec![Finding::warning("disk space", text)];
        }
    };
    let (free, total) = (figures.f_bavail * figures.f_frsize, figures.f_blocks * figures.f_frsize);
    let text = format!("{} of {} free", units::bytes(free), units::bytes(total));
    let mut findings = vec![match free {
        0..NO_ROOM => Finding::error("disk space", text)
            .meaning("the disk is full or will be soon; packets then wait in memory and are not acknowledged")
            .action("make room, or move the data folder to a larger disk"),
        NO_ROOM..LITTLE_ROOM => Finding::warning("disk space", text)
            .meaning("the database grows, and a backup needs as much room again")
            .action("make room before it runs out"),
        _ => Finding::ok("disk space", text),
    }];
    // File systems that make inodes as they need them say 0 of 0.
    if figures.f_files > 0 && figures.f_favail < FEW_INODES {
        let text = format!("only {} more files can be made", figures.f_favail);
        findings.push(
            Finding::error("disk space", text)
                .meaning("no file can be made although there is room; the database needs two beside it")
                .action(
                    "remove small files that are not needed: `df -i` and `du --inodes` show where they are",
                ),
        );
    }
    findings
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Vec<Finding> {
    Vec::new()
}

fn file_system(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "file system";
    let Some(mount) = Mount::of(folder) else { return Vec::new() };
    let text = format!("{} on {}", mount.kind, mount.source);
    let finding = match mount.kind.as_str() {
        _ if mount.is_network() => Finding::error(CHECK, text)
            .meaning("SQLite's write-ahead log needs memory that is shared on one machine; over a network it damages databases")
            .action("put the data folder on a disk of this machine, and backups on the server"),
        "tmpfs" | "ramfs" => Finding::warning(CHECK, text)
            .meaning("this is memory: everything is lost when the machine restarts")
            .action("put the data folder on a disk"),
        "overlay" => Finding::warning(CHECK, text)
            .meaning("this is the inside of a container: everything is lost when the container is replaced")
            .action("mount a volume for the data folder"),
        "vfat" | "msdos" | "exfat" => Finding::warning(CHECK, text)
            .meaning("this file system knows no owners and does not survive a loss of power well")
            .action("use ext4, xfs or btrfs"),
        _ => Finding::ok(CHECK, text),
    };
    let mut findings = vec![finding];
    if mount::is_sd_card(folder) {
        findings.push(
            Finding::warning(CHECK, "the data folder is on an SD card")
                .meaning(
                    "cards wear out, and many lose data with the power; ours writes little, but not nothing",
                )
                .action("use an SSD or a USB disk if there is one, and make backups to another medium"),
        );
    }
    findings
}

/// How long it takes to append a page and force it to the medium, shortest first. The file has no name.
fn sync_times(folder: &Path) -> io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(folder)?;
    let page = [0x5a; SYNC_BYTES];
    let start = Instant::now();
    let mut times = Vec::with_capacity(SYNCS);
    while times.len() < SYNCS && start.elapsed() < SYNC_LIMIT {
        let begin = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

fn speed(folder: &Path, times: Vec<Duration>) -> Finding {
    const CHECK: &str = "disk speed";
    // At least one was made: the limit is looked at before the first, which takes no time.
    let at = |percent: usize| {
        times.get((times.len() * percent / 100).min(times.len() - 1)).copied().unwrap_or_default()
    };
    let (median, p99) = (at(50), at(99));
    let text = format!(
        "a commit takes {} (median) to {} (99 %) in {}, of {} tried",
        ms(median),
        ms(p99),
        folder.display(),
        times.len()
    );
    if median < SLOW_MEDIAN && p99 < SLOW_P99 {
        return Finding::ok(CHECK, text);
    }
    Finding::warning(CHECK, text)
        .meaning("viewers do not wait for commits, but observers wait for their acknowledgements, and bursts take longer to store")
        .action("see what else writes to this disk (`iotop`); use an SSD rather than an SD card")
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
