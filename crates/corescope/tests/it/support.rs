//! A folder with a database of CoreScope and one of ours, and what is in the latter afterwards.

use std::path::PathBuf;
use std::sync::Arc;

use corescope::{ImportError, ImportOptions, Report, Source, Target, import};
use index::{Index, IndexOptions};
use ingest::IngestConfig;
use meshcore::{
    AppData, FrameBuilder, Identity, KeyRing, Location, PathBuf as HopPath, PayloadBuf, PayloadType,
};
use meshcore::{Hex, NodeKey, Role, Route, ScopeSet};
use model::{Change, DroppedPacket, UnixMillis};
use storage::{Durability, Snapshot, Storage, StorageOptions};
use tempfile::TempDir;
use testkit::{Age, CoreScopeCopy, CoreScopeDb};

/// 2025-06-01T12:00:00Z.
pub(crate) const NOON: UnixMillis = UnixMillis(1_748_779_200_000);

pub(crate) const KEY: &str = "4F3CA1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6DA1";
pub(crate) const OTHER_KEY: &str = "91D0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E";

pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn theirs(&self) -> PathBuf {
        self.folder.path().join("meshcore.db")
    }

    pub(crate) fn ours(&self) -> PathBuf {
        self.folder.path().join("data/analyzer.db")
    }

    /// Makes a database of CoreScope.
    pub(crate) fn make(&self, age: Age, fill: impl FnOnce(&mut CoreScopeDb)) {
        let mut db = CoreScopeDb::create(&self.theirs(), age);
        fill(&mut db);
        db.finish();
    }

    /// Changes the database of CoreScope that was made.
    pub(crate) fn extend(&self, change: impl FnOnce(&rusqlite::Connection)) {
        let conn = rusqlite::Connection::open(self.theirs()).unwrap();
        change(&conn);
        conn.close().unwrap();
    }

    pub(crate) fn open(&self) -> Storage {
        let options =
            StorageOptions { durability: Durability::ProcessEnd, ..StorageOptions::new(self.ours()) };
        Storage::open(options).unwrap()
    }

    pub(crate) fn import(&self) -> Report {
        let report = self.try_import().unwrap();
        for (name, table) in report.tables() {
            assert!(table.balances(), "{name}: {table:?}");
        }
        report
    }

    pub(crate) fn try_import(&self) -> Result<Report, ImportError> {
        let storage = self.open();
        let source = Source::open(&self.theirs());
        let report = source.and_then(|it| import(&it, Target::Storage(&storage), &options(), &mut |_| {}));
        storage.close().unwrap();
        report
    }

    pub(crate) fn dry_run(&self) -> Report {
        let source = Source::open(&self.theirs()).unwrap();
        import(&source, Target::DryRun(&self.ours()), &options(), &mut |_| {}).unwrap()
    }

    /// All that is in our database, in the order of a start.
    pub(crate) fn contents(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        let snapshot = Snapshot::open(&self.ours()).unwrap();
        let report = snapshot.load(&mut |_| {}, &mut |change| changes.push(change)).unwrap();
        assert_eq!((report.skipped_rows, report.unheard_transmissions), (0, 0));
        snapshot.dropped(&mut |packet| changes.push(Change::Dropped(packet))).unwrap();
        changes
    }

    /// The index as a start of the program has it.
    pub(crate) fn index(&self) -> Index {
        let mut index = Index::new(options().index);
        for change in self.contents() {
            index.apply(&change).unwrap();
        }
        index
    }

    pub(crate) fn dropped(&self) -> Vec<DroppedPacket> {
        let dropped = |change| if let Change::Dropped(packet) = change { Some(packet) } else { None };
        self.contents().into_iter().filter_map(dropped).collect()
    }
}

pub(crate) fn options() -> ImportOptions {
    let keys = Arc::new(KeyRing::with_public());
    let index = IndexOptions { keys, scopes: Arc::new(ScopeSet::new()) };
    ImportOptions { ingest: IngestConfig::default(), index }
}

pub(crate) fn copy<'a>(raw: &'a [u8], observer: &'a str) -> CoreScopeCopy<'a> {
    CoreScopeCopy { time: NOON, observer, raw, snr: Some(7.5), rssi: Some(-88.0), score: None }
}

/// A flooded acknowledgement whose content follows from `n`, with these hops of one byte.
pub(crate) fn ack(n: u32, hops: &[u8]) -> Vec<u8> {
    flood(&PayloadBuf::new(PayloadType::Ack, n.to_le_bytes().to_vec()).unwrap(), hops)
}

pub(crate) fn flood(payload: &PayloadBuf, hops: &[u8]) -> Vec<u8> {
    let mut path = HopPath::new(1).unwrap();
    hops.iter().for_each(|hop| path.push(&[*hop]).unwrap());
    FrameBuilder::new(Route::Flood, payload).path(path.as_path()).encode()
}

pub(crate) fn node_key(seed: u8) -> NodeKey {
    Identity::from_seed(&[seed; 32]).key()
}

/// A signed advert of the node with this seed.
pub(crate) fn advert(seed: u8, timestamp: u32, name: &str) -> Vec<u8> {
    let place = Location { lat_e6: 52_370_000, lon_e6: 4_890_000 };
    let app = AppData::new(Role::Repeater).with_location(place).with_name(name).unwrap();
    flood(&Identity::from_seed(&[seed; 32]).advert(timestamp, &app).unwrap(), &[])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("{:X}", Hex(bytes))
}
