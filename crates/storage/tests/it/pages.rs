//! Every byte of the log and the database has a table, and it is the right one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use model::{Change, DroppedPacket, ObservationId, ObserverId, ObserverMetrics, TransmissionId, UnixMillis};
use proptest::prelude::*;
use storage::{IoFile, IoWork, PageStats, Removal, Storage, TreeKind, TreeStats, WriteSource, WriteStats};

use crate::support::{
    COPIES, Place, dropped, intruder, metrics, node, observer, observers, packet, stats, submit,
};

const OBSERVERS: IoWork = IoWork::Source(WriteSource::Observers);

/// Packets of the longest workload.
const MOST: u64 = 6_000;

#[derive(Clone, Debug)]
enum Act {
    /// So many further packets, in one group.
    Packets(u64),
    Observers,
    Metrics(i64),
    Nodes(u8),
    Dropped(i64),
    /// Every `step`th of the packets there are.
    Remove {
        step: u64,
    },
    RemoveMetrics(i64),
    RemoveDropped(i64),
    Vacuum(u32),
    #[cfg(debug_assertions)]
    Rewrite(u32),
    /// A step that the database refuses, after it has written.
    Refused,
    Reopen,
    /// Another process deletes rows, and so moves pages behind our back.
    Others,
}

fn act() -> impl Strategy<Value = Act> {
    #[cfg(debug_assertions)]
    let rewrite = (1_u32..500).prop_map(Act::Rewrite);
    #[cfg(not(debug_assertions))]
    let rewrite = Just(Act::Observers);
    prop_oneof![
        1 => rewrite,
        1 => Just(Act::Refused),
        4 => (1_u64..400).prop_map(Act::Packets),
        1 => Just(Act::Observers),
        2 => (1_i64..200).prop_map(Act::Metrics),
        2 => (1_u8..100).prop_map(Act::Nodes),
        2 => (1_i64..60).prop_map(Act::Dropped),
        3 => (1_u64..4).prop_map(|step| Act::Remove { step }),
        1 => (1_i64..200).prop_map(Act::RemoveMetrics),
        1 => (1_i64..60).prop_map(Act::RemoveDropped),
        3 => (1_u32..40).prop_map(Act::Vacuum),
        2 => Just(Act::Reopen),
        1 => Just(Act::Others),
    ]
}

struct Run {
    place: Place,
    storage: Option<Storage>,
    stats: Arc<WriteStats>,
    next: u64,
    with_others: bool,
}

impl Run {
    fn new() -> Self {
        let place = Place::new();
        let storage = place.open();
        Self { stats: stats(&storage), place, storage: Some(storage), next: 0, with_others: false }
    }

    fn act(&mut self, act: &Act) {
        let storage = self.storage.as_ref().unwrap();
        let writer = storage.writer();
        match *act {
            Act::Packets(count) => {
                let to = (self.next + count).min(MOST);
                submit(storage, (self.next..to).flat_map(packet).collect());
                self.next = to;
            }
            Act::Observers => submit(storage, observers()),
            Act::Metrics(to) => submit(storage, (0..to).map(sample).collect()),
            Act::Nodes(to) => submit(storage, (0..to).map(|key| Change::Node(node(key))).collect()),
            Act::Dropped(to) => submit(storage, (0..to).map(refused).collect()),
            Act::Remove { step } => {
                let packets = (0..self.next).step_by(step as usize);
                let observations = packets.clone().flat_map(|number| number * COPIES..(number + 1) * COPIES);
                let removal = Removal {
                    transmissions: packets.map(|number| TransmissionId(number + 1)).collect(),
                    observations: observations.map(|number| ObservationId(number + 1)).collect(),
                    nodes: vec![node(1)],
                };
                writer.remove_packets(removal).unwrap();
            }
            Act::RemoveMetrics(time) => {
                writer.remove_metrics_before(UnixMillis(time), 100).unwrap();
            }
            Act::RemoveDropped(time) => {
                writer.remove_dropped_before(UnixMillis(time), 100).unwrap();
            }
            Act::Vacuum(pages) => {
                writer.vacuum(pages).unwrap();
            }
            #[cfg(debug_assertions)]
            Act::Rewrite(rows) => {
                writer.rewrite_rows(rows).unwrap();
            }
            Act::Refused => {
                writer.flush().unwrap();
                self.with_others = true;
                let others = intruder(&self.place.database());
                let refuse = "CREATE TRIGGER no BEFORE INSERT ON nodes BEGIN SELECT raise(ABORT, 'no'); END";
                others.execute_batch(refuse).unwrap();
                let transmissions = (0..self.next).map(|number| TransmissionId(number + 1)).collect();
                let removal = Removal { transmissions, observations: Vec::new(), nodes: vec![node(1)] };
                writer.remove_packets(removal).unwrap_err();
                others.execute_batch("DROP TRIGGER no").unwrap();
                submit(storage, vec![Change::Observer(observer(1))]);
            }
            Act::Reopen => {
                self.close();
                let storage = self.place.open();
                self.stats = stats(&storage);
                self.storage = Some(storage);
            }
            Act::Others => {
                writer.flush().unwrap();
                self.with_others = true;
                intruder(&self.place.database())
                    .execute_batch(
                        "DELETE FROM heads WHERE id % 3 = 0; DELETE FROM nodes; PRAGMA incremental_vacuum(5);",
                    )
                    .unwrap();
                // What others did is noticed with the next transaction.
                submit(storage, vec![Change::Observer(observer(1))]);
            }
        }
        if let Some(storage) = &self.storage {
            storage.writer().flush().unwrap();
            assert_map_is_right(&self.stats.pages, &self.place.database());
        }
    }

    fn close(&mut self) {
        self.storage.take().unwrap().close().unwrap();
        assert_sums(&self.stats);
        if !self.with_others {
            let unknown = self.stats.pages.trees().find(|tree| tree.kind() == TreeKind::Unknown).unwrap();
            assert_eq!((unknown.logged(), unknown.copied()), (0, 0), "all pages are told apart");
        }
    }
}

fn sample(time: i64) -> Change {
    Change::Metrics(ObserverMetrics { observer: ObserverId((time % 5) as u16), ..metrics(time) })
}

fn refused(time: i64) -> Change {
    // Long enough for pages of overflow.
    let raw = vec![7; 200 * time.unsigned_abs() as usize].into();
    Change::Dropped(DroppedPacket { time: UnixMillis(time), raw, ..dropped() })
}

/// What SQLite itself says of each page.
fn by_sqlite(database: &Path) -> BTreeMap<u32, String> {
    let conn = intruder(database);
    let mut statement = conn.prepare("SELECT pageno, name FROM dbstat").unwrap();
    let pages = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    pages.map(Result::unwrap).collect()
}

fn assert_map_is_right(pages: &PageStats, database: &Path) {
    let wanted = by_sqlite(database);
    assert!(wanted.len() > 8);
    for (page, name) in &wanted {
        let name = if name == "sqlite_schema" { "(schema)" } else { name };
        assert_eq!(pages.tree_of(*page).name(), name, "page {page} of {}", wanted.len());
    }
}

/// Nobody may be writing.
fn assert_sums(stats: &WriteStats) {
    let io = &stats.io;
    let by_cause: u64 = IoWork::ALL.iter().map(|work| io.written_by(*work)).sum();
    let by_effect: u64 = IoFile::ALL.iter().map(|file| io.written_to(*file)).sum();
    assert_eq!(by_cause, by_effect);
    for work in IoWork::ALL {
        let logged: u64 = stats.pages.trees().map(|tree| tree.logged_by(work)).sum();
        assert_eq!(logged, io.counts(work, IoFile::Wal).written_bytes.get(), "{}", work.name());
    }
    let copied: u64 = stats.pages.trees().map(TreeStats::copied).sum();
    assert_eq!(copied, io.written_to(IoFile::Database));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_closes_and_the_map_agrees_with_sqlite_whatever_was_written(
        acts in proptest::collection::vec(act(), 1..14),
    ) {
        let mut run = Run::new();
        for act in &acts {
            run.act(act);
        }
        run.close();
    }
}

#[test]
fn pages_are_told_apart_while_the_cache_spills_and_checkpoints_run() {
    let mut run = Run::new();
    for _ in 0..15 {
        run.act(&Act::Packets(400));
        run.act(&Act::Dropped(60));
    }
    let storage = run.storage.as_ref().unwrap();
    for from in 6..60 {
        let packets: Vec<_> = (from * 1_000..(from + 1) * 1_000).flat_map(packet).collect();
        submit(storage, packets);
    }
    storage.writer().flush().unwrap();
    run.next = 60_000;
    // Rows of every page, in one transaction that is larger than the cache.
    run.act(&Act::Remove { step: 3 });
    assert!(run.stats.cache_spills.get() > 0);
    run.act(&Act::Remove { step: 1 });
    run.act(&Act::Vacuum(u32::MAX));
    assert!(run.stats.pages_freed.get() > 1_000);
    assert!(run.stats.checkpoints.get() > 0);
    run.close();
    let tree = |name| run.stats.pages.trees().find(|tree| tree.name() == name).unwrap();
    assert!(tree("observations").logged() > tree("transmissions").logged() / 4);
    assert_eq!(tree("observations").kind(), TreeKind::Table);
    assert!(tree("(page_map)").logged() > 0 && tree("(free)").logged() > 0);
}

#[test]
fn a_transaction_that_was_undone_after_it_had_spilled_leaves_no_trace_in_the_map() {
    let mut run = Run::new();
    for from in 0..60 {
        let packets: Vec<_> = (from * 1_000..(from + 1) * 1_000).flat_map(packet).collect();
        submit(run.storage.as_ref().unwrap(), packets);
    }
    run.next = 60_000;
    let refuse = "CREATE TRIGGER no BEFORE INSERT ON nodes BEGIN SELECT raise(ABORT, 'no'); END";
    intruder(&run.place.database()).execute_batch(refuse).unwrap();
    // Now it is known that somebody else was there.
    run.act(&Act::Observers);
    let spilled = run.stats.cache_spills.get();
    let observations = (0..60_000 * COPIES).map(|number| ObservationId(number + 1)).collect();
    let removal = Removal { observations, nodes: vec![node(1)], ..Removal::default() };
    run.storage.as_ref().unwrap().writer().remove_packets(removal).unwrap_err();
    assert!(
        run.stats.cache_spills.get() > spilled,
        "nothing of it had reached the log, so this tests nothing"
    );
    run.act(&Act::Observers);
    run.close();
}

#[test]
fn the_map_is_right_after_lost_files_were_put_back() {
    for lost in ["test.db-wal", "test.db"] {
        let mut run = Run::new();
        run.act(&Act::Packets(300));
        std::fs::remove_file(run.place.folder.path().join(lost)).unwrap();
        run.act(&Act::Packets(300));
        assert_eq!(run.stats.files_restored.get(), 1);
        run.act(&Act::Remove { step: 2 });
        run.act(&Act::Vacuum(5));
        run.close();
    }
}

#[test]
fn a_log_that_a_killed_program_left_is_part_of_the_map() {
    let mut run = Run::new();
    run.act(&Act::Packets(300));
    let killed = Place::new();
    for name in ["test.db", "test.db-wal"] {
        let (from, to) = (run.place.folder.path().join(name), killed.folder.path().join(name));
        std::fs::copy(from, to).unwrap();
    }
    let storage = killed.open();
    assert_map_is_right(&storage.stats().pages, &killed.database());
}

#[test]
fn a_row_is_written_to_its_own_table() {
    let mut run = Run::new();
    let by = |stats: &WriteStats, name| {
        let tree = stats.pages.trees().find(|tree| tree.name() == name).unwrap().logged_by(OBSERVERS);
        (tree, stats.io.counts(OBSERVERS, IoFile::Wal).written_bytes.get())
    };
    run.act(&Act::Observers);
    // The first transaction after the log was emptied begins with its header.
    assert_eq!(by(&run.stats, "observers"), (4_120, 4_120 + 32));
    assert_eq!(by(&run.stats, "(log_header)").0, 32);
}

#[test]
fn a_database_without_a_page_map_is_written_all_the_same() {
    let place = Place::new();
    place.open().close().unwrap();
    intruder(&place.database())
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM;")
        .unwrap();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, (0..100).flat_map(packet).collect());
    let stats = stats(&storage);
    storage.close().unwrap();
    assert_sums(&stats);
    let mut written: Vec<_> =
        stats.pages.trees().filter(|tree| tree.logged() > 0).map(TreeStats::name).collect();
    written.sort_unstable();
    assert_eq!(written, ["(log_header)", "(unknown)"]);
    assert_eq!(place.contents().1.observations, 400);
}
