//! Files that are torn, damaged or made to harm.

use super::*;
use crate::history::segment::Contents;

/// The only file of the finest tier.
fn seconds_file(folder: &Path) -> PathBuf {
    folder.join("1s-00000001.hist")
}

#[test]
fn a_torn_end_costs_its_block_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let begin = NOW - NOW % 60;
    run(&open(folder.path()), begin, 180);
    let path = seconds_file(folder.path());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let history = open(folder.path());
    assert!(history.damaged_bytes() > 0);
    let known =
        |history: &History| ask(history, begin, begin + 300, 1, begin + 300)[0].iter().flatten().count();
    assert_eq!(known(&history), 120);
    // The next blocks go into a new file.
    run(&history, begin + 180, 120);
    drop(history);
    assert!(folder.path().join("1s-00000002.hist").exists());
    assert_eq!(known(&open(folder.path())), 240);
}

#[test]
fn damage_in_the_middle_costs_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let begin = NOW - NOW % 60;
    run(&open(folder.path()), begin, 600);
    let path = seconds_file(folder.path());
    let whole = fs::read(&path).unwrap();
    let blocks = Contents::read(&whole, Tier::Seconds).blocks;
    assert_eq!(blocks.len(), 10);
    for offset in [blocks[4].offset, blocks[4].offset + 9, blocks[5].offset - 1] {
        let mut damaged = whole.clone();
        damaged[offset] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        let read = Contents::read(&damaged, Tier::Seconds);
        assert_eq!(read.blocks.len(), 9, "at {offset}");
        assert_eq!(read.damaged_bytes, (blocks[5].offset - blocks[4].offset) as u64);
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = History::open(&file.join("xray"), catalogue(), Arc::default()).unwrap_err();
    assert!(error.to_string().contains("file/xray"), "{error}");
}

#[test]
fn blocks_that_cannot_be_written_are_kept_and_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("xray");
    let history = open(&place);
    let begin = NOW - NOW % 600;
    fs::remove_dir_all(&place).unwrap();
    run(&history, begin, 300);
    assert!(history.error().is_some_and(|error| error.contains("1s-00000001.hist")));
    assert_eq!(total(&history, begin, begin + 300, begin + 300), (3_000, 300));
    fs::create_dir_all(&place).unwrap();
    run(&history, begin + 300, 300);
    history.close();
    assert_eq!(history.error(), None);
    std::mem::forget(history);
    assert_eq!(total(&open(&place), begin, begin + 600, begin + 600), (6_000, 600));
}

#[test]
fn files_do_not_become_more_or_larger_than_said() {
    let folder = tempfile::tempdir().unwrap();
    // Each start with other series begins a file.
    for start in 0..50 {
        let infos = vec![info(&format!("series.{start}"), SeriesKind::Counter, Unit::Bytes, "")];
        let history = History::open(folder.path(), Arc::new(Catalogue::new(infos)), Arc::default()).unwrap();
        for second in 0..3 {
            history.push((NOW + start * 10 + second) * 1_000, &[second as u64]);
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3 * 32);
}

#[test]
fn the_oldest_goes_when_enough_is_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    run(&history, NOW, 30 * HOUR);
    drop(history);
    let seconds = fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = seconds.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().filter(|name| name.starts_with("1s-")).count() <= 3, "{names:?}");
    let history = open(folder.path());
    let now = NOW + 30 * HOUR;
    assert_eq!(total(&history, now - HOUR, now, now), (36_000, 3_600));
    assert_eq!(total(&history, now - 24 * HOUR, now, now), (864_000, 86_400));
}

#[test]
fn large_files_give_way_to_new_ones_before_all_are_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let infos = (0..500).map(|place| info(&place.to_string(), SeriesKind::Gauge, Unit::Rows, ""));
    let wide = Arc::new(Catalogue::new(infos.collect()));
    let history = History::open(folder.path(), wide, Arc::default()).unwrap();
    let mut noise = 1_u64;
    for second in 0..1_500 {
        let sample: Vec<u64> = (0..500)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                noise >> 32
            })
            .collect();
        history.push((NOW + second) * 1_000, &sample);
    }
    let sizes = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let of_seconds = sizes.filter(|entry| entry.file_name().to_string_lossy().starts_with("1s-"));
    let bytes: u64 = of_seconds.map(|entry| entry.metadata().unwrap().len()).sum();
    assert!(bytes <= Tier::Seconds.most_bytes() && bytes > Tier::Seconds.most_bytes() / 2, "{bytes}");
}

#[test]
fn a_file_full_of_false_begins_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    run(&open(folder.path()), NOW - NOW % 60, 60);
    let whole = fs::read(seconds_file(folder.path())).unwrap();
    let first = Contents::read(&whole, Tier::Seconds).blocks[0].offset;
    let with = |begins: usize| {
        let mut bytes = whole[..first].to_vec();
        bytes.extend(block::MAGIC.repeat(begins));
        bytes.extend(&whole[first..]);
        Contents::read(&bytes, Tier::Seconds).blocks.len()
    };
    assert_eq!((with(50), with(10_000)), (1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_makes_a_reader_panic_or_invent_blocks(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        run(&open(folder.path()), NOW, 130);
        let path = seconds_file(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        for (place, with) in changes {
            let place = place.index(bytes.len());
            bytes[place] = with;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        fs::write(&path, &bytes).unwrap();
        let history = open(folder.path());
        let (bytes, secs) = total(&history, NOW - 60, NOW + 200, NOW + 200);
        prop_assert!(secs <= 130 && bytes == secs * 10);
        run(&history, NOW + 200, 3);
    }

    #[test]
    fn a_block_with_right_checksums_and_a_wrong_body_does_no_harm(
        body in proptest::collection::vec(any::<u8>(), 0..300), bitmap in 1_u64..1 << 60,
        unpacked in prop_oneof![Just(None), any::<u32>().prop_map(Some)],
    ) {
        struct Nothing;
        impl Visitor for Nothing {
            fn value(&mut self, wanted: usize, _: i64, _: u32, _: u64) {
                assert!(wanted < 3);
            }
        }
        let packed = zstd::bulk::compress(&body, 1).unwrap();
        let mut bytes = block::MAGIC.to_vec();
        bytes.extend([0, 1, 0, 0]);
        bytes.extend((NOW - NOW % 60).to_le_bytes());
        bytes.extend(bitmap.to_le_bytes());
        bytes.extend((packed.len() as u32).to_le_bytes());
        bytes.extend(unpacked.unwrap_or(body.len() as u32).to_le_bytes());
        bytes.extend(crc32fast::hash(&packed).to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend(packed);
        let head = block::Head::read(&bytes, Tier::Seconds).unwrap();
        let _ = block::visit(&bytes, &head, &[Some(0), None, Some(2)], (0, i64::MAX), &mut Nothing);
    }

    #[test]
    fn no_bytes_make_the_reader_of_files_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for tier in Tier::ALL {
            let read = Contents::read(&bytes, tier);
            prop_assert!(read.blocks.is_empty());
        }
    }
}
