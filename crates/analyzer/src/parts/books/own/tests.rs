use super::*;
use index::{Index, IndexOptions};
use ingest::{Ingest, IngestConfig};
use meshcore::{KeyRing, ScopeSet};
use parking_lot::RwLock;
use storage::{Storage, StorageOptions};

#[test]
fn reading_all_series_of_the_program_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageOptions::new(folder.path().join("analyzer.db"))).unwrap();
    let options = IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) };
    let index: SharedIndex = Arc::new(RwLock::new(Index::new(options)));
    let ingest = Ingest::new(IngestConfig::default(), Arc::clone(&index), storage.writer(), Box::new(|_| {}));
    let parts = OwnParts {
        process: "run",
        database: storage.path(),
        stats: storage.stats(),
        ledger: ingest.ledger(),
        index,
        jobs: BackgroundJobs::new(&storage.stats(), None),
        viewers: Some(Viewers {
            requests: Arc::default(),
            hub: LiveHub::new(),
            config_written: Arc::default(),
        }),
        known_channels: None,
        stats_file: Some(Arc::default()),
        thresholds: Thresholds::default(),
        webhooks: WebhooksConfig::default(),
    };
    let (mut sources, _system) = series_of(&parts, &Arc::default());
    let mut sample = vec![0; sources.catalogue().infos().len()];
    assert!(sample.len() > 200, "the real ones");
    // Other tests begin and end threads meanwhile, and a list of threads that has changed is made anew.
    let least = (0..200).map(|_| allocation_counter::measure(|| sources.read(&mut sample)).count_total).min();
    assert_eq!(least, Some(0));
}
