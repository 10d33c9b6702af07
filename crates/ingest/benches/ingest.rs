//! Messages a second through `handle_batch` on one core: reading, deciding, applying to the index.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use index::{Index, IndexOptions};
use ingest::{Ingest, IngestConfig, OnDurable};
use meshcore::{KeyRing, ScopeSet};
use model::Change;
use mqtt::{Ack, Message, Qos};
use parking_lot::RwLock;
use simulator::{Mesh, SimConfig, SimMessage};

/// Enough for the index to have some thousand packets, and small enough to repeat.
const MESSAGES: usize = 50_000;

fn ingest() -> Ingest {
    let options = IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) };
    let index = Arc::new(RwLock::new(Index::new(options)));
    let sink = |changes: Vec<Change>, on_durable: Option<OnDurable>| {
        black_box(changes);
        if let Some(on_durable) = on_durable {
            on_durable();
        }
    };
    Ingest::with_sink(IngestConfig::default(), index, Box::new(sink), Box::new(|ids| drop(black_box(ids))))
}

fn message(sim: &SimMessage) -> Message {
    let since_epoch = Duration::from_millis(u64::try_from(sim.time.0).unwrap_or_default());
    Message {
        source: 0,
        topic: sim.topic.as_str().into(),
        payload: bytes::Bytes::copy_from_slice(sim.payload.as_bytes()),
        qos: Qos::AtMostOnce,
        retained: false,
        received: UNIX_EPOCH + since_epoch,
        ack: Ack::none(),
    }
}

fn benches(criterion: &mut Criterion) {
    let config = SimConfig { nodes: 400, observers: 60, packets_per_hour: 3600.0, ..SimConfig::default() };
    let messages: Vec<SimMessage> = Mesh::new(config).take(MESSAGES).collect();
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(10).throughput(Throughput::Elements(MESSAGES as u64));
    let received = || messages.iter().map(message).collect::<Vec<_>>();
    group.bench_function("new packets and observations", |bencher| {
        let setup = || (ingest(), received());
        bencher.iter_batched(
            setup,
            |(mut ingest, messages)| {
                ingest.handle_batch(messages);
                ingest
            },
            BatchSize::LargeInput,
        );
    });
    let mut seen = ingest();
    seen.handle_batch(received());
    group.bench_function("duplicates", |bencher| {
        bencher.iter_batched(received, |messages| seen.handle_batch(messages), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(ingest_benches, benches);
criterion_main!(ingest_benches);
