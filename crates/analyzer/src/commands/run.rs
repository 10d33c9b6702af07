//! `run`: wires the parts together, starts them in order, and stops them in the opposite order.

mod demo;
mod load;
pub(crate) mod plan;
mod services;
mod sources;
mod stop;
mod summary;

use crate::cli::RunArgs;
use crate::config::{self, Loaded};
use anyhow::{Context as _, Result};
use api::{ApiState, LiveHub, Services};
use index::{Index, IndexOptions, SharedIndex};
use ingest::Ingest;
use load::LoadProgress;
use meshcore::{KeyRing, ScopeSet};
use model::UnixMillis;
use mqtt::{Broker, MessageReceiver};
use parking_lot::RwLock;
use plan::Plan;
use services::RunningServices;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use stop::StopSignal;
use storage::{Storage, StorageOptions};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Messages that may wait for ingest. Enough for a burst of a second at full speed; CoreScope's default.
const DEFAULT_QUEUE: usize = 50_000;

/// How long requests that are under way at the end may take to finish.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Starts everything, runs until SIGTERM or SIGINT, then drains and commits.
///
/// # Errors
/// When the configuration is wrong, an address or the data folder cannot be used, or the database cannot be read.
pub(crate) fn run(args: RunArgs) -> Result<()> {
    let loaded = Loaded::read(args.config.as_deref())?;
    let plan = Plan::new(&args, &loaded)?;
    summary::configuration(&loaded);

    // The port opens first, so that a second start fails before it touches the database.
    let http_threads = runtime("http", 2)?;
    let stop = http_threads.block_on(async { StopSignal::listen() })?;
    let listener = http_threads.block_on(listen(plan.http))?;
    let http = listener.local_addr()?;
    let storage = open_storage(&plan)?;
    let mut keys = config::key_ring(&loaded.file, loaded.path.as_deref())?;
    if plan.demo {
        demo::CHANNELS.iter().for_each(|name| keys.add_hashtag(name));
    }
    let keys = Arc::new(keys);
    let index = new_index(&loaded, Arc::clone(&keys));
    let (sender, receiver) = mqtt::queue(loaded.file.ingest_buffer_size.unwrap_or(DEFAULT_QUEUE));

    let mqtt_threads = runtime("mqtt", 1)?;
    let broker = mqtt_threads.block_on(sources::embedded_broker(&plan, &loaded, sender.clone()))?;
    let outside = mqtt_threads.block_on(async { sources::outside_brokers(&loaded, &sender) });
    drop(sender);
    let mqtt_at = broker.as_ref().map(Broker::local_addr);
    let hub = LiveHub::new();
    let progress = Arc::new(LoadProgress::default());
    let live = hub.clone();
    let ingest = Ingest::new(
        sources::ingest_config(&loaded),
        Arc::clone(&index),
        storage.writer(),
        Box::new(move |observations| live.publish(observations)),
    );
    let services = Arc::new(RunningServices::new(&storage, &ingest, Arc::clone(&progress), broker, outside)?);
    let mut api_config = loaded.api.clone();
    api_config.demo = plan.demo;
    let state =
        ApiState::new(Arc::clone(&index), api_config, Arc::clone(&services) as Arc<dyn Services>, hub)
            .with_keys(keys);
    let (stop_http, stopped) = watch::channel(false);
    let serving = http_threads.spawn(api::serve(listener, state, until(stopped)));
    summary::listening(&plan, &loaded, http, mqtt_at);

    load::replay(&storage, &index, &progress)?;
    summary::history(&index.read().totals(UnixMillis::now()));
    let ingest = start_ingest(ingest, receiver)?;
    let demo = match mqtt_at {
        Some(address) if plan.demo => Some(demo::start(&mqtt_threads, address, &loaded)?),
        _ => None,
    };

    http_threads.block_on(stop.wait());
    summary::stopping();
    if let Some(demo) = demo {
        demo.abort();
    }
    // Once nobody can send any more, ingest ends by itself; once ingest has ended, storage has everything.
    mqtt_threads.block_on(services.disconnect());
    ingest.join().map_err(|_| anyhow::anyhow!("the ingest thread panicked; see the log"))?;
    storage.close().context("the last batch could not be committed")?;
    let _ = stop_http.send(true);
    let served = http_threads.block_on(async { tokio::time::timeout(DRAIN_LIMIT, serving).await });
    mqtt_threads.shutdown_background();
    http_threads.shutdown_background();
    if let Ok(Ok(result)) = served {
        result?;
    }
    summary::stopped();
    Ok(())
}

fn runtime(name: &'static str, threads: usize) -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .with_context(|| format!("cannot start the {name} threads"))
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen for HTTP on {address}; choose another address with --http ADDR:PORT")
    })
}

fn open_storage(plan: &Plan) -> Result<Storage> {
    Ok(Storage::open(StorageOptions::new(plan.data.database()))?)
}

fn new_index(loaded: &Loaded, keys: Arc<KeyRing>) -> SharedIndex {
    let scopes = Arc::new(ScopeSet::from_names(&loaded.file.hash_regions));
    Arc::new(RwLock::new(Index::new(IndexOptions { keys, scopes })))
}

fn start_ingest(ingest: Ingest, receiver: MessageReceiver) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("ingest".to_owned())
        .spawn(move || ingest.run(receiver))
        .context("cannot start the ingest thread")
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}
