//! The device that holds a folder: what it is, and how much is written to it.

use super::parse::parse_sectors_written;
use super::root::{ProcFile, ProcRoot};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The kernel counts in these, whatever the device does (Documentation/admin-guide/iostats.rst).
const SECTOR_BYTES: u64 = 512;

/// `stat` of a device has some 150 bytes.
const STAT_BYTES: usize = 1_024;

/// What is known of a device. What its driver does not show is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFacts {
    /// The kernel's name of the whole device, such as `mmcblk0`.
    pub name: String,
    /// What the maker calls it.
    pub model: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// How much of its life is used up, in steps of ten: the upper end of the worse of both kinds of memory that an eMMC has
    /// (`life_time`; 110 says that it has outlived itself).
    pub life_used_percent: Option<u8>,
    /// How many of the spare blocks of an eMMC are used up, in words (`pre_eol_info`).
    pub spare_blocks: Option<&'static str>,
}

/// Why nothing is known of the device under a folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceUnknown {
    /// The folder itself is not there.
    #[error("cannot look at {folder}: {problem}")]
    NoFolder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        problem: String,
    },
    /// It is in memory, over a network, or spread over devices by its file system (tmpfs, overlay, NFS, btrfs, ZFS).
    #[error("{folder} is not on one block device (number {major}:{minor})")]
    NotOneDevice {
        /// Which.
        folder: PathBuf,
        /// The number of its file system.
        major: u32,
        /// Its second part.
        minor: u32,
    },
    /// `/sys` does not tell, as in some containers.
    #[error("nothing is known of device {major}:{minor}: {path} cannot be read: {problem}")]
    NotShown {
        /// Number of the device.
        major: u32,
        /// Its second part.
        minor: u32,
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
}

/// Reads how much is written to the device, or the part of it, that holds a folder, by whomever.
#[derive(Debug)]
pub struct DeviceReader {
    facts: DeviceFacts,
    stat: ProcFile,
}

impl DeviceReader {
    /// Finds the device.
    ///
    /// # Errors
    /// [`DeviceUnknown`] says why there is none to be found.
    pub fn of_folder(root: &ProcRoot, folder: &Path) -> Result<Self, DeviceUnknown> {
        let metadata = fs::metadata(folder).map_err(|error| DeviceUnknown::NoFolder {
            folder: folder.to_owned(),
            problem: error.to_string(),
        })?;
        let (major, minor) = (rustix::fs::major(metadata.dev()), rustix::fs::minor(metadata.dev()));
        if major == 0 {
            return Err(DeviceUnknown::NotOneDevice { folder: folder.to_owned(), major, minor });
        }
        Self::numbered(root, major, minor)
    }

    /// The device with a number.
    ///
    /// # Errors
    /// [`DeviceUnknown::NotShown`].
    pub(super) fn numbered(root: &ProcRoot, major: u32, minor: u32) -> Result<Self, DeviceUnknown> {
        let path = root.sys(&format!("dev/block/{major}:{minor}"));
        let not_shown =
            |problem: String| DeviceUnknown::NotShown { major, minor, path: path.clone(), problem };
        let part = fs::canonicalize(&path).map_err(|error| not_shown(error.to_string()))?;
        let facts = facts(&whole_device(&part));
        let mut reader = Self { facts, stat: ProcFile::new(part.join("stat"), STAT_BYTES) };
        match reader.written_bytes() {
            Some(_) => Ok(reader),
            None => Err(not_shown(reader.reason().unwrap_or_default())),
        }
    }

    /// Bytes written since the machine was started; `None` when the kernel no longer tells. Of a part (partition) only what
    /// was written to this part.
    pub fn written_bytes(&mut self) -> Option<u64> {
        self.stat.read(parse_sectors_written).map(|sectors| sectors.saturating_mul(SECTOR_BYTES))
    }

    /// Why the last reading gave nothing.
    pub fn reason(&self) -> Option<String> {
        self.stat.reason()
    }

    /// What the device is.
    pub fn facts(&self) -> &DeviceFacts {
        &self.facts
    }
}

/// The folder of the device itself: above that of a part, and below an encrypted or mapped one if it has only one device.
fn whole_device(part: &Path) -> PathBuf {
    let mut device = part.to_owned();
    // Maps upon maps are few; more than these would be a circle.
    for _ in 0..8 {
        if device.join("partition").exists() {
            device.pop();
        }
        let Ok(below) = fs::read_dir(device.join("slaves")) else { break };
        let mut below = below.filter_map(|entry| fs::canonicalize(entry.ok()?.path()).ok());
        let (Some(only), None) = (below.next(), below.next()) else { break };
        device = only;
    }
    device
}

fn facts(device: &Path) -> DeviceFacts {
    let text = |path: &str| {
        let text = fs::read_to_string(device.join(path)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    DeviceFacts {
        name: device.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        // Disks have a model, cards a name.
        model: text("device/model").or_else(|| text("device/name")),
        size_bytes: text("size").and_then(|sectors| sectors.parse::<u64>().ok()?.checked_mul(SECTOR_BYTES)),
        life_used_percent: text("device/life_time").and_then(|text| life_used_percent(&text)),
        spare_blocks: text("device/pre_eol_info").and_then(|text| spare_blocks(&text)),
    }
}

/// Two registers such as `0x01 0x02`: 1 is up to ten per cent, 10 up to a hundred, 11 beyond; 0 is not known (JEDEC JESD84-B51,
/// 7.4.34 and 7.4.35).
pub(super) fn life_used_percent(text: &str) -> Option<u8> {
    let register = |word: &str| u8::from_str_radix(word.trim_start_matches("0x"), 16).ok();
    let worst = text.split_whitespace().filter_map(register).filter(|step| (1..=11).contains(step)).max()?;
    Some(worst * 10)
}

/// A register such as `0x01` (JEDEC JESD84-B51, 7.4.36).
pub(super) fn spare_blocks(text: &str) -> Option<&'static str> {
    match text.trim_start_matches("0x").trim_start_matches('0') {
        "1" => Some("spare blocks: normal"),
        "2" => Some("spare blocks: 80 % are used up"),
        "3" => Some("spare blocks: 90 % are used up"),
        _ => None,
    }
}
