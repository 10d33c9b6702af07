//! On what a folder lies: which file system, and which kind of device.

use std::fs;
use std::path::{Path, PathBuf};

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Such as `ext4`, `nfs4`, `overlay`.
    pub(super) kind: String,
    /// Such as `/dev/mmcblk0p2`; the server's share of a network file system.
    pub(super) source: String,
}

impl Mount {
    /// Of the folder, where the system tells.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        parse(&fs::read_to_string("/proc/self/mountinfo").ok()?, &folder)
    }

    /// Whether another machine keeps the files.
    pub(super) fn is_network(&self) -> bool {
        const NETWORK: [&str; 12] = [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "9p",
            "afs",
            "ceph",
            "glusterfs",
            "fuse.sshfs",
            "fuse.glusterfs",
            "fuse.rclone",
        ];
        NETWORK.contains(&self.kind.as_str())
    }
}

/// The last line whose mount point is above the folder, and the longest such: later mounts lie over earlier ones
/// (<https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>).
fn parse(mountinfo: &str, folder: &Path) -> Option<Mount> {
    let mut best: Option<(usize, Mount)> = None;
    for line in mountinfo.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let Some(point) = before.split(' ').nth(4).map(unescape) else { continue };
        let mut after = after.split(' ');
        let (Some(kind), Some(source)) = (after.next(), after.next()) else { continue };
        let depth = point.components().count();
        if folder.starts_with(&point) && best.as_ref().is_none_or(|(deepest, _)| depth >= *deepest) {
            best = Some((
                depth,
                Mount { kind: kind.to_owned(), source: unescape(source).display().to_string() },
            ));
        }
    }
    best.map(|(_, mount)| mount)
}

/// Blanks and the like are written as a backslash and three octal digits.
fn unescape(text: &str) -> PathBuf {
    let mut plain = text.to_owned();
    for (code, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(code, character);
    }
    plain.into()
}

/// Whether the folder lies on a removable memory card.
#[cfg(target_os = "linux")]
pub(super) fn is_sd_card(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(metadata) = fs::metadata(folder) else { return false };
    let (major, minor) = (rustix::fs::major(metadata.dev()), rustix::fs::minor(metadata.dev()));
    // A partition's folder lies in that of its disk, which says what it is.
    let Ok(block) = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")) else { return false };
    let kinds =
        block.ancestors().take(2).filter_map(|disk| fs::read_to_string(disk.join("device/type")).ok());
    kinds.into_iter().any(|kind| kind.trim() == "SD")
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_sd_card(_folder: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
30 22 0:30 / /mnt/my\\040share rw - nfs4 server:/share rw
31 22 0:31 / /var/lib rw - tmpfs tmpfs rw
32 31 0:32 / /var/lib rw - ext4 /dev/sda1 rw
a line that is none";

    #[test]
    fn the_deepest_and_newest_mount_is_found() {
        let kind = |folder: &str| parse(MOUNTINFO, Path::new(folder)).map(|mount| (mount.kind, mount.source));
        let mount = |kind: &str, source: &str| Some((kind.to_owned(), source.to_owned()));
        assert_eq!(kind("/home/pi/data"), mount("ext4", "/dev/mmcblk0p2"));
        assert_eq!(kind("/mnt/my share/data"), mount("nfs4", "server:/share"));
        assert_eq!(kind("/var/lib/data"), mount("ext4", "/dev/sda1"));
        assert_eq!(kind("/var/library"), mount("ext4", "/dev/mmcblk0p2"));
        assert!(parse(MOUNTINFO, Path::new("/mnt/my share")).unwrap().is_network());
        assert_eq!(parse("", Path::new("/")), None);
    }
}
