use super::*;
use crate::WriteSource;

const PACKETS: IoWork = IoWork::Source(WriteSource::Packets);

/// A frame's header for a page.
fn header(page: u32) -> Vec<u8> {
    let mut bytes = page.to_be_bytes().to_vec();
    bytes.resize(FRAME_HEADER_BYTES as usize, 0);
    bytes
}

/// A page of the map that says: page 3 is a root, page 4 hangs from it.
fn map_page() -> Page {
    let mut content = [0; PAGE_BYTES];
    content[0] = 1;
    content[5..10].copy_from_slice(&[5, 0, 0, 0, 3]);
    content
}

/// Of a database with the table `rows`, whose root is page 3.
fn stats(has_log: bool) -> PageStats {
    let stats = PageStats::default();
    let trees = vec![read::FoundTree { name: "rows".to_owned(), kind: TreeKind::Table, root: 3 }];
    stats.take(Found { map: PageMap::default(), trees, has_log });
    stats
}

fn logged(stats: &PageStats) -> Vec<(&str, u64)> {
    let trees = stats.trees().map(|tree| (tree.name(), tree.logged()));
    trees.filter(|(_, bytes)| *bytes > 0).collect()
}

#[test]
fn a_page_whose_place_is_told_later_in_the_transaction_is_known_at_its_end() {
    let stats = stats(true);
    let wrote = |at, bytes: &[u8]| stats.wrote(IoFile::Wal, PACKETS, at, bytes);
    wrote(0, &[0; 32]);
    for (frame, (page, content)) in [(4, [7; PAGE_BYTES]), (2, map_page())].into_iter().enumerate() {
        let at = read::frame_at(frame as u64);
        wrote(at, &header(page));
        wrote(at + FRAME_HEADER_BYTES, &content);
    }
    assert_eq!(logged(&stats), [("(log_header)", 32)]);
    stats.settle(true);
    assert_eq!(logged(&stats), [("(page_map)", 4_120), ("(log_header)", 32), ("rows", 4_120)]);
    // A page that is written into its frame a second time, without the header.
    wrote(read::frame_at(0) + 24, &[8; PAGE_BYTES]);
    stats.settle(true);
    assert_eq!(logged(&stats)[0], ("(unknown)", 4_096), "of another transaction's frame nothing is known");
}

#[test]
fn what_a_failed_transaction_had_told_of_the_map_is_forgotten() {
    let stats = stats(true);
    let wrote = |page, content: &Page| {
        stats.wrote(IoFile::Wal, PACKETS, read::frame_at(0), &header(page));
        stats.wrote(IoFile::Wal, PACKETS, read::frame_at(0) + 24, content);
    };
    wrote(2, &map_page());
    assert_eq!(stats.tree_of(4).name(), "(unknown)", "it is not committed yet");
    stats.settle(false);
    assert_eq!(stats.tree_of(4).name(), "(unknown)");
    assert!(stats.state.lock().is_stale(), "it is asked what became of it");
    wrote(2, &map_page());
    stats.settle(true);
    assert_eq!(stats.tree_of(4).name(), "rows");
    let sum: u64 = stats.trees().map(TreeStats::logged).sum();
    assert_eq!(sum, 2 * 4_120, "both have reached the log");
}

#[test]
fn a_checkpoint_is_told_apart_by_whole_commits() {
    let stats = stats(true);
    let wrote = |content: &Page| {
        stats.wrote(IoFile::Wal, PACKETS, read::frame_at(0), &header(2));
        stats.wrote(IoFile::Wal, PACKETS, read::frame_at(0) + 24, content);
    };
    let copied = || {
        stats.wrote(IoFile::Database, IoWork::Checkpoint, 3 * PAGE_BYTES as u64, &[0; PAGE_BYTES]);
        stats.trees().find(|tree| tree.name() == "rows").unwrap().copied() / PAGE_BYTES as u64
    };
    wrote(&map_page());
    assert_eq!(copied(), 1, "it is committed and only we have not heard of it");
    stats.settle(true);
    // The first page of the next commit, after which nothing fits together.
    wrote(&[0; PAGE_BYTES]);
    assert_eq!(copied(), 2);
}

#[test]
fn a_page_written_again_within_its_transaction_counts_again() {
    let stats = stats(true);
    let wrote = |at, bytes: &[u8]| stats.wrote(IoFile::Wal, PACKETS, at, bytes);
    wrote(read::frame_at(0), &header(2));
    wrote(read::frame_at(0) + 24, &map_page());
    wrote(read::frame_at(1), &header(4));
    wrote(read::frame_at(1) + 24, &[1; PAGE_BYTES]);
    wrote(read::frame_at(1) + 24, &[2; PAGE_BYTES]);
    wrote(read::frame_at(1), &header(4));
    stats.settle(true);
    assert_eq!(logged(&stats), [("(page_map)", 4_120), ("rows", 2 * 4_120)]);
}

#[test]
fn however_the_bytes_are_cut_each_is_counted_once() {
    let mut all = vec![0; 32];
    for (page, content) in [(2, map_page()), (3, [1; PAGE_BYTES]), (4, [2; PAGE_BYTES])] {
        all.extend(header(page));
        all.extend(content);
    }
    for length in [1, 7, 24, 1_000, 4_096, 5_000, all.len()] {
        let stats = stats(true);
        let mut at = 0;
        for part in all.chunks(length) {
            stats.wrote(IoFile::Wal, PACKETS, at, part);
            at += part.len() as u64;
        }
        stats.settle(true);
        let sum: u64 = stats.trees().map(TreeStats::logged).sum();
        assert_eq!(sum, all.len() as u64, "parts of {length}");
        if length == all.len() {
            assert_eq!(logged(&stats), [("(page_map)", 4_120), ("(log_header)", 32), ("rows", 8_240)]);
        }
    }
}

#[test]
fn what_checkpoints_copy_does_not_change_the_map_and_what_transactions_write_without_a_log_does() {
    for (has_log, copied) in [(true, 0), (false, PAGE_BYTES as u64)] {
        let stats = stats(has_log);
        stats.wrote(IoFile::Database, PACKETS, PAGE_BYTES as u64, &map_page());
        stats.wrote(IoFile::Database, PACKETS, 3 * PAGE_BYTES as u64, &[0; PAGE_BYTES]);
        stats.settle(true);
        let of = |name| stats.trees().find(|tree| tree.name() == name).unwrap().copied();
        assert_eq!((of("(page_map)"), of("rows")), (PAGE_BYTES as u64, copied), "{has_log}");
        assert_eq!(of("(unknown)"), PAGE_BYTES as u64 - copied);
    }
}

#[test]
fn a_transaction_of_any_size_leaves_no_heap() {
    let stats = stats(true);
    for frame in 0..MAX_OWED_FRAMES as u64 + 10 {
        stats.wrote(IoFile::Wal, PACKETS, read::frame_at(frame), &header(4));
        assert!(stats.state.lock().frames.len() <= MAX_OWED_FRAMES);
    }
    stats.settle(true);
    let sum: u64 = stats.trees().map(TreeStats::logged).sum();
    assert_eq!(sum, (MAX_OWED_FRAMES as u64 + 10) * FRAME_HEADER_BYTES);
}

proptest::proptest! {
    #[test]
    fn no_write_of_whatever_bytes_makes_it_panic(
        writes in proptest::collection::vec((0_u64..40_000, proptest::collection::vec(0_u8..7, 0..9_000), proptest::bool::ANY), 0..12),
        far in proptest::num::u64::ANY,
    ) {
        let stats = stats(true);
        let (mut log, mut database) = (0, 0);
        for (at, bytes, is_log) in &writes {
            let file = if *is_log { log += bytes.len() as u64; IoFile::Wal } else { database += bytes.len() as u64; IoFile::Database };
            stats.wrote(file, PACKETS, *at, bytes);
        }
        for file in [IoFile::Wal, IoFile::Database] {
            stats.wrote(file, PACKETS, far / 2, &[1; 5_000]);
        }
        stats.settle(false);
        proptest::prop_assert_eq!(stats.trees().map(TreeStats::logged).sum::<u64>(), log + 5_000);
        proptest::prop_assert_eq!(stats.trees().map(TreeStats::copied).sum::<u64>(), database + 5_000);
    }
}
