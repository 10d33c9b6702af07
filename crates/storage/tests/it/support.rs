//! Databases in temporary folders, and rows that say by their content which ones they are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use model::{
    Change, ClientId, ClientObserver, DroppedPacket, FrameHead, HeadId, NodeKey, NodeRecord, Observation,
    ObservationId, ObserverId, ObserverMetrics, ObserverRecord, PacketHash, PrunedNode, Reception,
    ReceptionId, SnrQuarterDb, Transmission, TransmissionId, UnixMillis,
};
use storage::{LoadReport, Storage, StorageOptions, WriteBatch};
use tempfile::TempDir;

/// Far longer than anything here takes; tests that wait poll until then.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Observations per transmission of [`packet`].
pub(crate) const COPIES: u64 = 4;

/// Observers that [`observers`] makes.
const OBSERVERS: u16 = 8;

/// A folder and a database path in it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    pub(crate) fn options(&self) -> StorageOptions {
        options(&self.database())
    }

    pub(crate) fn open(&self) -> Storage {
        Storage::open(self.options()).unwrap()
    }

    /// Opens, loads and closes; without the samples, which tests ask a reader for.
    pub(crate) fn contents(&self) -> (Vec<Change>, LoadReport) {
        let storage = self.open();
        let (mut changes, report) = load(&storage);
        changes.retain(|change| !matches!(change, Change::Metrics(_)));
        storage.close().unwrap();
        (changes, report)
    }
}

/// Quick groups without `fsync`: what is tested here does not depend on the medium.
pub(crate) fn options(path: &Path) -> StorageOptions {
    StorageOptions {
        max_batch_delay: Duration::from_millis(5),
        durability: storage::Durability::ProcessEnd,
        ..StorageOptions::new(path)
    }
}

pub(crate) fn load(storage: &Storage) -> (Vec<Change>, LoadReport) {
    let mut changes = Vec::new();
    let report = storage.load(&mut |_| {}, &mut |change| changes.push(change)).unwrap();
    (changes, report)
}

pub(crate) fn submit(storage: &Storage, changes: Vec<Change>) {
    storage.writer().submit(WriteBatch { changes, on_durable: None }).unwrap();
}

/// Submits, and gives the channel on which the acknowledgement arrives.
pub(crate) fn submit_acknowledged(storage: &Storage, changes: Vec<Change>) -> Receiver<()> {
    let (sender, receiver) = channel();
    let acknowledge = move || sender.send(()).unwrap();
    storage.writer().submit(WriteBatch { changes, on_durable: Some(Box::new(acknowledge)) }).unwrap();
    receiver
}

pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn observers() -> Vec<Change> {
    (0..OBSERVERS).map(|id| Change::Observer(observer(id))).collect()
}

pub(crate) fn observer(id: u16) -> ObserverRecord {
    ObserverRecord {
        id: ObserverId(id),
        key: format!("{id:064X}").into(),
        name: Some(format!("observer {id}").into()),
        iata: None,
        model: None,
        firmware: None,
        client_version: None,
        radio: None,
        battery_mv: Some(4_100),
        uptime_secs: None,
        noise_floor: Some(-110.5),
        can_relay: Some(id.is_multiple_of(2)),
        first_seen: UnixMillis(1_700_000_000_000),
        last_status: None,
        online: None,
        clock_skew_secs: None,
        clock_last_naive: None,
    }
}

pub(crate) fn node(key: u8) -> NodeRecord {
    NodeRecord {
        key: NodeKey([key; 32]),
        name: Some(b"Gate \xff".as_slice().into()),
        role: 2,
        location: Some((52_000_000, -4_900_000)),
        first_seen: UnixMillis(1_700_000_000_000),
        last_seen: UnixMillis(1_700_000_060_000),
        adverts: 1,
        default_scope: Some("#nl".into()),
    }
}

pub(crate) fn metrics(time: i64) -> ObserverMetrics {
    ObserverMetrics {
        observer: ObserverId(0),
        time: UnixMillis(time),
        noise_floor: None,
        tx_air_secs: None,
        rx_air_secs: None,
        recv_errors: None,
        battery_mv: None,
        packets_sent: None,
        packets_recv: Some(1),
    }
}

pub(crate) fn dropped() -> DroppedPacket {
    DroppedPacket {
        time: UnixMillis(1_700_000_000_000),
        reason: "invalid_signature".into(),
        hash: Some(PacketHash([7; 8])),
        raw: [0x11, 0, 1].into(),
        observer: Some("A".into()),
        observer_name: None,
        node: Some(NodeKey([9; 32])),
        node_name: None,
    }
}

pub(crate) fn client(id: u16) -> Change {
    Change::Client(ClientObserver {
        id: ClientId(id),
        key: format!("{id:064x}").into(),
        name: Some("Ana \u{1f6b2}".into()),
        last_seen: UnixMillis(1_700_000_000_000),
    })
}

/// A reception of client 0; its time in seconds is its id.
pub(crate) fn reception(id: u64) -> Change {
    Change::Reception(Reception {
        id: ReceptionId(id),
        client: ClientId(0),
        time: UnixMillis(id.cast_signed() * 1_000),
        heard: [0xab, 0xcd].into(),
        location: (52_000_000, -4_900_000),
        accuracy_m: Some(12),
        rssi: Some(-101),
        snr: Some(SnrQuarterDb(-7)),
    })
}

pub(crate) fn pruned(key: u8) -> Change {
    Change::Pruned(PrunedNode { key: NodeKey([key; 32]), time: UnixMillis(5) })
}

/// The `number`th packet (from 0): a head, a transmission and four observations, all computed from the number.
pub(crate) fn packet(number: u64) -> Vec<Change> {
    let id = number + 1;
    let text = id.to_le_bytes();
    let raw: Vec<u8> = text.iter().cycle().take(20 + (id % 100) as usize).copied().collect();
    let head = HeadId(u32::try_from(number).unwrap());
    let mut changes = vec![
        Change::Head(FrameHead { id: head, bytes: text.into() }),
        Change::Transmission(Transmission {
            id: TransmissionId(id),
            hash: PacketHash(text),
            raw: raw.into(),
        }),
    ];
    changes.extend((0..COPIES).map(|copy| {
        Change::Observation(Observation {
            id: ObservationId(number * COPIES + copy + 1),
            transmission: TransmissionId(id),
            observer: ObserverId(((number + copy) % u64::from(OBSERVERS)) as u16),
            time: UnixMillis(1_767_225_600_000 + id.cast_signed() * 37),
            head,
            snr: (copy != 0).then_some(SnrQuarterDb((id % 100) as i8 - 50)),
            rssi: (copy != 1).then_some(-((id % 120) as i16)),
            score: (copy == 2).then_some((id % 1_000) as u16),
        })
    }));
    changes
}

/// What a load of the packets `0..count` must give.
pub(crate) fn expected(count: u64) -> Vec<Change> {
    let mut heads = Vec::new();
    let mut rest = Vec::new();
    for change in (0..count).flat_map(packet) {
        if matches!(change, Change::Head(_)) { heads.push(change) } else { rest.push(change) }
    }
    heads.into_iter().chain(observers()).chain(rest).collect()
}

/// A connection beside the storage, to do what the storage would not.
pub(crate) fn intruder(path: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.busy_timeout(DEADLINE).unwrap();
    conn
}

/// A command that runs one test of this very binary as another process; the test finds `folder` in its environment.
///
/// The shell lets the child survive SIGXFSZ, by which a file beyond its limit would end it.
pub(crate) fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    let run = "trap '' XFSZ; exec \"$0\" --exact \"$1\" --nocapture --test-threads=1";
    command.args(["-c", run]).arg(std::env::current_exe().unwrap()).arg(test).env(CHILD_FOLDER, folder);
    command.stdout(std::process::Stdio::null());
    command
}

/// Set in a child process only.
pub(crate) const CHILD_FOLDER: &str = "STORAGE_TEST_CHILD_FOLDER";

pub(crate) fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD_FOLDER).map(PathBuf::from)
}

pub(crate) fn stats(storage: &Storage) -> Arc<storage::WriteStats> {
    storage.stats()
}
