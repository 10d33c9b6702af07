//! Rows a second of an import, and whether a second one finds everything known. Run with `cargo xtask bench import`.
//!
//! Makes a database as today's CoreScope leaves it, from the messages of a synthetic mesh, and imports it into a new
//! database of ours. `OBSERVATIONS` in the environment sets how many; `KEEP` names a file that the database made is
//! copied to, for tries by hand.

use corescope::{ImportOptions, Report, Source, Target, import};
use index::IndexOptions;
use ingest::IngestConfig;
use meshcore::{KeyRing, ScopeSet};
use simulator::{Mesh, SimConfig};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::{Storage, StorageOptions};
use testkit::{Age, CoreScopeDb};

/// About 100,000 transmissions.
const OBSERVATIONS: u64 = 1_000_000;

/// Messages taken into the database between two looks at how many observations there are.
const CHUNK: usize = 10_000;

fn main() {
    let wanted = std::env::var("OBSERVATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(OBSERVATIONS);
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let path = scratch.path().join("meshcore.db");
    let observations = make(&path, wanted);
    let megabytes = std::fs::metadata(&path).expect("the file is there").len() as f64 / 1e6;
    println!("import of {observations} observations from a CoreScope database of {megabytes:.0} MB");
    if let Ok(keep) = std::env::var("KEEP") {
        std::fs::copy(&path, &keep).expect("the database can be copied");
        println!("  kept            {keep}");
    }
    let ours = scratch.path().join("analyzer.db");
    let (report, took) = run(&path, &ours);
    println!(
        "  first           {:.1} s = {:.0} observations/s",
        took.as_secs_f64(),
        observations as f64 / took.as_secs_f64()
    );
    print!("{report}");
    let bytes = std::fs::metadata(&ours).expect("the file is there").len() as f64;
    println!(
        "  database        {:.1} MB = {:.0} bytes/observation",
        bytes / 1e6,
        bytes / observations as f64
    );
    let (again, took) = run(&path, &ours);
    assert!(again.adds_nothing(), "a second import adds nothing:\n{again}");
    println!("  second          {:.1} s, adds nothing", took.as_secs_f64());
}

fn make(path: &Path, wanted: u64) -> u64 {
    let mut mesh = Mesh::new(SimConfig { packets_per_hour: 36_000.0, ..SimConfig::default() });
    let mut db = CoreScopeDb::create(path, Age::Today);
    let mut made = 0;
    while made < wanted {
        made += db.fill(mesh.by_ref().take(CHUNK));
    }
    db.finish();
    made
}

fn run(path: &Path, ours: &Path) -> (Report, Duration) {
    let started = Instant::now();
    let storage = Storage::open(StorageOptions {
        max_batch_rows: 50_000,
        queue_rows: 100_000,
        ..StorageOptions::new(ours)
    });
    let storage = storage.expect("our database can be opened");
    let options = ImportOptions {
        ingest: IngestConfig::default(),
        index: IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) },
    };
    let source = Source::open(path).expect("the database made is one of CoreScope");
    let report = import(&source, Target::Storage(&storage), &options, &mut |_| {});
    let report = report.expect("everything can be read and written");
    storage.close().expect("everything is written");
    (report, started.elapsed())
}
