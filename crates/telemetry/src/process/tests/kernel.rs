//! The readers on recorded texts, and where the kernel does not tell.

use super::super::device::{life_used_percent, spare_blocks};
use super::super::parse::parse_sectors_written;
use super::*;
use std::fs;
use std::path::Path;

const PRESSURE: &str = "some avg10=0.15 avg60=0.63 avg300=0.97 total=141221866\n\
                        full avg10=0.14 avg60=0.48 avg300=0.77 total=61673521\n";

/// `/sys/block/mmcblk0/stat` of a Raspberry Pi.
const STAT: &str = "    3045     1203   229202     4407     1789     1507    46618    14103        0    11596    18511        0        0        0        0        0        0\n";

const STATUS: &str = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n";

/// A folder that has what `/proc` and `/sys` have.
struct Kernel(tempfile::TempDir);

impl Kernel {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> ProcRoot {
        ProcRoot::at(&self.0.path().join("proc"), &self.0.path().join("sys"))
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn thread(&self, id: u32, name: &str, wchar: u64) {
        self.put(&format!("proc/self/task/{id}/comm"), &format!("{name}\n"));
        self.put(&format!("proc/self/task/{id}/io"), &format!("rchar: 1\nwchar: {wchar}\n"));
    }

    /// Ends a thread. Whoever has its file open can no longer read it, as with the kernel's.
    fn end(&self, id: u32) {
        self.put(&format!("proc/self/task/{id}/io"), "");
        fs::remove_dir_all(self.0.path().join(format!("proc/self/task/{id}"))).unwrap();
    }

    fn link(&self, from: &str, to: &str) {
        let path = self.0.path().join(from);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(self.0.path().join(to), path).unwrap();
    }
}

#[test]
fn counters_and_memory_are_read_again_from_the_same_open_file() {
    let kernel = Kernel::new();
    kernel.put("proc/self/io", IO);
    kernel.put("proc/self/status", STATUS);
    let mut reader = ProcessReader::new(&kernel.root());
    assert_eq!(reader.io().map(|io| io.write_bytes), Some(8_192));
    assert_eq!(reader.memory().map(|memory| memory.peak_resident_bytes), Some(2_097_152));
    kernel.put("proc/self/io", &IO.replace("8192", "12288"));
    assert_eq!(reader.io().map(|io| io.write_bytes), Some(12_288));
    assert_eq!((reader.io_reason(), reader.memory_reason()), (None, None));
}

#[test]
fn where_the_kernel_does_not_tell_there_is_a_reason_and_no_zero() {
    let kernel = Kernel::new();
    let mut reader = ProcessReader::new(&kernel.root());
    assert_eq!((reader.io(), reader.memory()), (None, None));
    assert!(reader.io_reason().unwrap().contains("proc/self/io"));
    let mut pressure = PressureReader::new(&kernel.root());
    assert_eq!(pressure.read(), None);
    assert!(pressure.reason().unwrap().contains("proc/pressure/io"));
    let mut book = ThreadBook::new(&kernel.root());
    assert!(!book.read());
    assert_eq!(book.network_wchar(), None);
    assert!(book.reason().unwrap().contains("proc/self/task"));
    let rates = ProcessSampler::spawn_in(&kernel.root(), Duration::from_secs(3_600)).rates();
    assert!(!rates.available && rates.reason.unwrap().contains("proc/self/io"));
    // As soon as it does, there are figures.
    kernel.put("proc/self/io", IO);
    assert!(reader.io().is_some() && reader.io_reason().is_none());
    kernel.put("proc/self/io", "rchar: x\n");
    assert_eq!(reader.io(), None);
    assert!(reader.io_reason().unwrap().contains("rchar"));
    // The file that gave nonsense is not the one that is there now.
    fs::remove_file(kernel.0.path().join("proc/self/io")).unwrap();
    kernel.put("proc/self/io", IO);
    assert!(reader.io().is_some());
}

#[test]
fn pressure_is_the_totals_in_microseconds() {
    let expected = IoPressure { some_micros: 141_221_866, full_micros: 61_673_521 };
    assert_eq!(parse_io_pressure(PRESSURE), Ok(expected));
    assert_eq!(parse_io_pressure("some total=5\n"), Ok(IoPressure { some_micros: 5, full_micros: 0 }));
    assert_eq!(parse_io_pressure("x"), Err(ParseProcError::NothingKnown));
    assert_eq!(parse_io_pressure("full 1\n"), Err(ParseProcError::BadNumber { line: 1, key: "full" }));
}

#[test]
fn sectors_written_are_the_seventh_number() {
    assert_eq!(parse_sectors_written(STAT), Ok(46_618));
    assert_eq!(parse_sectors_written("1 2 3 4 5 6"), Err(ParseProcError::NothingKnown));
    assert!(parse_sectors_written("1 2 3 4 5 6 -7").is_err());
}

#[test]
fn a_card_tells_its_name_its_size_and_its_life() {
    let kernel = Kernel::new();
    let disk = "sys/devices/mmc0/block/mmcblk0";
    kernel.put(&format!("{disk}/stat"), STAT);
    kernel.put(&format!("{disk}/size"), "62333952\n");
    kernel.put(&format!("{disk}/device/name"), "SB32G\n");
    kernel.put(&format!("{disk}/device/life_time"), "0x01 0x03\n");
    kernel.put(&format!("{disk}/device/pre_eol_info"), "0x02\n");
    kernel.put(&format!("{disk}/mmcblk0p2/partition"), "2\n");
    kernel.put(&format!("{disk}/mmcblk0p2/stat"), &STAT.replace("46618", "100"));
    kernel.link("sys/dev/block/179:2", &format!("{disk}/mmcblk0p2"));
    let mut part = DeviceReader::numbered(&kernel.root(), 179, 2).unwrap();
    assert_eq!(part.written_bytes(), Some(51_200));
    let expected = DeviceFacts {
        name: "mmcblk0".to_owned(),
        model: Some("SB32G".to_owned()),
        size_bytes: Some(31_914_983_424),
        life_used_percent: Some(30),
        spare_blocks: Some("spare blocks: 80 % are used up"),
    };
    assert_eq!(part.facts(), &expected);
    // An encrypted volume upon it is named after it, and counts for itself.
    kernel.put("sys/devices/virtual/block/dm-0/stat", STAT);
    kernel.link("sys/devices/virtual/block/dm-0/slaves/mmcblk0p2", &format!("{disk}/mmcblk0p2"));
    kernel.link("sys/dev/block/253:0", "sys/devices/virtual/block/dm-0");
    let mut mapped = DeviceReader::numbered(&kernel.root(), 253, 0).unwrap();
    assert_eq!((mapped.written_bytes(), mapped.facts()), (Some(46_618 * 512), &expected));
}

#[test]
fn a_device_that_cannot_be_known_says_why() {
    let kernel = Kernel::new();
    let error = DeviceReader::numbered(&kernel.root(), 8, 1).unwrap_err();
    assert!(error.to_string().contains("8:1"), "{error}");
    let error = DeviceReader::of_folder(&kernel.root(), &kernel.0.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, DeviceUnknown::NoFolder { .. }));
    #[cfg(target_os = "linux")]
    {
        let error = DeviceReader::of_folder(&ProcRoot::from_env(), Path::new("/proc")).unwrap_err();
        assert!(matches!(error, DeviceUnknown::NotOneDevice { major: 0, .. }), "{error}");
    }
}

#[test]
fn life_is_the_worse_of_two_registers() {
    assert_eq!(life_used_percent("0x01 0x02"), Some(20));
    assert_eq!(life_used_percent("0x0b 0x01"), Some(110));
    for text in ["", "0x00 0x00", "0x0c", "x", "0xfffff"] {
        assert_eq!(life_used_percent(text), None, "{text}");
    }
    assert_eq!((spare_blocks("0x00"), spare_blocks("0x01")), (None, Some("spare blocks: normal")));
}

#[test]
fn what_a_thread_has_written_stays_when_it_ends() {
    let kernel = Kernel::new();
    kernel.thread(10, "meshcore-analyz", 100);
    kernel.thread(11, "http-1", 1_000);
    kernel.thread(12, "storage-writer", 5_000);
    let mut book = ThreadBook::of(&kernel.root(), 10);
    assert!(book.read());
    assert_eq!(book.network_wchar(), Some(1_100));
    kernel.thread(11, "http-1", 1_500);
    assert!(book.read());
    assert_eq!(book.network_wchar(), Some(1_600));
    // One ends while another begins, so that there are as many as before.
    kernel.end(11);
    kernel.thread(13, "http-1", 50);
    for _ in 0..3 {
        assert!(book.read());
    }
    assert_eq!(book.network_wchar(), Some(1_650));
    kernel.end(12);
    assert!(book.read() && book.read());
    let group = |name: &str| book.groups().iter().find(|group| group.name == name).cloned().unwrap();
    assert_eq!(group("storage-writer").wchar_bytes, 5_000);
    assert_eq!((group("main").wchar_bytes, group("main").network), (100, true));
    assert_eq!((group("http-1").wchar_bytes, group("storage-writer").network), (1_550, false));
}

#[test]
fn a_thread_that_was_listed_before_it_had_its_name_is_found_by_the_next_reading() {
    let kernel = Kernel::new();
    kernel.thread(10, "main", 0);
    kernel.thread(11, "main-of-parent", 0);
    let mut book = ThreadBook::of(&kernel.root(), 10);
    assert!(book.read());
    kernel.thread(11, "storage-ckpt", 700);
    assert!(book.read());
    assert_eq!(book.network_wchar(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn this_machine_is_read_without_surprises() {
    let root = ProcRoot::from_env();
    let mut reader = ProcessReader::new(&root);
    let before = process_cpu_micros();
    assert!(reader.memory().is_some_and(|memory| memory.resident_bytes > 100_000));
    let mut spent = 0_u64;
    while thread_cpu_micros() < 2_000 {
        spent = spent.wrapping_add(1);
    }
    assert!(process_cpu_micros() >= before && spent > 0);
    assert!(free_bytes(&std::env::temp_dir()).is_ok_and(|bytes| bytes > 0));
    assert!(free_bytes(Path::new("/nowhere at all")).is_err());
    let mut book = ThreadBook::new(&root);
    if book.read() {
        let sum: u64 = book.groups().iter().map(|group| group.wchar_bytes).sum();
        assert!(reader.io().is_some_and(|io| io.write_chars >= sum));
    }
    match DeviceReader::of_folder(&root, &std::env::temp_dir()) {
        Ok(mut device) => assert!(device.written_bytes().is_some() && !device.facts().name.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_other_parsers_panic(text in "(?s).{0,200}") {
        let _ = parse_io_pressure(&text);
        let _ = parse_sectors_written(&text);
        let _ = life_used_percent(&text);
    }
}
